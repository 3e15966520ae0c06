"""Findings as one HTML page in the style of the other reports."""

import math
from html import escape
from typing import Final

import numpy as np

from wildsr.metrics import METRICS
from wildsr.report import plots
from wildsr.report.page import cards, definitions, folded, notes, page, plain, table
from wildsr.report.page import plots as panels
from wildsr.study.analysis import Findings, opinion_table
from wildsr.study.bootstrap import Estimate
from wildsr.study.correlation import aligned
from wildsr.study.design import LEVELS, Protocol
from wildsr.study.judgements import Floats
from wildsr.study.results import OPINION, OVER, decimals, metric_columns, written

_ASKED: Final[dict[Protocol, str]] = {
    "mos": "each result rated by itself on six levels from 0, perfect, to 5, terrible",
    "mor": "all results of a picture put in order, 1 the best",
    "pairwise": "two results of a picture at a time, the better one chosen",
}
_MEANS: Final[dict[Protocol, str]] = {
    "mos": "mean opinion score, 0 perfect to 5 terrible",
    "mor": "mean opinion rank, 1 is best",
    "pairwise": "part of the comparisons that were lost",
}


def html_report(found: Findings, *, title: str) -> str:
    """Return the result of a study as one HTML page without links to anything outside it."""
    return page(
        title,
        [
            f"<h1>{plain(title)}</h1>",
            f'<p class="lead">{escape(_headline(found))}</p>',
            notes("To know before reading the numbers", found.notes),
            _cards(found),
            _table(found),
            _plots(found),
            _correlations(found),
            _wins(found),
            _raters(found),
            _protocol(found),
        ],
    )


def _headline(found: Findings) -> str:
    best, *others = found.standings
    protocol = found.found.design.protocol
    mean = f"{OPINION[protocol]} {written(best.opinion.mean, decimals(protocol))}"
    if not others or not others[0].place:
        return f"{best.method} has {mean}."
    ties = [one.method for one in others if one.ties_with_best]
    if ties:
        return f"{best.method} is first with {mean}, but can't be told from {' and '.join(ties)}."
    return f"{best.method} is best with {mean}, surely ahead of {others[0].method}."


def _cards(found: Findings) -> str:
    entries = [
        ("raters", str(len(found.found.raters))),
        ("answers", str(sum(one.trial.repeats is None for one in found.found.judgements))),
        ("pictures", str(len(found.found.design.pictures))),
    ]
    if found.together is not None:
        entries.append(("Kendall’s W", written(found.together.w)))
    if not math.isnan(found.within):
        entries.append(("W within a picture", written(found.within)))
    entries.append(("Krippendorff’s α", written(found.alpha)))
    return cards(entries)


def _table(found: Findings) -> str:
    protocol = found.found.design.protocol
    columns = metric_columns(found)
    heads = ["method", *(escape(METRICS[name].heading) for name in columns)]
    heads += [f"{OPINION[protocol]} ↓", "behind the best", "Bradley–Terry ↑", "place"]
    lines = []
    for number, one in enumerate(found.standings):
        cells = [f'<td><span class="swatch m{number % 8}"></span>{plain(one.method)}</td>']
        cells += [f"<td>{column.get(one.method, '–')}</td>" for column in columns.values()]
        kind = {1: ' class="best"', 2: ' class="second"'}.get(one.place, "")
        cells.append(f"<td{kind}>{_estimate(one.opinion, decimals(protocol))}</td>")
        cells.append(
            "<td>–</td>" if one.place < 2 else f"<td>{_estimate(one.behind, decimals(protocol))}</td>"
        )
        cells.append(f"<td>{_estimate(one.strength, 2)}</td>")
        cells.append(f"<td>{'≈ ' if one.ties_with_best else ''}{one.place or '–'}</td>")
        lines.append(f"<tr>{''.join(cells)}</tr>")
    legend = (
        f"{OPINION[protocol]}: {_MEANS[protocol]}. Below each mean its 95 % bootstrap interval, which allows for "
        f"{OVER[found.over]}. ≈: the interval of the difference from the best holds 0. "
        "Bradley–Terry: log-odds, 0.69 is two wins to one. In brackets: the rank of a metric’s mean."
    )
    return (
        f'<h2>Result</h2><div class="scroll"><table><tr>{"".join(f"<th>{one}</th>" for one in heads)}</tr>'
        f'{"".join(lines)}</table></div><p class="hint">{legend}</p>'
    )


def _estimate(one: Estimate, digits: int) -> str:
    if math.isnan(one.mean):
        return "–"
    between = "" if math.isnan(one.low) else f"{one.low:.{digits}f} – {one.high:.{digits}f}"
    return f"<b>{one.mean:.{digits}f}</b><small>{between}</small>"


def _plots(found: Findings) -> str:
    protocol = found.found.design.protocol
    values = opinion_table(found.found)
    quantity = plots.Quantity(label=_MEANS[protocol], rising=False)
    figures = [
        (
            f"{OPINION[protocol]} by rater <span>a dot a rater, better to the right; bar: mean</span>",
            plots.strips(_strips(found, values, axis=1), quantity, title="mean of each rater, by method"),
        ),
        (
            f"{OPINION[protocol]} by picture <span>a dot a picture</span>",
            plots.strips(_strips(found, values, axis=0), quantity, title="mean of each picture, by method"),
        ),
    ]
    figures += _planes(found)
    return "<h2>Spread</h2>" + panels(figures) + (_levels(found, values) if protocol == "mos" else "")


def _strips(found: Findings, values: Floats, *, axis: int) -> list[plots.Strip]:
    present = ~np.isnan(values)
    with np.errstate(invalid="ignore", divide="ignore"):
        middle = np.where(present, values, 0).sum(axis=axis) / present.sum(axis=axis)
    columns = {name: place for place, name in enumerate(found.found.design.method_names)}
    digits = decimals(found.found.design.protocol)
    return [
        plots.Strip(
            name=one.method,
            values=[float(value) for value in middle[:, columns[one.method]] if math.isfinite(value)],
            mean=_spread(one.opinion),
            written=written(one.opinion.mean, digits),
        )
        for one in found.standings
        if not math.isnan(one.opinion.mean)
    ]


def _planes(found: Findings) -> list[tuple[str, str]]:
    """The methods between each metric and what people think."""
    design = found.found.design
    label = OPINION[design.protocol]
    figures = []
    for metric in found.scores:
        values = aligned(found.scores, metric, design.pictures, design.method_names)
        dots = []
        for number, one in enumerate(found.standings):
            column = values[:, design.method_names.index(one.method)]
            if np.isfinite(column).all() and not math.isnan(one.opinion.mean):
                mean = float(column.mean())
                across = plots.Spread(mean=mean, low=mean, high=mean)
                dots.append(plots.Dot(number=number, name=one.method, x=across, y=_spread(one.opinion)))
        if len(dots) > 1:
            entry = METRICS[metric]
            quantity = plots.Quantity(label=entry.label, rising=entry.higher_is_better)
            up = plots.Quantity(label=label, rising=False)
            title = f"{label} against {entry.label}, a dot a method"
            figures.append(
                (f"{label} against {escape(entry.label)}", plots.plane(dots, quantity, up, title=title))
            )
    return figures


def _spread(one: Estimate) -> plots.Spread:
    ends = (one.mean, one.mean) if math.isnan(one.low) else (one.low, one.high)
    return plots.Spread(mean=one.mean, low=ends[0], high=ends[1])


def _levels(found: Findings, values: Floats) -> str:
    """How often each level was given."""
    rows = []
    for one in found.standings:
        given = values[:, :, found.found.design.method_names.index(one.method)]
        given = given[~np.isnan(given)]
        counts = [int((given == level).sum()) for level in range(len(LEVELS))]
        rows.append([plain(one.method), *(f"{count / max(given.size, 1):.0%}" for count in counts)])
    heads = ["method", *(f"{level} {name}" for level, name in enumerate(LEVELS))]
    return "<h2>Levels given</h2>" + table(heads, rows)


def _correlations(found: Findings) -> str:
    if not found.results:
        return ""
    whole = {one.metric: one for one in found.methods}
    rows = []
    for one in sorted(found.results, key=lambda one: -one.srcc):
        other = whole.get(one.metric)
        rows.append(
            [
                escape(METRICS[one.metric].label),
                *(f"{value:.3f}" for value in (one.srcc, one.plcc, one.krcc)),
                str(one.results),
                "–" if other is None else f"{other.srcc:.3f}",
            ]
        )
    heads = ["metric", "SRCC", "PLCC", "KRCC", "results", "SRCC of method means"]
    return (
        "<h2>Metrics against people</h2>"
        + table(heads, rows)
        + '<p class="hint">Over single results (a method’s of a picture). 1: the metric orders them as people do, '
        "−1: the other way round. PLCC without a fitted curve.</p>"
    )


def _wins(found: Findings) -> str:
    names = found.found.design.method_names
    order = [names.index(one.method) for one in found.standings]
    wins = found.found.wins.sum(axis=(0, 1))
    games = wins + wins.T
    rows = [
        [
            plain(names[one]),
            *(
                "–" if not games[one, other] else f"{wins[one, other] / games[one, other]:.0%}"
                for other in order
            ),
        ]
        for one in order
    ]
    body = table(["put before →", *(plain(names[one]) for one in order)], rows)
    return f'<h2>Who is put before whom</h2>{body}<p class="hint">Row before column; ties count half.</p>'


def _raters(found: Findings) -> str:
    rows = [
        [
            escape(one.rater),
            str(one.answers),
            written(one.consistency),
            f"{one.repeats}",
            "–" if math.isnan(one.anchors_right) else f"{one.anchors_right:.0%}",
            str(one.anchors),
            written(one.agreement),
            "–" if math.isnan(one.seconds) else f"{one.seconds:.1f}",
            plain("; ".join(one.reasons)),
        ]
        for one in found.checks
    ]
    heads = [
        "rater",
        "answers",
        "consistency",
        "repeats",
        "anchors right",
        "anchors",
        "agreement",
        "s / answer",
        "checks",
    ]
    return "<h2>Raters</h2>" + folded(
        f"{len(found.checks)} raters and what speaks for them", table(heads, rows, words=frozenset((8,)))
    )


def _protocol(found: Findings) -> str:
    design = found.found.design
    roles = {"best": "hidden reference", "worst": "low anchor"}
    anchors = [f"{one.name} ({roles[one.role]})" for one in design.methods if one.role != "candidate"]
    entries = [
        ("asked", _ASKED[design.protocol]),
        ("reference", "shown beside" if design.reference_shown else "not shown"),
        ("orders", "random for each rater, balanced over raters; names hidden"),
        ("each rater", f"{design.trials_per_rater} questions, {design.duplicates} of them asked twice"),
        ("anchors", ", ".join(anchors) or "none"),
        ("intervals", f"95 % bootstrap that allows for {OVER[found.over]}"),
        ("agreement", _agreement(found)),
    ]
    return f"<h2>Protocol</h2>{definitions(entries)}"


def _agreement(found: Findings) -> str:
    together = found.together
    if together is None:
        return "no two complete orders to compare"
    p = "< 0.001" if together.p_value < 0.001 else f"= {together.p_value:.3f}"
    return f"Kendall’s W over {together.orders} orders, p {p}; Krippendorff’s α of single answers"
