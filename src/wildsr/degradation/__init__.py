"""How pictures get damaged: kernels, noise and compression as small seeded operations; the Profile of a camera.

Names are loaded when they are first used: a Profile needs no torch, the operations do.
"""

import importlib
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from wildsr.degradation.profile import Profile, empty_kernels, empty_noise, merge
    from wildsr.degradation.profile_notes import KernelNote, Meta, NoiseNote, PhotoNote, Rejected

__all__ = [
    "KernelNote",
    "Meta",
    "NoiseNote",
    "PhotoNote",
    "Profile",
    "Rejected",
    "empty_kernels",
    "empty_noise",
    "merge",
]

_HOMES = {
    "KernelNote": "profile_notes",
    "Meta": "profile_notes",
    "NoiseNote": "profile_notes",
    "PhotoNote": "profile_notes",
    "Profile": "profile",
    "Rejected": "profile_notes",
    "empty_kernels": "profile",
    "empty_noise": "profile",
    "merge": "profile",
}


def __getattr__(name: str) -> object:
    """Load a public name when it is first used."""
    if name not in _HOMES:
        raise AttributeError(f"module 'wildsr.degradation' has no attribute {name!r}")
    return getattr(importlib.import_module(f"wildsr.degradation.{_HOMES[name]}"), name)


def __dir__() -> list[str]:
    return sorted(__all__)
