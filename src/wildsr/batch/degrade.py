"""HR pictures → HR/LR pairs in tar shards: a shard is what a worker makes at a time.

PyTorch is loaded where a worker, or the machine that plans, first needs it.
"""

import hashlib
import json
import tarfile
import tempfile
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Final

from wildsr.batch.fate import fate, told
from wildsr.batch.listing import Listing, as_path, is_through, list_pictures
from wildsr.batch.manifest import Record, Status, read_of
from wildsr.batch.places import Place, place_of
from wildsr.errors import InputError, ModelError, UsageError
from wildsr.files import plan_outputs, sha256_of, shown
from wildsr.files.walk import natural_key
from wildsr.machine import cores

PER_SHARD: Final = 100
_VERB: Final = "degrade"


@dataclass(frozen=True, kw_only=True)
class Asked:
    """How pairs are made: what `wildsr.data.pair_settings` takes."""

    profile: Path | None = None
    """File that every machine has."""

    preset: str | None = None
    scale: int | None = None
    seed: int = 0
    clean_up: bool = False


@dataclass(frozen=True, kw_only=True)
class Member:
    """A picture of a shard."""

    source: str
    """Below the input."""

    version: str
    name: str
    """Of its pair, as `wildsr degrade` calls it, which decides what is drawn."""

    key: str
    """Of its pair in the shard."""


@dataclass(frozen=True, kw_only=True)
class Shard:
    """A tar file to make."""

    target: str
    """Its name."""

    members: tuple[Member, ...]
    replaces: str = ""
    """SHA-256 of the shard as these settings made it of other contents, which may be replaced."""

    @property
    def source(self) -> str:
        """Tells it from all others."""
        return self.target


@dataclass(frozen=True, kw_only=True)
class DegradeWork:
    """What every shard of a run has in common."""

    input: Place
    output: Place
    asked: Asked
    degradation: str
    """Its name."""

    digest: str
    """Of all that decides the pairs; a worker that would decide otherwise refuses."""

    overwrite: bool = False

    def worker(self) -> "Degrader":
        """Open a worker."""
        return Degrader(self)

    def unfinished(self, task: Shard, status: Status, reason: str, *, attempts: int) -> list[Record]:
        """Return a record for each picture."""
        return [self.record(task, one, status, reason, attempts=attempts) for one in task.members]

    def record(self, task: Shard, one: Member, status: Status, reason: str, *, attempts: int) -> Record:
        """Return what is recorded of a picture."""
        return Record(
            source=one.source,
            version=one.version,
            target=task.target,
            status=status,
            settings=self.digest,
            model=self.degradation,
            attempts=attempts,
            reason=reason,
        )


@dataclass(frozen=True, kw_only=True)
class DegradePlan:
    """What is left to do, and how."""

    work: DegradeWork
    tasks: Sequence[Shard]
    kept: Mapping[str, Record]
    """Done or left out by earlier runs, by source."""

    problems: Sequence[str]
    workers: int

    @property
    def pictures(self) -> int:
        """How many are left to do."""
        return sum(len(one.members) for one in self.tasks)


def plan_degrade(
    input: str,  # noqa: A002
    output: str,
    asked: Asked,
    *,
    per_shard: int = PER_SHARD,
    overwrite: bool = False,
    retry: bool = False,
    workers: int | None = None,
) -> DegradePlan:
    """List the pictures, share them out to shards in the natural order of their names, and leave out what is done.

    Args:
        input: URL of a folder of clean, large pictures, or of a list of them.
        output: URL of a folder for shards and manifest.
        asked: How pairs are made.
        per_shard: Pictures in each.
        overwrite: Replace shards of other settings.
        retry: Try pictures again that were left out.
        workers: Processes; by default one a core.

    Raises:
        InputError: No such folder or list, or no picture in it.
        UsageError: Settings that can't be; pairs there of pictures that are gone.
        ProfileError: A profile that can't be read.
    """
    target = place_of(output)
    listing = list_pictures(input, target)
    digest, name = _settings_digest(asked)
    shards = _shards(listing, per_shard)
    earlier = read_of(target, _VERB)
    _refuse_gone(earlier, shards, output)
    kept: dict[str, Record] = {}
    tasks = []
    for shard in shards:
        records = {one.source: earlier.get(one.source) for one in shard.members}
        before = {source for source, one in earlier.items() if one.target == shard.target}
        if before == set(records) and all(
            is_through(one.version, records[one.source], digest, retry=retry or overwrite)
            for one in shard.members
        ):
            kept |= {source: one for source, one in records.items() if one is not None}
            continue
        made = {
            one.sha256 for one in earlier.values() if (one.target, one.settings) == (shard.target, digest)
        }
        tasks.append(replace(shard, replaces=max(made, default="")))
    work = DegradeWork(
        input=listing.input, output=target, asked=asked, degradation=name, digest=digest, overwrite=overwrite
    )
    return DegradePlan(
        work=work, tasks=tasks, kept=kept, problems=listing.problems, workers=workers or cores()
    )


class Degrader:
    """Keeps one degradation.

    Args:
        work: Of the run.

    Raises:
        ModelError: This machine would make other pairs (another profile, or version of wildsr or PyTorch).
    """

    def __init__(self, work: DegradeWork) -> None:
        from wildsr.data import pair_settings

        asked = work.asked
        self._work = work
        self._settings, _ = pair_settings(
            asked.profile, asked.preset, scale=asked.scale, seed=asked.seed, clean_up=asked.clean_up
        )
        if _settings_digest(asked)[0] != work.digest:
            raise ModelError(
                "a worker has another profile, or another version of wildsr or PyTorch, than the machine that planned",
                hint="give all machines the same",
            )

    def records(self, task: Shard, *, attempts: int) -> list[Record]:
        """Make a shard: pictures that give no pair are left out of it, anything else costs the shard."""
        try:
            return self._made(task, attempts)
        except Exception as error:  # broad: one shard's fault must not cost the run
            return self._work.unfinished(task, fate(error), told(error), attempts=attempts)

    def _made(self, task: Shard, attempts: int) -> list[Record]:
        from wildsr.data.shards import add_pair

        records = []
        with tempfile.TemporaryDirectory(prefix="wildsr-batch-") as name:
            folder = Path(name)
            path = folder / "shard.tar"
            with tarfile.open(path, "w", format=tarfile.PAX_FORMAT) as shard:
                for one in task.members:
                    record = self._work.record(task, one, "done", "", attempts=attempts)
                    begun = time.monotonic()
                    try:
                        record, facts = self._pair(one, folder, record)
                    except (InputError, FileNotFoundError) as error:
                        record = replace(record, status=fate(error), reason=told(error))
                    else:
                        add_pair(shard, one.key, hr=folder / "hr.png", lr=folder / "lr.png", facts=facts)
                    records.append(replace(record, seconds=round(time.monotonic() - begun, 4)))
            if not any(one.status == "done" for one in records):
                return records
            self._work.output.publish(
                path, task.target, overwrite=self._work.overwrite, replaces=task.replaces
            )
            digest = sha256_of(path)
        return [replace(one, sha256=digest) if one.status == "done" else one for one in records]

    def _pair(self, one: Member, folder: Path, record: Record) -> tuple[Record, dict[str, object]]:
        """Write a pair into `folder`; return the record with its sizes, and its line of a manifest."""
        from wildsr.data import make_pair, write_pair
        from wildsr.data.pairs import entry

        with tempfile.TemporaryDirectory(dir=folder) as place:
            source = self._work.input.fetch(one.source, Path(place))
            pair = make_pair(source, one.name, self._settings)
        lr, hr = folder / "lr.png", folder / "hr.png"
        write_pair(pair, lr, hr)
        (height, width), (rows, columns) = pair.hr.shape[:2], pair.lr.shape[:2]
        sized = replace(record, width=width, height=height, result_width=columns, result_height=rows)
        return sized, entry(one.name, one.source, pair, lr=lr, hr=hr)


def _settings_digest(asked: Asked) -> tuple[str, str]:
    """Digest of all that decides the pairs but for the pictures, and the degradation's name."""
    from wildsr.data import pair_settings
    from wildsr.data.pairs import head

    settings, used = pair_settings(
        asked.profile, asked.preset, scale=asked.scale, seed=asked.seed, clean_up=asked.clean_up
    )
    content = None if used is None else used[1].fingerprint
    facts = {**head(settings, profile=None, content=content), "learnt": settings.chosen.fingerprint}
    digest = hashlib.sha256(json.dumps(facts, sort_keys=True).encode()).hexdigest()[:16]
    return f"{_VERB}-{digest}", settings.chosen.name


def _shards(listing: Listing, per_shard: int) -> list[Shard]:
    from wildsr.data.shards import keys_of

    folder = as_path(listing.input) / "HR"
    jobs = plan_outputs(listing.found, f"{folder}/", suffix="", extension="png").jobs
    names = {job.source: job.target.relative_to(folder).as_posix() for job in jobs}
    pictures = sorted(
        (natural_key(names[one.path]), names[one.path], source, version)
        for one, source, version in zip(listing.found, listing.sources, listing.versions, strict=True)
        if one.path in names
    )
    keys = keys_of([name for _, name, _, _ in pictures])
    members = [
        Member(source=source, version=version, name=name, key=key)
        for (_, name, source, version), key in zip(pictures, keys, strict=True)
    ]
    return [
        Shard(target=f"shard-{number:06}.tar", members=tuple(members[start : start + per_shard]))
        for number, start in enumerate(range(0, len(members), per_shard))
    ]


def _refuse_gone(earlier: Mapping[str, Record], shards: Sequence[Shard], output: str) -> None:
    """Pairs of pictures that are gone would stay in shards that no plan knows."""
    there = {one.source for shard in shards for one in shard.members}
    known = {one.target for one in shards}
    gone = [source for source, one in earlier.items() if one.status == "done" and source not in there]
    unknown = sorted({one.target for one in earlier.values() if one.status == "done"} - known)
    if gone or unknown:
        what = (
            f"pairs of {shown(gone[0])}, which is no longer given"
            if gone
            else f"{shown(unknown[0])} of larger runs"
        )
        raise UsageError(
            f"{shown(output)} holds {what}",
            hint="choose another output: a data set is made of one set of pictures",
        )
