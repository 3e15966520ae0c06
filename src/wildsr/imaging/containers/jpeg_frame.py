"""A JPEG's frame and scans (ITU-T T.81): its kind, stray bytes before the pixels, whether all scans are there."""

import io
import re
from dataclasses import dataclass

from wildsr.imaging.containers import Edit
from wildsr.imaging.opening import BinaryFile

_FRAMES = frozenset({*range(0xC0, 0xD0), 0xF7} - {0xC4, 0xC8, 0xCC})
"""Markers that begin a frame; three of the range are tables, the last is JPEG-LS's."""
_PROGRESSIVE = frozenset({0xC2, 0xC6, 0xCA, 0xCE})
_SCAN, _END, _TABLES = 0xDA, 0xD9, 0xC4
_ALONE = frozenset({0x01, *range(0xD0, 0xD9)})
_MARKER = re.compile(rb"\xff[^\x00\xff]")
_IN_SCAN = re.compile(rb"\xff[^\x00\xff\xd0-\xd7]")
_WINDOW = 1 << 16
_COEFFICIENTS = 64
_HOLE, _FILLED = 64, 8
"""Zero bytes in a row that no scan has between its codes, or at its end, unless zeros say that the picture is flat."""
END_MARKER = b"\xff\xd9"


@dataclass(frozen=True, kw_only=True)
class JpegFrame:
    """What comes before the first scan."""

    kind: int
    """Second byte of the frame's marker; 0 where there is none."""

    precision: int
    """Bits a sample."""

    components: tuple[int, ...]
    """Their numbers."""

    height: int
    """Rows."""

    height_at: int
    """Offset of the two bytes that say so."""

    vertical: int
    """The largest vertical sampling factor."""

    one_scan: bool
    """The first scan holds all components, and all of their coefficients."""

    stray: tuple[Edit, ...]
    """Bytes between segments that belong to none; decoders pass over them."""

    first_scan: int
    """Offset of the first scan's marker, or of the end."""

    zero_codes: dict[int, int]
    """What a code of zeros stands for in each Huffman table, by the table's class (high four bits) and number."""

    @property
    def unread(self) -> str | None:
        """Name a kind that libvips does not read, or None."""
        if self.kind == 0xF7:
            return "a JPEG-LS picture"
        if self.kind in (0xC3, 0xCB):
            return "a lossless JPEG"
        if self.kind in (0xC5, 0xC6, 0xC7, 0xCD, 0xCE, 0xCF):
            return "a hierarchical JPEG"
        return f"a JPEG of {self.precision} bits a sample" if self.kind and self.precision != 8 else None


def read_frame(file: BinaryFile) -> JpegFrame:
    """Follow the segments up to the first scan."""
    kind, frame, frame_at = 0, b"", 0
    zero_codes: dict[int, int] = {}
    stray: list[Edit] = []
    at = 2
    while True:
        marker = _find(file, at, _MARKER)
        if marker > at and not _only_fill(file, at, marker):
            stray.append((at, marker, b""))
        file.seek(max(marker, at))
        head = file.read(4)
        if marker < 0 or len(head) < 4 or head[1] in (_SCAN, _END):
            break
        if head[1] in _ALONE:
            at = marker + 2
            continue
        at = marker + 2 + max(2, int.from_bytes(head[2:], "big"))
        if head[1] in _FRAMES and not kind:
            kind, frame, frame_at = head[1], file.read(min(at - marker - 4, _WINDOW)), marker + 4
        elif head[1] == _TABLES:
            zero_codes |= _zero_codes(file.read(at - marker - 4))
    count = file.read(1) if marker >= 0 else b""
    components = frame[6::3]
    return JpegFrame(
        kind=kind,
        precision=frame[0] if frame else 8,
        components=tuple(components),
        height=int.from_bytes(frame[1:3], "big"),
        height_at=frame_at + 1,
        vertical=max((factors & 15 for factors in frame[7::3]), default=1),
        one_scan=kind not in _PROGRESSIVE and count == bytes([len(components) & 0xFF]),
        stray=tuple(stray),
        first_scan=marker,
        zero_codes=zero_codes,
    )


@dataclass(frozen=True, kw_only=True)
class JpegScans:
    """What comes from the first scan on."""

    complete: bool
    """Every coefficient of every component is given its last bit. A progressive file cut between two scans is a
    picture of lower quality, and nothing else in it says so."""

    stop: int
    """Where the data end: at the end marker, or before the zeros that fill the file up."""

    oddity: str | None
    """How the data end, where that is not with an end marker."""

    hole: bool
    """Zeros stand where data should be: a part of the file was lost."""

    zeros: int
    """Where the zeros begin that the last scan ends with, at least eight; else `stop`. Data, or what fills it up."""


def read_scans(file: BinaryFile, frame: JpegFrame) -> JpegScans:
    """Follow the scans to the end marker, passing over their data."""
    missing = dict.fromkeys(frame.components, (1 << _COEFFICIENTS) - 1)
    zero_codes = dict(frame.zero_codes)
    at, zeros, judged, hole = frame.first_scan, frame.first_scan, False, False
    while at >= 0:
        file.seek(at)
        head = file.read(4)
        if len(head) < 2 or head[1] == _END:
            break
        length = max(2, int.from_bytes(head[2:], "big"))
        body, start = file.read(length - 2), at + 2 + length
        at = _find(file, start, _IN_SCAN)
        if head[1] == _TABLES:
            zero_codes |= _zero_codes(body)
        elif head[1] == _SCAN:
            _give(missing, body, progressive=frame.kind in _PROGRESSIVE)
            end = at if at >= 0 else _stop_of_data(file)
            zeros = _before_zeros(file, start, end)
            zeros = end if end - zeros < _FILLED else zeros
            if judged := _never_long(zero_codes, body, progressive=frame.kind in _PROGRESSIVE):
                hole = hole or _has_hole(file, start, zeros) or (zeros < end and not _ends(file, at))
    complete = bool(missing) and not any(missing.values())
    stop, oddity = at, None
    if at < 0:
        stop, oddity = _stop_of_data(file), "its end marker is missing"
    elif judged and zeros < at:
        stop, oddity = zeros, "zeros stand before its end marker"
    return JpegScans(complete=complete, stop=stop, oddity=oddity, hole=hole, zeros=min(zeros, stop))


def _zero_codes(tables: bytes) -> dict[int, int]:
    """Return the first symbol of each table of a segment: its code is all zeros (T.81 annex C)."""
    found, at = {}, 0
    while at + 17 < len(tables):
        found[tables[at]] = tables[at + 17]
        at += 17 + sum(tables[at + 1 : at + 17])
    return found


def _never_long(zero_codes: dict[int, int], scan: bytes, *, progressive: bool) -> bool:
    """Tell whether zeros in a row are nonsense in a scan: in one of its components they are not flat blocks.

    A flat block is a DC difference of nothing, or the end of the block. Where those codes are zeros, and for all
    components, a long row of zeros is a flat part of the picture. Scans that refine hold bits of numbers, which may
    be zeros as well, and arithmetic coding has no tables.
    """
    if len(scan) < 6 or (progressive and scan[-1] >> 4):
        return False
    kinds = (0, 1) if not progressive else (1,) if scan[-3] else (0,)
    numbers = scan[2 : 1 + 2 * scan[0] : 2]
    tables = {kind << 4 | (number & 15 if kind else number >> 4) for number in numbers for kind in kinds}
    codes = [zero_codes.get(table) for table in tables]
    return None not in codes and any(codes)


def _has_hole(file: BinaryFile, start: int, stop: int) -> bool:
    """Tell whether there are many zeros in a row between two offsets."""
    zeros = bytes(_HOLE)
    while stop - start >= _HOLE:
        file.seek(start)
        window = file.read(min(_WINDOW, stop - start))
        if zeros in window:
            return True
        start += max(1, len(window) - _HOLE + 1)
    return False


def _ends(file: BinaryFile, at: int) -> bool:
    """Tell whether there is an end marker at an offset, or no marker at all."""
    file.seek(max(at, 0))
    return at < 0 or file.read(2) == END_MARKER


def _before_zeros(file: BinaryFile, start: int, stop: int) -> int:
    """Return where the zeros begin that stand before an offset; one behind a byte 0xFF belongs to the data."""
    while stop > start:
        window_at = max(start, stop - _WINDOW)
        file.seek(window_at)
        window = file.read(stop - window_at)
        rest = window.rstrip(b"\0")
        if rest:
            return window_at + len(rest) + (rest.endswith(b"\xff") and len(rest) < len(window))
        stop = window_at
    return start


def _stop_of_data(file: BinaryFile) -> int:
    """Return where a file without an end marker ends, zeros that fill it up not counted."""
    stop = file.seek(0, io.SEEK_END)
    while stop:
        start = max(0, stop - _WINDOW)
        file.seek(start)
        window = file.read(stop - start)
        rest = window.rstrip(b"\0\xff")
        if rest:  # the code of a byte 0xFF, with the zero behind it, belongs to the data
            return start + len(rest) + 2 * window.startswith(b"\xff\0", len(rest))
        stop = start
    return stop


def _only_fill(file: BinaryFile, start: int, stop: int) -> bool:
    """Tell whether a few bytes before a marker are 0xFF, which the standard allows."""
    file.seek(start)
    return stop - start < _WINDOW and not file.read(stop - start).strip(b"\xff")


def _give(missing: dict[int, int], scan: bytes, *, progressive: bool) -> None:
    """Take what a scan gives off what is missing."""
    count = scan[0] if scan else 0
    named, rest = scan[1 : 1 + 2 * count : 2], scan[1 + 2 * count :]
    if len(rest) < 3:
        return
    first, last, low = (rest[0], rest[1], rest[2] & 15) if progressive else (0, _COEFFICIENTS - 1, 0)
    if low == 0 and first <= last < _COEFFICIENTS:
        given = ((1 << (last - first + 1)) - 1) << first
        for component in named:
            if component in missing:
                missing[component] &= ~given


def _find(file: BinaryFile, at: int, marker: re.Pattern[bytes]) -> int:
    """Return the offset of the next marker at or behind `at`; −1 where there is none."""
    while True:
        file.seek(at)
        window = file.read(_WINDOW)
        found = marker.search(window)
        if found:
            return at + found.start()
        if len(window) < 2:
            return -1
        at += len(window) - 1
