"""Evaluations as JSON, CSV and Markdown."""

import csv
import io
import json
import math
from pathlib import Path

from wildsr.evaluation.results import IQA_RANK, Evaluation, Json
from wildsr.files import atomic_write, make_folder, shown
from wildsr.metrics import METRICS


def to_json(found: Evaluation) -> dict[str, Json]:
    """Return `{"protocol", "rows", "mean", "ranks"}`.

    Infinite values are the string "inf" (JSON has no infinity; `float("inf")` reads it), values that could
    not be computed and means over no picture are null.
    """
    return {
        "protocol": found.protocol,
        "rows": [
            {
                "image": row.image,
                "method": row.method,
                **{name: _number(row.values.get(name)) for name in found.metrics},
                **({} if row.seconds is None else {"seconds": round(row.seconds, 4)}),
            }
            for row in found.rows
        ],
        "mean": {
            method: {name: None if one is None else one.mean for name, one in row.items()}
            for method, row in found.means.items()
        },
        "ranks": {method: dict(row) for method, row in found.ranks.items()},
    }


def to_csv(found: Evaluation) -> str:
    """Return a line a picture and method; infinite values are `inf`, missing ones empty."""
    out = io.StringIO()
    timed = any(row.seconds is not None for row in found.rows)
    writer = csv.writer(out, lineterminator="\n")
    writer.writerow(["image", "method", *found.metrics, *(["seconds"] if timed else [])])
    for row in found.rows:
        values = [repr(row.values[name]) if name in row.values else "" for name in found.metrics]
        seconds = [] if not timed else ["" if row.seconds is None else f"{row.seconds:.4f}"]
        writer.writerow([row.image, row.method, *values, *seconds])
    return out.getvalue()


def to_markdown(found: Evaluation) -> str:
    """Return the table of means; the best of each metric is bold, the second best in italics."""
    timed = any(row.seconds is not None for row in found.rows)
    heads = [f"{name} {'↑' if METRICS[name].higher_is_better else '↓'}" for name in found.metrics]
    ranked = any(IQA_RANK in row for row in found.ranks.values()) and len(found.methods) > 1
    heads += (["mean rank ↓"] if ranked else []) + (["s / picture"] if timed else [])
    lines = [f"| method | {' | '.join(heads)} |", f"|--|{'--|' * len(heads)}"]
    orders = {name: found.ordered(name) for name in found.metrics}
    for method in found.methods:
        cells = []
        for name in found.metrics:
            one = found.means[method][name]
            cells.append("–" if one is None else _marked(digits(name, one.mean), orders[name], method))
        cells += [f"{found.ranks[method][IQA_RANK]:.2f}"] if ranked else []
        if timed:
            seconds = [row.seconds for row in found.rows if row.method == method and row.seconds is not None]
            cells.append(f"{sum(seconds) / len(seconds):.2f}" if seconds else "–")
        lines.append(f"| {_cell(method)} | {' | '.join(cells)} |")
    return "\n".join(lines) + "\n"


def digits(metric: str, value: float) -> str:
    """Return a value with as many digits as its metric is quoted with."""
    if math.isinf(value):
        return "∞"
    return f"{value:.{METRICS[metric].decimals}f}"


def write_text(path: Path, text: str) -> None:
    """Write a report; it appears whole or not at all.

    Raises:
        OutputError: It can't be written.
    """
    make_folder(path.parent)
    with atomic_write(path) as temporary:
        temporary.write_text(text, encoding="utf-8")


def json_text(found: Evaluation) -> str:
    """Return `to_json` as text."""
    return json.dumps(to_json(found), indent=2, ensure_ascii=True, allow_nan=False) + "\n"


def _cell(name: str) -> str:
    """A name that can neither end its cell nor act on a terminal."""
    return shown(name).replace("|", "\\|")


def _number(value: float | None) -> Json:
    return "inf" if value == math.inf else value


def _marked(text: str, order: list[str], method: str) -> str:
    place = order.index(method)
    if len(order) < 2 or place > 1:
        return text
    return f"**{text}**" if place == 0 else f"*{text}*"
