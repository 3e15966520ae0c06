"""The HTML report: means with intervals, plots, crops where methods differ, every value, and the protocol."""

import json
import math
from collections.abc import Collection
from html import escape
from typing import Final

from wildsr.evaluation.crops import CropComparison, comparisons
from wildsr.evaluation.plots import perception_distortion, strips
from wildsr.evaluation.results import IQA_RANK, Evaluation, Row
from wildsr.evaluation.tables import digits
from wildsr.files import counted, shown
from wildsr.metrics import METRICS, Metric
from wildsr.metrics.metric import Kind
from wildsr.report.page import definitions, folded, notes, page, plain, plots, table

_PLOTTED: Final[tuple[Kind, ...]] = ("distortion", "perceptual", "no-reference")


def html_report(found: Evaluation) -> str:
    """Return the report as one HTML page without links to anything outside it."""
    title = f"{shown(str(found.protocol['set']))}: {counted(len(found.methods), 'method')}, " + counted(
        len(found.by_image), "picture"
    )
    sections = [
        f"<h1>{escape(title)}</h1>",
        f'<p class="lead">{escape(_headline(found))}</p>',
        _notes(found),
        _table(found),
        _plots(found),
        _crops(found),
        _pictures(found),
        _protocol(found),
    ]
    return page(title, sections)


def _headline(found: Evaluation) -> str:
    """Who is best at what, in a sentence."""
    winners: dict[str, list[str]] = {}
    for metric in found.metrics:
        order = found.ordered(metric)
        one = found.means[order[0]][metric] if order else None
        if one is not None:
            winners.setdefault(order[0], []).append(f"{METRICS[metric].label} {digits(metric, one.mean)}")
    if len(found.methods) == 1:
        return (
            f"{found.methods[0]} has " + ", ".join(text for texts in winners.values() for text in texts) + "."
        )
    parts = [f"{method} is best in {', '.join(texts)}" for method, texts in winners.items()]
    return "; ".join(parts) + "." if parts else "Nothing could be measured."


def _notes(found: Evaluation) -> str:
    return notes("To know before reading the numbers", (*found.failures, *found.notes))


def _table(found: Evaluation) -> str:
    timed = any(row.seconds is not None for row in found.rows)
    several = len(found.methods) > 1
    ranked = several and any(IQA_RANK in row for row in found.ranks.values())
    heads = ["method", *(METRICS[metric].heading for metric in found.metrics)]
    heads += (["mean rank ↓"] if ranked else []) + (["seconds a picture"] if timed else [])
    lines = []
    for number, method in enumerate(found.methods):
        cells = [f'<td><span class="swatch m{number % 8}"></span>{plain(method)}</td>']
        cells += [_cell(found, method, metric) for metric in found.metrics]
        cells += [f"<td>{found.ranks[method][IQA_RANK]:.2f}</td>"] if ranked else []
        if timed:
            times = [row.seconds for row in found.rows if row.method == method and row.seconds is not None]
            cells.append(f"<td>{sum(times) / len(times):.2f}</td>" if times else "<td>–</td>")
        lines.append(f"<tr>{''.join(cells)}</tr>")
    legend = "Means over pictures; below them the 95 % bootstrap interval of the mean. "
    if several:
        legend += (
            "Filled: best; underlined: second; ≈: picture by picture not to be told from the best "
            "(the 95 % interval of the paired difference contains 0). "
        )
    legend += "Arrows say which way is better."
    return (
        f'<h2>Result</h2><div class="scroll"><table><tr>{"".join(f"<th>{escape(one)}</th>" for one in heads)}</tr>'
        f'{"".join(lines)}</table></div><p class="hint">{legend}</p>'
    )


def _cell(found: Evaluation, method: str, metric: str) -> str:
    one = found.means[method][metric]
    if one is None:
        return "<td>–</td>"
    order = found.ordered(metric)
    kind, tie = "", ""
    if len(order) > 1:
        kind = {0: ' class="best"', 1: ' class="second"'}.get(order.index(method), "")
        difference = found.paired_difference(metric, method, order[0])
        if method != order[0] and difference is not None and difference.low <= 0 <= difference.high:
            tie = "≈ "
    between = f"{digits(metric, one.low)} – {digits(metric, one.high)}" if one.count > 1 else ""
    return f"<td{kind}>{tie}<b>{digits(metric, one.mean)}</b><small>{between}</small></td>"


def _plots(found: Evaluation) -> str:
    figures = []
    distortion, *perceptions = (_first(kind, found.metrics) for kind in _PLOTTED)
    if distortion is not None and len(found.methods) > 1:
        for perception in filter(None, perceptions):
            plot = perception_distortion(found, distortion.name, perception.name)
            caption = f"{perception.label} against {distortion.label} <span>upper right is better; "
            figures.append((f"{caption}lines are 95 % intervals</span>", plot))
    figures += [
        (
            f"{escape(METRICS[one].heading)} <span>a dot a picture, better to the right; bar: mean</span>",
            strips(found, one),
        )
        for one in found.metrics
    ]
    body = plots(figures)
    if not body:
        return ""
    heading = (
        "<h2>Perception, distortion and spread</h2>" if distortion else "<h2>Spread over the pictures</h2>"
    )
    return heading + body


def _crops(found: Evaluation) -> str:
    rows = [_comparison(found, one) for one in comparisons(found)]
    if not rows:
        return ""
    why = "where the methods differ most" if len(found.methods) > 1 else "where the result errs most"
    return (
        f'<h2>Side by side</h2><p class="hint">Places {why}, one a picture, strongest first. '
        "Numbers are of the whole picture.</p>" + "".join(rows)
    )


def _comparison(found: Evaluation, one: CropComparison) -> str:
    left, top, width, height = one.frame
    frame = f"left:{left:.2f}%;top:{top:.2f}%;width:{width:.2f}%;height:{height:.2f}%"
    pieces = [
        f'<figure><div class="whole"><img alt="the whole picture" src="{one.whole}"><i style="{frame}"></i></div>'
        "<figcaption>the picture</figcaption></figure>"
    ]
    pieces += [_figure(one.lr, "LR", "")] if one.lr is not None else []
    for method, uri in one.methods.items():
        pieces.append(_figure(uri, method, _few(found, found.by_image[one.image][method])))
    pieces += [_figure(one.hr, "ground truth", "")] if one.hr is not None else []
    return (
        f'<div class="compare"><h3>{plain(one.image)}</h3><div class="pieces">{"".join(pieces)}</div></div>'
    )


def _figure(uri: str, caption: str, numbers: str) -> str:
    text = plain(caption)
    return f'<figure><img alt="{text}" src="{uri}"><figcaption>{text}<span>{numbers}</span></figcaption></figure>'


def _few(found: Evaluation, row: Row) -> str:
    """One fidelity and one perceptual metric of a picture."""
    chosen = [one for kind in _PLOTTED if (one := _first(kind, row.values)) is not None]
    return ", ".join(f"{one.label} {digits(one.name, row.values[one.name])}" for one in chosen)


def _first(kind: Kind, names: Collection[str]) -> Metric | None:
    """The preferred metric of a kind among some."""
    return next((one for one in METRICS.values() if one.kind == kind and one.name in names), None)


def _pictures(found: Evaluation) -> str:
    """Every number, one folded table a metric."""
    tables = [_values(found, metric) for metric in found.metrics]
    if any(row.seconds is not None for row in found.rows):
        tables.append(_values(found, None))
    return f"<h2>Every picture</h2>{''.join(tables)}"


def _values(found: Evaluation, metric: str | None) -> str:
    rows = [
        [plain(image), *(_value(rows[method], metric) for method in found.methods)]
        for image, rows in found.by_image.items()
    ]
    title = "seconds to super-resolve" if metric is None else METRICS[metric].heading
    return folded(title, table(["picture", *map(plain, found.methods)], rows))


def _value(row: Row, metric: str | None) -> str:
    if metric is None:
        return "–" if row.seconds is None else f"{row.seconds:.2f}"
    value = row.values.get(metric, math.nan)
    return "–" if math.isnan(value) else digits(metric, value)


def _protocol(found: Evaluation) -> str:
    protocol = found.protocol
    border = protocol["crop_border"]
    entries = [
        ("set", f"{protocol['set']}, {counted(len(found.by_image), 'picture')}" + _scale(found)),
        ("pixels", str(protocol["pixels"])),
        ("border", f"{border} pixels cropped from each side" if border else "nothing cropped"),
        *(
            (METRICS[metric].label, f"{METRICS[metric].protocol} {METRICS[metric].citation}.")
            for metric in found.metrics
        ),
        ("means", str(protocol["mean"])),
        ("ranks", str(protocol["ranks"])),
        ("intervals", "percentile bootstrap over pictures, 2000 resamples, fixed seed"),
    ]
    methods = protocol["methods"]
    if isinstance(methods, dict):
        entries += [(method, _facts(facts)) for method, facts in methods.items()]
    entries += [("versions", _facts(protocol["versions"])), ("hardware", _facts(protocol["hardware"]))]
    entries.append(("date", str(protocol["date"])))
    return f"<h2>Protocol</h2>{definitions(entries)}"


def _scale(found: Evaluation) -> str:
    scale = found.protocol["scale"]
    return "" if scale is None else f", ×{scale}"


def _facts(facts: object) -> str:
    if not isinstance(facts, dict):
        return str(facts)
    words = {True: "yes", False: "no"}
    return ", ".join(
        f"{str(key).replace('_', ' ')} {words[value] if isinstance(value, bool) else _short(key, value)}"
        for key, value in facts.items()
        if key != "kind"
    ) or str(facts.get("kind", json.dumps(facts)))


def _short(key: object, value: object) -> str:
    return str(value)[:16] if key == "sha256" else str(value)
