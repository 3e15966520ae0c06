"""Fuzz target for what is read of pictures before a library sees them: boxes, blocks, directories, scans, codes."""

import base64
import io
from collections.abc import Callable

from tests.fuzz.picture_seeds import pictures
from tests.imaging.test_heic import SAMPLES
from wildsr.errors import WildsrError
from wildsr.files.signatures import sniff
from wildsr.imaging import Limits
from wildsr.imaging.containers.gif import GifError, read_gif
from wildsr.imaging.containers.jpeg_frame import read_frame, read_scans
from wildsr.imaging.containers.tiff import file_reader
from wildsr.imaging.containers.tiff_structure import MOST_PAGES, read_structure
from wildsr.imaging.containers.webp_extent import read_extent
from wildsr.imaging.decoders.bmp_rle import RleError, decode_rle
from wildsr.imaging.decoders.heif import read_heif
from wildsr.imaging.decoders.pnm import PnmDecoder
from wildsr.imaging.metadata.ifd import TiffError

_SMALL = Limits(max_pixels=1 << 16)
_RUNS = bytes([2, 7, 2, 9, 0, 0, 0, 4, 1, 2, 3, 4, 0, 2, 1, 1, 2, 5, 0, 1])


def containers(data: bytes) -> None:
    """Follow one kind of structure: what it says fits the file, or the structure is refused by name."""
    if not data:
        return
    read = _READERS[data[0] % len(_READERS)]
    try:
        read(data[1:])
    except (WildsrError, GifError, RleError, TiffError):
        return


def seeds() -> list[bytes]:
    """Return well-formed files, each behind the number of its reader."""
    number = {"gif": 0, "jpeg": 1, "webp": 2, "tiff": 3, "avif": 4, "pnm": 5}
    files = [*pictures(), *(base64.b64decode(data) for data in SAMPLES.values())]
    known = [(number.get(sniff(file) or "", 4), file) for file in files if sniff(file) not in ("png", "bmp")]
    return [*(bytes([index]) + file for index, file in known), b"\x06" + _RUNS, b"\x07" + _RUNS]


def _gif(data: bytes) -> None:
    found = read_gif(io.BytesIO(data))
    assert 0 <= found.pixels <= found.size[0] * found.size[1]
    assert 13 < found.stop <= len(data)
    assert found.frames >= 1


def _jpeg(data: bytes) -> None:
    file = io.BytesIO(data)
    frame = read_frame(file)
    scans = read_scans(file, frame)
    assert -1 <= frame.first_scan <= len(data)
    assert 0 <= scans.stop <= len(data)
    ends = [edge for start, stop, _ in frame.stray for edge in (start, stop)]
    assert ends == sorted(ends)


def _webp(data: bytes) -> None:
    found = read_extent(io.BytesIO(data))
    assert 0 <= found.width <= 1 << 24
    assert 0 <= found.height <= 1 << 24


def _tiff(data: bytes) -> None:
    found = read_structure(file_reader(io.BytesIO(data)))
    assert 1 <= found.pages <= MOST_PAGES
    assert 0 <= found.page < found.pages


def _heif(data: bytes) -> None:
    found = read_heif(io.BytesIO(data), "input", "heic", _SMALL)
    assert 0 <= found.pixels <= _SMALL.max_pixels
    assert 0 < found.size <= len(data)


def _pnm(data: bytes) -> None:
    if sniff(data) != "pnm":
        return
    decoder = PnmDecoder(io.BytesIO(data), "input", _SMALL)
    header, raw = decoder.header, decoder.decode()
    assert raw.samples.shape == (header.height, header.width, header.channels)


def _rle(nibbles: bool) -> Callable[[bytes], None]:
    def read(data: bytes) -> None:
        rows = decode_rle(data, 40, 30, nibbles=nibbles)
        assert rows.shape == (30, 40)
        assert not nibbles or rows.max() < 16

    return read


_READERS: tuple[Callable[[bytes], None], ...] = (
    _gif,
    _jpeg,
    _webp,
    _tiff,
    _heif,
    _pnm,
    _rle(nibbles=False),
    _rle(nibbles=True),
)
