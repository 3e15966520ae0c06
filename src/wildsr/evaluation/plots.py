"""The plots of an evaluation: methods between two metrics, and every picture's value."""

import math

from wildsr.evaluation.results import Evaluation
from wildsr.evaluation.tables import digits
from wildsr.metrics import METRICS
from wildsr.metrics.intervals import Interval
from wildsr.report import plots


def perception_distortion(found: Evaluation, distortion: str, perception: str) -> str:
    """Return the plane of Blau and Michaeli (CVPR 2018): a dot a method, with the bootstrap intervals of both means."""
    dots = [
        plots.Dot(number=number, name=method, x=_spread(x), y=_spread(y))
        for number, method in enumerate(found.methods)
        if (x := found.means[method][distortion]) is not None
        and (y := found.means[method][perception]) is not None
    ]
    title = f"{METRICS[perception].heading} against {METRICS[distortion].heading}, a dot a method"
    return plots.plane(dots, _quantity(distortion), _quantity(perception), title=title)


def strips(found: Evaluation, metric: str) -> str:
    """Return the values of every picture, a strip a method, with mean and bootstrap interval."""
    rows = []
    for method in found.methods:
        mean = found.means[method][metric]
        values = [row.values.get(metric, math.nan) for row in found.rows if row.method == method]
        rows.append(
            plots.Strip(
                name=method,
                values=[value for value in values if math.isfinite(value)],
                mean=None if mean is None else _spread(mean),
                written="" if mean is None else digits(metric, mean.mean),
            )
        )
    title = f"{METRICS[metric].heading} of every picture, by method"
    return plots.strips(rows, _quantity(metric), title=title)


def _spread(interval: Interval) -> plots.Spread:
    return plots.Spread(mean=interval.mean, low=interval.low, high=interval.high)


def _quantity(metric: str) -> plots.Quantity:
    return plots.Quantity(label=METRICS[metric].label, rising=METRICS[metric].higher_is_better)
