"""How pictures get damaged: kernels, noise and compression as small seeded operations; the Profile of a camera.

Names are loaded when they are first used: a Profile and `wildsr.degradation.kernels` need no torch, the operations do.
"""

import importlib
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from wildsr.degradation.blur import Blur, BlurSubsample, FromPool, KernelSampler, correlate
    from wildsr.degradation.bsrgan import Bsrgan
    from wildsr.degradation.colour import ColourBlur
    from wildsr.degradation.compression import Jpeg
    from wildsr.degradation.levels import Clip, Round
    from wildsr.degradation.noise import (
        CorrelatedNoise,
        GaussianNoise,
        GaussianPoissonNoise,
        GrainyNoise,
        PoissonNoise,
    )
    from wildsr.degradation.noise_pool import NoisePool
    from wildsr.degradation.operation import Chance, Degradation, Log, OneOf, Pipeline
    from wildsr.degradation.presets import PRESETS, Chosen, Preset, choose, realsr, samsung_generic
    from wildsr.degradation.profile import Profile, empty_kernels, empty_noise, merge, with_widths
    from wildsr.degradation.profile_notes import KernelNote, Meta, NoiseNote, PhotoNote, Rejected
    from wildsr.degradation.real_esrgan import RealEsrgan
    from wildsr.degradation.resampling import Downscale, resize
    from wildsr.degradation.samplers import Gaussians, Mixed, Sincs
    from wildsr.degradation.sharpening import SharpenedBlur, Sharpening

__all__ = [
    "PRESETS",
    "Blur",
    "BlurSubsample",
    "Bsrgan",
    "Chance",
    "Chosen",
    "Clip",
    "ColourBlur",
    "CorrelatedNoise",
    "Degradation",
    "Downscale",
    "FromPool",
    "GaussianNoise",
    "GaussianPoissonNoise",
    "Gaussians",
    "GrainyNoise",
    "Jpeg",
    "KernelNote",
    "KernelSampler",
    "Log",
    "Meta",
    "Mixed",
    "NoiseNote",
    "NoisePool",
    "OneOf",
    "PhotoNote",
    "Pipeline",
    "PoissonNoise",
    "Preset",
    "Profile",
    "RealEsrgan",
    "Rejected",
    "Round",
    "SharpenedBlur",
    "Sharpening",
    "Sincs",
    "choose",
    "correlate",
    "empty_kernels",
    "empty_noise",
    "merge",
    "realsr",
    "resize",
    "samsung_generic",
    "with_widths",
]

_HOMES = {
    "PRESETS": "presets",
    "Blur": "blur",
    "BlurSubsample": "blur",
    "Bsrgan": "bsrgan",
    "Chance": "operation",
    "Chosen": "presets",
    "Clip": "levels",
    "ColourBlur": "colour",
    "CorrelatedNoise": "noise",
    "Degradation": "operation",
    "Downscale": "resampling",
    "FromPool": "blur",
    "GaussianNoise": "noise",
    "GaussianPoissonNoise": "noise",
    "Gaussians": "samplers",
    "GrainyNoise": "noise",
    "Jpeg": "compression",
    "KernelNote": "profile_notes",
    "KernelSampler": "blur",
    "Log": "operation",
    "Meta": "profile_notes",
    "Mixed": "samplers",
    "NoiseNote": "profile_notes",
    "NoisePool": "noise_pool",
    "OneOf": "operation",
    "PhotoNote": "profile_notes",
    "Pipeline": "operation",
    "PoissonNoise": "noise",
    "Preset": "presets",
    "Profile": "profile",
    "RealEsrgan": "real_esrgan",
    "Rejected": "profile_notes",
    "Round": "levels",
    "SharpenedBlur": "sharpening",
    "Sharpening": "sharpening",
    "Sincs": "samplers",
    "choose": "presets",
    "correlate": "blur",
    "empty_kernels": "profile",
    "empty_noise": "profile",
    "merge": "profile",
    "realsr": "presets",
    "resize": "resampling",
    "samsung_generic": "presets",
    "with_widths": "profile",
}


def __getattr__(name: str) -> object:
    """Load a public name when it is first used."""
    if name not in _HOMES:
        raise AttributeError(f"module 'wildsr.degradation' has no attribute {name!r}")
    return getattr(importlib.import_module(f"wildsr.degradation.{_HOMES[name]}"), name)


def __dir__() -> list[str]:
    return sorted(__all__)
