"""The sweep of Samsung's luminance rule as a page and as a table."""

import numpy as np

from wildsr.metrics.intervals import Interval, interval
from wildsr.recipes.generic_sweep import Judged, Sweep
from wildsr.report.page import page, plain, plots, table
from wildsr.report.plots import Curve, curves


def sweep_page(name: str, sweep: Sweep) -> str:
    """Return the page; it holds everything and loads nothing.

    Args:
        name: Of the run.
        sweep: What was tried.
    """
    rule = sweep.rule
    return page(
        f"Fusion of {name}",
        [
            f"<h1>Fusion of {plain(name)}</h1>",
            f"<p>y = {rule.alpha:g} · y_R + {rule.beta:g} · y_S where the median luma of the picture is below "
            f"{rule.gamma:g}, else y_R: of all that was tried, this has the lowest mean LPIPS (AlexNet, v0.1) over "
            "half of the photos held out, as they are and darkened. The table is about the other half.</p>",
            "<h2>What it gives</h2>",
            table(
                ["pictures", "count", "y_R alone", "y_S alone", "fused", "fused − the better one alone"],
                _rows(sweep),
            ),
            "<h2>What was tried</h2>",
            plots([("by weight", _by_weight(sweep)), ("by γ", _by_gamma(sweep))]),
        ],
    )


def sweep_csv(sweep: Sweep) -> str:
    """Return every picture with every pair of weights, a line each."""
    lines = ["picture,median luma,chooses,alpha,beta,lpips"]
    for one in sweep.pictures:
        for (alpha, beta), value in zip(sweep.weights, one.lpips, strict=True):
            lines.append(
                f'"{one.name}",{one.luminance:.2f},{int(one.chooses)},{alpha:g},{beta:g},{value:.6f}'
            )
    return "\n".join(lines) + "\n"


def gain(sweep: Sweep, pictures: list[Judged]) -> Interval | None:
    """LPIPS of the fused pictures less that of the better GAN alone (the better one over all of them); paired."""
    if not pictures:
        return None
    alone = min(((1.0, 0.0), (0.0, 1.0)), key=lambda pair: float(np.mean(_of(sweep, pictures, pair))))
    fused, single = _fused(sweep, pictures), _of(sweep, pictures, alone)
    return interval([a - b for a, b in zip(fused, single, strict=True)])


def reported(sweep: Sweep, *, dark: bool) -> list[Judged]:
    """The pictures that did not choose, below γ or not."""
    return [one for one in sweep.pictures if not one.chooses and sweep.rule.applies(one.luminance) == dark]


def _rows(sweep: Sweep) -> list[list[str]]:
    rows = []
    for name, pictures in (
        ("dark (below γ)", reported(sweep, dark=True)),
        ("others", reported(sweep, dark=False)),
        ("all", [one for one in sweep.pictures if not one.chooses]),
    ):
        if not pictures:
            rows.append([name, "0", "", "", "", ""])
            continue
        found = gain(sweep, pictures)
        assert found is not None
        means = [
            float(np.mean(values))
            for values in (
                _of(sweep, pictures, (1.0, 0.0)),
                _of(sweep, pictures, (0.0, 1.0)),
                _fused(sweep, pictures),
            )
        ]
        rows.append(
            [
                name,
                str(len(pictures)),
                *(f"{mean:.4f}" for mean in means),
                f"{found.mean:+.4f} [{found.low:+.4f}, {found.high:+.4f}]".replace("-", "−"),
            ]
        )
    return rows


def _by_weight(sweep: Sweep) -> str:
    """Mean LPIPS of the dark pictures over α, a curve for every α + β."""
    dark = [one for one in sweep.pictures if sweep.rule.applies(one.luminance)] or list(sweep.pictures)
    series: dict[float, list[tuple[float, float]]] = {}
    for pair in sorted(sweep.weights):
        mean = float(np.mean(_of(sweep, dark, pair)))
        series.setdefault(round(sum(pair), 6), []).append((pair[0], mean))
    return curves(
        [Curve(points=points, name=f"α + β = {total:g}") for total, points in sorted(series.items())],
        ("α, the weight of y_R", "LPIPS of dark pictures"),
        title="LPIPS by weight",
        from_zero=False,
    )


def _by_gamma(sweep: Sweep) -> str:
    """Mean LPIPS of all pictures over γ, with the chosen weights."""
    alone = sweep.weights.index((1.0, 0.0))
    number = sweep.weights.index(min(sweep.weights, key=lambda pair: _away(pair, sweep)))
    gammas = sorted({0.0, 256.0, *(one.luminance + 0.5 for one in sweep.pictures)})
    points = [
        (
            gamma,
            float(np.mean([one.lpips[number if one.luminance < gamma else alone] for one in sweep.pictures])),
        )
        for gamma in gammas
    ]
    return curves([Curve(points=points)], ("γ", "LPIPS of all pictures"), title="LPIPS by γ", from_zero=False)


def _away(pair: tuple[float, float], sweep: Sweep) -> float:
    return abs(pair[0] - sweep.rule.alpha) + abs(pair[1] - sweep.rule.beta)


def _of(sweep: Sweep, pictures: list[Judged], pair: tuple[float, float]) -> list[float]:
    number = sweep.weights.index(pair)
    return [one.lpips[number] for one in pictures]


def _fused(sweep: Sweep, pictures: list[Judged]) -> list[float]:
    number = sweep.weights.index(min(sweep.weights, key=lambda pair: _away(pair, sweep)))
    alone = sweep.weights.index((1.0, 0.0))
    return [one.lpips[number if sweep.rule.applies(one.luminance) else alone] for one in pictures]
