"""`estimate_kernel`: the blur kernel of one photo, with a confidence and a reason where it is not to be used."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from typing import Final, Literal, get_args

import numpy as np

from wildsr.degradation.kernels import compose_x4
from wildsr.errors import InputError, UsageError
from wildsr.estimation.kernels.jpeg_dct import BLOCK, compression_error
from wildsr.estimation.kernels.quality_control import SMALLEST, Evidence, gather_evidence
from wildsr.estimation.kernels.shapes import centred, completed, gaussian, without_dust
from wildsr.estimation.kernels.spectrum import Doubles, textured_tiles
from wildsr.imaging import FloatArray
from wildsr.imaging.luma import luma

Method = Literal["auto", "spectrum", "kernelgan", "realsr", "recurrence"]

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

    method: Method
    """How it was found."""

    agreement: float
    """0…1: how alike the kernels of the photo's parts are."""

    noise: float
    """Standard deviation in levels of the white noise seen in the photo's spectrum."""


def estimate_kernel(
    rgb: FloatArray, scale: int = 2, method: Method = "auto", seed: int = 0
) -> KernelEstimate:
    """Estimate the kernel k for which the photo is (sharp scene ⊛ k) subsampled by `scale`.

    Every method starts from a fit of the photo's oriented power spectrum (`natural`), which alone gives a Gaussian
    (`spectrum`). `recurrence` is Michaeli and Irani's least squares over patches that recur across scales, kept near
    it. `auto` is the mean of the two. `kernelgan` and `realsr` start there and play on with their objectives
    (`kernelgan.py` lists what differs from the publications). All but `spectrum` find a cross-scale filter first, which
    is completed to the camera's blur (`shapes.completed`) and leant to the side that makes the scene's edges sharpest
    (`lopsided`).

    Args:
        rgb: H×W×3 float in [0, 1].
        scale: 2, or 4: the ×2 kernel composed with itself.
        method: How.
        seed: Of what is random: crops, weights, noise, which patches are looked at.

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
    if method not in get_args(Method):
        raise UsageError(f"unknown method {method!r}; one of {', '.join(get_args(Method))}")
    if isinstance(seed, bool) or not isinstance(seed, int | np.integer) or seed < 0:
        raise UsageError(f"the seed is {seed!r}; whole numbers from 0 up are possible")
    (estimate,) = estimate_kernels(rgb, method=method, seeds=(seed,))
    if scale == 2:
        return estimate
    return replace(estimate, kernel=compose_x4(estimate.kernel))


def estimate_kernels(rgb: FloatArray, *, method: Method, seeds: Sequence[int]) -> Iterator[KernelEstimate]:
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
    evidence = gather_evidence(*textured_tiles(plane), compression_error(plane))
    if evidence is None:
        reason = "the photo holds no texture (it is flat, black or clipped)"
        yield from [replace(nothing, reason=reason)] * len(seeds)
        return
    start = gaussian(evidence.blur.covariance)
    refine = None
    if method != "spectrum" and evidence.is_plausible:
        refine = _Refinement(rgb, plane, evidence.blur.covariance, method)
    for seed in seeds:
        kernel = start if refine is None else refine(seed)
        yield _judged(kernel, float(np.minimum(kernel, start).sum()), evidence, method)


def _judged(kernel: Doubles, shared: float, evidence: Evidence, method: Method) -> KernelEstimate:
    """The estimate, accepted or refused.

    Args:
        kernel: What was found.
        shared: What part of it the spectrum's Gaussian has too.
        evidence: What the spectrum says.
        method: How it was found.
    """
    refused = evidence.reason
    if refused is None and shared < _LEAST_SHARED:
        refused = f"the methods disagree (they share {shared:.0%} of the kernel)"
    return KernelEstimate(
        kernel=kernel,
        confidence=evidence.confidence * shared if refused is None else min(0.2, 0.4 * evidence.confidence),
        reason=refused,
        method=method,
        agreement=evidence.agreement,
        noise=evidence.blur.noise,
    )


class _Refinement:
    """What the methods beyond the spectrum make of a photo; the side it leans to is found once."""

    def __init__(self, rgb: FloatArray, plane: FloatArray, covariance: Doubles, method: Method) -> None:
        from wildsr.estimation.kernels.skewness import third_moments

        self._rgb, self._plane, self._covariance, self._method = rgb, plane, covariance, method
        self._reference = gaussian(_CROSS_SCALE * covariance, size=_GAN_SUPPORT)
        self._moments = third_moments(plane, covariance)

    def __call__(self, seed: int) -> Doubles:
        from wildsr.estimation.kernels.skewness import leaning

        kernel = centred(without_dust(completed(self._cross_scale(seed))))
        return leaning(kernel, self._covariance, self._moments)

    def _cross_scale(self, seed: int) -> Doubles:
        """The 13×13 filter that makes the photo resemble itself at half size."""
        from wildsr.estimation.kernels.michaeli_irani import recurring_filter

        recurrence = recurring_filter(self._plane, reference=self._reference, seed=seed)
        if recurrence is None:
            found = self._reference
        elif self._method == "recurrence":
            found = recurrence.kernel
        else:
            found = (self._reference + recurrence.kernel) / 2
        if self._method not in ("kernelgan", "realsr"):
            return found
        from wildsr.estimation.kernels.kernelgan import GanSettings, learn_filter

        return learn_filter(
            self._rgb, settings=GanSettings(objective=self._method), seed=seed, reference=found
        ).kernel


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
