"""The lines of a journal: written from values, read back with suspicion."""

import io
import json
import math
import re
from collections.abc import Iterator, Mapping
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Final, Literal, TypeAlias, get_args

from wildsr.errors import OutputError
from wildsr.files.display import shown
from wildsr.files.fingerprint import Fingerprint
from wildsr.files.opening import open_regular
from wildsr.files.refusals import output_error

Setting: TypeAlias = str | int | float | bool | None
Status: TypeAlias = Literal["begun", "done", "failed"]

_FORMAT: Final = 1
_HEADER_START: Final = b'{"wildsr_journal":'
_LONGEST_LINE: Final = 1 << 18  # two names of 4096 bytes and a reason, each byte escaped in six, take 62 KiB
_SHA256: Final = re.compile("[0-9a-f]{64}")


@dataclass(frozen=True, kw_only=True)
class JournalEntry:
    """The last thing known of one target."""

    status: Status
    """`begun` without an end means that the run died."""

    source: Fingerprint | None = None
    """What the result is made from."""

    target: Fingerprint | None = None
    """What we last wrote there."""

    seconds: float = 0.0
    """Time the work took."""

    reason: str = ""
    """Why it failed."""

    def line(self, *, source: str, target: str) -> bytes:
        """Return the entry as a line of the file.

        Args:
            source: The picture's path, for readers; nothing depends on it.
            target: The result's path below the journal's folder, with `/` between its parts.
        """
        return _line({"source_path": source, "target_path": target, **asdict(self)})


@dataclass(frozen=True, kw_only=True)
class Recorded:
    """A journal as read."""

    settings: dict[str, Setting] | None
    """The first line's settings; None for a file without one yet (empty, or the writer died in that line)."""

    changes: dict[str, Setting]
    """What differs from the first line by now; see `change_line`."""

    entries: dict[str, JournalEntry]
    """The last entry of each target."""

    damaged: int
    """Lines that are no records."""

    whole: int
    """Bytes up to the end of the last whole line."""


def header_line(settings: Mapping[str, Setting]) -> bytes:
    """Return the first line."""
    return _line({"wildsr_journal": _FORMAT, "settings": dict(settings)})


def change_line(settings: Mapping[str, Setting]) -> bytes:
    """Return a line that says which settings hold from here on, where a run had to change them on its way."""
    return _line({"changed_settings": dict(settings)})


def read_journal(path: Path) -> Recorded:
    """Read a journal; lines that are torn, too long or no records count as damaged and are left out.

    Raises:
        OutputError: The file is no journal of this format, or can't be read.
    """
    try:
        return _read(path)
    except OSError as error:
        raise output_error(error, path) from error


def _read(path: Path) -> Recorded:
    settings: dict[str, Setting] | None = None
    changes: dict[str, Setting] = {}
    entries: dict[str, JournalEntry] = {}
    damaged = whole = 0
    for line, end in _lines(path):
        if settings is None:
            settings = _header(line)
            if settings is None:
                raise _no_journal(path)
        elif (changed := _settings(_loads(line).get("changed_settings"))) is not None:
            changes |= changed
        else:
            parsed = _entry(line)
            if parsed is None:
                damaged += 1
            else:
                entries[parsed[0]] = parsed[1]
        whole = end
    if settings is None:
        with io.BufferedReader(open_regular(path)) as file:
            start = file.read(len(_HEADER_START))
        if not _HEADER_START.startswith(start):
            raise _no_journal(path)
    return Recorded(settings=settings, changes=changes, entries=entries, damaged=damaged, whole=whole)


def _lines(path: Path) -> Iterator[tuple[bytes | None, int]]:
    """Yield whole lines (None for one that is too long) and the offset behind each; not a torn last one."""
    offset = 0
    too_long = False
    with io.BufferedReader(open_regular(path)) as file:
        while piece := file.readline(_LONGEST_LINE):
            offset += len(piece)
            if piece.endswith(b"\n"):
                yield (None if too_long else piece), offset
                too_long = False
            else:
                too_long = True


def _line(record: dict[str, object]) -> bytes:
    # ASCII: names that are not UTF-8 survive as escaped surrogates.
    return (
        json.dumps(record, ensure_ascii=True, allow_nan=False, separators=(",", ":")).encode("ascii") + b"\n"
    )


def _loads(line: bytes | None) -> dict[object, object]:
    try:
        value: object = json.loads(line or b"")
    except (ValueError, RecursionError):
        return {}
    return dict(value) if isinstance(value, dict) else {}


def _header(line: bytes | None) -> dict[str, Setting] | None:
    record = _loads(line)
    if type(record.get("wildsr_journal")) is not int or record["wildsr_journal"] != _FORMAT:
        return None
    return _settings(record.get("settings"))


def _settings(value: object) -> dict[str, Setting] | None:
    if not isinstance(value, dict) or not all(isinstance(one, get_args(Setting)) for one in value.values()):
        return None
    return dict(value)


def _entry(line: bytes | None) -> tuple[str, JournalEntry] | None:
    record = _loads(line)
    target_path, status = record.get("target_path"), record.get("status")
    source, target = _fingerprint(record.get("source")), _fingerprint(record.get("target"))
    seconds, reason = record.get("seconds"), record.get("reason")
    if not isinstance(target_path, str) or not _stays_below(target_path) or not isinstance(reason, str):
        return None
    if not isinstance(seconds, int | float) or isinstance(seconds, bool) or not _is_duration(seconds):
        return None
    if status == "done" and source is not None and target is not None:
        return target_path, JournalEntry(status="done", source=source, target=target, seconds=float(seconds))
    if status == "begun" and source is not None:
        return target_path, JournalEntry(status="begun", source=source, target=target)
    if status == "failed":
        return target_path, JournalEntry(
            status="failed", target=target, seconds=float(seconds), reason=reason
        )
    return None


def _fingerprint(value: object) -> Fingerprint | None:
    if not isinstance(value, dict):
        return None
    sha256, numbers = (
        value.get("sha256"),
        [value.get(name) for name in ("size", "mtime_ns", "ctime_ns", "inode")],
    )
    if not isinstance(sha256, str) or not _SHA256.fullmatch(sha256):
        return None
    checked = [number for number in numbers if isinstance(number, int) and not isinstance(number, bool)]
    if len(checked) != len(numbers):
        return None
    size, mtime_ns, ctime_ns, inode = checked
    return Fingerprint(sha256=sha256, size=size, mtime_ns=mtime_ns, ctime_ns=ctime_ns, inode=inode)


def _is_duration(seconds: float) -> bool:
    try:
        return math.isfinite(seconds) and seconds >= 0
    except OverflowError:  # an integer beyond any float
        return False


def _stays_below(target: str) -> bool:
    return "\0" not in target and not any(part in ("", ".", "..") for part in target.split("/"))


def _no_journal(path: Path) -> OutputError:
    return OutputError(
        f"{shown(path)} is damaged, or no journal of this version of wildsr",
        hint="--no-resume sets it aside and begins anew",
    )
