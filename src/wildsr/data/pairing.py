"""A folder of pairs: which photo goes where, and what of it is still to be made."""

import os
from collections.abc import Callable, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import TypeAlias

from wildsr.data.manifest import MANIFEST, Manifest
from wildsr.data.pairs import PairSettings, entry, head, in_the_way, is_made, make_pair, write_pair
from wildsr.degradation import Profile
from wildsr.errors import InputError, OutputError, UsageError
from wildsr.files import Found, make_folder, plan_outputs, shown


@dataclass(frozen=True, kw_only=True)
class PairJob:
    """One pair to make."""

    source: Path
    """The photo."""

    relative: str
    """Its name below the folder it was found in."""

    name: str
    """Of both files below their folders."""

    lr: Path
    """File to be written."""

    hr: Path
    """File to be written."""

    renamed: bool = False
    """Keeps the photo's extension in its name, which it would share with another's."""


@dataclass(kw_only=True)
class PairsMade:
    """What became of the jobs."""

    made: int = 0
    """Pairs that were made."""

    kept: int = 0
    """Pairs that were there already."""

    failed: list[tuple[Path, str]] = field(default_factory=list)
    """Photos that gave no pair, and why."""


Progress: TypeAlias = Callable[[PairJob, str | None], None]
"""Called after every job: (job, why it gave no pair or None)."""


def plan_pairs(pictures: Sequence[Found], folder: Path) -> list[PairJob]:
    """Give every picture the places of its pair below `folder`; pairs found there are no sources.

    Raises:
        InputError: There is nothing but pairs.
        UsageError: A place is that of an input or of two pictures.
    """
    photos = _without_pairs(pictures, folder)
    relative = {one.path: one.relative.as_posix() for one in photos}
    try:
        hr, lr = (
            plan_outputs(photos, f"{folder}/{side}/", suffix="", extension="png") for side in ("HR", "LR")
        )
    except UsageError as error:
        raise UsageError(
            str(error), hint="run them apart, with another -o; --recursive keeps sub-folders apart"
        ) from error
    return [
        PairJob(
            source=high.source,
            relative=relative[high.source],
            name=high.target.relative_to(folder / "HR").as_posix(),
            lr=low.target,
            hr=high.target,
            renamed=high in hr.renamed,
        )
        for high, low in zip(hr.jobs, lr.jobs, strict=True)
    ]


def make_pairs(
    folder: Path,
    jobs: Sequence[PairJob],
    settings: PairSettings,
    *,
    profile: tuple[str, Profile] | None = None,
    resume: bool = True,
    overwrite: bool = False,
    progress: Progress | None = None,
) -> PairsMade:
    """Make the pairs that aren't there yet; each is in the manifest as soon as it is written.

    Args:
        folder: Made if it isn't there.
        jobs: What to make.
        settings: How.
        profile: The profile's file name and content, where one was chosen.
        resume: Go on with a manifest that is there.
        overwrite: Replace files and pairs of other settings.
        progress: Called after each.

    Raises:
        OutputError: Files are in the way, another run is at work there, or the disk is full.
        UsageError: The pairs there were made with other settings.
        InputError: No photo gave a pair.
    """
    if not overwrite and not (resume and os.path.lexists(folder / MANIFEST)):
        _refuse_existing(jobs, folder)
    make_folder(folder)
    done = PairsMade()
    name, content = (None, None) if profile is None else (profile[0], profile[1].fingerprint)
    top = head(settings, profile=name, content=content)
    with Manifest.open(folder, top, resume=resume, overwrite=overwrite) as manifest:
        for job in jobs:
            problem = None
            try:
                if _make_one(job, settings, manifest, overwrite=overwrite):
                    done.made += 1
                else:
                    done.kept += 1
            except InputError as error:
                problem = str(error)
                done.failed.append((job.source, problem))
            if progress is not None:
                progress(job, problem)
        manifest.finish(folder)
    if len(done.failed) == len(jobs):
        with suppress(OSError):
            folder.rmdir()  # only if nothing is in it
        raise InputError("none of the pictures could be degraded", hint="the reasons are given above")
    return done


def _without_pairs(pictures: Sequence[Found], folder: Path) -> list[Found]:
    """Leave out pairs that an earlier run put below a folder given as input."""
    sides = [Path(os.path.realpath(folder / side)) for side in ("HR", "LR")]

    def is_pair(one: Found) -> bool:
        root, path = (Path(os.path.realpath(place)) for place in (one.root, one.path.parent))
        return any(path.is_relative_to(side) and not root.is_relative_to(side) for side in sides)

    kept = [one for one in pictures if not is_pair(one)]
    if not kept:
        raise InputError(
            f"no picture found beside the pairs in {shown(folder)}", hint="name the clean photos"
        )
    return kept


def _refuse_existing(jobs: Sequence[PairJob], folder: Path) -> None:
    """Refuse to start where there is no run to go on with, but files in the way."""
    targets = [folder / MANIFEST, *(path for job in jobs for path in (job.hr, job.lr))]
    taken = [shown(path) for path in targets if os.path.lexists(path)]
    if taken:
        more = f" and {len(taken) - 3} more" if len(taken) > 3 else ""
        raise OutputError(
            f"{len(taken)} of {len(targets)} files to be made {'exists' if len(taken) == 1 else 'exist'} already: "
            f"{', '.join(taken[:3])}{more}",
            hint="--overwrite replaces them; -o gives another folder",
        )


def _make_one(job: PairJob, settings: PairSettings, manifest: Manifest, *, overwrite: bool) -> bool:
    """Make a pair and record it; False if it was there already."""
    recorded = manifest.entry(job.name)
    if is_made(job.lr, job.hr, job.source, recorded):
        return False
    pair = make_pair(job.source, job.name, settings)
    if not overwrite and (other := in_the_way(pair, job.lr, job.hr, recorded)):
        raise InputError(
            f"{shown(other)} exists and was not made by this run, or was changed; --overwrite replaces it"
        )
    write_pair(pair, job.lr, job.hr)
    manifest.add(entry(job.name, job.relative, pair, lr=job.lr, hr=job.hr))
    return True
