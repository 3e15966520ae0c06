"""A file seen with some of its bytes replaced or left out."""

import io
from bisect import bisect_right
from collections.abc import Sequence

from wildsr.imaging.opening import BinaryFile


class EditedFile:
    """Reads as the file would with `edits` made to it; nothing is copied.

    Args:
        file: The file.
        edits: Start, stop and the bytes that stand there instead; sorted, none touching another.
    """

    def __init__(self, file: BinaryFile, edits: Sequence[tuple[int, int, bytes]]) -> None:
        self._file = file
        self._pieces: list[tuple[int, bytes]] = []  # (offset in the file, b"") or (0, the bytes themselves)
        self._starts: list[int] = []  # where each begins, as seen
        self._length = 0
        at = 0
        for start, stop, replacement in edits:
            self._add(start - at, at, b"")
            self._add(len(replacement), 0, replacement)
            at = stop
        self._add(max(0, file.seek(0, io.SEEK_END) - at), at, b"")
        self._at = 0

    def _add(self, length: int, offset: int, data: bytes) -> None:
        if length > 0:
            self._starts.append(self._length)
            self._pieces.append((offset, data))
            self._length += length

    def seek(self, offset: int, whence: int = 0, /) -> int:
        """As `io.IOBase.seek`."""
        base = {io.SEEK_SET: 0, io.SEEK_CUR: self._at, io.SEEK_END: self._length}[whence]
        if base + offset < 0:
            raise ValueError(f"an offset of {base + offset}")
        self._at = base + offset
        return self._at

    def read(self, size: int = -1, /) -> bytes:
        """As `io.RawIOBase.read`: fewer bytes than asked for only where the file ends."""
        wanted = self._length - self._at if size < 0 else min(size, self._length - self._at)
        got = []
        while wanted > 0:
            index = bisect_right(self._starts, self._at) - 1
            end = self._starts[index + 1] if index + 1 < len(self._starts) else self._length
            inside, count = self._at - self._starts[index], min(wanted, end - self._at)
            data = self._piece(index, inside, count)
            got.append(data)
            self._at += len(data)
            wanted -= len(data)
            if len(data) < count:  # the file has become shorter
                break
        return b"".join(got)

    def _piece(self, index: int, inside: int, count: int) -> bytes:
        offset, data = self._pieces[index]
        if data:
            return data[inside : inside + count]
        self._file.seek(offset + inside)
        return self._file.read(count)
