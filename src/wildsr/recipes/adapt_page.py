"""What an adaptation did, as one HTML page: the user's own photos before and after, and what was learnt about them."""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Final

import numpy as np
import torch
from numpy.typing import NDArray
from torch import nn

from wildsr.degradation import Profile
from wildsr.errors import InputError
from wildsr.estimation.profile.drawing import kernel_picture
from wildsr.estimation.profile.page import noise_figures
from wildsr.estimation.profile.profile_stats import profile_stats
from wildsr.files import atomic_write, counted
from wildsr.imaging import open_source
from wildsr.report.page import cards, figure, gallery, notes, page, plain, plots, row
from wildsr.report.pictures import jpeg_uri
from wildsr.report.plots import Curve, curves
from wildsr.training.selection import Chosen
from wildsr.training.session import Point

Bytes = NDArray[np.uint8]

CROP_SIDE: Final = 64
"""LR pixels of a crop along a side."""
_CANDIDATES: Final = 12
"""Crops looked at along a side of a photo when the one with most detail is sought."""
_MOST_KERNELS: Final = 24
_MOST_PATCHES: Final = 12
_NOISE_CONTRAST: Final = 0.12


@dataclass(frozen=True, kw_only=True, eq=False)
class BeforeAfter:
    """One crop of a photo."""

    photo: str
    """File name."""

    lr: Bytes
    """h×w×3."""

    before: Bytes
    """sh×sw×3 by the start's weights."""

    after: Bytes
    """sh×sw×3 by the adapted weights."""


def before_and_after(photos: Sequence[Path], start: nn.Module, adapted: nn.Module) -> list[BeforeAfter]:
    """Super-resolve the most detailed crop of each photo with both networks; photos that can't be read are left out."""
    found = []
    for photo in photos:
        try:
            lr = _detailed_crop(photo)
        except InputError:
            continue
        found.append(
            BeforeAfter(photo=photo.name, lr=lr, before=_enlarged(start, lr), after=_enlarged(adapted, lr))
        )
    return found


def adapt_page(
    *,
    name: str,
    start: str,
    chosen: Chosen,
    points: Sequence[Point],
    profile: Profile | None,
    crops: Sequence[BeforeAfter],
) -> str:
    """Return the page; it holds everything and loads nothing.

    Args:
        name: Of the run.
        start: Name of the model it started from.
        chosen: The state that was chosen.
        points: Curves of the run.
        profile: The camera's, where one was used.
        crops: Of the user's photos.
    """
    words = chosen.in_words()
    return page(
        f"Adapted model {name}",
        [
            f"<h1>Adapted model {plain(name)}</h1>",
            f"<p>{plain(start)}, adapted to these photos. {plain(words[0].upper() + words[1:])}.</p>",
            _cards(chosen),
            _crops(crops, start),
            _curves(points, chosen),
            "" if profile is None else _profile(profile),
        ],
    )


def write_adapt_page(path: Path, text: str) -> None:
    """Write the page; it appears whole or not at all.

    Raises:
        OutputError: It can't be written.
    """
    with atomic_write(path) as temporary:
        temporary.write_text(text, encoding="utf-8")


def _cards(chosen: Chosen) -> str:
    return cards(
        [
            ("LPIPS, start", f"{chosen.start['lpips']:.4f}"),
            ("LPIPS, adapted", f"{chosen.scores['lpips']:.4f}"),
            ("PSNR, start", f"{chosen.start['psnr']:.2f} dB"),
            ("PSNR, adapted", f"{chosen.scores['psnr']:.2f} dB"),
        ]
    ) + (
        "<p>Measured on clean photos held out from the training and degraded as the camera does. "
        "How good the model is on your photos, the pictures below tell better than numbers.</p>"
    )


def _crops(crops: Sequence[BeforeAfter], start: str) -> str:
    if not crops:
        return ""
    rows = []
    for crop in crops:
        scale = crop.before.shape[0] // crop.lr.shape[0]
        photo = crop.lr.repeat(scale, axis=0).repeat(scale, axis=1)
        rows.append(
            f"<h3>{plain(crop.photo)}</h3>"
            + row(
                [
                    _shown(photo, "the photo, its pixels enlarged"),
                    _shown(crop.before, start),
                    _shown(crop.after, "adapted"),
                ]
            )
        )
    return "<h2>Your photos, before and after</h2>" + "".join(rows)


def _shown(rgb: Bytes, text: str) -> str:
    height, width = rgb.shape[:2]
    picture = f'<img alt="{plain(text)}" width="{width}" height="{height}" src="{jpeg_uri(rgb)}">'
    return f'<figure class="photo">{picture}<figcaption>{plain(text)}</figcaption></figure>'


def _curves(points: Sequence[Point], chosen: Chosen) -> str:
    figures = []
    for key, caption in (
        ("lpips", "LPIPS"),
        ("psnr", "PSNR in dB"),
        ("pixel", "pixel loss"),
        ("perceptual", "perceptual loss"),
    ):
        line = [(point["step"], point[key]) for point in points if key in point]
        if len(line) > 1:
            figures.append(
                (
                    caption,
                    curves([Curve(points=line, name="")], ("step", caption), title=caption, from_zero=False),
                )
            )
    marked = f"<p>The state after step {chosen.step} was chosen.</p>" if chosen.better else ""
    return f"<h2>Curves</h2>{marked}{plots(figures)}" if figures else ""


def _profile(profile: Profile) -> str:
    stats = profile_stats(profile)
    count = len(profile.kernels)
    shown = np.unique(np.linspace(0, count - 1, min(count, _MOST_KERNELS)).astype(int)) if count else ()
    kernels = gallery(
        figure(
            kernel_picture(profile.kernels[index].astype(float), zoom=4, alt="kernel"),
            plain(profile.meta.kernels[index].photo),
        )
        for index in shown
    )
    strongest = max((note.std for note in profile.meta.noise), default=1.0)
    patches = gallery(noise_figures(profile, gain=_NOISE_CONTRAST / max(strongest, 1e-6), most=_MOST_PATCHES))
    return (
        "<h2>What was learnt about the camera</h2>"
        + notes("To know", stats.remarks)
        + f"<h3>{counted(count, 'blur kernel')}</h3>{kernels}"
        + f"<h3>{counted(len(profile.noise), 'noise patch')}</h3>{patches}"
    )


def _detailed_crop(photo: Path) -> Bytes:
    """The crop with the most gradient, of a grid of them."""
    source = open_source(photo)
    side = min(CROP_SIDE, source.height, source.width)
    rows = np.unique(np.linspace(0, source.height - side, _CANDIDATES).astype(int))
    columns = np.unique(np.linspace(0, source.width - side, _CANDIDATES).astype(int))
    best, most = None, -1.0
    for y in rows:
        strip = source.rgb(int(y), int(y) + side, 0, source.width)
        for x in columns:
            crop = strip[:, x : x + side]
            detail = float(np.abs(np.diff(crop, axis=0)).mean() + np.abs(np.diff(crop, axis=1)).mean())
            if detail > most:
                best, most = crop, detail
    assert best is not None
    return np.rint(best * 255).astype(np.uint8)


@torch.no_grad()
def _enlarged(network: nn.Module, lr: Bytes) -> Bytes:
    device = next(network.parameters()).device
    picture = torch.from_numpy(np.ascontiguousarray(lr.transpose(2, 0, 1)))[None].to(device).float() / 255
    sr = network.eval()(picture)[0].float().clamp(0, 1).mul(255).round().byte()
    pixels: Bytes = sr.permute(1, 2, 0).cpu().numpy()
    return pixels
