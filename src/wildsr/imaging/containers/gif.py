"""GIF's blocks (GIF89a), followed to tell whether a file holds the whole of its first picture."""

from collections.abc import Iterator
from dataclasses import dataclass

from wildsr.imaging.opening import BinaryFile

_IMAGE, _EXTENSION, _TRAILER = 0x2C, 0x21, 0x3B
_LONGEST_CODE, _MOST_CODES = 12, 1 << 12
_MOST_BLOCKS = 1 << 20
"""Blocks behind the first picture that are looked at for further ones: a quarter of a gigabyte."""


class GifError(ValueError):
    """A structure that can't be followed."""


@dataclass(frozen=True, kw_only=True)
class Gif:
    """What a file holds."""

    canvas: tuple[int, int]
    """Width and height of the screen the pictures are laid on."""

    size: tuple[int, int]
    """Width and height of the first picture."""

    pixels: int
    """Pixels of the first picture that its data hold; width × height where it is whole."""

    stop: int
    """Where the first picture ends."""

    frames: int
    """Pictures begun."""

    whole: bool
    """False where the file ends in the middle of a later picture."""


def read_gif(file: BinaryFile) -> Gif:
    """Follow a file's blocks; the first picture's codes are counted, not decoded.

    Raises:
        GifError: The file ends before its first picture does, or holds none.
    """
    reader = _Reader(file)
    head = reader.take(13)
    reader.take(_table(head[10]))
    size, counter = _to_picture(reader)
    for block in _blocks(reader):
        counter.add(block)
    stop = reader.at
    frames, whole = _count_rest(reader)
    return Gif(
        canvas=(int.from_bytes(head[6:8], "little"), int.from_bytes(head[8:10], "little")),
        size=size,
        pixels=counter.pixels,
        stop=stop,
        frames=frames,
        whole=whole,
    )


def _table(packed: int) -> int:
    """Return the bytes of the colour table a packed field announces."""
    return 3 << ((packed & 7) + 1) if packed & 0x80 else 0


def _to_picture(reader: "_Reader") -> tuple[tuple[int, int], "_CodeCounter"]:
    """Go to the data of the next picture; return its width and height, and a counter of its pixels."""
    while (kind := reader.take(1)[0]) != _IMAGE:
        if kind != _EXTENSION:
            raise GifError("it holds no picture")
        reader.take(1)
        for _ in _blocks(reader):
            pass
    place = reader.take(9)
    reader.take(_table(place[8]))
    width, height = int.from_bytes(place[4:6], "little"), int.from_bytes(place[6:8], "little")
    return (width, height), _CodeCounter(reader.take(1)[0], width * height)


def _blocks(reader: "_Reader") -> Iterator[bytes]:
    """Yield the sub-blocks up to the empty one that ends them."""
    while size := reader.take(1)[0]:
        yield reader.take(size)


def _count_rest(reader: "_Reader") -> tuple[int, bool]:
    """Return the pictures there are with the first, and whether the last of them is whole."""
    frames, left = 1, _MOST_BLOCKS
    while left > 0:
        head = reader.take(1, optional=True)
        if head != bytes([_IMAGE]) and head != bytes([_EXTENSION]):  # the trailer, no trailer, or junk
            return frames, True
        try:
            if head[0] == _IMAGE:
                frames += 1
                reader.take(_table(reader.take(9)[8]))
            reader.take(1)
            left -= 1 + sum(1 for _ in _blocks(reader))
        except GifError:
            return frames, False
    return frames, True


class _Reader:
    """Reads on from the beginning of a file, in pieces."""

    def __init__(self, file: BinaryFile) -> None:
        self._file = file
        self._file.seek(0)
        self._held, self._next = b"", 0
        self.at = 0

    def take(self, size: int, *, optional: bool = False) -> bytes:
        """Return the next `size` bytes; none at all at the end of the file if they are optional."""
        end = self._next + size
        if end > len(self._held):
            self._file.seek(self.at)
            self._held, self._next, end = self._file.read(_PIECE), 0, size
            if len(self._held) < size:
                if optional:
                    return b""
                raise GifError("it ends too early")
        data = self._held[self._next : end]
        self._next, self.at = end, self.at + size
        return data


_PIECE = 1 << 16


class _CodeCounter:
    """Counts the pixels that LZW codes stand for, without making them: the lengths of strings are enough."""

    def __init__(self, minimum: int, wanted: int) -> None:
        if not 1 <= minimum <= 8:
            raise GifError(f"codes of {minimum} bits")
        self._clear, self._wanted = 1 << minimum, wanted
        self._bits = self._held = 0
        self._ended = False
        self._lengths = [1] * self._clear + [0, 0]
        self._size = self._clear.bit_length()
        self._last = -1
        self.pixels = 0

    def add(self, block: bytes) -> None:
        """Take on a block of data; what follows the end code, or a code that can't be, counts for nothing."""
        if self._ended:
            return
        held, bits, size, last, pixels = self._held, self._bits, self._size, self._last, self.pixels
        lengths, clear, wanted = self._lengths, self._clear, self._wanted
        rest = iter(block)
        while True:
            while bits < size:
                byte = next(rest, None)
                if byte is None:
                    break
                held |= byte << bits
                bits += 8
            if bits < size:
                break
            code = held & ((1 << size) - 1)
            held >>= size
            bits -= size
            if code == clear:
                del lengths[clear + 2 :]
                size, last = clear.bit_length(), -1
                continue
            known = len(lengths)
            if code == clear + 1 or code > known or (code == known and (last < 0 or known == _MOST_CODES)):
                self._ended = True
                break
            if last >= 0 and known < _MOST_CODES:
                lengths.append(lengths[last] + 1)
                if known + 1 >= 1 << size and size < _LONGEST_CODE:
                    size += 1
            pixels += lengths[code]
            last = code
            if pixels >= wanted:
                pixels, self._ended = wanted, True
                break
        self._held, self._bits, self._size, self._last, self.pixels = held, bits, size, last, pixels
