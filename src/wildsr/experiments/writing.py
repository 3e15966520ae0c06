"""What an experiment leaves: a Markdown page with plots and crops, every value as CSV, everything as JSON."""

import csv
import io
import json
import platform
from collections.abc import Mapping, Sequence
from dataclasses import asdict
from pathlib import Path

import numpy as np
from PIL import Image

from wildsr.experiments.measuring import MEASURES, Bytes, Row
from wildsr.files import atomic_write, make_folder
from wildsr.metrics.intervals import Interval, interval
from wildsr.report.svg_file import svg_file
from wildsr.training.hardware import device_name
from wildsr.version import __version__


def write_results(
    folder: Path, *, page: str, rows: Sequence[Row], plots: Mapping[str, str], facts: Mapping[str, object]
) -> Path:
    """Write `README.md`, `values.csv`, `values.json` and the plots.

    Args:
        folder: Made when missing.
        page: Markdown.
        rows: Every value.
        plots: Name → `svg` element.
        facts: Of the experiment, for the JSON.

    Returns:
        The page.
    """
    make_folder(folder)
    names = list(dict.fromkeys(name for row in rows for name in row.values))
    text = io.StringIO()
    writer = csv.writer(text, lineterminator="\n")
    writer.writerow(["picture", "condition", "method", *names])
    for row in rows:
        values = [f"{row.values[name]:.5f}" if name in row.values else "" for name in names]
        writer.writerow([row.picture, row.condition, row.method, *values])
    _write(folder / "values.csv", text.getvalue())
    whole = {"wildsr": __version__, "machine": machine(), **facts, "rows": [asdict(row) for row in rows]}
    _write(folder / "values.json", json.dumps(whole, indent=1, ensure_ascii=False) + "\n")
    for name, plot in plots.items():
        _write(folder / f"{name}.svg", svg_file(plot))
    _write(folder / "README.md", page.rstrip() + "\n")
    return folder / "README.md"


def write_crops(path: Path, crops: Sequence[Bytes], *, gap: int = 6) -> None:
    """Write pictures of one height side by side as a JPEG."""
    make_folder(path.parent)
    height = max(crop.shape[0] for crop in crops)
    parts: list[Bytes] = []
    for crop in crops:
        padded = np.full((height, crop.shape[1] + gap, 3), 255, np.uint8)
        padded[: crop.shape[0], : crop.shape[1]] = crop
        parts.append(padded)
    with atomic_write(path) as temporary:
        Image.fromarray(np.concatenate(parts, axis=1)[:, :-gap]).save(
            temporary, "JPEG", quality=90, subsampling=0
        )


def detailed_place(hr: Bytes, side: int, *, multiple: int = 4) -> tuple[int, int]:
    """Top and left of the square with the most detail that is no mere noise: the steepest of its blurred gradients."""
    small = hr.astype(np.float32).mean(axis=2)
    small = small[: small.shape[0] // 4 * 4, : small.shape[1] // 4 * 4]
    small = small.reshape(small.shape[0] // 4, 4, -1, 4).mean(axis=(1, 3))
    steep = np.abs(np.diff(small, axis=0))[:, :-1] + np.abs(np.diff(small, axis=1))[:-1]
    sums = np.pad(steep.cumsum(0).cumsum(1), ((1, 0), (1, 0)))
    n = min(side // 4, *steep.shape)
    window = sums[n:, n:] - sums[:-n, n:] - sums[n:, :-n] + sums[:-n, :-n]
    top, left = np.unravel_index(int(window.argmax()), window.shape)
    return int(top) * 4 // multiple * multiple, int(left) * 4 // multiple * multiple


def mean_of(rows: Sequence[Row], measure: str, **wanted: str) -> Interval | None:
    """Mean of a measure with its 95 % interval, over the rows whose fields are as wanted."""
    return interval(
        [
            row.values[measure]
            for row in rows
            if measure in row.values and all(getattr(row, name) == value for name, value in wanted.items())
        ]
    )


def table(head: Sequence[str], body: Sequence[Sequence[str]]) -> str:
    """A Markdown table."""
    lines = [head, ["--"] * len(head), *body]
    return "\n".join("| " + " | ".join(line) + " |" for line in lines)


def written(found: Interval | None, digits: int) -> str:
    """A mean with its interval; figures below 1 without the zero."""
    if found is None:
        return "–"
    numbers = [f"{value:.{digits}f}".replace("-", "−") for value in (found.mean, found.low, found.high)]
    short = [
        number.replace("0.", ".", 1) if number.lstrip("−").startswith("0.") else number for number in numbers
    ]
    return f"{short[0]} [{short[1]}, {short[2]}]"


def label(measure: str) -> str:
    """What a measure is called."""
    return MEASURES[measure][0]


def machine() -> str:
    """What computed."""
    return f"{device_name()}, Python {platform.python_version()}"


def _write(path: Path, text: str) -> None:
    with atomic_write(path) as temporary:
        temporary.write_text(text, encoding="utf-8")
