"""What the photos of one camera tell together of its blur: a hierarchical model over the fits of their spectra.

A photo's fit confuses some of its scene with the camera: texture in its quietest tiles passes for noise, edges that
all run one way for a directed blur. Scenes differ from photo to photo and the camera does not, so

1. a photo that seems noisier than the quiet ones, but has few tiles to tell by, is fitted again with their noise floor;
2. sizes and directions of blur are draws from one normal distribution, whose mean and covariance are found by
   expectation-maximisation, and each photo's is replaced by its posterior mean: the surer the fit, the less it moves;
3. each kernel is stretched to the second moments found so. What its refinement adds to the photo's fit, in size and in
   shape, is kept in proportion to the tiles the photo has; the rest is the Gaussian of these moments.

Photos of several cameras are spread widely, and then little is shared.
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Final

import numpy as np

from wildsr.estimation.kernels.shapes import affinely_mapped, gaussian, second_moments
from wildsr.estimation.kernels.spectrum import Doubles
from wildsr.estimation.kernels.spectrum_fit import BLUR_PRIOR, SpectralEvidence, covariance_of, fit_blur

_QUIET: Final = 0.2
"""Quantile of the photos' noise floors that is the camera's: in many photos the quietest tiles hold texture."""
_MANY_TILES: Final = 25.0
"""Textured tiles at which what a photo shows alone counts as much as what the camera's photos show together."""
_SPREAD_IN_A_CAMERA: Final = np.array([0.15, 0.08, 0.08])
"""Standard deviations of size and stretch within one camera that are expected of focus and aperture."""
_WORTH_PHOTOS: Final = 4
"""Photos that this expectation counts for."""
_ROUNDS: Final = 30


@dataclass(frozen=True, kw_only=True, eq=False)
class SharedBlur:
    """The blur of one camera."""

    mean: Doubles
    """(size, stretch) of the camera (see `BlurFit`)."""

    spread: Doubles
    """3×3 covariance of the photos' blur around it."""

    photos: Doubles
    """N×3 posterior means of the photos' own."""


def share_blur(evidence: Sequence[SpectralEvidence]) -> SharedBlur:
    """Estimate the blur of a camera and of each of its photos from their spectra.

    Args:
        evidence: Of at least one photo.
    """
    fits = [
        fit_blur(replace(one.spectrum, floor=floor * one.spectrum.gain), one.compression)
        for one, floor in zip(evidence, noise_floors(evidence), strict=True)
    ]
    return pooled(
        np.array([[one.size, *one.stretch] for one in fits]), np.array([one.spread for one in fits])
    )


def noise_floors(evidence: Sequence[SpectralEvidence]) -> Doubles:
    """Return the noise floor of each photo in squared levels: never above its own.

    With many tiles some show noise alone, and the photo's own floor is right, whatever its sensitivity was; with few
    it is an upper bound, and the camera's quiet photos say more.
    """
    own = np.log([max(one.spectrum.floor / one.spectrum.gain, 1e-3) for one in evidence])
    share = np.array([_own_share(one) for one in evidence])
    floors: Doubles = np.exp(share * own + (1 - share) * np.minimum(own, np.quantile(own, _QUIET)))
    return floors


def pooled(values: Doubles, spreads: Doubles) -> SharedBlur:
    """Shrink the photos' values towards their common mean by what each is uncertain.

    Args:
        values: N×3 maximum-a-posteriori values under `BLUR_PRIOR`.
        spreads: N×3×3 posterior covariances.
    """
    prior_mean, prior_sd = BLUR_PRIOR
    prior = np.diag(1 / prior_sd**2)
    precisions = [_positive(np.linalg.inv(spread) - prior) for spread in spreads]  # of the photos alone
    weighted = [
        np.linalg.inv(spread) @ value - prior @ prior_mean
        for spread, value in zip(spreads, values, strict=True)
    ]
    expected = np.diag(_SPREAD_IN_A_CAMERA**2)
    mean, spread, photos = values.mean(axis=0), expected, values
    for _ in range(_ROUNDS):
        within = np.linalg.inv(spread)
        uncertain = [np.linalg.inv(precision + within) for precision in precisions]
        photos = np.array(
            [cov @ (value + within @ mean) for cov, value in zip(uncertain, weighted, strict=True)]
        )
        mean = np.linalg.solve(len(photos) * within + prior, within @ photos.sum(axis=0) + prior @ prior_mean)
        apart = photos - mean
        total = apart.T @ apart + np.sum(uncertain, axis=0) + _WORTH_PHOTOS * expected
        spread = total / (len(photos) + _WORTH_PHOTOS)
    return SharedBlur(mean=mean, spread=spread, photos=photos)


def camera_kernels(kernels: Sequence[Doubles], evidence: Sequence[SpectralEvidence | None]) -> list[Doubles]:
    """Return the ×2 kernels of one camera's photos with the second moments they have when seen together.

    A single kernel, and those without evidence, stay as they are.
    """
    known = [index for index, one in enumerate(evidence) if one is not None]
    if len(known) < 2:
        return list(kernels)
    seen = [one for one in evidence if one is not None]
    shared = share_blur(seen)
    result = list(kernels)
    for index, one, photo in zip(known, seen, shared.photos, strict=True):
        first = fit_blur(one.spectrum, one.compression)
        refined = _logarithm(second_moments(kernels[index])) - np.array([first.size, *first.stretch])
        share = _own_share(one)
        size, *stretch = photo + share * refined
        covariance = covariance_of(size, (stretch[0], stretch[1]))
        refined_shape = with_moments(kernels[index], covariance)
        result[index] = share * refined_shape + (1 - share) * gaussian(covariance, size=len(refined_shape))
    return result


def with_moments(kernel: Doubles, wanted: Doubles) -> Doubles:
    """Stretch a ×2 kernel until its covariance over (x, y) is the wanted one, but for what its support cuts off."""
    aim, found = wanted, kernel
    for _ in range(3):  # clipping at 0 and at the border changes the moments a little
        found = affinely_mapped(kernel, _root(aim) @ np.linalg.inv(_root(second_moments(kernel))))
        aim = _positive(aim + wanted - second_moments(found), least=0.05)
    return found


def _own_share(one: SpectralEvidence) -> float:
    return one.spectrum.tiles / (one.spectrum.tiles + _MANY_TILES)


def _logarithm(covariance: Doubles) -> Doubles:
    """(size, stretch) of a covariance: the inverse of `covariance_of`."""
    values, axes = np.linalg.eigh(covariance)
    log = (axes * np.log(np.maximum(values, 1e-6))) @ axes.T
    return np.array([np.trace(log) / 2, (log[0, 0] - log[1, 1]) / 2, log[0, 1]])


def _root(matrix: Doubles) -> Doubles:
    values, axes = np.linalg.eigh(matrix)
    root: Doubles = (axes * np.sqrt(np.maximum(values, 1e-6))) @ axes.T
    return root


def _positive(matrix: Doubles, *, least: float = 1e-3) -> Doubles:
    values, axes = np.linalg.eigh((matrix + matrix.T) / 2)
    result: Doubles = (axes * np.maximum(values, least)) @ axes.T
    return result
