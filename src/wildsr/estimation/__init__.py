"""Photos in, degradation out: blur kernels, noise patches, and how far to trust them.

Names are loaded when they are first used: the command's help needs the table of methods alone.
"""

import importlib
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from wildsr.estimation.kernels.estimate import KernelEstimate, estimate_kernel
    from wildsr.estimation.profile.make import ProfileSettings, make_profile
    from wildsr.estimation.profile.photo import PhotoSettings

__all__ = ["KernelEstimate", "PhotoSettings", "ProfileSettings", "estimate_kernel", "make_profile"]

_HOMES = {
    "KernelEstimate": "kernels.estimate",
    "PhotoSettings": "profile.photo",
    "ProfileSettings": "profile.make",
    "estimate_kernel": "kernels.estimate",
    "make_profile": "profile.make",
}


def __getattr__(name: str) -> object:
    if name not in _HOMES:
        raise AttributeError(f"module 'wildsr.estimation' has no attribute {name!r}")
    return getattr(importlib.import_module(f"wildsr.estimation.{_HOMES[name]}"), name)
