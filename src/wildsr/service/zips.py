"""A zip of many results, written while it is sent: nothing is compressed, nothing is held."""

import io
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Final
from zipfile import ZIP_STORED, ZipFile, ZipInfo

if TYPE_CHECKING:
    from typing_extensions import Buffer

_CHUNK: Final = 1 << 18
_EPOCH: Final = (1980, 1, 1, 0, 0, 0)


class _Sink(io.RawIOBase):
    """Takes what is written until somebody fetches it; can't be gone back in."""

    def __init__(self) -> None:
        self._parts: list[bytes] = []

    def writable(self) -> bool:
        return True

    def write(self, data: "Buffer", /) -> int:
        part = bytes(data)
        self._parts.append(part)
        return len(part)

    def take(self) -> bytes:
        found = b"".join(self._parts)
        self._parts = []
        return found


def zipped(entries: Sequence[tuple[str, Path]]) -> Iterator[bytes]:
    """Yield a zip of files under names that are plain and differ; files that have gone meanwhile are left out.

    Args:
        entries: (name, file); names hold no path.
    """
    sink = _Sink()
    with ZipFile(sink, "w", ZIP_STORED, allowZip64=True) as archive:
        for name, path in unlike(entries):
            try:
                file = path.open("rb")
            except OSError:
                continue
            with file, archive.open(ZipInfo(name, _EPOCH), "w", force_zip64=True) as out:
                while chunk := file.read(_CHUNK):
                    out.write(chunk)
                    yield sink.take()
    yield sink.take()


def unlike(entries: Sequence[tuple[str, Path]]) -> Iterator[tuple[str, Path]]:
    """Yield entries with names that differ on any file system: a second `a.png` becomes `a (2).png`."""
    taken: set[str] = set()
    for name, path in entries:
        stem, dot, extension = name.rpartition(".")
        chosen, number = name, 1
        while chosen.casefold() in taken:
            number += 1
            chosen = f"{stem} ({number}){dot}{extension}"
        taken.add(chosen.casefold())
        yield chosen, path
