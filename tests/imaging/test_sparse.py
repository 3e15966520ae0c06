"""Files of 2 GB that are nearly all holes: what is read of them follows the picture, not the file."""

import base64
import io
import os
import struct
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from tests.imaging.nasty import FORMS, encoded, form_bytes, photo
from tests.imaging.test_heic import SAMPLES
from wildsr import imaging
from wildsr.errors import InputError, LimitError
from wildsr.imaging import decoders
from wildsr.imaging.containers.webp_extent import read_extent

_LENGTH = (1 << 31) - 1
_MOST = 2 << 20


class Counting(io.FileIO):
    """Counts the bytes read of a file."""

    total = 0

    def read(self, size: int | None = -1, /) -> bytes:
        data = super().read(size)
        type(self).total += len(data or b"")
        assert type(self).total < 4 * _MOST, "far more is read than the picture has"
        return data or b""


@pytest.fixture(autouse=True)
def _counted(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(Counting, "total", 0)
    inner = decoders.open_file

    def counted(path: Path, limits: imaging.Limits) -> Counting:
        with inner(path, limits) as file:
            return Counting(os.dup(file.fileno()), "rb")

    monkeypatch.setattr(decoders, "open_file", counted)


FILES = {**{form.lower(): form_bytes(form) for form in FORMS}, "ppm": form_bytes("PPM")}
FILES["heic"] = base64.b64decode(SAMPLES["rgb"])
FILES["webp_lossy"] = encoded("WEBP", quality=80)
FILES["webp_canvas"] = encoded("WEBP", exif=b"Exif\0\0II*\0\x08\0\0\0\0\0\0\0\0\0")
FILES["plain_pgm"] = b"P2 3 1 255 1 2 3\n"


@pytest.mark.parametrize("kind", FILES)
def test_holes_behind_the_picture(kind: str, tmp_path: Path) -> None:
    if kind == "heic":
        pytest.importorskip("pi_heif")
    path = tmp_path / f"large.{kind}"
    path.write_bytes(FILES[kind])
    whole = imaging.open_source(path)
    os.truncate(path, _LENGTH)
    Counting.total = 0
    try:
        source = imaging.open_source(path)
    except InputError as error:
        assert "damaged" in str(error)  # noqa: PT017  zeros are no plain PNM
        assert kind == "plain_pgm"
    else:
        assert np.array_equal(source.samples, whole.samples)
    assert Counting.total < _MOST


@pytest.mark.parametrize("kind", ["png", "gif", "avif", "tiff"])
def test_holes_inside_the_picture(kind: str, tmp_path: Path) -> None:
    """A JPEG's are read to their end, in pieces: they might be its data. Zeros of WebP and BMP are pixels."""
    data = FILES[kind]
    path = tmp_path / f"hole.{kind}"
    path.write_bytes(data[: len(data) // 2])
    with path.open("r+b") as file:
        file.seek(_LENGTH - len(data) // 2)
        file.write(data[len(data) // 2 :])
    with pytest.raises(InputError):
        imaging.open_source(path)
    assert Counting.total < _MOST


def test_a_webp_that_states_far_more_bytes_than_its_picture_needs(tmp_path: Path) -> None:
    data = bytearray(FILES["webp"])
    struct.pack_into("<I", data, 4, _LENGTH - 8)
    struct.pack_into("<I", data, 16, _LENGTH - 20)
    path = tmp_path / "claim.webp"
    path.write_bytes(data)
    os.truncate(path, _LENGTH)
    with pytest.raises(LimitError, match=r"claim\.webp has 2,147,483,647 bytes for a picture of 96 × 64"):
        imaging.open_source(path)


@pytest.mark.parametrize("options", [{"lossless": True}, {"quality": 80}, {"exif": b"Exif\0\0"}], ids=str)
@pytest.mark.parametrize("size", [(1, 1), (17, 300), (1000, 3)])
def test_the_size_of_a_webp(options: dict[str, object], size: tuple[int, int]) -> None:
    data = encoded("WEBP", Image.fromarray(photo(*size)), **options)
    found = read_extent(io.BytesIO(data + b"junk"))
    assert (found.width, found.height, found.stop) == (*size, len(data))
