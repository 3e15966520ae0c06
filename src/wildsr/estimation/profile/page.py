"""A profile as one HTML page a person can judge: kernels and noise to look at, agreement, what was turned down."""

from collections import Counter
from typing import Final

import numpy as np

from wildsr.degradation import PhotoNote, Profile, Rejected
from wildsr.estimation.profile.drawing import ellipses, kernel_picture, noise_picture, plot
from wildsr.estimation.profile.frame import bar, figure, grid, page, plain, row, table
from wildsr.estimation.profile.profile_stats import Facts, facts_of

MOST_KERNELS: Final = 60
MOST_PATCHES: Final = 40
MOST_PHOTOS: Final = 200
NOISE_CONTRAST: Final = 0.12
"""Standard deviation that noise is amplified to when it is shown."""


def report(profile: Profile, *, name: str) -> str:
    """Return the page of a profile; it holds everything and loads nothing."""
    facts = facts_of(profile)
    return page(
        f"Profile {name}",
        [
            f"<h1>Degradation profile {plain(name)}</h1>",
            _origin(profile),
            _cards(facts),
            *(f'<p class="remark">{plain(remark)}</p>' for remark in facts.remarks),
            _kernels(profile, facts),
            _noise(profile, facts),
            _photos(profile, facts),
            _rejected(facts),
        ],
    )


def noise_figures(profile: Profile, *, gain: float, most: int) -> list[str]:
    """Return patches spread evenly over a profile's, amplified."""
    count = len(profile.noise)
    chosen = np.unique(np.linspace(0, count - 1, min(count, most)).astype(int)) if count else ()
    return [
        figure(
            noise_picture(profile.noise[index], gain=gain, alt="noise"),
            f"{plain(profile.meta.noise[index].photo)}<br>brightness {profile.meta.noise[index].brightness:.2f}, "
            f"σ {profile.meta.noise[index].std * 255:.1f}",
        )
        for index in chosen
    ]


def levels(facts: Facts) -> list[tuple[float, float]]:
    """Return (brightness, σ) as points to draw."""
    return [(level, sigma) for level, sigma, _ in facts.noise_by_brightness]


def _origin(profile: Profile) -> str:
    photos, method = len(profile.meta.photos), profile.meta.settings.get("method")
    parts = [f"scale ×{profile.scale}"]
    if photos:
        parts.append("from one photo" if photos == 1 else f"from {photos} photos")
    if method:
        parts.append(f"method {plain(str(method))}")
    parts.append(f"wildsr {plain(profile.meta.wildsr)}")
    return f'<p class="small">{", ".join(parts)}</p>'


def _cards(facts: Facts) -> str:
    cards = [
        ("kernels", str(facts.kernels)),
        ("noise patches", str(facts.patches)),
        ("confidence", f"{facts.confidence:.0%}"),
    ]
    if facts.noise is not None:
        cards.append(("noise, levels", f"σ {facts.noise:.1f}"))
    if facts.blur is not None:
        cards.append((f"blur at ×{facts.scale}", "σ {:.2f} × {:.2f} px".format(*facts.blur)))
    if facts.jpeg:
        cards.append(("JPEG quality", f"{facts.jpeg[0]}–{facts.jpeg[2]}"))
    return row(f'<div class="card">{label}<b>{value}</b></div>' for label, value in cards)


def _kernels(profile: Profile, facts: Facts) -> str:
    if facts.mean_kernel is None:
        return "<h2>Kernels</h2><p>None could be trusted; the blur is left to bicubic downscaling.</p>"
    figures = [
        figure(
            kernel_picture(kernel.astype(np.float64), zoom=4, alt="kernel") + bar(note.confidence),
            f"{plain(note.photo)}<br>{axes.long:.2f} × {axes.short:.2f} px at {axes.angle:.0f}°<br>"
            f"confidence {note.confidence:.0%}"
            + (f", agreement {note.agreement:.0%}" if note.agreement is not None else ""),
        )
        for kernel, note, axes in list(zip(profile.kernels, profile.meta.kernels, facts.axes, strict=True))[
            :MOST_KERNELS
        ]
    ]
    more = facts.kernels - len(figures)
    shift = f", {(facts.scale - 1) / 2:g} pixels right of and below the middle of the picture" * (
        facts.scale > 1
    )
    summary = [
        figure(kernel_picture(facts.mean_kernel, zoom=8, alt="mean kernel"), "the mean of all"),
        figure(ellipses([facts.axes]), "all of them as ellipses of one standard deviation"),
    ]
    return (
        f'<h2>Kernels</h2><p class="small">What one pixel of the photo gathers of the ×{facts.scale} picture: a square '
        f"is a pixel of that picture, the brighter the greater its part. Its centre is that of a block of "
        f"{facts.scale}×{facts.scale}{shift}. The bar is the confidence; agreement says how alike the kernels of "
        f"different parts of the photo are.</p>{row(summary)}<p></p>{grid(figures)}"
        + (f"<p>and {more} more</p>" if more > 0 else "")
    )


def _noise(profile: Profile, facts: Facts) -> str:
    if facts.noise is None:
        return "<h2>Noise</h2><p>No patches were found.</p>"
    gain = NOISE_CONTRAST / max(facts.noise / 255, 1e-4)
    plots = [
        plot([levels(facts)], labels=("brightness", "σ in levels"), right=1),
        plot([facts.spectrum], labels=("cycles per pixel", "power"), level=1, right=0.5),
    ]
    figures = noise_figures(profile, gain=gain, most=MOST_PATCHES)
    more = facts.patches - len(figures)
    return (
        f"<h2>Noise</h2>{row(plots)}"
        '<p class="small">Left, how strong it is where the photo is dark or bright; right, its spectrum: white noise '
        "lies on the dashed line, what was smoothed by the camera falls to the right.</p>"
        f"<p>Coarse against fine grain {facts.grain:.2f} (1 is white noise); {facts.colour:.0%} of it is common to the "
        f"channels. Patches, amplified {gain:.0f} times:</p>{grid(figures)}"
        + (f"<p>and {more} more</p>" if more > 0 else "")
    )


def _photos(profile: Profile, facts: Facts) -> str:
    if not profile.meta.photos:
        return ""
    cameras = table(
        ("camera", "photos"), [(plain(name), str(count)) for name, count in facts.cameras.items()]
    )
    jpeg = ""
    if facts.jpeg:
        jpeg = f"<p>JPEG quality {facts.jpeg[0]} to {facts.jpeg[2]}, half of the files above {facts.jpeg[1]}.</p>"
    steps = [note.blockiness for note in profile.meta.photos if note.blockiness is not None]
    if steps:
        jpeg += f"<p>Steps on the 8×8 grid: {np.median(steps):.2f} levels (below 0.25 none are seen).</p>"
    return f"<h2>Photos</h2>{cameras}{jpeg}{_photo_table(profile)}"


def _photo_table(profile: Profile) -> str:
    """What became of every photo."""
    kernels = {note.photo: note for note in profile.meta.kernels}
    patches = Counter(note.photo for note in profile.meta.noise)
    refused = {note.photo: note for note in profile.meta.rejected if note.kind != "noise"}

    def kernel(photo: str) -> str:
        if photo in kernels:
            return f"{bar(kernels[photo].confidence)}taken, confidence {kernels[photo].confidence:.0%}"
        return f"none: {plain(refused[photo].reason)}" if photo in refused else "none"

    def cells(note: PhotoNote) -> tuple[str, ...]:
        return (
            plain(note.photo),
            f"{note.width}×{note.height}",
            "" if note.jpeg_quality is None else str(note.jpeg_quality),
            kernel(note.photo),
            str(patches[note.photo]),
        )

    rows = [cells(note) for note in profile.meta.photos]
    read = {note.photo for note in profile.meta.photos}
    unread: list[Rejected] = [note for note in refused.values() if note.photo not in read]
    rows += [(plain(note.photo), "", "", f"not read: {plain(note.reason)}", "0") for note in unread]
    more = len(rows) - MOST_PHOTOS
    return table(
        ("photo", "pixels", "JPEG", "kernel", "noise patches"), rows[:MOST_PHOTOS], numbers=frozenset((2, 4))
    ) + (f"<p>and {more} more</p>" if more > 0 else "")


def _rejected(facts: Facts) -> str:
    if not facts.rejected:
        return "<h2>Turned down</h2><p>Nothing.</p>"
    rows = [(str(one.count), one.kind, plain(one.reason), str(len(one.photos))) for one in facts.rejected]
    return (
        "<h2>Turned down</h2>"
        "<p class='small'>Patches of noise are turned down by the thousand: only plain, evenly lit parts show noise "
        "and nothing else.</p>"
        + table(("how many", "what", "why", "in photos"), rows, numbers=frozenset((0, 3)))
    )
