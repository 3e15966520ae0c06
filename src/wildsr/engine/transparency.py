"""Colour under transparent pixels, filled so that it doesn't bleed into what can be seen."""

from dataclasses import replace

import numpy as np

from wildsr.imaging import FloatArray, Source, quantise


def fill_transparent(source: Source) -> Source:
    """Give fully transparent pixels the colours around them; other pictures are returned as they are.

    Editors leave any colour, often black, under transparent pixels, and a network would draw its outline into the
    visible edge. Filled coarse to fine: each level's holes take the mean of the visible pixels a level above.
    """
    if not source.has_alpha:
        return source
    alpha = source.alpha(0, source.height, 0, source.width)
    assert alpha is not None, "has_alpha was checked"
    if float(alpha.min()) > 0 or float(alpha.max()) == 0:
        return source
    rgb = source.rgb(0, source.height, 0, source.width)
    filled = _pull_push(rgb, (alpha > 0).astype(np.float32))
    if source.samples.dtype == np.float32:
        return Source.from_picture(source.picture().with_pixels(filled, alpha))
    samples = quantise(filled, alpha, gray=source.gray, depth=source.depth)
    samples[..., -1] = source.samples[..., -1]
    return replace(source, samples=samples)


def _pull_push(rgb: FloatArray, known: FloatArray) -> FloatArray:
    """Fill pixels whose `known` (H×W) is 0 from ever coarser averages of the known ones."""
    if known.min() > 0 or known.size == 1:
        return rgb
    pad = [(0, known.shape[0] % 2), (0, known.shape[1] % 2)]
    weight = np.pad(known, pad)
    colour = np.pad(rgb * known[..., None], [*pad, (0, 0)])
    weight = _halve(weight[..., None])[..., 0]
    colour = (_halve(colour) / np.maximum(weight, 1e-6)[..., None]).astype(np.float32)
    coarse = _pull_push(colour, (weight > 0).astype(np.float32))
    enlarged = coarse.repeat(2, axis=0).repeat(2, axis=1)[: rgb.shape[0], : rgb.shape[1]]
    return np.where(known[..., None] > 0, rgb, enlarged).astype(np.float32, copy=False)


def _halve(image: FloatArray) -> FloatArray:
    """Sum 2×2 blocks."""
    result: FloatArray = image[::2, ::2] + image[1::2, ::2] + image[::2, 1::2] + image[1::2, 1::2]
    return result
