"""`make_profile`: photos → one profile, the same for the same photos and settings however it was interrupted."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final, TypeVar

import numpy as np

from wildsr.degradation import Profile
from wildsr.degradation.profile_notes import Rejected, Setting
from wildsr.errors import ProfileError, UsageError
from wildsr.estimation.profile.aggregate import AggregationContext, aggregate
from wildsr.estimation.profile.examine import Examination, forget
from wildsr.estimation.profile.photo import Examined, PhotoSettings
from wildsr.files import Findings, check_target, counted, find_pictures, make_folder, refuse_input, shown
from wildsr.imaging import FloatArray

STATE_PREFIX: Final = ".wildsr-state-"

Photo = TypeVar("Photo")
Progress = Callable[[int, int, Path], None]
"""(photos done, photos in all, the one just done)."""


@dataclass(frozen=True, kw_only=True)
class ProfileSettings:
    """How a profile is made."""

    photo: PhotoSettings = field(default_factory=PhotoSettings)
    """How each photo is examined."""

    max_photos: int | None = None
    """Look at no more than this many, evenly over the list."""

    time_budget: float | None = None
    """Seconds after which no further photo is begun."""

    jobs: int = 1
    """Photos examined at the same time; 1 works in this process."""

    def __post_init__(self) -> None:
        if self.max_photos is not None and self.max_photos < 1:
            raise UsageError(
                f"--max-photos {self.max_photos}: at least 1 photo is needed", hint="leave it out to take all"
            )
        if self.time_budget is not None and not self.time_budget > 0:
            raise UsageError(
                f"a time budget of {self.time_budget:g} s; it must be above 0", hint="for example 10m"
            )
        if self.jobs < 1:
            raise UsageError(
                f"--jobs {self.jobs}: at least 1 is needed", hint="leave it out to use every core"
            )


def make_profile(
    inputs: Sequence[str | Path] | Findings,
    output: Path | None = None,
    settings: ProfileSettings | None = None,
    *,
    recursive: bool = False,
    resume: bool = True,
    overwrite: bool = False,
    progress: Progress | None = None,
) -> Profile:
    """Estimate blur kernels and noise from photos of one camera, and combine them into its profile.

    The result depends on the photos, their order and the settings, not on `jobs` or on interruptions; with a time
    budget it depends on how far it got.

    Args:
        inputs: Photos, folders and patterns, or what `find_pictures` found of them.
        output: File to write the profile to. Each photo's part is then kept beside it until the profile is written,
            so that the same call resumes an interrupted one.
        settings: How; by default every photo, by the method `auto`, in this process.
        recursive: Enter folders in folders.
        resume: Use what an interrupted run left; otherwise begin anew.
        overwrite: Replace an existing `output`.
        progress: Called after each photo.

    Returns:
        The profile at scale 4, with the reasons for everything that was rejected in its `meta`.

    Raises:
        UsageError: `output` is a folder or one of the photos.
        ProfileError: No photo gave anything that can be trusted, or a process that examined photos was killed.
        OutputError: `output` exists, or can't be written.
        InputError: There is no photo.

    Examples:
        >>> profile = wildsr.make_profile(["my-photos"], settings=wildsr.ProfileSettings(max_photos=1))
        >>> profile.scale
        4
    """
    if output is not None:
        check_target(output, label="the profile", overwrite=overwrite)
    found = inputs if isinstance(inputs, Findings) else find_pictures(inputs, recursive=recursive)
    photos = [one.path for one in found.pictures]
    if output is not None:
        refuse_input(output, photos)
    problems = [
        Rejected(kind="photo", photo=shown(one.path.name), reason=f"it {one.reason}")
        for one in found.problems
    ]
    settings = settings or ProfileSettings()
    if output is None:
        return profile_photos(photos, settings, problems=problems, progress=progress)
    state = output.with_name(STATE_PREFIX + output.name)
    if not resume:
        forget(state)
    profile = profile_photos(photos, settings, state=state, problems=problems, progress=progress)
    profile.save(output)
    forget(state)
    return profile


def profile_photos(
    photos: Sequence[Path],
    settings: ProfileSettings,
    *,
    state: Path | None = None,
    problems: Sequence[Rejected] = (),
    progress: Progress | None = None,
) -> Profile:
    """Examine photos and combine what they give.

    Args:
        photos: Files of one camera.
        settings: How.
        state: Folder where each photo's part is kept until `forget` is called, which happens here when the photos give
            nothing; what is there is not done again.
        problems: What was rejected before (files that could not be read).
        progress: Called after each photo.

    Raises:
        ProfileError: No photo gave anything that can be trusted, or a process that examined photos was killed.
        OutputError: The state can't be written.
    """
    chosen = evenly(photos, settings.max_photos)
    if state is not None:
        make_folder(state)
    examination = Examination(
        settings=settings.photo, state=state, jobs=settings.jobs, time_budget=settings.time_budget
    )
    found: dict[int, Examined] = {}
    for index, one in examination.run(chosen):
        found[index] = one
        if progress is not None:
            progress(len(found), len(chosen), chosen[index])
    unseen = len(chosen) - len(found)
    remarks = (
        (
            f"{unseen} of {counted(len(chosen), 'photo')} {'was' if unseen == 1 else 'were'} not looked at: the time "
            "was used up",
        )
        if unseen
        else ()
    )
    examined = [found[index] for index in sorted(found)]
    try:
        return combined(examined, settings.photo, given=len(photos), remarks=remarks, problems=problems)
    except ProfileError:
        if state is not None:
            forget(state)  # these photos give nothing, however often they are looked at
        raise


def combined(
    examined: Sequence[Examined],
    settings: PhotoSettings,
    *,
    given: int,
    remarks: Sequence[str] = (),
    problems: Sequence[Rejected] = (),
) -> Profile:
    """Combine what photos of one camera gave.

    Args:
        examined: Of each photo, in their order.
        settings: How they were examined.
        given: Photos there were.
        remarks: What to tell the user first.
        problems: What was rejected before (files that could not be read).

    Raises:
        ProfileError: No photo gave anything that can be trusted.
    """
    described: dict[str, Setting] = {
        "method": settings.method,
        "seeds": ",".join(map(str, settings.seeds)),
        "photos_given": given,
        "photos_examined": len(examined),
    }
    every = list(examined)
    if problems:
        every.append(Examined(note=None, noise=_no_noise(settings), rejected=tuple(problems)))
    return aggregate(every, AggregationContext(settings=described, remarks=tuple(remarks)))


def evenly(photos: Sequence[Photo], most: int | None) -> list[Photo]:
    """Return at most so many of a list, evenly over it."""
    if most is None or len(photos) <= most:
        return list(photos)
    return [photos[index * len(photos) // most] for index in range(most)]


def _no_noise(settings: PhotoSettings) -> FloatArray:
    return np.zeros((0, 3, settings.patch, settings.patch), np.float32)
