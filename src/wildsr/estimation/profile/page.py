"""A profile as one HTML page: kernels and noise to look at, how far they agree, what was rejected and why."""

from collections import Counter
from collections.abc import Sequence
from typing import Final

import numpy as np

from wildsr.degradation import PhotoNote, Profile, Rejected
from wildsr.estimation.profile.drawing import ellipses, kernel_picture, noise_picture
from wildsr.estimation.profile.profile_stats import ProfileStats, profile_stats
from wildsr.report.page import bar, cards, figure, gallery, notes, page, plain, plots, row, table
from wildsr.report.plots import Curve, curves

MOST_KERNELS: Final = 60
MOST_PATCHES: Final = 40
MOST_PHOTOS: Final = 200
NOISE_CONTRAST: Final = 0.12
"""Standard deviation that noise is amplified to when it is shown."""


def profile_page(profile: Profile, *, name: str) -> str:
    """Return the page of a profile; it holds everything and loads nothing."""
    stats = profile_stats(profile)
    return page(
        f"Profile {name}",
        [
            f"<h1>Degradation profile {plain(name)}</h1>",
            _origin(profile),
            _cards(stats),
            notes("To know before using it", stats.remarks),
            _kernels(profile, stats),
            _noise(profile, stats),
            _photos(profile, stats),
            _rejected(stats),
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


def noise_plots(several: Sequence[ProfileStats], names: Sequence[str] = ("",)) -> str:
    """Return the noise's strength over brightness and its spectrum, a curve for each profile."""
    levels = [
        Curve(points=[(level, sigma) for level, sigma, _ in stats.noise_by_brightness], name=name)
        for stats, name in zip(several, names, strict=True)
    ]
    spectra = [Curve(points=stats.spectrum, name=name) for stats, name in zip(several, names, strict=True)]
    return plots(
        [
            (
                "Strength <span>where the photo is dark or bright</span>",
                curves(levels, ("brightness", "σ in levels"), title="noise over brightness", right=1),
            ),
            (
                "Spectrum <span>white: the dashed line; smoothed by the camera: falling to the right</span>",
                curves(
                    spectra,
                    ("cycles per pixel", "power relative to white noise"),
                    title="spectrum of the noise",
                    level=1,
                    right=0.5,
                ),
            ),
        ]
    )


def _origin(profile: Profile) -> str:
    photos, method = len(profile.meta.photos), profile.meta.settings.get("method")
    parts = [f"scale ×{profile.scale}"]
    if photos:
        parts.append("from one photo" if photos == 1 else f"from {photos} photos")
    if method:
        parts.append(f"method {plain(str(method))}")
    parts.append(f"wildsr {plain(profile.meta.wildsr)}")
    return f'<p class="lead quiet">{", ".join(parts)}</p>'


def _cards(stats: ProfileStats) -> str:
    entries = [
        ("kernels", str(stats.kernels)),
        ("noise patches", str(stats.patches)),
        ("confidence", f"{stats.confidence:.0%}"),
    ]
    if stats.noise is not None:
        entries.append(("noise, levels", f"σ {stats.noise:.1f}"))
    if stats.blur is not None:
        entries.append((f"blur at ×{stats.scale}", "σ {:.2f} × {:.2f} px".format(*stats.blur)))
    if stats.jpeg:
        entries.append(("JPEG quality", f"{stats.jpeg[0]}–{stats.jpeg[2]}"))
    return cards(entries)


def _kernels(profile: Profile, stats: ProfileStats) -> str:
    if stats.mean_kernel is None:
        return "<h2>Kernels</h2><p>None could be trusted; the blur is left to bicubic downscaling.</p>"
    figures = [
        figure(
            kernel_picture(kernel.astype(np.float64), zoom=4, alt="kernel") + bar(note.confidence),
            f"{plain(note.photo)}<br>{axes.long:.2f} × {axes.short:.2f} px at {axes.angle:.0f}°<br>"
            f"confidence {note.confidence:.0%}"
            + (f", agreement {note.agreement:.0%}" if note.agreement is not None else ""),
        )
        for kernel, note, axes in list(zip(profile.kernels, profile.meta.kernels, stats.axes, strict=True))[
            :MOST_KERNELS
        ]
    ]
    more = stats.kernels - len(figures)
    shift = f", {(stats.scale - 1) / 2:g} pixels right of and below the middle of the picture" * (
        stats.scale > 1
    )
    summary = [
        figure(kernel_picture(stats.mean_kernel, zoom=8, alt="mean kernel"), "the mean of all"),
        figure(ellipses([stats.axes]), "all of them as ellipses of one standard deviation"),
    ]
    return (
        f'<h2>Kernels</h2><p class="hint">What one pixel of the photo gathers of the ×{stats.scale} picture: a square '
        f"is a pixel of that picture, the brighter the greater its part. Its centre is that of a block of "
        f"{stats.scale}×{stats.scale}{shift}. The bar is the confidence; agreement says how alike the kernels of "
        f"different parts of the photo are.</p>{row(summary)}<p></p>{gallery(figures)}"
        + (f"<p>and {more} more</p>" if more > 0 else "")
    )


def _noise(profile: Profile, stats: ProfileStats) -> str:
    if stats.noise is None:
        return "<h2>Noise</h2><p>No patches were found.</p>"
    gain = NOISE_CONTRAST / max(stats.noise / 255, 1e-4)
    figures = noise_figures(profile, gain=gain, most=MOST_PATCHES)
    more = stats.patches - len(figures)
    return (
        f"<h2>Noise</h2>{noise_plots([stats])}"
        f"<p>Coarse against fine grain {stats.grain:.2f} (1 is white noise); {stats.colour:.0%} of it is common to the "
        f"channels. Patches, amplified {gain:.0f} times:</p>{gallery(figures)}"
        + (f"<p>and {more} more</p>" if more > 0 else "")
    )


def _photos(profile: Profile, stats: ProfileStats) -> str:
    if not profile.meta.photos:
        return ""
    cameras = table(
        ("camera", "photos"), [(plain(name), str(count)) for name, count in stats.cameras.items()]
    )
    jpeg = ""
    if stats.jpeg:
        jpeg = f"<p>JPEG quality {stats.jpeg[0]} to {stats.jpeg[2]}, half of the files above {stats.jpeg[1]}.</p>"
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
        ("photo", "pixels", "JPEG", "kernel", "noise patches"), rows[:MOST_PHOTOS], words=frozenset((0, 3))
    ) + (f"<p>and {more} more</p>" if more > 0 else "")


def _rejected(stats: ProfileStats) -> str:
    if not stats.rejected:
        return "<h2>Rejected</h2><p>Nothing.</p>"
    rows = [(plain(one.reason), one.kind, str(one.count), str(len(one.photos))) for one in stats.rejected]
    return (
        "<h2>Rejected</h2>"
        '<p class="hint">Patches of noise are rejected by the thousand: only plain, evenly lit parts show noise '
        "and nothing else.</p>"
        + table(("reason", "of", "how many", "in photos"), rows, words=frozenset((0, 1)))
    )
