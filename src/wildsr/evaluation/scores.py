"""The metrics of one SR picture, each computed once."""

import os
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from functools import lru_cache
from pathlib import Path
from typing import Final

import numpy as np

from wildsr.errors import MetricError
from wildsr.evaluation.pixels import check_sizes, common, load
from wildsr.evaluation.sets import TestPicture
from wildsr.evaluation.store import SCORING_CODE, Record, Setting, Store, code, content, key_of, libraries
from wildsr.metrics import METRICS, Image
from wildsr.metrics.user_files import FOLDER_VARIABLE

_TRIAL_SIDE: Final = 224


@dataclass(frozen=True, kw_only=True)
class Scores:
    """What was measured on one picture."""

    values: Mapping[str, float]
    """Metric → value; +inf for identical pictures."""

    errors: Mapping[str, str] = field(default_factory=dict)
    """Metric → why it can't be computed on this picture."""

    notes: tuple[str, ...] = ()
    """What a reader must know about the numbers."""


def score(
    sr: Path, picture: TestPicture, metrics: Sequence[str], *, border: int, crop: bool, store: Store
) -> Scores:
    """Return the metrics of an SR picture; what was measured before comes from the store.

    Args:
        sr: The SR picture.
        picture: Its ground truth and LR picture, as far as the metrics need them.
        metrics: Names of `METRICS`.
        border: Pixels cropped from each side of SR and HR first (metrics that compare with the LR take none).
        crop: Cut SR and HR to their common size where they differ a little.
        store: Where results are kept.

    Raises:
        InputError: A picture can't be read, or sizes differ.
        OutputError: The store can't be written.
    """
    needed = {METRICS[name].reference for name in metrics}
    hr = picture.hr if "hr" in needed or crop else None
    lr = picture.lr if "lr" in needed else None
    key = key_of(
        {
            "sr": content(sr),
            "hr": None if hr is None else content(hr),
            "lr": None if lr is None else content(lr),
            "border": border,
            "crop": crop,
            **measured_by(),
        }
    )
    kept = store.record(key) or Record()
    missing = [name for name in metrics if name not in kept.numbers]
    errors: dict[str, str] = {}
    if missing:
        measured = _measure(picture.name, sr, hr, lr, missing, border=border, crop=crop)
        errors = dict(measured.errors)
        kept = Record(numbers={**kept.numbers, **measured.values}, notes=measured.notes)
        store.file(key, kept)
    return Scores(
        values={name: kept.numbers[name] for name in metrics if name in kept.numbers},
        errors=errors,
        notes=kept.notes,
    )


def _measure(
    name: str,
    sr_path: Path,
    hr_path: Path | None,
    lr_path: Path | None,
    metrics: Sequence[str],
    *,
    border: int,
    crop: bool,
) -> Scores:
    whole = load(sr_path)
    sr, notes = whole.pixels, [f"result: {note}" for note in whole.notes]
    hr: Image | None = None
    if hr_path is not None:
        truth = load(hr_path)
        hr = truth.pixels
        notes += [f"ground truth: {note}" for note in truth.notes]
        if whole.icc != truth.icc:
            notes.append(
                "result and ground truth have different colour profiles; their values are compared as encoded"
            )
        check_sizes(name, (sr.shape[0], sr.shape[1]), (hr.shape[0], hr.shape[1]), crop=crop)
        if sr.shape != hr.shape:
            notes.append(
                f"{sr.shape[1]}×{sr.shape[0]} and {hr.shape[1]}×{hr.shape[0]} pixels, cut to a common size"
            )
            sr, hr = common(sr, hr)
    lr = load(lr_path).pixels if lr_path is not None else None
    values: dict[str, float] = {}
    errors: dict[str, str] = {}
    for metric in metrics:
        entry = METRICS[metric]
        try:
            if entry.reference == "lr":
                values[metric] = entry.measure(whole.pixels, lr)
            else:
                values[metric] = entry.measure(sr, hr, border=border)
        except MetricError as error:
            errors[metric] = str(error)
    return Scores(values=values, errors=errors, notes=tuple(notes))


def measured_by() -> dict[str, Setting]:
    """Return what of this machine decides a score: code, libraries, the user's parameter files."""
    return {
        "code": code(*SCORING_CODE),
        "libraries": libraries(),
        "parameters": _user_parameters(os.environ.get(FOLDER_VARIABLE, "")),
    }


def try_metrics(metrics: Sequence[str]) -> None:
    """Compute metrics of a synthetic picture, so that missing parameters fail before a long run.

    Raises:
        WildsrError: A metric's parameters can't be had.
    """
    rng = np.random.default_rng(0)
    sr, hr = rng.integers(0, 256, (2, _TRIAL_SIDE, _TRIAL_SIDE, 3), dtype=np.uint8)
    for name in metrics:
        reference = {"none": None, "hr": hr, "lr": hr[::4, ::4]}[METRICS[name].reference]
        METRICS[name].measure(sr, reference)


@lru_cache(maxsize=2)
def _user_parameters(folder: str) -> str:
    """The state of the folder of parameter files a user may have set."""
    if not folder:
        return ""
    files = sorted(Path(folder).expanduser().glob("*"))
    return str(
        [(file.name, file.stat().st_size, file.stat().st_mtime_ns) for file in files if file.is_file()]
    )
