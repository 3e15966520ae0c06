"""How far a kernel estimate can be trusted: from the fit's own spread and from how the photo's parts agree."""

from dataclasses import dataclass
from typing import Final

import numpy as np

from wildsr.estimation.kernels.shapes import gaussian
from wildsr.estimation.kernels.spectrum import Doubles, Spectrum, oriented_spectrum
from wildsr.estimation.kernels.spectrum_fit import BlurFit, SpectralEvidence, covariance_of, fit_blur

SMALLEST: Final = 96
"""Shorter side in pixels below which nothing is estimated."""
_PARTS: Final = 3
_LEAST_PART: Final = 16
"""Tiles below which a part is not fitted on its own."""
_HALF_TRUST: Final = 0.03
"""Expected L2 error of the kernel at which confidence is a half: the best constant answer errs by 0.05."""
_LARGEST: Final = 12.0
_SMALLEST_VARIANCE: Final = 0.12
_UNSURE: Final = 0.06
_NOTHING_LEARNT: Final = 0.75
_BENT, _MISFIT = -1.8, 0.5
"""A blur far wider than the kernels given out leaves a spectrum of its own behind, which passes for a scene's with a
small blur but for this: over 24 photos a shaken camera's had a bend of −2.4 (median), nineteen in twenty Gaussians' one
above −1.1."""


@dataclass(frozen=True, kw_only=True, eq=False)
class BlurQuality:
    """The fit of a photo's blur and how far to trust it."""

    blur: BlurFit
    """The fit over all textured tiles."""

    expected_error: float
    """Expected L2 distance between the true kernel and the Gaussian of the fit."""

    agreement: float
    """0…1: how alike the kernels of the photo's parts are (1 − relative L2 spread)."""

    evidence: SpectralEvidence
    """What was fitted."""

    @property
    def confidence(self) -> float:
        """0…1, falling as the expected error grows."""
        return float(1 / (1 + (self.expected_error / _HALF_TRUST) ** 2))

    @property
    def is_plausible(self) -> bool:
        """False for a blur that no kernel of the supported size has: nothing can be refined then."""
        shorter, longer = np.linalg.eigvalsh(self.blur.covariance)
        return bool(longer <= _LARGEST and shorter >= _SMALLEST_VARIANCE)

    @property
    def rejection(self) -> str | None:
        """Why the estimate is not to be used; None where it is."""
        shorter, longer = np.linalg.eigvalsh(self.blur.covariance)
        if longer > _LARGEST:
            return (
                f"the blur is wider than the kernel can hold (variance {longer:.1f}, at most {_LARGEST:.0f} squared "
                "pixels at ×2): the photo was enlarged, is out of focus, or moved"
            )
        if shorter < _SMALLEST_VARIANCE:
            return "the photo is sharper than any lens: it was sharpened, drawn, or shrunk without a filter"
        if np.sqrt(self.blur.spread[0, 0]) > _NOTHING_LEARNT * 0.8:
            return "the photo says too little: the estimate is no better than the guess it started from"
        if self.blur.bend < _BENT and self.blur.misfit > _MISFIT:
            return "no scene with a blur of this size has such a spectrum: the camera shook, or the photo is doubled"
        if self.expected_error > _UNSURE:
            return f"parts of the photo disagree (expected error {self.expected_error:.4f}, at most {_UNSURE:.2f})"
        return None


def assess_blur(power: Doubles, texture: Doubles, compression: Doubles | None = None) -> BlurQuality | None:
    """Fit the blur to all tiles and to three interleaved parts of them.

    Returns:
        None where there is no textured tile.
    """
    spectrum = oriented_spectrum(power, texture)
    if spectrum is None or spectrum.tiles < 2:
        return None
    blur = fit_blur(spectrum, compression)
    # Every third tile: over 70 photos this foretold the error better than bands of the photo (rank .52, not .37).
    parts = [_part(power[index::_PARTS], texture[index::_PARTS]) for index in range(_PARTS)]
    fitted = [
        fit_blur(part, compression) for part in parts if part is not None and part.tiles >= _LEAST_PART / 4
    ]
    whole = gaussian(blur.covariance)
    spread = blur.spread
    agreement = 0.5
    if len(fitted) >= 2:
        values = np.array([[one.size, *one.stretch] for one in fitted])
        # the mean of all tiles is steadier than that of a part
        spread = spread + np.cov(values.T) / len(fitted)
        apart = [np.linalg.norm(gaussian(one.covariance) - whole) for one in fitted]
        agreement = float(np.clip(1 - np.mean(apart) / np.linalg.norm(whole), 0, 1))
    return BlurQuality(
        blur=blur,
        expected_error=_expected_error(blur, spread),
        agreement=agreement,
        evidence=SpectralEvidence(spectrum=spectrum, compression=compression),
    )


def _part(power: Doubles, texture: Doubles) -> Spectrum | None:
    return oriented_spectrum(power, texture) if len(power) >= _LEAST_PART else None


def _expected_error(blur: BlurFit, spread: Doubles) -> float:
    """Root mean squared L2 distance over the spread, one standard deviation along each of its axes."""
    whole = gaussian(blur.covariance)
    values, axes = np.linalg.eigh(spread)
    total = 0.0
    for value, axis in zip(values, axes.T, strict=True):
        step = np.sqrt(max(float(value), 0.0)) * axis
        moved = covariance_of(
            blur.size + float(np.clip(step[0], -1.5, 1.5)),
            (blur.stretch[0] + float(step[1]), blur.stretch[1] + float(step[2])),
        )
        total += float(((gaussian(moved) - whole) ** 2).sum())
    return float(np.sqrt(total))
