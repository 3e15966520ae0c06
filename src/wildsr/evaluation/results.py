"""Rows of an evaluation, and the means, intervals and ranks computed from them."""

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path
from typing import TypeAlias

import numpy as np

from wildsr.evaluation.sets import TestPicture
from wildsr.metrics import METRICS, iqa_rank, rank_table
from wildsr.metrics.intervals import Interval, interval

Json: TypeAlias = str | int | float | bool | list["Json"] | dict[str, "Json"] | None
IQA_RANK = "iqa_rank"


@dataclass(frozen=True, kw_only=True)
class Row:
    """One picture by one method."""

    picture: TestPicture
    """The picture of the set."""

    method: str
    """The method's name."""

    sr: Path | None
    """Its SR picture; None where there is none."""

    values: Mapping[str, float] = field(default_factory=dict)
    """Metric → value; +inf for identical pictures."""

    seconds: float | None = None
    """Time super-resolving took."""

    errors: Mapping[str, str] = field(default_factory=dict)
    """Metric (or `picture` for all) → why there is no value."""

    notes: tuple[str, ...] = ()
    """What a reader must know about this row."""

    @property
    def image(self) -> str:
        """Name of the picture in the set."""
        return self.picture.name


@dataclass(frozen=True, kw_only=True)
class Evaluation:
    """Methods judged on the pictures of a set."""

    methods: tuple[str, ...]
    """In the order given."""

    metrics: tuple[str, ...]
    """In the order asked for."""

    rows: tuple[Row, ...]
    """Every picture by every method, pictures first."""

    protocol: dict[str, Json]
    """How the numbers were computed; written with them to every format."""

    @cached_property
    def by_image(self) -> dict[str, dict[str, Row]]:
        """Picture → method → row."""
        table: dict[str, dict[str, Row]] = {}
        for row in self.rows:
            table.setdefault(row.image, {})[row.method] = row
        return table

    @cached_property
    def means(self) -> dict[str, dict[str, Interval | None]]:
        """Method → metric → mean with interval; None where no picture counts.

        A picture without a value for one method counts for none (means of different pictures can't be
        compared); infinite values are left out of their own method's mean.
        """
        table: dict[str, dict[str, Interval | None]] = {method: {} for method in self.methods}
        for metric in self.metrics:
            complete = self.complete(metric)
            for method in self.methods:
                values = [row[method].values[metric] for row in complete]
                table[method][metric] = interval([value for value in values if math.isfinite(value)])
        return table

    @cached_property
    def ranks(self) -> dict[str, dict[str, float]]:
        """Method → metric → mean rank over pictures (1 is best, ties share); `iqa_rank` over all metrics."""
        scores = {
            metric: {
                row[self.methods[0]].image: {m: row[m].values[metric] for m in self.methods}
                for row in complete
            }
            for metric in self.metrics
            if (complete := self.complete(metric))
        }
        if not scores:
            return {method: {} for method in self.methods}
        directions = {metric: METRICS[metric].higher_is_better for metric in scores}
        places = rank_table(scores, directions)
        overall = iqa_rank(scores, directions)
        return {
            method: {
                IQA_RANK: overall[method],
                **{m: float(np.mean([row[method] for row in places[m].values()])) for m in scores},
            }
            for method in self.methods
        }

    @cached_property
    def notes(self) -> tuple[str, ...]:
        """What must be said about the means, in sentences."""
        found: list[str] = []
        for metric in self.metrics:
            for method in self.methods:
                rows = [row[method] for row in self.by_image.values()]
                same = [row.image for row in rows if row.values.get(metric) == math.inf]
                if same:
                    found.append(
                        f"{method}: {metric} is infinite (identical pictures) for {_some(same)}; "
                        f"{len(same)} of {len(rows)} are left out of its mean"
                    )
            lost = len(self.by_image) - len(self.complete(metric))
            if lost:
                found.append(
                    f"{metric}: {lost} of {len(self.by_image)} pictures have no value for every method "
                    "and are left out of all means and ranks"
                )
        grouped: dict[tuple[str, str], list[str]] = {}
        for row in self.rows:
            for note in row.notes:
                grouped.setdefault((row.method, note), []).append(row.image)
        found += [f"{method}: {note} ({_some(images)})" for (method, note), images in grouped.items()]
        return tuple(found)

    @cached_property
    def failures(self) -> tuple[str, ...]:
        """Every value that could not be computed, in sentences."""
        return tuple(
            f"{row.image}, {row.method}: {reason}" for row in self.rows for reason in row.errors.values()
        )

    def complete(self, metric: str) -> list[dict[str, Row]]:
        """Return the pictures (method → row) that have a value of `metric` for every method."""
        return [
            row
            for row in self.by_image.values()
            if all(metric in row[method].values for method in self.methods)
        ]

    def paired_difference(self, metric: str, method: str, other: str) -> Interval | None:
        """Return the mean of `method` − `other` over pictures, with its paired bootstrap interval."""
        pairs = [(row[method].values[metric], row[other].values[metric]) for row in self.complete(metric)]
        return interval([a - b for a, b in pairs if math.isfinite(a) and math.isfinite(b)])

    def ordered(self, metric: str) -> list[str]:
        """Return the methods that have a mean of `metric`, best first."""
        sign = -1 if METRICS[metric].higher_is_better else 1
        known = [
            (found.mean, method)
            for method in self.methods
            if (found := self.means[method][metric]) is not None
        ]
        return [method for _, method in sorted(known, key=lambda one: sign * one[0])]


def _some(names: Sequence[str]) -> str:
    return ", ".join(names[:3]) + (f" and {len(names) - 3} more" if len(names) > 3 else "")
