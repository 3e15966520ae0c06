"""What a JPEG says in its application segments: EXIF, XMP and its extension, IPTC, profile, density, comments."""

import io
import re
import struct

from wildsr.errors import LimitError
from wildsr.imaging.containers import Edit, Found
from wildsr.imaging.containers.jpeg import EXIF, EXTENDED_XMP, ICC, XMP
from wildsr.imaging.metadata import Metadata, Resolution, TextItem
from wildsr.imaging.metadata.budget import Budget
from wildsr.imaging.metadata.fields import NAMESPACES
from wildsr.imaging.metadata.ifd import TiffError, integer, read_directory, read_start, reader
from wildsr.imaging.metadata.iptc import SIGNATURE as PHOTOSHOP
from wildsr.imaging.metadata.xmp import joined
from wildsr.imaging.opening import BinaryFile

_APP0, _APP1, _APP2, _APP13, _APP14, _COMMENT = 0xE0, 0xE1, 0xE2, 0xED, 0xEE, 0xFE
_ALONE = (0x01, *range(0xD0, 0xD9))
"""Markers without a length behind them."""
_ENDS = (0xD9, 0xDA)
"""The end, and the start of the first scan."""
_KINDS = {_APP1: "EXIF or XMP", _APP2: "colour profile", _APP13: "IPTC", _COMMENT: "comment"}
_MARKER = re.compile(rb"\xff[^\x00\xff]")
_WINDOW = 1 << 16
_MPF, _MP_IMAGES, _MP_ENTRIES = b"MPF\0", 0xB001, 0xB002
_MP_KIND, _MP_PREVIEW = 0xFFFFFF, 1
_MP_BYTES = 8192
_SAMSUNG = b"SEFT"
_CM_PER_INCH = 2.54
_GUID = 32
_EXTENSION_HEAD = len(EXTENDED_XMP) + _GUID + 8


def read_metadata(file: BinaryFile, name: str, budget: Budget) -> Found:
    """Return what the segments before the first scan say.

    Raises:
        LimitError: More segments than the budget allows.
    """
    segments = _Segments(file, name, budget)
    notes = list(segments.notes)
    xmp = segments.first(_APP1, XMP)
    extended = _extension(segments.all(_APP1, EXTENDED_XMP), xmp or b"")
    if xmp and extended:
        xmp = joined(xmp, extended)
    icc = _profile(segments.all(_APP2, ICC))
    if icc == b"":
        notes.append("the colour profile is incomplete and was ignored")
    photoshop = b"".join(segments.all(_APP13, PHOTOSHOP))
    pictures = _pictures(segments.first(_APP2, _MPF))
    if pictures > 1 and NAMESPACES["hdrgm"].encode() not in (xmp or b""):  # a gain map has a note of its own
        notes.append(f"only the first of {pictures} pictures in the file was read (MPO)")
    file.seek(max(0, file.seek(0, io.SEEK_END) - len(_SAMSUNG)))
    if file.read(len(_SAMSUNG)) == _SAMSUNG:
        notes.append("what a Samsung phone put behind the picture (a video, a second picture) was left out")
    comments = [text.rstrip(b"\0").decode("utf-8", "replace") for text in segments.all(_COMMENT, b"")]
    return Found(
        metadata=Metadata(
            icc=icc or None,
            exif=segments.first(_APP1, EXIF),
            xmp=xmp,
            iptc=PHOTOSHOP + photoshop if photoshop else None,
            text=tuple(TextItem(key="Comment", text=text) for text in comments if text.strip()),
            resolution=_density(segments.first(_APP0, b"JFIF\0")),
        ),
        edits=tuple(segments.edits),
        notes=tuple(notes),
    )


class _Segments:
    """The application segments and comments of a file, those of kinds that are read."""

    _WANTED = (
        (_APP0, b"JFIF\0"),
        (_APP1, EXIF),
        (_APP1, XMP),
        (_APP1, EXTENDED_XMP),
        (_APP2, ICC),
        (_APP2, _MPF),
        (_APP13, PHOTOSHOP),
        (_COMMENT, b""),
    )

    def __init__(self, file: BinaryFile, name: str, budget: Budget) -> None:
        self._found: dict[tuple[int, bytes], list[bytes]] = {}
        self.edits: list[Edit] = []
        self.notes: tuple[str, ...] = ()
        at = 2
        while (at := _next_marker(file, at)) >= 0:
            file.seek(at)
            head = file.read(4)
            marker = head[1] if len(head) == 4 else _ENDS[0]
            if marker in _ENDS:
                break
            if marker in _ALONE:
                at += 2
                continue
            stop = at + 2 + max(2, int.from_bytes(head[2:4], "big"))
            if _APP0 <= marker <= 0xEF or marker == _COMMENT:
                if not budget.step():
                    raise LimitError(f"{name} has more metadata segments than any photo; they were not read")
                self._take(file, marker, at + 4, stop, budget)
                if marker not in (_APP0, _APP14):  # density and colour transform are the decoder's to know
                    self.edits.append((at, stop, b""))
            at = stop

    def _take(self, file: BinaryFile, marker: int, start: int, stop: int, budget: Budget) -> None:
        if not budget.take(stop - start):
            self.notes = (budget.refusal(_KINDS.get(marker, "metadata")),)
            return
        file.seek(start)
        data = file.read(stop - start)
        for wanted, prefix in self._WANTED:
            if marker == wanted and data.startswith(prefix):
                self._found.setdefault((wanted, prefix), []).append(data[len(prefix) :])
                return
        budget.left += stop - start  # not kept

    def all(self, marker: int, prefix: bytes) -> list[bytes]:
        """Return the payloads of a kind, without its prefix."""
        return self._found.get((marker, prefix), [])

    def first(self, marker: int, prefix: bytes) -> bytes | None:
        """Return the first payload of a kind, or None."""
        found = self.all(marker, prefix)
        return found[0] if found else None


def _next_marker(file: BinaryFile, at: int) -> int:
    """Return the offset of the next marker at or behind `at`, over stray and fill bytes; −1 where there is none."""
    while True:
        file.seek(at)
        window = file.read(_WINDOW)
        found = _MARKER.search(window)
        if found:
            return at + found.start()
        if len(window) < 2:
            return -1
        at += len(window) - 1


def _extension(parts: list[bytes], packet: bytes) -> bytes | None:
    """Return the extension a packet points at by its digest, put together; None where it is not all there."""
    pieces: dict[int, bytes] = {}
    total = 0
    for part in parts:
        if len(part) < _GUID + 8 or part[:_GUID] not in packet:
            continue
        total, offset = struct.unpack(">II", part[_GUID : _GUID + 8])
        pieces[offset] = part[_GUID + 8 :]
    whole = b"".join(pieces[offset] for offset in sorted(pieces))
    return whole if pieces and len(whole) == total else None


def _profile(parts: list[bytes]) -> bytes | None:
    """Return the profile of numbered pieces; empty where some are missing, None where there are none."""
    if not parts:
        return None
    total = parts[0][1] if len(parts[0]) > 1 else 0
    pieces = {part[0]: part[2:] for part in reversed(parts) if len(part) > 1}
    if not total or not set(range(1, total + 1)) <= set(pieces):
        return b""
    return b"".join(pieces[number] for number in range(1, total + 1))


def _density(jfif: bytes | None) -> Resolution | None:
    if jfif is None or len(jfif) < 7:
        return None
    unit, x, y = struct.unpack(">BHH", jfif[2:7])
    factor = {1: 1.0, 2: _CM_PER_INCH}.get(unit)
    return Resolution.found(x * factor, y * factor) if factor else None


def _pictures(mpf: bytes | None) -> int:
    """Return how many pictures but previews a file holds, by its Multi-Picture Format segment (CIPA DC-007)."""
    if mpf is None:
        return 1
    try:
        read = reader(mpf)
        layout, offset = read_start(read)
        found = read_directory(
            read, layout, offset, Budget(_MP_BYTES), wanted=(_MP_IMAGES, _MP_ENTRIES)
        ).values
        stated = integer(found.get(_MP_IMAGES), layout) or 1
        entries = found[_MP_ENTRIES].data if _MP_ENTRIES in found else b""
        kinds = [
            layout.unpack("I", entries[at : at + 4]) & _MP_KIND for at in range(0, len(entries) - 15, 16)
        ]
        return stated - sum(kind >> 16 == _MP_PREVIEW for kind in kinds)
    except TiffError:
        return 1
