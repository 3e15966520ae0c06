"""The manifest of a folder of pairs: how each was made, and so what a later run need not make again.

JSON lines: the first holds what is common to all pairs, then one for each, synced when both its files are in place.
Pairs are made alike however often they are made, so a manifest needs no more than that to be gone on with: a pair that
was written without its line is made again, and is the same.
"""

import io
import json
import os
from collections.abc import Mapping
from pathlib import Path
from typing import Final

from wildsr.errors import OutputError, UsageError
from wildsr.files import atomic_write, remove_stale_temporaries, sha256_of, shown
from wildsr.files.appending import AppendOnly
from wildsr.files.opening import open_regular
from wildsr.files.resume import differences
from wildsr.files.walk import natural_key

MANIFEST: Final = "manifest.jsonl"
_KEY: Final = "wildsr_pairs"
_START: Final = f'{{"{_KEY}": '.encode()
_NOT_COMPARED: Final = frozenset(("profile",))
"""The profile's file may be renamed; its content is compared."""


class Manifest:
    """An open manifest, held by this process alone."""

    def __init__(self, file: AppendOnly, head: bytes, entries: dict[str, bytes]) -> None:
        self._file = file
        self._head = head
        self._entries = entries

    @classmethod
    def open(
        cls, folder: Path, head: Mapping[str, object], *, resume: bool = True, overwrite: bool = False
    ) -> "Manifest":
        """Open the manifest of a folder that exists, or begin one.

        Args:
            folder: The folder of the pairs.
            head: Everything that holds for all pairs and decides their bytes.
            resume: Go on with the pairs that are there.
            overwrite: Begin anew where there is something else: other settings, or no manifest.

        Raises:
            UsageError: The pairs there were made with other settings; they are listed.
            OutputError: Another run holds the file, or it is no manifest, or it can't be read or written.
        """
        path = folder / MANIFEST
        file = AppendOnly.open(path)
        try:
            recorded, entries, whole = _read(path, lenient=overwrite) if resume else (None, {}, 0)
            if recorded is not None and (changed := differences(recorded, head, ignored=_NOT_COMPARED)):
                if not overwrite:
                    raise UsageError(
                        f"{shown(folder)} holds pairs made with other settings: {'; '.join(changed)}",
                        hint="use the same settings, another folder (-o), or make all again with --overwrite",
                    )
                recorded, entries, whole = None, {}, 0
            file.cut(whole)
            first = _line(recorded or head)
            if recorded is None:
                file.append(first)
        except BaseException:
            file.close()
            raise
        for place in (folder, folder / "HR", folder / "LR"):
            remove_stale_temporaries(place)
        return cls(file, first, entries)

    def __enter__(self) -> "Manifest":
        return self

    def __exit__(self, *_: object) -> None:
        self._file.close()

    def entry(self, name: str) -> dict[str, object]:
        """Return what is recorded of a pair; empty for none."""
        return _loads(self._entries.get(name, b""))

    def add(self, entry: Mapping[str, object]) -> None:
        """Record a pair whose files are in place.

        Raises:
            OutputError: Full disk and the like.
        """
        line = _line(entry)
        self._file.append(line)
        self._entries[str(entry["name"])] = line

    def finish(self, folder: Path) -> None:
        """Close the manifest, its lines in the natural order of names, one for each pair that is there.

        A folder without pairs is left without a manifest.

        Raises:
            OutputError: Full disk and the like.
        """
        kept = [
            self._entries[name]
            for name in sorted(self._entries, key=natural_key)
            if all(os.path.lexists(folder / side / name) for side in ("HR", "LR"))
        ]
        self._file.close()
        path = folder / MANIFEST
        if not kept:
            path.unlink(missing_ok=True)
            return
        content = self._head + b"".join(kept)
        if path.read_bytes() != content:
            with atomic_write(path) as temporary:
                temporary.write_bytes(content)


def file_sha256(path: Path) -> str:
    """Return the SHA-256 of a file's content; empty for one that can't be read."""
    try:
        return sha256_of(path)
    except OSError:
        return ""


def _read(path: Path, *, lenient: bool) -> tuple[dict[str, object] | None, dict[str, bytes], int]:
    """Head (None in a file that is to be begun), lines by name, and bytes up to the end of the last whole line."""
    head: dict[str, object] | None = None
    entries: dict[str, bytes] = {}
    whole = 0
    with io.BufferedReader(open_regular(path)) as file:
        for line in file:
            if not line.endswith(b"\n") and (head is not None or line.startswith(_START[: len(line)])):
                break  # its writer was killed
            record = _loads(line)
            if head is not None:
                if isinstance(name := record.get("name"), str):
                    entries[name] = line
            elif record.get(_KEY) == 1:
                head = record
            elif lenient:
                return None, {}, 0
            else:
                raise OutputError(
                    f"{shown(path)} is damaged, or no manifest of this version of wildsr",
                    hint="--overwrite replaces it; -o gives another folder",
                )
            whole += len(line)
    return head, entries, whole


def _loads(line: bytes) -> dict[str, object]:
    try:
        value: object = json.loads(line or b"{}")
    except (ValueError, RecursionError):
        return {}
    return value if isinstance(value, dict) else {}


def _line(record: Mapping[str, object]) -> bytes:
    # ASCII: names that are not UTF-8 survive as escaped surrogates
    return json.dumps(record, ensure_ascii=True, allow_nan=False).encode("ascii") + b"\n"
