"""How far metrics agree with people: SRCC, PLCC and KRCC."""

import csv
import json
import math
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Final, TypeAlias

import numpy as np

from wildsr.errors import InputError
from wildsr.files import shown
from wildsr.files.matching import match
from wildsr.metrics import METRICS
from wildsr.study.judgements import Floats

MetricValues: TypeAlias = Mapping[str, Mapping[str, Mapping[str, float]]]
"""metric → picture → method → value."""

_MOST_BYTES: Final = 64 << 20
_LEAST_RESULTS: Final = 3


@dataclass(frozen=True, kw_only=True)
class Correlation:
    """How a metric agrees with opinions; positive where it prefers what people prefer."""

    metric: str
    """Name of the metric."""

    srcc: float
    """Spearman's rank correlation."""

    plcc: float
    """Pearson's linear correlation, without a fitted curve."""

    krcc: float
    """Kendall's τ-b."""

    results: int
    """Over how many results (picture × method), or methods."""


def correlate(opinions: Floats, values: Floats, *, metric: str) -> Correlation | None:
    """Return how a metric correlates with opinions.

    Args:
        opinions: One a result, lower is better; NaN where nobody judged.
        values: The metric's values of the same results; only finite ones count.
        metric: Its name: the table of metrics says which direction is better.

    Returns:
        None where fewer than three results have both, or either is constant.
    """
    both = np.isfinite(opinions) & np.isfinite(values)
    people, numbers = -opinions[both], values[both]
    if people.size < _LEAST_RESULTS or np.ptp(people) == 0 or np.ptp(numbers) == 0:
        return None
    if metric in METRICS and not METRICS[metric].higher_is_better:
        numbers = -numbers
    from scipy.stats import kendalltau, pearsonr, spearmanr

    return Correlation(
        metric=metric,
        srcc=float(spearmanr(people, numbers).statistic),
        plcc=float(pearsonr(people, numbers).statistic),
        krcc=float(kendalltau(people, numbers).statistic),
        results=int(people.size),
    )


def read_scores(path: Path) -> MetricValues:
    """Return the values in a file of `wildsr evaluate --json` or `--csv`.

    Raises:
        InputError: It can't be read, or is something else.
    """
    try:
        with path.open("rb") as file:
            raw = file.read(_MOST_BYTES + 1)
    except OSError as error:
        raise InputError(f"can't read {shown(path.name)}: {error.strerror or error}") from error
    if len(raw) > _MOST_BYTES:
        raise InputError(f"{shown(path.name)} has more than {_MOST_BYTES >> 20} MB; it can't be scores")
    rows = _rows(raw, path)
    table: dict[str, dict[str, dict[str, float]]] = {}
    for row in rows:
        image, method = row.get("image"), row.get("method")
        if not (isinstance(image, str) and isinstance(method, str)):
            raise _no_scores(path)
        for name, value in row.items():
            number = _number(value)
            if name in METRICS and number is not None:
                table.setdefault(name, {}).setdefault(image, {})[method] = number
    if not table:
        raise _no_scores(path)
    return table


def aligned(values: MetricValues, metric: str, pictures: tuple[str, ...], methods: tuple[str, ...]) -> Floats:
    """Return a metric's values as picture × method of a study, NaN where there is none.

    Pictures belong together by name, as in `wildsr evaluate`.
    """
    rows = values[metric]
    pairs = match(list(pictures), list(rows)).pairs
    table = np.full((len(pictures), len(methods)), np.nan)
    for place, picture in enumerate(pictures):
        row = rows.get(pairs.get(picture, ""), {})
        for column, method in enumerate(methods):
            table[place, column] = row.get(method, math.nan)
    return table


def _rows(raw: bytes, path: Path) -> list[dict[str, object]]:
    try:
        text = raw.decode("utf-8")
        if text.lstrip().startswith("{"):
            found = json.loads(text).get("rows")
            if isinstance(found, list) and all(isinstance(row, dict) for row in found):
                return found
            raise _no_scores(path)
        return [dict(row) for row in csv.DictReader(text.splitlines())]
    except (ValueError, RecursionError, csv.Error) as error:
        raise _no_scores(path) from error


def _number(value: object) -> float | None:
    """A number, or a text of one (`inf` stands for identical pictures)."""
    if isinstance(value, bool) or not isinstance(value, int | float | str):
        return None
    try:
        return float(value)
    except ValueError:
        return None


def _no_scores(path: Path) -> InputError:
    return InputError(
        f"{shown(path.name)} holds no scores", hint="write them with wildsr evaluate … --json scores.json"
    )
