"""How the picture of a TIFF file is stored, read from its directory before a library sees it."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Literal

from wildsr.imaging.metadata.ifd import IfdEntry, Layout, Read, TiffError, read_entries, read_start

MOST_PAGES = 1000
"""Pictures of one file that are counted."""
_MOST_DIRECTORIES_READ = 16
"""Thumbnails that may come before the picture itself."""
_MOST_VALUES = 64
_NEW_SUBFILE_TYPE, _WIDTH, _HEIGHT, _BITS, _COMPRESSION, _PHOTOMETRIC = 254, 256, 257, 258, 259, 262
_SAMPLES, _TILE_WIDTH, _TILE_HEIGHT, _EXTRA, _DNG_VERSION = 277, 322, 323, 338, 50706
_SUB_IFDS, _CFA, _LINEAR_RAW = 330, 32803, 34892
_NUMBERS = frozenset(
    {
        _NEW_SUBFILE_TYPE,
        _WIDTH,
        _HEIGHT,
        _BITS,
        _COMPRESSION,
        _PHOTOMETRIC,
        _SAMPLES,
        _TILE_WIDTH,
        _TILE_HEIGHT,
        _EXTRA,
    }
)
_REDUCED, _TRANSPARENCY_MASK = 1, 4

Edit = tuple[int, int, bytes]
"""Start, stop and the bytes to be seen there."""


@dataclass(frozen=True, kw_only=True)
class Structure:
    """How one picture is stored, as far as libvips does not say or would allocate for."""

    width: int
    height: int
    bits: int
    """Bits a sample."""
    samples: int
    """Samples a pixel."""
    tile: tuple[int, int] | None
    """Width and height of a tile, where the picture is tiled."""
    compression: int
    photometric: int | None
    """The colour model, by TIFF's numbers."""
    photometric_at: int
    """Offset of the two bytes that say so."""
    little: bool
    extra: tuple[int, ...]
    """What the samples beyond the colour model's are said to be; 0 is unsaid."""
    raw: bool
    """A camera's raw file, of which a library would read the thumbnail."""
    claimed: int
    """Bytes of all its tags' values together."""
    page: int
    """Its place in the file; those before it are thumbnails."""
    pages: int
    """Pictures in the file; `MOST_PAGES` where there are as many or more."""
    smaller: int
    """Those behind it that are this picture made smaller, as a pyramid has them."""
    only: tuple[Edit, ...]
    """What makes the file one of this picture alone: libtiff would walk through a million others to count them."""


def read_structure(read: Read) -> Structure:
    """Return how the first picture that is no thumbnail is stored; TiffError where that can't be followed."""
    layout, first = read_start(read)
    offsets = list(_directories(read, layout, first))
    reduced: list[_Directory] = []
    for page, offset in enumerate(offsets[:_MOST_DIRECTORIES_READ]):
        try:
            directory = _Directory(read, layout, offset)
        except TiffError:
            if page == 0:
                raise
            break
        if not directory.reduced:
            raw = directory.raw or any(one.raw or one.has_others_below for one in reduced)
            smaller = _smaller(read, layout, offsets[page + 1 : _MOST_DIRECTORIES_READ], directory)
            return directory.structure(page, len(offsets), smaller=smaller, raw=raw)
        reduced.append(directory)
    return reduced[0].structure(0, len(offsets), smaller=0, raw=True)


def _smaller(read: Read, layout: Layout, offsets: Sequence[int], picture: "_Directory") -> int:
    """Count the directories that say they are a smaller form of a picture, and have its proportions."""
    count = 0
    for offset in offsets:
        try:
            count += _Directory(read, layout, offset).is_smaller(picture)
        except TiffError:
            break
    return count


class _Directory:
    """One directory's entries and the numbers in them."""

    def __init__(self, read: Read, layout: Layout, offset: int) -> None:
        self._layout, self._offset = layout, offset
        self._entries, self._next_at = read_entries(read, layout, offset)
        self._tags = {entry.tag for entry in self._entries}
        self._numbers = {
            entry.tag: _values(read, layout, entry) for entry in self._entries if entry.tag in _NUMBERS
        }

    def _first(self, tag: int, default: int = 0) -> int:
        return next(iter(self._numbers.get(tag, ())), default)

    @property
    def reduced(self) -> bool:
        """True for a thumbnail of another picture; a mask is none."""
        mask = self._first(_PHOTOMETRIC) == _TRANSPARENCY_MASK
        return bool(self._first(_NEW_SUBFILE_TYPE) & _REDUCED) and not mask

    def is_smaller(self, other: "_Directory") -> bool:
        """True where this says it is reduced, and its sides are those of the other by one factor, to a pixel."""
        width, height = self._first(_WIDTH), self._first(_HEIGHT)
        whole_width, whole_height = other._first(_WIDTH), other._first(_HEIGHT)
        fits = abs(width * whole_height - height * whole_width) <= whole_width + whole_height
        return self.reduced and width < whole_width and fits

    @property
    def raw(self) -> bool:
        """True for sensor data, and for anything in a DNG."""
        return _DNG_VERSION in self._tags or self._first(_PHOTOMETRIC) in (_CFA, _LINEAR_RAW)

    @property
    def has_others_below(self) -> bool:
        """True where the picture itself may lie in a directory below, as raw files have it."""
        return _SUB_IFDS in self._tags

    def structure(self, page: int, pages: int, *, smaller: int, raw: bool) -> Structure:
        """Return what is known of this picture."""
        layout = self._layout
        tiled = {_TILE_WIDTH, _TILE_HEIGHT} <= self._tags
        width = 8 if layout.big else 4
        order: Literal["little", "big"] = "little" if layout.order == "<" else "big"
        start = 8 if layout.big else 4
        return Structure(
            width=self._first(_WIDTH),
            height=self._first(_HEIGHT),
            bits=max(self._numbers.get(_BITS, ()), default=1),
            samples=self._first(_SAMPLES, 1),
            tile=(self._first(_TILE_WIDTH), self._first(_TILE_HEIGHT)) if tiled else None,
            compression=self._first(_COMPRESSION, 1),
            photometric=self._first(_PHOTOMETRIC) if _PHOTOMETRIC in self._tags else None,
            photometric_at=next((one.at for one in self._entries if one.tag == _PHOTOMETRIC), 0),
            little=layout.order == "<",
            extra=self._numbers.get(_EXTRA, ()),
            raw=raw,
            claimed=sum(entry.size for entry in self._entries),
            page=page,
            pages=pages,
            smaller=smaller,
            only=(
                (start, start + width, self._offset.to_bytes(width, order)),
                (self._next_at, self._next_at + width, bytes(width)),
            ),
        )


def _values(read: Read, layout: Layout, entry: IfdEntry) -> tuple[int, ...]:
    """Return an entry's first whole numbers; none where it has another type."""
    code, size = {1: ("B", 1), 3: ("H", 2), 4: ("I", 4), 16: ("Q", 8)}.get(entry.kind, ("", 0))
    if not code:
        return ()
    count = min(entry.count, _MOST_VALUES)
    data = read(entry.at, count * size)
    return tuple(layout.unpack(code, data[i * size : (i + 1) * size]) for i in range(count))


def _directories(read: Read, layout: Layout, offset: int) -> Iterator[int]:
    """Yield the offsets of the directories that follow each other, at most `MOST_PAGES`."""
    code, width = ("Q", 8) if layout.big else ("H", 2)
    seen: set[int] = set()
    while (offset or not seen) and offset not in seen and len(seen) < MOST_PAGES:
        seen.add(offset)
        yield offset
        try:
            count = layout.unpack(code, read(offset, width))
            after = offset + width + count * layout.entry_size
            offset = layout.unpack("Q" if layout.big else "I", read(after, layout.inline))
        except TiffError:
            break
