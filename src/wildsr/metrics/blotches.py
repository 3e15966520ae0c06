"""Blotches: patches of colour, some ten pixels wide, that the reference does not have."""

from typing import Final

import numpy as np

from wildsr.imaging.luma import BT601
from wildsr.metrics.consistency import whole_scale
from wildsr.metrics.filters import gaussian, smooth
from wildsr.metrics.metric import Metric
from wildsr.metrics.pixels import Image, Plane, checked_pair, levels

_BLOCK: Final = 4
_FINE: Final = gaussian(11, 1.5)
_COARSE: Final = gaussian(25, 4.0)
_PLACE: Final = gaussian(13, 2.0)
_CONTRAST: Final = 1.5  # a fifth more contrast of the colours that are there is no blotch
MINIMUM = (64, 64)


def blotches(sr: Image, hr: Image) -> float:
    """Return how much patchier in colour a picture is than the HR picture, as an RMS in levels of Cb and Cr; 0 is not.

    Of the 4×4 block means of BT.601 Cb and Cr, the band between Gaussians of σ 1.5 and 4 blocks (patches of about 10
    to 40 pixels) is squared and averaged around every place (σ 2 blocks): E. √mean max(0, E_sr − 1.5 E_hr).

    Raises:
        MetricError: Not two valid pictures of one size, at least 64×64.
    """
    checked_pair(sr, hr, "blotches", MINIMUM)
    return _excess(_block_means(levels(sr), _BLOCK), _block_means(levels(hr), _BLOCK))


def blotches_lr(sr: Image, lr: Image) -> float:
    """Return how much patchier in colour a picture is than the LR picture it was made from; see `blotches`.

    A block is what one LR pixel became. Colour noise of the LR picture hides as much of what it was enlarged to.

    Raises:
        MetricError: Not two valid pictures, or the SR sides are not the same multiple of the LR sides.
    """
    scale = whole_scale(sr, lr, "blotches_lr")
    return _excess(_block_means(levels(sr), scale), levels(lr))


def _block_means(pixels: Plane, block: int) -> Plane:
    rows, columns = pixels.shape[0] // block, pixels.shape[1] // block
    cut = pixels[: rows * block, : columns * block]
    means: Plane = cut.reshape(rows, block, columns, block, 3).mean(axis=(1, 3))
    return means


def _excess(sr: Plane, reference: Plane) -> float:
    more = np.maximum(_patchiness(sr) - _CONTRAST * _patchiness(reference), 0)
    return float(np.sqrt(more.mean()))


def _patchiness(pixels: Plane) -> Plane:
    """Local energy of the band-passed colour differences, both together."""
    luma = pixels @ np.array(BT601)
    chroma = np.stack([(pixels[..., 2] - luma) / 1.772, (pixels[..., 0] - luma) / 1.402])
    band = smooth(chroma, _FINE, "replicate") - smooth(chroma, _COARSE, "replicate")
    return smooth((band * band).sum(axis=0), _PLACE, "replicate")


BLOTCHES = Metric(
    name="blotches",
    label="Blotches",
    call=blotches,
    kind="artefact",
    direction="lower",
    range=(0, 128),
    unit="levels",
    decimals=3,
    reference="hr",
    family="wildsr",
    citation="excess energy of Cb and Cr between σ 6 and 16 pixels",
    minimum=MINIMUM,
    protocol="RMS in levels of Cb and Cr patches of 10 to 40 pixels in excess of the HR picture's.",
)

BLOTCHES_LR = Metric(
    name="blotches_lr",
    label="Blotches (LR)",
    call=blotches_lr,
    kind="artefact",
    direction="lower",
    range=(0, 128),
    unit="levels",
    decimals=3,
    reference="lr",
    family="wildsr",
    citation="excess energy of Cb and Cr between σ 1.5 and 4 LR pixels",
    minimum=(1, 1),
    protocol="RMS in levels of Cb and Cr patches of 3 to 10 LR pixels in excess of the LR picture's.",
)
