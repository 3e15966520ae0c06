"""A profile as one HTML page a person can judge: kernels and noise to look at, agreement, what was turned down."""

from html import escape
from typing import Final

import numpy as np

from wildsr.degradation import Profile
from wildsr.estimation.comparing import Comparison
from wildsr.estimation.drawing import ellipses, kernel_picture, noise_picture, plot
from wildsr.estimation.facts import Facts, facts_of

_MOST_KERNELS, _MOST_PATCHES = 60, 40
_STYLE: Final = """
:root { color-scheme: light dark; }
body { font: 15px/1.5 system-ui, sans-serif; max-width: 1100px; margin: 2rem auto; padding: 0 1rem; }
h1 { font-size: 1.6rem; } h2 { margin-top: 2.2rem; font-size: 1.2rem; }
.row { display: flex; flex-wrap: wrap; gap: 14px; align-items: flex-start; }
.card { border: 1px solid #8886; border-radius: 8px; padding: .6rem 1rem; min-width: 7rem; }
.card b { display: block; font-size: 1.5rem; }
figure { margin: 0; width: min-content; min-width: 150px; } figcaption { font-size: .78rem; overflow-wrap: anywhere; }
img { image-rendering: pixelated; border-radius: 3px; } svg { font-size: 11px; fill: currentColor; }
svg [fill=none] { fill: none; } table { border-collapse: collapse; }
td, th { padding: .2rem .8rem .2rem 0; text-align: left; }
.remark { border-left: 4px solid #d1481f; padding-left: .8rem; }
.bar { background: #8884; width: 90px; height: 6px; border-radius: 3px; } .bar i { display: block; height: 6px;
background: #1f6feb; border-radius: 3px; }
"""


def report(profile: Profile, *, name: str) -> str:
    """Return the page of a profile; it holds everything and loads nothing."""
    facts = facts_of(profile)
    body = [
        f"<h1>Degradation profile {escape(name)}</h1>",
        _cards(facts),
        *(f'<p class="remark">{escape(remark)}</p>' for remark in facts.remarks),
        _kernels(profile, facts),
        _noise(profile, facts),
        _photos(profile, facts),
        _rejected(facts),
    ]
    return _page(f"Profile {name}", body)


def _of_kernels(count: int) -> str:
    return "its kernel" if count == 1 else f"mean of {count} kernels"


def comparison_report(comparison: Comparison, *, names: tuple[str, str]) -> str:
    """Return the page that shows two profiles side by side."""
    one, other = comparison.first, comparison.second
    pictures = [
        f"<figure>{kernel_picture(facts.mean_kernel, zoom=8, alt='mean kernel')}"
        f"<figcaption>{escape(name)}: {_of_kernels(facts.kernels)}</figcaption></figure>"
        for facts, name in zip((one, other), names, strict=True)
        if facts.mean_kernel is not None
    ]
    shown = tuple(escape(name) for name in names)
    body = [
        f"<h1>{shown[0]} and {shown[1]}</h1>",
        *(f"<p>{escape(sentence)}</p>" for sentence in comparison.verdict),
        '<h2>Blur</h2><div class="row">',
        *pictures,
        f"<figure>{ellipses([one.axes, other.axes])}<figcaption>every kernel: blue the first, red the second"
        "</figcaption></figure></div>",
        '<h2>Noise</h2><div class="row">',
        plot([_levels(one), _levels(other)], labels=("brightness", "σ in levels"), names=shown),
        plot(
            [one.spectrum, other.spectrum],
            labels=("cycles per pixel", "power (white = 1)"),
            names=shown,
            level=1,
        ),
        "</div>",
    ]
    return _page(f"{names[0]} and {names[1]}", body)


def _page(title: str, body: list[str]) -> str:
    return (
        f'<!doctype html><html lang="en"><head><meta charset="utf-8"><title>{escape(title)}</title>'
        f'<meta name="viewport" content="width=device-width"><style>{_STYLE}</style></head>'
        f"<body>{''.join(body)}</body></html>\n"
    )


def _cards(facts: Facts) -> str:
    cards = [
        ("kernels", str(facts.kernels)),
        ("noise patches", str(facts.patches)),
        ("confidence", f"{facts.confidence:.0%}"),
        ("noise", f"σ {facts.noise:.1f}"),
    ]
    if facts.axes:
        cards.append(("blur at ×4", f"σ {np.median([np.sqrt(a.long * a.short) for a in facts.axes]):.2f} px"))
    if facts.jpeg:
        cards.append(("JPEG quality", f"{facts.jpeg[0]}–{facts.jpeg[2]}"))
    inside = "".join(f'<div class="card">{label}<b>{value}</b></div>' for label, value in cards)
    return f'<div class="row">{inside}</div>'


def _kernels(profile: Profile, facts: Facts) -> str:
    if facts.mean_kernel is None:
        return "<h2>Kernels</h2><p>None could be trusted; the blur is left to bicubic downscaling.</p>"
    figures = []
    for kernel, note, axes in list(zip(profile.kernels, profile.meta.kernels, facts.axes, strict=True))[
        :_MOST_KERNELS
    ]:
        figures.append(
            f"<figure>{kernel_picture(kernel.astype(np.float64), zoom=4, alt='kernel')}"
            f'<div class="bar"><i style="width:{note.confidence:.0%}"></i></div>'
            f"<figcaption>{escape(note.photo)}<br>{axes.long:.2f} × {axes.short:.2f} px at {axes.angle:.0f}°, "
            f"confidence {note.confidence:.0%}"
            + (f", agreement {note.agreement:.0%}" if note.agreement is not None else "")
            + "</figcaption></figure>"
        )
    more = facts.kernels - len(figures)
    return (
        '<h2>Kernels</h2><div class="row">'
        f"<figure>{kernel_picture(facts.mean_kernel, zoom=8, alt='mean kernel')}<figcaption>the mean of all"
        f"</figcaption></figure><figure>{ellipses([facts.axes])}<figcaption>all of them as ellipses of one standard "
        f'deviation</figcaption></figure></div><p></p><div class="row">{"".join(figures)}</div>'
        + (f"<p>and {more} more</p>" if more > 0 else "")
    )


def _noise(profile: Profile, facts: Facts) -> str:
    if not facts.patches:
        return "<h2>Noise</h2><p>No patches were found.</p>"
    gain = 0.12 / max(facts.noise / 255, 1e-4)
    chosen = np.unique(np.linspace(0, facts.patches - 1, min(facts.patches, _MOST_PATCHES)).astype(int))
    figures = "".join(
        f"<figure>{noise_picture(profile.noise[index], gain=gain, alt='noise')}<figcaption>"
        f"{escape(profile.meta.noise[index].photo)}<br>brightness {profile.meta.noise[index].brightness:.2f}, "
        f"σ {profile.meta.noise[index].std * 255:.1f}</figcaption></figure>"
        for index in chosen
    )
    return (
        f'<h2>Noise</h2><div class="row">'
        f"{plot([_levels(facts)], labels=('brightness', 'σ in levels'))}"
        f"{plot([facts.spectrum], labels=('cycles per pixel', 'power (white = 1)'), level=1)}</div>"
        f"<p>Coarse against fine grain {facts.grain:.2f} (1 is white noise); {facts.colour:.0%} of it is common to the "
        f'channels. Patches, amplified {gain:.0f} times:</p><div class="row">{figures}</div>'
    )


def _levels(facts: Facts) -> list[tuple[float, float]]:
    return [(level, sigma) for level, sigma, _ in facts.noise_by_brightness]


def _photos(profile: Profile, facts: Facts) -> str:
    cameras = "".join(
        f"<tr><td>{escape(name)}</td><td>{count}</td></tr>" for name, count in facts.cameras.items()
    )
    jpeg = ""
    if facts.jpeg:
        jpeg = f"<p>JPEG quality {facts.jpeg[0]} to {facts.jpeg[2]}, half of the files above {facts.jpeg[1]}.</p>"
    steps = [note.blockiness for note in profile.meta.photos if note.blockiness is not None]
    if steps:
        jpeg += f"<p>Steps on the 8×8 grid: {np.median(steps):.2f} levels (below 0.25 none are seen).</p>"
    return f"<h2>Photos</h2><table><tr><th>camera</th><th>photos</th></tr>{cameras}</table>{jpeg}"


def _rejected(facts: Facts) -> str:
    if not facts.rejected:
        return "<h2>Turned down</h2><p>Nothing.</p>"
    rows = "".join(
        f"<tr><td>{count}</td><td>{kind}</td><td>{escape(reason)}</td></tr>"
        for kind, reason, count in facts.rejected
    )
    return f"<h2>Turned down</h2><table><tr><th></th><th></th><th>reason</th></tr>{rows}</table>"
