"""`estimate_kernel`: the blur kernel of one photo, with a confidence and a reason where it is not to be used."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from typing import Final

import numpy as np

from wildsr.degradation.kernels import compose_x4
from wildsr.errors import InputError, UsageError
from wildsr.estimation.kernels.jpeg_dct import BLOCK, compression_error
from wildsr.estimation.kernels.methods import METHODS, CrossScaleProblem, method_named
from wildsr.estimation.kernels.quality_control import SMALLEST, BlurQuality, assess_blur
from wildsr.estimation.kernels.shapes import centred, completed, gaussian, without_islands
from wildsr.estimation.kernels.spectrum import Doubles, textured_tiles
from wildsr.estimation.kernels.spectrum_fit import SpectralEvidence
from wildsr.imaging import FloatArray
from wildsr.imaging.luma import luma

_TYPICAL: Final = np.diag([2.4, 2.4])
"""Given out (and rejected) where a photo says nothing: the best constant answer."""
_CROSS_SCALE: Final = 0.75
_GAN_SUPPORT: Final = 13
_LEAST_SHARED: Final = 0.5
_LARGEST_SIDE: Final = 2048
"""Larger photos are looked at in their middle."""


@dataclass(frozen=True, kw_only=True, eq=False)
class KernelEstimate:
    """What was found of a photo's blur."""

    kernel: Doubles
    """n×n, n odd, sums to 1, correlation orientation, centre of mass n//2 + (scale − 1)/2; there even if rejected."""

    confidence: float
    """0…1; falls as the expected error grows. 0 where the photo says nothing."""

    reason: str | None
    """Why the kernel is not to be used; None where it is accepted."""

    method: str
    """How it was found: a name in `METHODS`."""

    agreement: float
    """0…1: how alike the kernels of the photo's parts are."""

    noise: float
    """Standard deviation in levels of the white noise seen in the photo's spectrum."""

    evidence: SpectralEvidence | None = None
    """The photo's spectrum, for a fit of several photos together; None where there is no texture."""


def estimate_kernel(rgb: FloatArray, scale: int = 2, method: str = "auto", seed: int = 0) -> KernelEstimate:
    """Estimate the blur kernel k of a photo: photo = (sharp scene ⊛ k) subsampled by `scale`.

    Every method starts from a fit of the photo's oriented power spectrum (`spectrum_fit`), whose Gaussian is the answer
    of `spectrum`. The others refine it to a cross-scale filter, under which the photo resembles its own half
    size; that filter is completed to the camera's kernel (`shapes.completed`) and given the skewness that makes the
    scene's edges sharpest (`skewness`). `methods.METHODS` lists them; what differs from the publications is said in
    each file.

    Args:
        rgb: H×W×3 float in [0, 1].
        scale: 2, or 4: the ×2 kernel composed with itself.
        method: A name in `METHODS`.
        seed: Of random choices: crops, weights, noise, which patches are used.

    Returns:
        The kernel with its confidence, and the reason where it should not be used.

    Raises:
        UsageError: A scale other than 2 and 4, an unknown method, or a seed that is no whole number from 0 up.
        InputError: Not H×W×3 finite numbers.

    Examples:
        >>> photo = wildsr.read("my-photos/a.jpg")
        >>> found = wildsr.estimate_kernel(photo.rgb, method="spectrum")
        >>> bool(abs(found.kernel.sum() - 1) < 1e-5)
        True
    """
    if scale not in (2, 4):
        raise UsageError(f"can't estimate a kernel for scale {scale!r}; 2 and 4 are possible")
    method = method_named(method)
    if isinstance(seed, bool) or not isinstance(seed, int | np.integer) or seed < 0:
        raise UsageError(f"the seed is {seed!r}; whole numbers from 0 up are possible")
    (estimate,) = estimate_kernels(rgb, method=method, seeds=(seed,))
    if scale == 2:
        return estimate
    return replace(estimate, kernel=compose_x4(estimate.kernel))


def estimate_kernels(rgb: FloatArray, *, method: str, seeds: Sequence[int]) -> Iterator[KernelEstimate]:
    """Estimate a photo's ×2 kernel once a seed, one after another; what no seed changes is done once.

    Args:
        rgb: H×W×3 float in [0, 1].
        method: How.
        seeds: Of what is random.

    Raises:
        InputError: Not H×W×3 finite numbers.
    """
    rgb = _checked(rgb)
    nothing = KernelEstimate(
        kernel=gaussian(_TYPICAL), confidence=0.0, reason=None, method=method, agreement=0.0, noise=0.0
    )
    if min(rgb.shape[:2]) < SMALLEST:
        reason = f"the photo has {rgb.shape[1]}×{rgb.shape[0]} pixels; at least {SMALLEST} a side are needed"
        yield from [replace(nothing, reason=reason)] * len(seeds)
        return
    plane = luma(rgb)
    quality = assess_blur(*textured_tiles(plane), compression_error(plane))
    if quality is None:
        reason = "the photo holds no texture (it is flat, black or clipped)"
        yield from [replace(nothing, reason=reason)] * len(seeds)
        return
    start = gaussian(quality.blur.covariance)
    refine = None
    if METHODS[method].refinement is not None and quality.is_plausible:
        refine = _Refined(rgb, plane, quality.blur.covariance, method)
    for seed in seeds:
        kernel = start if refine is None else refine(seed)
        yield _judged(kernel, float(np.minimum(kernel, start).sum()), quality, method)


def _judged(kernel: Doubles, shared: float, quality: BlurQuality, method: str) -> KernelEstimate:
    """Return the estimate, accepted or rejected.

    Args:
        kernel: What was found.
        shared: Its overlap with the Gaussian of the spectrum's fit, 0…1.
        quality: Of that fit.
        method: How it was found.
    """
    rejection = quality.rejection
    if rejection is None and shared < _LEAST_SHARED:
        rejection = f"the methods disagree (they share {shared:.0%} of the kernel)"
    return KernelEstimate(
        kernel=kernel,
        confidence=quality.confidence * shared if rejection is None else min(0.2, 0.4 * quality.confidence),
        reason=rejection,
        method=method,
        agreement=quality.agreement,
        noise=quality.blur.noise,
        evidence=quality.evidence,
    )


class _Refined:
    """A photo's kernel by a refining method; the third moments, which no seed changes, are estimated once."""

    def __init__(self, rgb: FloatArray, plane: FloatArray, covariance: Doubles, method: str) -> None:
        from wildsr.estimation.kernels.skewness import third_moments

        reference = gaussian(_CROSS_SCALE * covariance, size=_GAN_SUPPORT)
        self._problem = CrossScaleProblem(rgb=rgb, plane=plane, reference=reference)
        self._refine = METHODS[method].load()
        self._covariance = covariance
        self._moments = third_moments(plane, covariance)

    def __call__(self, seed: int) -> Doubles:
        from wildsr.estimation.kernels.skewness import with_third_moments

        kernel = centred(without_islands(completed(self._refine(self._problem, seed))))
        return with_third_moments(kernel, self._covariance, self._moments)


def _checked(rgb: FloatArray) -> FloatArray:
    array = np.asarray(rgb)
    if array.ndim != 3 or array.shape[2] != 3 or not np.issubdtype(array.dtype, np.floating):
        raise InputError(
            f"the photo is an array of shape {array.shape} and type {array.dtype}; H×W×3 floats in [0, 1] are taken"
        )
    if not np.isfinite(array).all():
        raise InputError("the photo holds numbers that are not finite")
    # by whole blocks, so that compression can be seen
    top, left = (max(0, (side - _LARGEST_SIDE) // (2 * BLOCK) * BLOCK) for side in array.shape[:2])
    middle = array[top : top + _LARGEST_SIDE, left : left + _LARGEST_SIDE]
    return np.clip(middle, 0, 1).astype(np.float32)
