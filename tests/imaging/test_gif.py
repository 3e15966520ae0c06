"""A GIF's first picture is whole or refused; memory follows its data, not its header."""

import io
import random
import struct
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from tests.imaging.nasty import photo
from wildsr import imaging
from wildsr.errors import InputError, LimitError
from wildsr.imaging.containers.gif import GifError, read_gif
from wildsr.imaging.decoders import gif as gif_decoder


def packed(codes: list[tuple[int, int]]) -> bytes:
    """Return LZW codes, each (value, bits), as sub-blocks."""
    number = at = 0
    for value, bits in codes:
        number |= value << at
        at += bits
    data = number.to_bytes(-(-at // 8), "little")
    pieces = [data[i : i + 255] for i in range(0, len(data), 255)]
    return b"".join(bytes([len(piece)]) + piece for piece in pieces) + b"\0"


def gif(
    data: bytes, size: tuple[int, int], *, canvas: tuple[int, int] | None = None, minimum: int = 2
) -> bytes:
    """Return a GIF of four colours with one picture of `data`."""
    screen = b"GIF89a" + struct.pack("<HHBBB", *(canvas or size), 0x81, 0, 0)
    table = bytes([0, 0, 0, 255, 0, 0, 0, 255, 0, 0, 0, 255])
    image = b"\x2c" + struct.pack("<HHHHB", 0, 0, *size, 0) + bytes([minimum])
    return screen + table + image + data + b";"


LITERALS = packed([(4, 3), (1, 3), (6, 3), (6, 3), (2, 4), (5, 4)])
"""Clear, 1, 11 (the string being made), 11 again, 2 and end (four bits now): six pixels."""


def photo_gif(**options: object) -> bytes:
    out = io.BytesIO()
    Image.fromarray(photo()).save(out, "GIF", **options)  # type: ignore[arg-type]
    return out.getvalue()


def test_pixels_are_counted_by_the_codes() -> None:
    found = read_gif(io.BytesIO(gif(LITERALS, (3, 2))))
    assert (found.canvas, found.size, found.pixels, found.frames, found.whole) == ((3, 2), (3, 2), 6, 1, True)
    assert read_gif(io.BytesIO(gif(LITERALS, (4, 2)))).pixels == 6
    assert read_gif(io.BytesIO(gif(LITERALS, (2, 2)))).pixels == 4


@pytest.mark.parametrize("colours", [2, 3, 4, 5, 16, 17, 100, 256])
@pytest.mark.parametrize("noise", [False, True])
def test_counts_of_files_as_encoders_write_them(colours: int, noise: bool, tmp_path: Path) -> None:
    """Every code size, full tables, clear codes: all pixels are found, and one byte less is not enough."""
    shape = (200, 300)
    flat = np.zeros(shape, np.uint8)
    indices = np.random.default_rng(colours).integers(0, colours, shape, dtype=np.uint8) if noise else flat
    image = Image.fromarray(indices).convert("P")
    image.putpalette([value for i in range(colours) for value in (i, 255 - i, i // 2)])
    image.save(tmp_path / "a.gif")
    data = (tmp_path / "a.gif").read_bytes()
    found = read_gif(io.BytesIO(data))
    assert found.pixels == 60_000
    assert found.stop == len(data) - 1
    source = imaging.open_source(tmp_path / "a.gif")
    assert np.array_equal(source.samples[..., 0], indices)


def test_a_picture_cut_short_in_its_codes_is_refused(tmp_path: Path) -> None:
    """All blocks and the trailer are there: libvips' library fills what is missing and says nothing."""
    for codes, there in (
        ([(4, 3), (1, 3), (5, 3)], 1),
        ([(4, 3), (5, 3)], 0),
        ([(4, 3), (1, 3), (7, 3), (1, 3)], 1),
    ):
        (tmp_path / "half.gif").write_bytes(gif(packed(codes), (3, 2)))
        with pytest.raises(InputError, match=rf"half\.gif is damaged: {there} of 6 pixels"):
            imaging.open_source(tmp_path / "half.gif")
    (tmp_path / "half.gif").write_bytes(gif(b"\0", (3, 2)))
    with pytest.raises(InputError, match="0 of 6 pixels"):
        imaging.open_source(tmp_path / "half.gif")


def test_a_screen_without_a_picture_is_refused(tmp_path: Path) -> None:
    (tmp_path / "none.gif").write_bytes(b"GIF89a" + struct.pack("<HHBBB", 100, 100, 0, 0, 0) + b";")
    with pytest.raises(InputError, match=r"none\.gif can't be read as GIF: it holds no picture"):
        imaging.open_source(tmp_path / "none.gif")


def test_headers_alone_make_nothing(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Refused before libvips is asked: 35 bytes stated 256 MP and took 1.7 GB."""

    def asked(*_: object) -> None:
        raise AssertionError("libvips was asked")

    monkeypatch.setattr(gif_decoder, "VipsDecoder", asked)
    claim = tmp_path / "claim.gif"
    claim.write_bytes(gif(LITERALS, (16_000, 16_000)))
    with pytest.raises(InputError, match="6 of 256,000,000 pixels"):
        imaging.open_source(claim)
    claim.write_bytes(gif(LITERALS, (3, 2), canvas=(16_000, 16_000)))
    with pytest.raises(LimitError, match="claims a screen of 16000 × 16000 pixels for a picture of 3 × 2"):
        imaging.open_source(claim)
    claim.write_bytes(gif(LITERALS, (60_000, 60_000), canvas=(3, 2)))
    with pytest.raises(LimitError, match="60000 × 60000"):
        imaging.open_source(claim)


def test_only_the_first_picture_is_handed_over(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    seen: list[int] = []
    inner = gif_decoder.VipsDecoder

    def watched(file: io.BytesIO, *rest: object) -> object:
        seen.append(len(file.getvalue()))
        return inner(file, *rest)  # type: ignore[arg-type]

    monkeypatch.setattr(gif_decoder, "VipsDecoder", watched)
    frames = [Image.fromarray(photo()[::step].copy()) for step in (-1, 1, -1)]
    data = photo_gif(save_all=True, append_images=frames)
    path = tmp_path / "anim.gif"
    path.write_bytes(data)
    source = imaging.open_source(path)
    assert seen[0] < len(data) / 3
    assert source.notes == ("only the first of 4 frames was read",)
    path.write_bytes(photo_gif())
    assert np.array_equal(imaging.open_source(path).samples, source.samples)
    path.write_bytes(data[:-300])
    assert imaging.open_source(path).notes[-1] == "the file ends in the middle of a later frame"
    assert imaging.probe(path).frames == 4


def test_junk_behind_the_codes_is_not_held(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(gif_decoder, "_BASE_BYTES", 10_000)
    junk = (bytes([255]) * 256) * 40
    (tmp_path / "junk.gif").write_bytes(gif(LITERALS[:-1] + junk + b"\0", (3, 2)))
    with pytest.raises(LimitError, match=r"junk\.gif has 10,2\d\d bytes for a picture of 3 × 2"):
        imaging.open_source(tmp_path / "junk.gif")


def test_every_cut_is_an_error() -> None:
    data = photo_gif()
    for length in random.Random(2).sample(range(len(data) - 1), 60):
        with pytest.raises(GifError):
            read_gif(io.BytesIO(data[:length]))
