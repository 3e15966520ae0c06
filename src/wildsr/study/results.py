"""Findings as Markdown, in the form of the challenge's tables, and as JSON."""

import math
from collections.abc import Sequence
from typing import Final, TypeAlias

import numpy as np

from wildsr.files import shown
from wildsr.metrics import METRICS
from wildsr.metrics.ranks import ranks
from wildsr.study.agreement import Concordance
from wildsr.study.analysis import Findings
from wildsr.study.bootstrap import Estimate, Over
from wildsr.study.correlation import Correlation, aligned
from wildsr.study.design import Protocol

Json: TypeAlias = str | int | float | bool | list["Json"] | dict[str, "Json"] | None

OPINION: Final[dict[Protocol, str]] = {"mos": "MOS", "mor": "MOR", "pairwise": "lost"}
"""What the mean of a protocol is called."""

OVER: Final[dict[Over, str]] = {
    "raters": "other people, these pictures",
    "pictures": "these people, other pictures",
    "both": "other people and other pictures",
}


def decimals(protocol: Protocol) -> int:
    """Return how many digits a protocol's mean is quoted with."""
    return 3 if protocol == "pairwise" else 2


def written(value: float, digits: int = 2) -> str:
    """Return a number as tables show it."""
    return "–" if math.isnan(value) else f"{value:.{digits}f}"


def metric_columns(found: Findings) -> dict[str, dict[str, str]]:
    """Return metric → method → mean with its rank, as the challenge prints them: `24.67 (2)`."""
    design = found.found.design
    columns: dict[str, dict[str, str]] = {}
    for metric in found.scores:
        values = aligned(found.scores, metric, design.pictures, design.method_names)
        known = np.asarray(np.isfinite(values).all(axis=0))
        middle = values[:, known].mean(axis=0).tolist()
        names = [name for name, here in zip(design.method_names, known, strict=True) if here]
        places = ranks(middle, higher_is_better=METRICS[metric].higher_is_better)
        columns[metric] = {
            name: f"{value:.{METRICS[metric].decimals}f} ({place:g})"
            for name, value, place in zip(names, middle, places, strict=True)
        }
    return columns


def to_markdown(found: Findings) -> str:
    """Return the table of methods, best first: metrics with ranks, the opinion with its interval, its place."""
    protocol = found.found.design.protocol
    digits = decimals(protocol)
    columns = metric_columns(found)
    heads = [f"{METRICS[name].label} {'↑' if METRICS[name].higher_is_better else '↓'}" for name in columns]
    heads += [f"{OPINION[protocol]} ↓", "95 % interval", "Bradley–Terry ↑", "place"]
    lines = [f"| method | {' | '.join(heads)} |", f"|--|{'--|' * len(heads)}"]
    for one in found.standings:
        cells = [column.get(one.method, "–") for column in columns.values()]
        mean = written(one.opinion.mean, digits)
        cells += [
            f"**{mean}**" if one.place == 1 else mean,
            f"{written(one.opinion.low, digits)} – {written(one.opinion.high, digits)}",
            f"{one.strength.mean:+.2f}",
            _place(one.place, tie=one.ties_with_best),
        ]
        name = shown(one.method).replace("|", "\\|")
        lines.append(f"| {name} | {' | '.join(cells)} |")
    return "\n".join(lines) + "\n"


def to_json(found: Findings) -> dict[str, Json]:
    """Return everything that was found; what can't be said is null."""
    design = found.found.design
    return {
        "protocol": design.protocol,
        "raters": len(found.found.raters),
        "pictures": len(design.pictures),
        "intervals": f"95 % bootstrap over {found.over}",
        "methods": [
            {
                "method": one.method,
                "place": one.place or None,
                "opinion": _estimate(one.opinion),
                "behind_best": _estimate(one.behind),
                "bradley_terry": _estimate(one.strength),
                "answers": one.answers,
            }
            for one in found.standings
        ],
        "kendall_w": _concordance(found.together),
        "kendall_w_within_pictures": _number(found.within),
        "krippendorff_alpha": _number(found.alpha),
        "raters_checked": [
            {
                "rater": one.rater,
                "answers": one.answers,
                "repeats": one.repeats,
                "consistency": _number(one.consistency),
                "anchors": one.anchors,
                "anchors_right": _number(one.anchors_right),
                "agreement": _number(one.agreement),
                "seconds": _number(one.seconds),
                "left_out": list(one.reasons),
            }
            for one in found.checks
        ],
        "correlations": {"results": _correlations(found.results), "methods": _correlations(found.methods)},
        "notes": list(found.notes),
    }


def _place(place: int, *, tie: bool) -> str:
    return "–" if not place else f"{'≈ ' if tie else ''}{place}"


def _estimate(one: Estimate) -> Json:
    return {"mean": _number(one.mean), "low": _number(one.low), "high": _number(one.high)}


def _concordance(one: Concordance | None) -> Json:
    return None if one is None else {"w": one.w, "p_value": one.p_value, "orders": one.orders}


def _correlations(found: Sequence[Correlation]) -> Json:
    return [
        {"metric": one.metric, "srcc": one.srcc, "plcc": one.plcc, "krcc": one.krcc, "count": one.results}
        for one in found
    ]


def _number(value: float) -> float | None:
    return value if math.isfinite(value) else None
