"""`estimate_kernel`: the blur kernel of one photo, with a confidence and a reason where it is not to be used."""

from dataclasses import dataclass, replace
from typing import Final, Literal, get_args

import numpy as np

from wildsr.degradation.kernels import compose_x4
from wildsr.errors import InputError, UsageError
from wildsr.estimation.evidence import SMALLEST, Evidence, gather_evidence
from wildsr.estimation.lattice import BLOCK, compression_error
from wildsr.estimation.shapes import centred, completed, gaussian, with_signs_of, without_dust
from wildsr.estimation.spectrum import Doubles, luma, textured_tiles
from wildsr.imaging import FloatArray

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
    it. `auto` takes the strength of each frequency from the spectrum and its sign from recurrence. `kernelgan` and
    `realsr` start there and play on with their objectives (`kernelgan.py` lists what differs from the publications).
    All but `spectrum` find a cross-scale filter first, which is completed to the camera's blur (`shapes.completed`)
    and leant to the side that makes the scene's edges sharpest (`lopsided`).

    Args:
        rgb: H×W×3 float in [0, 1].
        scale: 2, or 4: the ×2 kernel composed with itself.
        method: How.
        seed: Of what is random: crops, weights, noise, which patches are looked at.

    Raises:
        UsageError: A scale other than 2 and 4, an unknown method, or a seed that is no whole number from 0 up.
        InputError: Not H×W×3 finite numbers.
    """
    if scale not in (2, 4):
        raise UsageError(f"can't estimate a kernel for scale {scale!r}; 2 and 4 are possible")
    if method not in get_args(Method):
        raise UsageError(f"unknown method {method!r}; one of {', '.join(get_args(Method))}")
    if isinstance(seed, bool) or not isinstance(seed, int | np.integer) or seed < 0:
        raise UsageError(f"the seed is {seed!r}; whole numbers from 0 up are possible")
    rgb = _checked(rgb)
    estimate = _estimate_x2(rgb, method, seed)
    if scale == 2:
        return estimate
    return replace(estimate, kernel=compose_x4(estimate.kernel))


def _estimate_x2(rgb: FloatArray, method: Method, seed: int) -> KernelEstimate:
    nothing = KernelEstimate(
        kernel=gaussian(_TYPICAL), confidence=0.0, reason=None, method=method, agreement=0.0, noise=0.0
    )
    if min(rgb.shape[:2]) < SMALLEST:
        reason = f"the photo has {rgb.shape[1]}×{rgb.shape[0]} pixels; at least {SMALLEST} a side are needed"
        return replace(nothing, reason=reason)
    plane = luma(rgb)
    evidence = gather_evidence(*textured_tiles(plane), compression_error(plane))
    if evidence is None:
        return replace(nothing, reason="the photo holds no texture (it is flat, black or clipped)")
    kernel, shared = _refined(rgb, plane, evidence, method, seed)
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


def _refined(
    rgb: FloatArray, plane: FloatArray, evidence: Evidence, method: Method, seed: int
) -> tuple[Doubles, float]:
    """The kernel, and what part of it the spectrum's Gaussian and the refinement have in common."""
    covariance = evidence.blur.covariance
    start = gaussian(covariance)
    if method == "spectrum" or not evidence.is_plausible:
        return start, 1.0
    from wildsr.estimation.lopsided import leaning, third_moments
    from wildsr.estimation.recurrence import recurring_filter

    reference = gaussian(_CROSS_SCALE * covariance, size=_GAN_SUPPORT)
    recurrence = recurring_filter(plane, reference=reference, seed=seed)
    if recurrence is not None and method == "recurrence":
        found = recurrence.kernel
    elif recurrence is not None:
        found = with_signs_of(reference, recurrence.kernel)
    else:
        found = reference
    if method in ("kernelgan", "realsr"):
        from wildsr.estimation.kernelgan import GanSettings, learn_filter

        settings = GanSettings(objective="realsr" if method == "realsr" else "kernelgan")
        found = learn_filter(rgb, settings=settings, seed=seed, reference=found).kernel
    kernel = centred(without_dust(completed(found)))
    kernel = leaning(kernel, covariance, third_moments(plane, covariance))
    return kernel, float(np.minimum(kernel, start).sum())


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
