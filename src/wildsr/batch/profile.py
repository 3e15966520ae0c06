"""Photos of many cameras → a degradation profile for each: a photo is what a worker examines at a time.

What a photo gave is kept beside the manifest, so that more photos can join later. PyTorch is loaded in workers alone.
"""

import hashlib
import json
import re
import tempfile
import time
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import Final

from wildsr.batch.fate import fate, told
from wildsr.batch.listing import is_through, kept_of, list_pictures
from wildsr.batch.manifest import FOLDER, Record, Status, read_of, write_whole
from wildsr.batch.places import Place, place_of
from wildsr.errors import InputError, ModelError, OutputError, ProfileError
from wildsr.estimation.kernels.methods import method_named
from wildsr.files import sha256_of, shown
from wildsr.machine import cores
from wildsr.version import __version__

NO_CAMERA: Final = "unknown-camera"
"""Profile of the photos whose EXIF names no camera."""

FEW: Final = 5
"""Photos below which a profile says little of a camera."""

MOST: Final = 400
"""Photos of a camera that are combined, evenly over all: what each gave takes up to 1.6 MB of the driver's memory."""

_VERB: Final = "profile"
_SUFFIX: Final = ".profile"
_LONGEST: Final = 80


@dataclass(frozen=True, kw_only=True)
class PhotoTask:
    """A photo to examine."""

    source: str
    """Below the input."""

    version: str
    target: str
    """What it gave, below the output."""


@dataclass(frozen=True, kw_only=True)
class ProfileWork:
    """What all photos of a run have in common."""

    input: Place
    output: Place
    method: str
    """How kernels are estimated."""

    digest: str
    """Of all that decides what a photo gives; a worker that would find otherwise refuses."""

    def worker(self) -> "Examiner":
        """Open a worker."""
        return Examiner(self)

    def unfinished(self, task: PhotoTask, status: Status, reason: str, *, attempts: int) -> list[Record]:
        """Return the record of a photo that gave nothing."""
        record = Record(
            source=task.source,
            version=task.version,
            target=task.target,
            status=status,
            settings=self.digest,
            model=self.method,
            attempts=attempts,
            reason=reason,
        )
        return [record]


@dataclass(frozen=True, kw_only=True)
class ProfilePlan:
    """What is left to examine, and how."""

    work: ProfileWork
    tasks: Sequence[PhotoTask]
    kept: Mapping[str, Record]
    """Done or left out by earlier runs, by source."""

    order: Sequence[str]
    """All photos, as they are combined."""

    profiles: Mapping[str, Record]
    """Of earlier runs, by file."""

    problems: Sequence[str]
    workers: int


def plan_profile(
    input: str,  # noqa: A002
    output: str,
    *,
    method: str = "auto",
    max_photos: int | None = None,
    retry: bool = False,
    workers: int | None = None,
) -> ProfilePlan:
    """List the photos, and leave out those examined before.

    Args:
        input: URL of a folder of photos, or of a list of them.
        output: URL of a folder for profiles and manifest.
        method: How kernels are estimated: a name in `kernels.methods.METHODS`.
        max_photos: Look at no more than this many, evenly over all.
        retry: Try photos again that were left out.
        workers: Processes; by default one a core.

    Raises:
        InputError: No such folder or list, or no picture in it.
        UsageError: No such method; another verb's output.
    """
    from wildsr.estimation.profile.make import evenly

    target, method = place_of(output), method_named(method)
    listing = list_pictures(input, target)
    digest = _digest(method)
    work = ProfileWork(input=listing.input, output=target, method=method, digest=digest)
    earlier = read_of(target, _VERB)
    photos = evenly(list(zip(listing.sources, listing.versions, strict=True)), max_photos)
    tasks = [
        PhotoTask(source=source, version=version, target=_part(source, version, digest))
        for source, version in photos
    ]
    folder = f"{FOLDER}/photos"
    there = Place(url=f"{target.url}/{folder}")
    parts = {f"{folder}/{one.path}" for one in there.stored()} if target.exists(folder) else set()
    targets = {one.source: one.target for one in tasks}
    kept = {
        source: one
        for source, one in kept_of(tasks, earlier, digest, retry=retry).items()
        if targets[source] in parts or one.status != "done"
    }
    return ProfilePlan(
        work=work,
        tasks=[one for one in tasks if one.source not in kept],
        kept=kept,
        order=[one.source for one in tasks],
        profiles={name: one for name, one in earlier.items() if one.target.endswith(_SUFFIX)},
        problems=listing.problems,
        workers=workers or cores(),
    )


class Examiner:
    """Examines photos.

    Args:
        work: Of the run.

    Raises:
        ModelError: This machine has another version of wildsr.
    """

    def __init__(self, work: ProfileWork) -> None:
        if _digest(work.method) != work.digest:
            raise ModelError(
                "a worker has another version of wildsr than the machine that planned",
                hint="give all machines the same",
            )
        self._work = work

    def records(self, task: PhotoTask, *, attempts: int) -> list[Record]:
        """Examine a photo; never raises, whatever it or a store does."""
        begun = time.monotonic()
        (record,) = self._work.unfinished(task, "done", "", attempts=attempts)
        try:
            record = self._examined(task, record)
        except Exception as error:  # broad: one photo's fault must not cost the run
            record = replace(record, status=fate(error), reason=told(error))
        return [replace(record, seconds=round(time.monotonic() - begun, 4))]

    def _examined(self, task: PhotoTask, record: Record) -> Record:
        from wildsr.estimation.profile.photo import PhotoSettings, examine_photo

        with tempfile.TemporaryDirectory(prefix="wildsr-batch-") as name:
            source = self._work.input.fetch(task.source, Path(name))
            found = examine_photo(source, PhotoSettings(method=self._work.method))
            if found.note is None:
                raise InputError(found.rejected[0].reason)
            part = Path(name) / "part.npz"
            found.save(part)
            self._work.output.publish(part, task.target, overwrite=True)
            return replace(
                record,
                width=found.note.width,
                height=found.note.height,
                sha256=sha256_of(part),
                found=json.dumps({"camera": found.note.camera}),
            )


def combine(plan: ProfilePlan, records: Sequence[Record], *, overwrite: bool = False) -> list[Record]:
    """Combine what the photos of each camera gave, write the profiles, and record them.

    Args:
        plan: Of the run.
        records: What became of its photos.
        overwrite: Replace files that are not this run's.

    Returns:
        A record for each profile: `done`, or why there is none; `found` has numbers of photos, kernels and noise
        patches, the confidence, and what to know, as JSON.
    """
    done = {one.source: one for one in records if one.status == "done" and one.found}
    cameras: dict[str, list[Record]] = {}
    for source in plan.order:
        if source in done:
            camera = str(json.loads(done[source].found)["camera"])
            cameras.setdefault(camera, []).append(done[source])
    names = file_names(cameras)
    made = []
    for camera in sorted(cameras):
        name, photos = names[camera], cameras[camera]
        before = plan.profiles.get(name)
        record = Record(
            source=name, version=_version(photos), target=name, status="done",
            settings=plan.work.digest, model=plan.work.method,
        )  # fmt: skip
        if (
            before is not None
            and is_through(record.version, before, plan.work.digest, retry=overwrite)
            and (plan.work.output.exists(name) or before.status != "done")
        ):
            made.append(before)
            continue
        try:
            made.append(_combined(plan.work, record, photos, before, overwrite=overwrite))
        except (ProfileError, InputError, OutputError) as error:
            made.append(replace(record, status="quarantined", reason=str(error)))
    write_whole(plan.work.output, made)
    return made


def file_names(cameras: Iterable[str]) -> dict[str, str]:
    """Return the file of each camera's profile: its name in letters that any file system takes, each once."""
    plain = {
        camera: re.sub(r"[^A-Za-z0-9._]+", "-", camera)[:_LONGEST].strip("-.") or "camera"
        if camera
        else NO_CAMERA
        for camera in cameras
    }
    count = Counter(one.casefold() for one in plain.values())
    return {
        camera: f"{name}{_SUFFIX}"
        if not camera or count[name.casefold()] == 1
        else f"{name}-{hashlib.sha256(camera.encode()).hexdigest()[:6]}{_SUFFIX}"
        for camera, name in plain.items()
    }


def _combined(
    work: ProfileWork, record: Record, photos: Sequence[Record], before: Record | None, *, overwrite: bool
) -> Record:
    from wildsr.estimation.profile.make import combined, evenly
    from wildsr.estimation.profile.photo import Examined, PhotoSettings

    with tempfile.TemporaryDirectory(prefix="wildsr-batch-") as name:
        examined = []
        for photo in evenly(photos, MOST):
            part = work.output.fetch(photo.target, Path(name))
            if sha256_of(part) != photo.sha256:
                raise InputError(
                    f"{photo.target}, what {shown(photo.source)} gave, was changed; remove it, and run the same again"
                )
            examined.append(Examined.load(part))
        profile = combined(examined, PhotoSettings(method=work.method), given=len(photos))
        file = Path(name) / "made.profile"
        profile.save(file)
        replaces = before.sha256 if before is not None else ""
        work.output.publish(file, record.target, overwrite=overwrite, replaces=replaces)
        facts = {
            "photos": len(photos),
            "kernels": len(profile.kernels),
            "noise_patches": len(profile.noise),
            "confidence": profile.meta.confidence,
            "remarks": list(profile.meta.remarks),
        }
        return replace(record, sha256=sha256_of(file), found=json.dumps(facts))


def _part(source: str, version: str, digest: str) -> str:
    text = json.dumps([source, version, digest])
    return f"{FOLDER}/photos/{hashlib.sha256(text.encode()).hexdigest()[:32]}.npz"


def _version(photos: Sequence[Record]) -> str:
    return hashlib.sha256("\n".join(one.sha256 for one in photos).encode()).hexdigest()[:16]


def _digest(method: str) -> str:
    from wildsr.estimation.profile.photo import PhotoSettings

    text = json.dumps([__version__, asdict(PhotoSettings(method=method))], sort_keys=True)
    return f"{_VERB}-{hashlib.sha256(text.encode()).hexdigest()[:16]}"
