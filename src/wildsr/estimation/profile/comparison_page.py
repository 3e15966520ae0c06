"""Two profiles as one HTML page: blur and noise side by side, drawn to one scale."""

from html import escape
from typing import Final

import numpy as np

from wildsr.degradation import Profile
from wildsr.estimation.kernels.spectrum import Doubles
from wildsr.estimation.profile.compare import Comparison
from wildsr.estimation.profile.drawing import COLOURS, difference_picture, ellipses, kernel_picture, plot
from wildsr.estimation.profile.frame import figure, grid, page, plain, row, table
from wildsr.estimation.profile.page import NOISE_CONTRAST, levels, noise_figures

_ZOOM: Final = 8
_MOST_PATCHES: Final = 6


def comparison_report(
    comparison: Comparison, *, profiles: tuple[Profile, Profile], names: tuple[str, str]
) -> str:
    """Return the page that shows two profiles side by side; it holds everything and loads nothing.

    Args:
        comparison: Of `profiles`.
        profiles: The two.
        names: Of their files.
    """
    shown = (plain(names[0]), plain(names[1]))
    heads = [f'<span style="color:{colour}">{one}</span>' for colour, one in zip(COLOURS, shown, strict=True)]
    return page(
        f"{names[0]} and {names[1]}",
        [
            f"<h1>{heads[0]} and {heads[1]}</h1>",
            *(f"<p>{escape(sentence)}</p>" for sentence in comparison.verdict),
            table(("", *heads), comparison.table()),
            _blur(comparison, shown),
            _noise(comparison, profiles, shown),
        ],
    )


def _blur(comparison: Comparison, shown: tuple[str, str]) -> str:
    one, other = comparison.first, comparison.second
    size = max([len(facts.mean_kernel) for facts in (one, other) if facts.mean_kernel is not None], default=0)
    means = [
        None if facts.mean_kernel is None else np.pad(facts.mean_kernel, (size - len(facts.mean_kernel)) // 2)
        for facts in (one, other)
    ]
    brightest = max((float(mean.max()) for mean in means if mean is not None), default=1.0)
    figures = [
        figure(
            kernel_picture(mean, zoom=_ZOOM, alt="mean kernel", brightest=brightest),
            f"{name}: {'its kernel' if facts.kernels == 1 else f'mean of {facts.kernels} kernels'}",
        )
        for mean, facts, name in zip(means, (one, other), shown, strict=True)
        if mean is not None
    ]
    if means[0] is not None and means[1] is not None:
        figures.append(
            figure(
                difference_picture(means[0], means[1], zoom=_ZOOM, alt="difference"),
                "where the first gathers more (blue), and the second (red)",
            )
        )
    figures.append(figure(ellipses([one.axes, other.axes]), "every kernel: blue the first, red the second"))
    curves = [
        plot(
            [[] if mean is None else _line(mean.sum(axis=axis), one.scale) for mean in means],
            labels=(f"pixels from the centre, {way}", "part"),
            names=shown,
        )
        for axis, way in ((0, "to the right"), (1, "down"))
    ]
    return (
        '<h2>Blur</h2><p class="small">Kernels are drawn with one scale of brightness; the curves are their sums along '
        f"columns and rows, which is what becomes of a thin line.</p>{row(figures)}{row(curves)}"
    )


def _line(sums: Doubles, scale: int) -> list[tuple[float, float]]:
    """A kernel's sums along one axis, about its centre."""
    centre = len(sums) // 2 + (scale - 1) / 2
    return [(place - centre, float(part)) for place, part in enumerate(sums)]


def _noise(comparison: Comparison, profiles: tuple[Profile, Profile], shown: tuple[str, str]) -> str:
    one, other = comparison.first, comparison.second
    strengths = [facts.noise for facts in (one, other) if facts.noise is not None]
    if not strengths:
        return "<h2>Noise</h2><p>Neither has any.</p>"
    gain = NOISE_CONTRAST / max(max(strengths) / 255, 1e-4)
    plots = [
        plot([levels(one), levels(other)], labels=("brightness", "σ in levels"), names=shown, right=1),
        plot(
            [one.spectrum, other.spectrum],
            labels=("cycles per pixel", "power (white = 1)"),
            names=shown,
            level=1,
            right=0.5,
        ),
    ]
    patches = "".join(
        f"<p>{name}, amplified {gain:.0f} times:</p>{grid(figures)}"
        if figures
        else f"<p>{name}: no patches</p>"
        for name, figures in (
            (name, noise_figures(profile, gain=gain, most=_MOST_PATCHES))
            for name, profile in zip(shown, profiles, strict=True)
        )
    )
    return f"<h2>Noise</h2>{row(plots)}{patches}"
