"""Degradations by name."""

import hashlib
import math
from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Final

from wildsr.degradation.blur import Blur, BlurSubsample, FromPool
from wildsr.degradation.bsrgan import Bsrgan
from wildsr.degradation.colour import ColourBlur, reach
from wildsr.degradation.levels import Round
from wildsr.degradation.noise import GaussianNoise, GaussianPoissonNoise, PoissonNoise
from wildsr.degradation.noise_pool import NoisePool
from wildsr.degradation.operation import Degradation, OneOf, Pipeline
from wildsr.degradation.profile import Profile
from wildsr.degradation.real_esrgan import RealEsrgan
from wildsr.degradation.resampling import Downscale
from wildsr.degradation.samplers import Gaussians, Range
from wildsr.degradation.sharpening import SharpenedBlur
from wildsr.degradation.wild import wild
from wildsr.errors import UsageError, did_you_mean
from wildsr.files import counted

_HALO: Final = 6
"""LR pixels that sharpening reaches farther."""
_NO_BLUR: Final = (0.0, 0.0)


@dataclass(frozen=True, kw_only=True)
class Preset:
    """A degradation that can be asked for by name."""

    summary: str
    """In one line."""

    build: Callable[[int, Profile | None], Pipeline]
    """(scale, profile) → operations from HR to 8-bit LR."""

    margin: int = 8
    """LR pixels at a crop's border that its missing neighbours would change; more where a profile's kernels reach
    farther."""

    needs_profile: bool = False
    """Nothing without a profile."""


@dataclass(frozen=True, kw_only=True, eq=False)
class Chosen:
    """A degradation, ready to be used."""

    name: str
    """Of the preset."""

    pipeline: Pipeline
    """From HR (N×3×sh×sw) to LR (N×3×h×w)."""

    margin: int
    """LR pixels to cut off at the border of a crop."""

    summary: str
    """For cards and manifests."""

    fingerprint: str
    """Another one for everything that changes the result: name, scale, content of the profile."""


def choose(
    name: str | None,
    *,
    scale: int = 4,
    profile: Profile | None = None,
    sharpened: float = 0.0,
    colour_blur: Range = _NO_BLUR,
) -> Chosen:
    """Return the degradation of a name; without one, that of the profile, or else bicubic.

    Args:
        name: A key of `PRESETS`.
        scale: HR pixels per LR pixel along one side.
        profile: For `realsr`.
        sharpened: Share of the LR, 0 to 1, that a camera with the profile's kernels would have sharpened (`realsr`).
        colour_blur: Least and greatest σ, LR pixels, of what blurs the colour of the LR beside the kernels (`realsr`).

    Raises:
        UsageError: No such preset, a profile missing, superfluous, empty or of another scale; nothing to sharpen; a
            blur of colour without a profile, or whose least σ is above its greatest.
    """
    if name is None:
        name = "bicubic" if profile is None else "realsr"
    if name not in PRESETS:
        raise UsageError(
            f"there is no degradation `{name}`", hint=did_you_mean(name.replace("-", "_"), PRESETS)
        )
    preset = PRESETS[name]
    if profile is not None and not preset.needs_profile:
        raise UsageError(
            f"the degradation `{name}` doesn't use a profile",
            hint="leave out one of them; a profile alone is enough",
        )
    if sharpened and (profile is None or not len(profile.kernels)):
        raise UsageError(
            "sharpening belongs to a profile's kernels, and there are none",
            hint="a profile with kernels, or --set data.sharpened=0",
        )
    if colour_blur[1] and profile is None:
        raise UsageError(
            "the blur of colour belongs to a camera, and there is no profile of one",
            hint="--profile cam.profile, or --set data.colour_blur=[0,0]",
        )
    if colour_blur[0] > colour_blur[1]:
        raise UsageError(
            f"the blur of colour goes from {colour_blur[0]:g} to {colour_blur[1]:g} pixels",
            hint="the smaller one first",
        )
    pipeline = preset.build(scale, profile)
    margin, summary, content = preset.margin, preset.summary, ""
    if profile is not None:
        margin = max(2, math.ceil((profile.kernels.shape[1] // 2 + 1) / scale))
        content = profile.fingerprint
        if sharpened or colour_blur[1]:
            pipeline = realsr(profile, sharpened=sharpened, colour_blur=colour_blur)
        if sharpened:
            margin += _HALO
            content += f" {sharpened}"
        if colour_blur[1]:
            margin += reach(colour_blur[1])
            content += f" colour {colour_blur[0]} {colour_blur[1]}"
        summary = (
            f"profile {profile.fingerprint[:12]}: {counted(len(profile.kernels), 'kernel')}, "
            f"{counted(len(profile.noise), 'noise patch')}"
            + (f"; {', '.join(profile.meta.cameras())}" if profile.meta.photos else "")
            + (f"; {sharpened:.0%} sharpened" if sharpened else "")
            + (f"; colour blurred by up to {colour_blur[1]:.2g} pixels" if colour_blur[1] else "")
        )
    text = f"{name} {scale} {content}"
    return Chosen(
        name=name,
        pipeline=pipeline,
        margin=margin,
        summary=summary,
        fingerprint=hashlib.sha256(text.encode()).hexdigest(),
    )


def mixed_with_bicubic(chosen: Chosen, share: float, *, scale: int) -> Chosen:
    """Return a degradation that leaves a share (0 to 1) of the LR plain bicubic.

    Args:
        chosen: What happens to the rest.
        share: 0 to 1.
        scale: HR pixels per LR pixel along one side.
    """
    if not share:
        return chosen
    bicubic = PRESETS["bicubic"].build(scale, None)
    return replace(
        chosen,
        pipeline=Pipeline((OneOf((chosen.pipeline, bicubic), weights=(1 - share, share)),)),
        summary=f"{chosen.summary}; {share:.0%} plain bicubic",
        fingerprint=hashlib.sha256(f"{chosen.fingerprint} bicubic {share}".encode()).hexdigest(),
    )


def realsr(profile: Profile, *, sharpened: float = 0.0, colour_blur: Range = _NO_BLUR) -> Pipeline:
    """Return RealSR's degradation: I_LR = clip((I_HR ⊛ k)↓s + n), k and n drawn independently from the profile.

    Without kernels bicubic takes their place; without noise patches none is added.

    Args:
        profile: Kernels and noise patches.
        sharpened: Share of the LR, 0 to 1, with `SharpenedBlur` in place of k↓s (not RealSR's).
        colour_blur: Range of σ, LR pixels, of `ColourBlur` before the noise (not RealSR's).

    Raises:
        UsageError: Neither kernels nor noise.
    """
    steps: list[Degradation] = []
    if not len(profile.kernels) and not len(profile.noise):
        raise UsageError(
            "the profile has neither kernels nor noise patches", hint="make one of more, or larger, photos"
        )
    if len(profile.kernels):
        drawn = FromPool(profile.kernels)
        plain = BlurSubsample(drawn, profile.scale)
        soft = SharpenedBlur(sampler=drawn, scale=profile.scale)
        steps.append(OneOf((plain, soft), weights=(1 - sharpened, sharpened)) if sharpened else plain)
    else:
        steps.append(Downscale(scale=profile.scale))
    if colour_blur[1]:
        steps.append(ColourBlur(sigma=colour_blur))
    if len(profile.noise):
        steps.append(NoisePool(profile.noise))
    return Pipeline((*steps, Round()))


def samsung_generic(scale: int = 4) -> Pipeline:
    """Return Samsung's generic degradation, N(D(y ⊛ k)) (Ren et al., CVPRW 2020).

    k: Gaussian, 15×15, σ in [0.2, 3]; D: one of four ways to resize; N: Gaussian with σ up to 5 levels, Poisson of 50
    to 150 photons (the meaning of these numbers is not published; as photons of white they are strong), or both.
    """
    sigma, photons = (0.0, 5 / 255), (50.0, 150.0)
    return Pipeline(
        (
            Blur(Gaussians(sizes=(15,), sigma=(0.2, 3.0))),
            Downscale(scale=scale, methods=("nearest", "bilinear", "bicubic", "lanczos")),
            OneOf(
                (
                    GaussianNoise(sigma=sigma),
                    PoissonNoise(photons=photons),
                    GaussianPoissonNoise(photons=photons, sigma=sigma),
                )
            ),
            Round(),
        )
    )


def _realsr(scale: int, profile: Profile | None) -> Pipeline:
    if profile is None:
        raise UsageError(
            "the degradation `realsr` needs a profile",
            hint="--profile cam.profile; `wildsr profile` makes one",
        )
    if profile.scale != scale:
        raise UsageError(
            f"the profile is for scale {profile.scale}, not {scale}",
            hint=f"a network of scale {profile.scale}: --set arguments.scale={profile.scale}",
        )
    return realsr(profile)


PRESETS: Final[dict[str, Preset]] = {
    "bicubic": Preset(
        summary="bicubic, antialiased, nothing else",
        build=lambda scale, _profile: Pipeline((Downscale(scale=scale), Round())),
        margin=3,
    ),
    "samsung_generic": Preset(
        summary="Samsung's generic: Gaussian blur, one of four ways to resize, Gaussian and Poisson noise",
        build=lambda scale, _profile: samsung_generic(scale),
        margin=6,
    ),
    "realsr": Preset(summary="kernels and noise of a profile", build=_realsr, needs_profile=True),
    "bsrgan": Preset(
        summary="BSRGAN's: blur, downscaling, noise and JPEG in random order",
        build=lambda scale, _profile: Pipeline((Bsrgan(scale=scale), Round())),
    ),
    "real_esrgan": Preset(
        summary="Real-ESRGAN's: blur, resize, noise and JPEG twice over, ringing",
        build=lambda scale, _profile: Pipeline((RealEsrgan(scale=scale), Round())),
    ),
    "wild": Preset(
        summary="ordinary cameras and phones: wide blur, noise, sharpening, JPEG; one time in eight plain bicubic",
        build=lambda scale, _profile: wild(scale),
    ),
}
"""Name → degradation."""
