"""What a PNG's chunks say beside its pixels, before and behind them: colours, EXIF, XMP, IPTC, text, density."""

import struct
from dataclasses import dataclass
from typing import Final

from wildsr.errors import LimitError
from wildsr.imaging.containers import Edit, Found
from wildsr.imaging.containers.jpeg import EXIF
from wildsr.imaging.containers.png_text import Hidden, TextError, read_text, unpacked
from wildsr.imaging.metadata import METRES_PER_INCH, Metadata, Resolution, TextItem, whole_dpi
from wildsr.imaging.metadata.budget import Budget
from wildsr.imaging.opening import BinaryFile

_MOST_PIXEL_CHUNKS: Final = 1 << 20
_NUMBERS = (b"cICP", b"sRGB", b"gAMA", b"cHRM", b"acTL", b"pHYs")
_ONLY_BEFORE = (b"cICP", b"sRGB", b"gAMA", b"cHRM", b"iCCP", b"acTL")
"""What says how the pixels are to be read; behind them it is too late, and counts for nobody (PNG, 3rd ed., §5.6)."""
_KINDS = {b"iCCP": "colour profile", b"eXIf": "EXIF", b"iTXt": "XMP or text"}
_TEXTS = (b"tEXt", b"zTXt", b"iTXt")


@dataclass(frozen=True, kw_only=True)
class Hints:
    """What a PNG says of its colours, besides a profile, and of its frames; libvips reads none of it."""

    frames: int = 1
    """Frames of an animation (acTL)."""

    cicp: tuple[int, int] | None = None
    """Colour primaries and transfer function (ITU-T H.273)."""

    srgb: bool = False
    gamma: float | None = None
    """Exponent that makes encoded values of linear light (gAMA)."""

    chromaticities: tuple[float, ...] | None = None
    """White, red, green, blue x and y (cHRM)."""


def read_png(file: BinaryFile, name: str, budget: Budget) -> tuple[Hints, Found]:
    """Return what the chunks say; compressed ones are unpacked within the budget.

    Raises:
        LimitError: More chunks than the budget allows.
    """
    chunks = _Chunks(budget)
    at, pixels = 8, 0
    while pixels < _MOST_PIXEL_CHUNKS:
        file.seek(at)
        head = file.read(8)
        size, kind = int.from_bytes(head[:4], "big"), head[4:]
        if len(head) < 8 or kind == b"IEND":
            break
        if kind == b"IDAT":
            pixels += 1
        else:
            if not budget.step():
                raise LimitError(f"{name} has more chunks than any picture; they were not read")
            late = pixels > 0 and kind in _ONLY_BEFORE
            if not late and chunks.take(file, kind, size) and not pixels:
                chunks.edits.append((at, at + 12 + size, b""))
        at += 12 + size
    return chunks.hints(), chunks.found()


class _Chunks:
    """What was found so far; of each kind the first counts."""

    def __init__(self, budget: Budget) -> None:
        self._budget = budget
        self._numbers: dict[bytes, bytes] = {}
        self._blocks: dict[str, bytes] = {}
        self._text: list[TextItem] = []
        self._notes: list[str] = []
        self.edits: list[Edit] = []

    def take(self, file: BinaryFile, kind: bytes, size: int) -> bool:
        """Read a chunk whose head was just read; return True where the decoder of the pixels needs none of it."""
        if kind in _NUMBERS:
            self._numbers.setdefault(kind, file.read(min(size, 64)))
            return False
        if kind not in (*_TEXTS, b"iCCP", b"eXIf"):
            return False
        if size > self._budget.left:
            self._note(self._budget.refusal(_KINDS.get(kind, "text")))
            return True
        data = file.read(size)
        if kind == b"eXIf":
            if self._budget.take(size):
                self._blocks.setdefault("eXIf", data.removeprefix(EXIF))
        elif kind == b"iCCP":
            self._blocks.setdefault("icc", _profile(data, self._budget))
        else:
            self._take_text(kind, data)
        return True

    def _take_text(self, kind: bytes, data: bytes) -> None:
        try:
            found = read_text(kind, data, self._budget)
        except TextError as error:
            self._note(str(error))
            return
        if isinstance(found, Hidden):
            self._blocks.setdefault(found.kind, found.block)
        elif found is not None:
            self._text.append(found)

    def _note(self, note: str) -> None:
        if note not in self._notes:
            self._notes.append(note)

    def found(self) -> Found:
        """Return metadata, what the decoder is not to see, and what is damaged."""
        icc = self._blocks.get("icc")
        if icc == b"":
            self._note("the colour profile can't be unpacked and was ignored")
        return Found(
            metadata=Metadata(
                icc=icc,
                exif=self._blocks.get("eXIf", self._blocks.get("exif")),
                xmp=self._blocks.get("xmp"),
                iptc=self._blocks.get("iptc"),
                text=tuple(self._text),
                resolution=_density(self._numbers.get(b"pHYs", b"")),
            ),
            edits=tuple(self.edits),
            notes=tuple(self._notes),
        )

    def hints(self) -> Hints:
        """Return what is said of colours and frames."""
        found = self._numbers
        return Hints(
            frames=max(1, int.from_bytes(found.get(b"acTL", b"")[:4], "big")),
            cicp=_cicp(found.get(b"cICP", b"")),
            srgb=b"sRGB" in found,
            gamma=_gamma(found.get(b"gAMA", b"")),
            chromaticities=_chromaticities(found.get(b"cHRM", b"")),
        )


def _profile(data: bytes, budget: Budget) -> bytes:
    """Return an iCCP chunk's profile; empty where it is damaged or beyond the budget."""
    name = data.find(b"\0", 0, 80)
    try:
        return unpacked(data[name + 2 :], budget) if name > 0 else b""
    except TextError:
        return b""


def _cicp(data: bytes) -> tuple[int, int] | None:
    return (data[0], data[1]) if len(data) == 4 else None


def _gamma(data: bytes) -> float | None:
    value = int.from_bytes(data, "big") if len(data) == 4 else 0
    return 100_000 / value if value else None


def _chromaticities(data: bytes) -> tuple[float, ...] | None:
    return tuple(v / 100_000 for v in struct.unpack(">8I", data)) if len(data) == 32 else None


def _density(data: bytes) -> Resolution | None:
    if len(data) != 9 or data[8] != 1:
        return None
    x, y = (whole_dpi(value * METRES_PER_INCH) for value in struct.unpack(">II", data[:8]))
    return Resolution.found(x, y)
