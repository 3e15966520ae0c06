"""A training in one call: from what a caller names to a run's folder."""

from collections.abc import Sequence
from json import dumps
from pathlib import Path

from wildsr.degradation import PRESETS as DEGRADATIONS
from wildsr.recipes.choosing import configured
from wildsr.training.session import Say, say_on_stderr


def train(
    recipe: str,
    output: str | Path,
    *,
    hr: str | Path | None = None,
    profile: str | Path | None = None,
    degradation: str | None = None,
    start: str | Path | None = None,
    steps: int | None = None,
    seconds: float | None = None,
    preset: str | None = None,
    config: str | Path | None = None,
    sets: Sequence[str] = (),
    resume: bool = False,
    say: Say = say_on_stderr,
) -> Path:
    """Train a super-resolution network; the same as `wildsr train`.

    Args:
        recipe: A recipe (`psnr`, `gan`, …) or the name of one of the presets.
        output: Folder of the run.
        hr: Folder of clean, large photos.
        profile: Degradation profile of the camera to train for.
        degradation: How LR is made: the name of a degradation.
        start: Weights to start from: a run's folder, a model file, a name of the catalog.
        steps: Steps in all.
        seconds: Time the training may take; fixes the steps.
        preset: Named configuration to start from.
        config: TOML file with settings.
        sets: Settings as `name=value`, `data.patch=96` for example; they come last.
        resume: Go on with the run in the folder, to the same weights as if it had never stopped.
        say: Takes messages.

    Returns:
        The folder, which `Upscaler` and `wildsr upscale -m` take.

    Raises:
        UsageError: An unknown recipe, preset or setting; settings that don't go together.
        InputError: No usable photos.
        TrainingError: Nothing could be learnt, or a run that can't be resumed.

    Examples:
        >>> tiny = ["arguments.blocks=1", "arguments.channels=4", "data.batch=1", "data.validation_photos=0"]
        >>> run = wildsr.train("psnr", "runs/mine", hr="clean-photos", steps=2, sets=[*tiny, "data.patch=32"])
        >>> wildsr.Upscaler(run).scale
        4
    """
    named = named_settings(
        hr=hr, profile=profile, degradation=degradation, start=start, steps=steps, seconds=seconds
    )
    chosen = configured(
        recipe,
        preset=preset,
        file=None if config is None else Path(config),
        sets=[*named, *sets],
        resumed=Path(output) if resume else None,
    )
    return chosen.run(Path(output), resume=resume, say=say)


def named_settings(
    *,
    hr: str | Path | None = None,
    profile: str | Path | None = None,
    degradation: str | None = None,
    start: str | Path | None = None,
    steps: int | None = None,
    seconds: float | None = None,
) -> list[str]:
    """Return the settings that have names of their own as `name=value`."""
    changes = []
    if hr is not None:
        changes.append(f"data.hr={dumps(str(Path(hr).resolve()))}")
    if profile is not None:
        changes.append(f"data.profile={dumps(str(Path(profile).resolve()))}")
    if degradation is not None:
        there = Path(degradation).is_dir() and degradation not in DEGRADATIONS
        changes.append(
            f"data.degradation={dumps(str(Path(degradation).resolve()) if there else degradation)}"
        )
    if start is not None:
        changes.append(f"start={dumps(str(Path(start).resolve() if Path(start).exists() else start))}")
    if steps is not None:
        changes.append(f"run.steps={steps}")
    if seconds is not None:
        changes.append(f"run.time_budget={seconds}")
    return changes
