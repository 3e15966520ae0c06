"""The batch journal: what a run has done, so that a killed one goes on where it stopped.

A file of JSON lines in the output folder. The first holds the settings that decide the result's bytes; then
come, for each picture, a `begun` line and a `done` or `failed` line, each synced before the next step. Where a run
has to change a setting on its way, a line says so.
Results are written atomically (`files.atomic`), so after a crash a target is whole or absent; a `begun` line
without an end says that a target found there is ours and may be redone. An item is done only when its source
has the recorded content and its target is what we wrote; nothing else in the file can make a run skip a
picture.
"""

import os
import threading
import time
from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Final, Literal, TypeAlias

from wildsr.errors import InputError, OutputError, UsageError
from wildsr.files.appending import AppendOnly
from wildsr.files.display import shown
from wildsr.files.fingerprint import Fingerprint, fingerprint, unchanged
from wildsr.files.names import Job
from wildsr.files.outcome import Failure, Pending, Summary
from wildsr.files.records import JournalEntry, Recorded, Setting, change_line, header_line, read_journal
from wildsr.files.resume import differences

JOURNAL_NAME: Final = ".wildsr-journal.jsonl"
Settings: TypeAlias = Mapping[str, Setting]
_Verdict: TypeAlias = Literal["run", "interrupted", "skip", "refuse"]


class Journal:
    """An open journal, held by this process alone; safe to use from several threads."""

    def __init__(self, file: AppendOnly, recorded: Recorded) -> None:
        self.path: Final = file.path
        self.damaged: Final = recorded.damaged
        """Lines that were no records and are ignored."""
        self.changes: Final = dict(recorded.changes)
        """Settings that earlier runs had to change since the first line; this run goes on with them."""
        self._file = file
        self._entries = recorded.entries
        self._done = 0
        self._skipped = 0
        self._failed: dict[Path, Failure] = {}
        self._start = time.monotonic()
        self._lock = threading.Lock()

    @classmethod
    def open(cls, path: Path, settings: Settings, *, resume: bool = True) -> "Journal":
        """Open the journal of an output folder, or start one.

        Args:
            path: The file, `JOURNAL_NAME` in an existing output folder.
            settings: Everything that decides the bytes of a result: precision, tile, halo, backend, threads,
                model, …
            resume: Go on with an existing journal; otherwise it is set aside under a numbered name, never
                deleted.

        Raises:
            UsageError: The journal was made with other settings; they are listed.
            OutputError: Another run holds it, it is no journal, or the folder can't be written.
        """
        file = AppendOnly.open(path)
        try:
            if not resume and file.size:
                file.set_aside()
                file = AppendOnly.open(path)
            recorded = read_journal(path)
            if recorded.settings is not None:
                _refuse_differences(path, recorded.settings, settings)
            file.cut(recorded.whole)
            if recorded.settings is None:
                file.append(header_line(settings))
        except BaseException:
            file.close()
            raise
        return cls(file, recorded)

    def __enter__(self) -> "Journal":
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def close(self) -> None:
        """Give the journal free for other runs."""
        self._file.close()

    def pending(self, jobs: Sequence[Job], *, overwrite: bool = False, verify: bool = False) -> Pending:
        """Sort jobs into what is left to do, done, and not to be touched.

        Args:
            jobs: The plan of this run.
            overwrite: Redo a target that is not ours, instead of refusing it.
            verify: Compare the hash of every source and target, even where size, times and inode are as
                recorded.
        """
        sorted_jobs: dict[_Verdict, list[Job]] = {"run": [], "interrupted": [], "skip": [], "refuse": []}
        for job in jobs:
            entry = self._entries.get(self._key(job))
            sorted_jobs[_verdict(job, entry, overwrite=overwrite, verify=verify)].append(job)
        run = (*sorted_jobs["run"], *sorted_jobs["interrupted"])
        refused = tuple(
            Failure(source=job.source, reason=_not_ours(job, self._entries.get(self._key(job))))
            for job in sorted_jobs["refuse"]
        )
        with self._lock:
            self._skipped += len(sorted_jobs["skip"])
            self._failed |= {one.source: one for one in refused}
        return Pending(
            run=run,
            replacing=frozenset(job.target for job in run if os.path.lexists(job.target)),
            skipped=tuple(sorted_jobs["skip"]),
            refused=refused,
        )

    def change(self, settings: Settings) -> None:
        """Record settings that hold from the next `done` on.

        Raises:
            OutputError: The journal can't be written.
        """
        with self._lock:
            self._file.append(change_line(settings))
            self.changes.update(settings)

    def begin(self, job: Job) -> None:
        """Record that a job of `Pending.run` starts; to be called before its source is read.

        Raises:
            InputError: The source can't be read.
            OutputError: The journal can't be written.
        """
        try:
            source = fingerprint(job.source)
        except OSError as error:
            reason = "does not exist any more" if isinstance(error, FileNotFoundError) else error.strerror
            raise InputError(f"can't read {shown(job.source)}: {reason}") from error
        self._record(job, JournalEntry(status="begun", source=source, target=self._last_target(job)))

    def done(self, job: Job, *, seconds: float) -> None:
        """Record that a job's target is written, synced and in place.

        Raises:
            OutputError: The target or the journal can't be read or written.
        """
        try:
            target = fingerprint(job.target)
        except OSError as error:
            raise OutputError(f"the result {shown(job.target)} has vanished: {error.strerror}") from error
        begun = self._entries[self._key(job)]
        self._record(job, replace(begun, status="done", target=target, seconds=seconds))
        with self._lock:
            self._done += 1

    def failed(self, job: Job, reason: str, *, seconds: float = 0.0) -> None:
        """Record that a job has no result; a resumed run tries it again.

        Raises:
            OutputError: The journal can't be written.
        """
        with self._lock:
            self._failed[job.source] = Failure(source=job.source, reason=reason)
        target = self._last_target(job)
        self._record(job, JournalEntry(status="failed", target=target, reason=reason[:2000], seconds=seconds))

    def summary(self) -> Summary:
        """Return what this run has done so far."""
        with self._lock:
            return Summary(
                done=self._done,
                skipped=self._skipped,
                failed=tuple(self._failed.values()),
                seconds=time.monotonic() - self._start,
            )

    def _record(self, job: Job, entry: JournalEntry) -> None:
        key = self._key(job)
        with self._lock:
            self._file.append(entry.line(source=os.fspath(job.source), target=key))
            self._entries[key] = entry

    def _last_target(self, job: Job) -> Fingerprint | None:
        entry = self._entries.get(self._key(job))
        return None if entry is None else entry.target

    def _key(self, job: Job) -> str:
        """Return the target's name below the journal's folder, which a plan guarantees to be unique."""
        key = os.path.relpath(job.target, self.path.parent).replace(os.sep, "/")
        if key.startswith("../"):
            raise OutputError(
                f"{shown(job.target)} lies outside the journal's folder {shown(self.path.parent)}"
            )
        return key


def recorded_settings(path: Path) -> dict[str, Setting] | None:
    """Return the settings of an existing journal, for a run that wants to go on with them; None without one.

    Raises:
        OutputError: The file is no journal.
    """
    return read_journal(path).settings if path.is_file() else None


def _verdict(job: Job, entry: JournalEntry | None, *, overwrite: bool, verify: bool) -> _Verdict:
    if entry is not None and entry.status == "begun":
        return "interrupted"
    if not os.path.lexists(job.target):
        return "run"
    if entry is None or not unchanged(job.target, entry.target, verify=verify):
        return "run" if overwrite else "refuse"
    if entry.status == "done" and unchanged(job.source, entry.source, verify=verify):
        return "skip"
    return "run"


def _refuse_differences(path: Path, recorded: Settings, settings: Settings) -> None:
    if found := differences(recorded, settings):
        raise UsageError(
            f"{shown(path.parent)} holds results made with other settings: {'; '.join(found)}",
            hint="use the same settings, another folder (-o), or make all again with --no-resume --overwrite",
        )


def _not_ours(job: Job, entry: JournalEntry | None) -> str:
    if entry is None or entry.target is None:
        return (
            f"the result {shown(job.target)} exists and was not made by this batch; --overwrite replaces it"
        )
    return f"the result {shown(job.target)} was changed after it was made; --overwrite makes it again"
