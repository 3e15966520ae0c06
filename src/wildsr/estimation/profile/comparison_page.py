"""Two profiles as one HTML page: blur and noise side by side, drawn to one scale."""

from html import escape
from typing import Final

import numpy as np

from wildsr.degradation import Profile
from wildsr.estimation.kernels.spectrum import Doubles
from wildsr.estimation.profile.comparison import ProfileComparison
from wildsr.estimation.profile.drawing import difference_picture, ellipses, kernel_picture
from wildsr.estimation.profile.page import NOISE_CONTRAST, noise_figures, noise_plots
from wildsr.files import shown
from wildsr.report.page import figure, gallery, page, plain, plots, row, table
from wildsr.report.plots import Curve, curves

_ZOOM: Final = 8
_MOST_PATCHES: Final = 6


def comparison_page(
    comparison: ProfileComparison, *, profiles: tuple[Profile, Profile], names: tuple[str, str]
) -> str:
    """Return the page that shows two profiles side by side; it holds everything and loads nothing.

    Args:
        comparison: Of `profiles`.
        profiles: The two.
        names: Of their files.
    """
    heads = [f'<span class="name m{number}">{plain(one)}</span>' for number, one in enumerate(names)]
    return page(
        f"{names[0]} and {names[1]}",
        [
            f"<h1>{heads[0]} and {heads[1]}</h1>",
            *(f"<p>{escape(sentence)}</p>" for sentence in comparison.verdict),
            table(("", *heads), comparison.table()),
            _blur(comparison, names),
            _noise(comparison, profiles, names),
        ],
    )


def _blur(comparison: ProfileComparison, names: tuple[str, str]) -> str:
    one, other = comparison.first, comparison.second
    size = max([len(stats.mean_kernel) for stats in (one, other) if stats.mean_kernel is not None], default=0)
    means = [
        None if stats.mean_kernel is None else np.pad(stats.mean_kernel, (size - len(stats.mean_kernel)) // 2)
        for stats in (one, other)
    ]
    brightest = max((float(mean.max()) for mean in means if mean is not None), default=1.0)
    figures = [
        figure(
            kernel_picture(mean, zoom=_ZOOM, alt="mean kernel", brightest=brightest),
            f"{plain(name)}: {'its kernel' if stats.kernels == 1 else f'mean of {stats.kernels} kernels'}",
        )
        for mean, stats, name in zip(means, (one, other), names, strict=True)
        if mean is not None
    ]
    if means[0] is not None and means[1] is not None:
        figures.append(
            figure(
                difference_picture(means[0], means[1], zoom=_ZOOM, alt="difference"),
                "where the first gathers more (blue), and the second (orange)",
            )
        )
    figures.append(
        figure(ellipses([one.axes, other.axes]), "every kernel: blue the first, orange the second")
    )
    lines = plots(
        (
            f"Sums along {which} <span>what becomes of a thin line</span>",
            curves(
                [
                    Curve(
                        points=[] if mean is None else _line(mean.sum(axis=axis), one.scale), name=shown(name)
                    )
                    for mean, name in zip(means, names, strict=True)
                ],
                (f"pixels from the centre, {way}", "part"),
                title=f"the mean kernels' sums along {which}",
            ),
        )
        for axis, which, way in ((0, "columns", "to the right"), (1, "rows", "down"))
    )
    return (
        '<h2>Blur</h2><p class="hint">Both kernels are drawn with one scale of brightness.</p>'
        f"{row(figures)}{lines}"
    )


def _line(sums: Doubles, scale: int) -> list[tuple[float, float]]:
    """A kernel's sums along one axis, about its centre."""
    centre = len(sums) // 2 + (scale - 1) / 2
    return [(place - centre, float(part)) for place, part in enumerate(sums)]


def _noise(comparison: ProfileComparison, profiles: tuple[Profile, Profile], names: tuple[str, str]) -> str:
    one, other = comparison.first, comparison.second
    strengths = [stats.noise for stats in (one, other) if stats.noise is not None]
    if not strengths:
        return "<h2>Noise</h2><p>Neither has any.</p>"
    gain = NOISE_CONTRAST / max(max(strengths) / 255, 1e-4)
    patches = "".join(
        f"<p>{plain(name)}, amplified {gain:.0f} times:</p>{gallery(figures)}"
        if figures
        else f"<p>{plain(name)}: no patches</p>"
        for name, figures in (
            (name, noise_figures(profile, gain=gain, most=_MOST_PATCHES))
            for name, profile in zip(names, profiles, strict=True)
        )
    )
    return f"<h2>Noise</h2>{noise_plots((one, other), [shown(name) for name in names])}{patches}"
