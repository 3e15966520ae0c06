"""From a folder of one camera's photos to a model for it: profile, clean pictures, fine-tuning, page.

Interrupted, it goes on where it was: the profile, the clean pictures and the training's checkpoints are in the folder.
"""

import json
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Final, TypeAlias

from wildsr.checkpoints import Loaded, load_network
from wildsr.data.clean_up import clean_up
from wildsr.degradation import Profile
from wildsr.errors import UsageError
from wildsr.estimation.colour import colour_blur
from wildsr.estimation.edges import Edges, find_edges
from wildsr.estimation.halos import overshoot
from wildsr.estimation.profile.examine import forget
from wildsr.estimation.profile.make import ProfileSettings, profile_photos
from wildsr.files import atomic_write, counted, make_folder, shown
from wildsr.machine import cores
from wildsr.recipes import adapt
from wildsr.recipes.adapt import STARTS, AdaptConfig
from wildsr.recipes.adapt_checks import check_photos, check_start, pictures_in, remark_on_noise, remarks_on
from wildsr.recipes.adapt_page import CROP_SIDE
from wildsr.training.checkpoint import checkpoints_in
from wildsr.training.durations import duration
from wildsr.training.losses import Perceptual
from wildsr.training.pace import seconds_per_step
from wildsr.training.perceptual_network import perceptual_network
from wildsr.training.session import Say
from wildsr.training.settings import DataSettings

FEWEST_STEPS: Final = 10
_PROFILE_SECONDS: Final = 8.0
"""Of one core for a photo, generously."""
_PROFILE_SHARE: Final = 0.4
"""Of the time budget, at most."""
_LOOP_SHARE: Final = 1.15
"""What a step takes with its crops, averages and the optimiser, over one forward and backward pass."""
_JUDGE_SECONDS: Final = 1.5
"""Of one core for the metrics of a photo held out."""
_EXPORT_SECONDS: Final = 30.0
SHOWN: Final = 6
"""Photos on the page."""
_EXAMINED: Final = 40
"""Photos whose edges are looked at."""
_NO_HALO: Final = 0.01
_HALO: Final = 0.03
"""Overshoot up to which edges count as untouched, and from which as sharpened."""
_NO_COLOUR_BLUR: Final = 0.5
"""Pixels that make no difference."""
_USUAL_COLOUR_BLUR: Final = 1.5
"""Pixels; of the cameras that the presets' ranges are for."""
_RECORD: Final = "adapt.json"
_PROFILE: Final = "camera.profile"
_PROFILE_STATE: Final = "profile-state"
_CLEAN: Final = "hr"

Progress: TypeAlias = Callable[[str, int, int], None]
"""(what, how many done, of how many)."""


@dataclass(frozen=True, kw_only=True)
class AdaptOptions:
    """What can be said about an adaptation."""

    start: str = "crisp"
    """Weights to start from: crisp or balanced (realesrgan-x4plus), faithful (realsr-df2k), a run's folder, a model
    file, a name of the catalog."""

    profile: Path | None = None
    """Degradation profile; without it one is made of the photos."""

    hr: Path | None = None
    """Folder of clean, large photos to learn from; without it the camera's own, shrunk by 2."""

    time_budget: float = 600.0
    """Seconds from the command to the model."""

    steps: int | None = None
    """Training steps; without it as many as the time budget allows, at most the preset's."""

    seed: int = 0
    """Of everything random."""


def adapt_camera(
    photos: Sequence[Path],
    folder: Path,
    options: AdaptOptions,
    *,
    say: Say,
    progress: Progress | None = None,
) -> Path:
    """Make a model for the camera that took the photos.

    Args:
        photos: Of one camera.
        folder: Gets `model.onnx`, `model.safetensors`, `card.md`, `camera.profile` and `page.html`; made when missing.
        options: How.
        say: Takes messages.
        progress: Called with (what, how many done, of how many) during the profile and the clean-up.

    Returns:
        The folder, which `wildsr upscale -m` takes.

    Raises:
        UsageError: Too few photos, too little time, or a folder that holds something else.
        ProfileError: The photos show neither blur nor noise that can be trusted.
        ModelError: Starting weights that can't be trained on.
    """
    started = time.monotonic()
    check_photos(len(photos), profile=options.profile is not None, hr=options.hr is not None, say=say)
    start = load_network(STARTS.get(options.start, options.start))
    preset = _preset(options)
    perceptual = perceptual_network(preset.perceptual, vgg19=preset.vgg19)
    check_start(start, options.profile, preset.data, perceptual.vgg)
    steps = _planned_steps(len(photos), folder, start, perceptual, options, say)
    profile = _profile(photos, folder, options, say, progress)
    config = _config(photos, folder, options, steps, say, progress)
    remark = remark_on_noise(pictures_in(config.data.hr), profile) if config.data.hr is not None else None
    if remark is not None:
        say(f"note: {remark}")
    adapt.run(config, folder, resume=bool(checkpoints_in(folder)), say=say)
    say(
        f"{duration(time.monotonic() - started)} in all; look at {shown(folder / adapt.PAGE)} before you use the model"
    )
    return folder


def _preset(options: AdaptOptions) -> AdaptConfig:
    word = next((word for word, name in STARTS.items() if options.start in {word, name}), None)
    return adapt.PRESETS["adapt" if word is None else f"adapt-{word}"]


def _planned_steps(
    count: int, folder: Path, start: Loaded, perceptual: Perceptual, options: AdaptOptions, say: Say
) -> int:
    """Steps that fit, decided once: an interrupted adaptation goes on with the number it began with."""
    record = folder / _RECORD
    wanted = {
        "start": options.start,
        "photos": count,
        "seed": options.seed,
        "hr": str(options.hr or ""),
        "profile": str(options.profile or ""),
    }
    if record.exists():
        before = json.loads(record.read_text(encoding="utf-8"))
        if before.get("asked") != wanted:
            raise UsageError(
                f"{shown(folder)} holds an adaptation that was asked for in another way",
                hint="ask for it again as before, or choose another folder (-o)",
            )
        return int(before["steps"])
    config = _preset(options)
    steps, needed = _fitting_steps(count, start, perceptual, config, options)
    say(
        f"{counted(count, 'photo')}; start {start.spec.id}; {counted(steps, 'step')} of {config.data.batch} crops; "
        f"about {duration(needed)} with the profile, on this machine as it is now"
    )
    make_folder(folder)
    with atomic_write(record) as temporary:
        temporary.write_text(json.dumps({"asked": wanted, "steps": steps}) + "\n", encoding="utf-8")
    return steps


def _fitting_steps(
    count: int, start: Loaded, perceptual: Perceptual, config: AdaptConfig, options: AdaptOptions
) -> tuple[int, float]:
    """(steps, seconds they take with all else).

    Raises:
        UsageError: Too few to change anything.
    """
    data = config.data
    step, forward = seconds_per_step(
        start.network, scale=start.spec.scale, patch=data.patch, batch=data.batch, loss=perceptual
    )
    pixel = forward / (data.batch * (data.patch // start.spec.scale) ** 2)
    judged = (data.validation_side // start.spec.scale) ** 2
    validation = data.validation_photos * (pixel * judged + _JUDGE_SECONDS / cores())
    if config.self_distillation:
        step += forward  # of the start
    step = step * _LOOP_SHARE + validation / config.run.validate_every
    fixed = (1 + len(config.blends)) * validation + _EXPORT_SECONDS + 2 * SHOWN * pixel * CROP_SIDE**2
    if options.profile is None:
        fixed += min(count * _PROFILE_SECONDS / cores(), _PROFILE_SHARE * options.time_budget)
    if options.steps is not None:
        return options.steps, fixed + options.steps * step
    steps = min(int((options.time_budget - fixed) / step), config.run.steps)
    if steps < FEWEST_STEPS:
        needed = fixed + FEWEST_STEPS * step
        known = "" if options.profile is not None else ", or --profile, if you have one"
        raise UsageError(
            f"{duration(options.time_budget)} are not enough to change anything: "
            f"{FEWEST_STEPS} steps need about {duration(needed)} here",
            hint=f"--time-budget {int(needed / 60) + 1}m, or a smaller network (--start){known}",
        )
    return steps, fixed + steps * step


def _profile(
    photos: Sequence[Path], folder: Path, options: AdaptOptions, say: Say, progress: Progress | None
) -> Profile:
    target = folder / _PROFILE
    if target.exists():
        return Profile.load(target)
    if options.profile is not None:
        profile = Profile.load(options.profile)
    else:
        state = folder / _PROFILE_STATE
        settings = ProfileSettings(jobs=cores(), time_budget=_PROFILE_SHARE * options.time_budget)
        profile = profile_photos(
            photos,
            settings,
            state=state,
            progress=None if progress is None else lambda done, of, _: progress("photos examined", done, of),
        )
        forget(state)
    profile.save(target)
    cameras = profile.meta.cameras()
    if len([name for name in cameras if name != "unknown"]) > 1:
        say(
            f"note: photos of several cameras ({', '.join(cameras)}); a model for each of them would suit better"
        )
    for remark in (*profile.meta.remarks, *remarks_on(profile)):
        say(f"note: {remark}")
    say(f"profile: {counted(len(profile.kernels), 'kernel')}, {counted(len(profile.noise), 'noise patch')}")
    return profile


def _config(
    photos: Sequence[Path],
    folder: Path,
    options: AdaptOptions,
    steps: int,
    say: Say,
    progress: Progress | None,
) -> AdaptConfig:
    preset = _preset(options)
    hr = options.hr
    if hr is None:
        hr = folder / _CLEAN
        cleaned = clean_up(
            photos,
            hr,
            least_side=preset.data.patch,
            done=None if progress is None else lambda done, of: progress("photos cleaned up", done, of),
        )
        for line in cleaned.skipped:
            say(f"not learnt from: {line}")
        if not cleaned.pictures:
            raise UsageError(
                f"none of the {len(photos)} photos is large enough to learn from when shrunk by 2",
                hint="--hr names a folder of clean, large photos of anything",
            )
    data = replace(
        _like_the_camera(photos, preset.data, say),
        hr=hr.resolve(),
        profile=(folder / _PROFILE).resolve(),
    )
    return replace(
        preset,
        start=options.start,
        show=tuple(photos[index] for index in _spread(len(photos), SHOWN)),
        data=data,
        run=replace(preset.run, steps=steps, seed=options.seed),
    )


def _like_the_camera(photos: Sequence[Path], data: DataSettings, say: Say) -> DataSettings:
    """Fit the preset's sharpening and blur of colour to the photos' edges."""
    edges = find_edges([photos[index] for index in _spread(len(photos), _EXAMINED)])
    return replace(
        data,
        sharpened=_sharpened(edges, data.sharpened, say),
        colour_blur=_colour_blur(edges, data.colour_blur, say),
    )


def _sharpened(edges: Edges, share: float, say: Say) -> float:
    """All of the share where edges clearly have halos, none where they have none."""
    halo = overshoot(edges)
    if halo is None:
        say(
            f"note: too few clear edges to tell whether the camera sharpens; {share:.0%} of the LR is sharpened"
        )
        return share
    certain = min(max((halo - _NO_HALO) / (_HALO - _NO_HALO), 0.0), 1.0)
    found = f"{certain * share:.0%} of the LR is sharpened" if certain else "the camera leaves no halos"
    say(f"edges overshoot by {max(halo, 0):.1%} of their height: {found}")
    return certain * share


def _colour_blur(edges: Edges, usual: tuple[float, float], say: Say) -> tuple[float, float]:
    """What is usual, as much wider or narrower as the photos show."""
    if not usual[1]:
        return usual
    found = colour_blur(edges)
    if found is None:
        say(
            "note: too few edges between colours to tell how much the camera blurs colour; "
            f"{_USUAL_COLOUR_BLUR:g} pixels are usual"
        )
        return usual
    if found < _NO_COLOUR_BLUR:
        say("colour is as sharp as brightness")
        return 0.0, 0.0
    say(f"colour is blurred more than brightness, by {found:.1f} pixels")
    narrowest, widest = (round(sigma * found / _USUAL_COLOUR_BLUR, 2) for sigma in usual)
    return narrowest, widest


def _spread(count: int, most: int) -> list[int]:
    return list(range(count)) if count <= most else [index * count // most for index in range(most)]
