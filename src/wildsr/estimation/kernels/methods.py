"""The table of kernel estimators: a new one is a file in this package and an entry here.

Loaded by the command's help, so it imports neither numpy nor torch.
"""

import importlib
from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final, TypeAlias

from wildsr.errors import UsageError, did_you_mean

if TYPE_CHECKING:
    from wildsr.estimation.kernels.spectrum import Doubles
    from wildsr.imaging import FloatArray


@dataclass(frozen=True, kw_only=True, eq=False)
class CrossScaleProblem:
    """What a refining estimator starts from."""

    rgb: "FloatArray"
    """H×W×3 in [0, 1], both sides at least 96."""

    plane: "FloatArray"
    """Its H×W luma."""

    reference: "Doubles"
    """13×13 cross-scale filter of the spectrum's fit, in correlation orientation, summing to 1."""


Refinement: TypeAlias = "Callable[[CrossScaleProblem, int], Doubles]"
"""(problem, seed) → 13×13 filter under which the photo resembles its own half size."""


@dataclass(frozen=True, kw_only=True)
class KernelMethod:
    """A way to estimate kernels."""

    summary: str
    """For the help text."""

    refinement: str | None = None
    """`module:function` of a `Refinement`, loaded when it is used; None keeps the spectrum's fit."""

    def load(self) -> Refinement:
        """Import the refinement.

        Raises:
            ImportError: A package it needs (torch) is not installed.
        """
        module, function = str(self.refinement).split(":")
        found: Refinement = getattr(importlib.import_module(module), function)
        return found


_HERE: Final = "wildsr.estimation.kernels"

METHODS: Final[dict[str, KernelMethod]] = {
    "auto": KernelMethod(
        summary="mean of spectrum and michaeli_irani",
        refinement=f"{_HERE}.michaeli_irani:averaged_with_reference",
    ),
    "spectrum": KernelMethod(summary="Gaussian fitted to the photo's oriented power spectrum"),
    "michaeli_irani": KernelMethod(
        summary="patches that recur across scales (ICCV 2013)",
        refinement=f"{_HERE}.michaeli_irani:recurrence_filter",
    ),
    "kernelgan": KernelMethod(
        summary="internal GAN (NeurIPS 2019), started at auto",
        refinement=f"{_HERE}.kernelgan:kernelgan_filter",
    ),
    "realsr": KernelMethod(
        summary="RealSR's variant of it (CVPRW 2020)", refinement=f"{_HERE}.kernelgan:realsr_filter"
    ),
}
ALIASES: Final = {"both": "auto", "recurrence": "michaeli_irani"}
"""Earlier names that are still accepted."""


def method_named(name: str) -> str:
    """Return the name of a method in `METHODS`, given that or an alias.

    Raises:
        UsageError: There is none of that name.
    """
    known = ALIASES.get(name, name)
    if known in METHODS:
        return known
    raise UsageError(
        f"unknown method {name!r}", hint=did_you_mean(name.replace("-", "_"), [*METHODS, *ALIASES])
    )
