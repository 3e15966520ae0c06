"""Bitmaps: run lengths decoded here, headers that claim more than there is refused."""

import struct
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from tests.imaging.nasty import photo
from tests.imaging.test_limits import peak
from wildsr import imaging
from wildsr.errors import InputError, LimitError
from wildsr.imaging.decoders.bmp_rle import RleError, decode_rle


def bmp(data: bytes, width: int, height: int, *, bits: int = 8, colours: int = 256) -> bytes:
    """Return a run-length encoded bitmap whose colour i is (i, 255 − i, i // 2)."""
    palette = b"".join(bytes([i // 2, 255 - i, i, 0]) for i in range(colours))
    offset, kind = 54 + len(palette), 1 if bits == 8 else 2
    info = struct.pack("<IiiHHIIiiII", 40, width, height, 1, bits, kind, len(data), 0, 0, colours, 0)
    return b"BM" + struct.pack("<IHHI", offset + len(data), 0, 0, offset) + info + palette + data


RUNS = bytes([2, 7, 2, 9, 0, 0, 0, 4, 1, 2, 3, 4, 0, 1])
"""Bottom row 7 7 9 9; above it 1 2 3 4, written out; the end."""


@pytest.mark.parametrize(
    ("data", "nibbles", "rows"),
    [
        (RUNS, False, [[1, 2, 3, 4], [7, 7, 9, 9]]),
        (bytes([4, 0x12, 0, 0, 0, 3, 0x56, 0x70, 0, 1]), True, [[5, 6, 7, 0], [1, 2, 1, 2]]),
        (bytes([0, 2, 1, 1, 2, 5, 0, 1]), False, [[0, 5, 5, 0], [0, 0, 0, 0]]),
        (bytes([4, 1, 4, 9, 0, 0, 9, 2, 0, 0, 0, 1]), False, [[2, 2, 2, 2], [1, 1, 1, 1]]),
        (bytes([4, 1, 0, 0, 4, 2, 0, 0, 0, 1]), False, [[2, 2, 2, 2], [1, 1, 1, 1]]),
        (bytes([0, 3, 1, 2, 3, 0, 1, 4, 0, 0, 4, 2, 0, 1]), False, [[2, 2, 2, 2], [1, 2, 3, 4]]),
    ],
    ids=["bytes", "nibbles", "delta", "beyond-the-row", "end-of-line-at-the-end", "padded"],
)
def test_codes(data: bytes, nibbles: bool, rows: list[list[int]]) -> None:
    assert decode_rle(data, 4, 2, nibbles=nibbles).tolist() == rows


@pytest.mark.parametrize("length", range(len(RUNS) - 1))
def test_every_cut_is_an_error(length: int) -> None:
    with pytest.raises(RleError):
        decode_rle(RUNS[:length], 4, 2, nibbles=False)


@pytest.mark.parametrize(
    "data", [bytes([0, 1]), bytes([4, 1, 0, 0, 0, 0, 4, 1, 0, 1]), bytes([0, 2, 0, 9, 1, 1])]
)
def test_data_that_end_early_or_leave_the_picture(data: bytes) -> None:
    with pytest.raises(RleError):
        decode_rle(data, 4, 2, nibbles=False)


def test_pixels_and_palette(tmp_path: Path) -> None:
    """And Pillow's decoder, which takes a step of Python for each pixel, is not asked."""
    (tmp_path / "a.bmp").write_bytes(bmp(RUNS, 4, 2))
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("PIL.BmpImagePlugin.BmpRleDecoder.decode", None)
        source = imaging.open_source(tmp_path / "a.bmp")
    assert source.samples[1].tolist() == [[7, 248, 3]] * 2 + [[9, 246, 4]] * 2
    assert source.samples[0, 3].tolist() == [4, 251, 2]
    with Image.open(tmp_path / "a.bmp") as image:
        assert np.array_equal(np.asarray(image.convert("RGB")), source.samples)
    (tmp_path / "a.bmp").write_bytes(bmp(RUNS[:-4], 4, 2))
    with pytest.raises(InputError, match=r"a\.bmp is damaged"):
        imaging.open_source(tmp_path / "a.bmp")


@pytest.mark.parametrize("mode", ["1", "L", "P", "RGB", "RGBA"])
def test_bands_are_the_picture(mode: str, tmp_path: Path) -> None:
    image = Image.fromarray(photo(37, 700)).convert(mode)
    image.save(tmp_path / "a.bmp")
    with Image.open(tmp_path / "a.bmp") as again:
        wanted = np.asarray(again.convert("L" if mode in "1L" else "RGB"))
    found = imaging.open_source(tmp_path / "a.bmp").samples
    assert np.array_equal(found[..., :3].squeeze(), wanted)


def test_run_lengths_beyond_what_encoders_write_are_refused(tmp_path: Path) -> None:
    path = tmp_path / "claim.bmp"
    path.write_bytes(bmp(b"\0\0" * 16_000 + b"\0\1", 16_000, 16_000))
    with pytest.raises(LimitError, match=r"claim\.bmp says it is 16000 × 16000 pixels, in 32,002 bytes"):
        imaging.probe(path)
    path.write_bytes(bmp(b"\0\0" * 4000 + b"\0\1", 4000, 4000))
    assert imaging.open_source(path).samples.shape == (4000, 4000, 3)


def test_memory_of_claims_and_of_pixels(tmp_path: Path) -> None:
    """A header of 256 MP took 2.7 GB; 9 MP in run lengths take their samples and indices."""
    warm, claim, runs = tmp_path / "warm.bmp", tmp_path / "claim.bmp", tmp_path / "runs.bmp"
    warm.write_bytes(bmp(RUNS, 4, 2))
    claim.write_bytes(bmp(b"\1\1", 16_000, 16_000)[:54] + bytes(1100))
    said, megabytes = peak(claim, warm)
    assert said.startswith("LimitError")
    assert megabytes < 10
    plain = bytearray(bmp(b"\1\1", 16_000, 16_000))
    plain[30:34] = bytes(4)  # not compressed
    claim.write_bytes(plain)
    said, megabytes = peak(claim, warm)
    assert said.startswith("InputError claim.bmp is damaged: 2 of 256,000,000 bytes")
    assert megabytes < 10
    runs.write_bytes(bmp((b"\xfa\7" * 12 + b"\0\0") * 3000 + b"\0\1", 3000, 3000))
    said, megabytes = peak(runs, warm)
    assert said == "read"
    assert megabytes < 5 * 9
