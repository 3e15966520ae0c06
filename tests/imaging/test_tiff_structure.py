"""What a TIFF's directory says is checked before a library sees it; which of its pictures is read."""

import io
import struct
from pathlib import Path

import numpy as np
import pytest

from tests.imaging.make import tiff
from tests.imaging.nasty import photo
from wildsr import imaging
from wildsr.errors import InputError, LimitError
from wildsr.imaging.containers.tiff import file_reader
from wildsr.imaging.containers.tiff_structure import MOST_PAGES, read_structure
from wildsr.imaging.decoders import tiff as tiff_decoder


def read(data: bytes, folder: Path) -> imaging.Source:
    (folder / "a.tif").write_bytes(data)
    return imaging.open_source(folder / "a.tif")


def joined(first: bytes, second: bytes) -> bytes:
    """Return a TIFF whose second page is the other file's picture (little-endian, made by `make.tiff`)."""
    out, moved = bytearray(first), bytearray(second)
    base = len(out)
    assert base % 2 == 0
    table = struct.unpack_from("<I", moved, 4)[0]
    for i in range(struct.unpack_from("<H", moved, table)[0]):
        at = table + 2 + 12 * i
        tag, kind, count, value = struct.unpack_from("<HHII", moved, at)
        size = {1: 1, 2: 1, 3: 2, 4: 4, 5: 8, 7: 1}[kind] * count
        if size > 4 or tag == 273:
            struct.pack_into("<I", moved, at + 8, value + base)
    pointer = struct.unpack_from("<I", out, 4)[0]
    pointer += 2 + 12 * struct.unpack_from("<H", out, pointer)[0]
    struct.pack_into("<I", out, pointer, base + table)
    return bytes(out + moved)


THUMBNAIL = tiff(photo(16, 12), 2, tags={254: (4, (1,))})
WHOLE = tiff(photo(), 2, tags={254: (4, (0,))})


@pytest.mark.parametrize("order", ["<", ">"])
def test_the_first_picture_that_is_no_thumbnail_is_read(order: str, tmp_path: Path) -> None:
    source = read(joined(THUMBNAIL, WHOLE), tmp_path)
    assert np.array_equal(source.samples, photo())
    assert source.notes == ("page 2 of 2 was read, the first that is no thumbnail",)
    assert imaging.probe(tmp_path / "a.tif").width == 96
    plain = read(tiff(photo(), 2, order=order), tmp_path)
    assert (plain.notes, plain.width) == ((), 96)


def test_its_own_metadata_come_with_it(tmp_path: Path) -> None:
    first = tiff(photo(16, 12), 2, tags={254: (4, (1,))}, blobs={700: b"<x:xmpmeta>thumbnail</x:xmpmeta>"})
    second = tiff(photo(), 2, tags={282: (5, (300, 1)), 283: (5, (300, 1)), 296: (3, (2,))}, orientation=3)
    source = read(joined(first, second), tmp_path)
    assert np.array_equal(source.samples, photo()[::-1, ::-1])
    assert source.metadata.resolution is not None
    assert source.metadata.resolution.x == 300
    assert b"thumbnail" not in (source.metadata.xmp or b"")


@pytest.mark.parametrize(
    "data",
    [
        THUMBNAIL,
        joined(THUMBNAIL, THUMBNAIL),
        joined(THUMBNAIL, tiff(photo(channels=1), 32803)),
        joined(tiff(photo(16, 12), 2, tags={254: (4, (1,)), 330: (4, (8,))}), WHOLE),
        tiff(photo(), 2, tags={50706: (1, (1, 4, 0, 0))}),
    ],
    ids=["thumbnail", "two", "sensor", "below", "dng"],
)
def test_raw_files_are_called_that(data: bytes, tmp_path: Path) -> None:
    with pytest.raises(InputError, match=r"a\.tif is a camera's raw file"):
        read(data, tmp_path)


@pytest.mark.parametrize("kind", [0, None])
def test_a_channel_of_unsaid_meaning_makes_no_photo_invisible(kind: int | None, tmp_path: Path) -> None:
    for channels, model in ((4, 2), (2, 1)):
        samples = photo(channels=channels)
        samples[..., -1] = 0
        source = read(tiff(samples, model, extra=() if kind is None else (kind,)), tmp_path)
        assert not source.has_alpha
        assert np.array_equal(source.samples, samples[..., :-1])
        assert source.notes == ("a channel that is not said to be transparency was left out",)
        assert not imaging.probe(tmp_path / "a.tif").alpha
    said = read(tiff(photo(channels=4), 2, extra=(2,)), tmp_path)
    assert said.has_alpha
    assert said.notes == ()


def test_samples_and_tiles_are_counted_before_a_library_is_asked(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def asked(*_: object) -> None:
        raise AssertionError("libvips was asked")

    monkeypatch.setattr(tiff_decoder, "OpenedFile", asked)
    row = np.zeros((1, 1, 1), np.uint8)
    shared = {256: (4, (2000,)), 257: (4, (2000,)), 277: (3, (4000,))}
    with pytest.raises(LimitError, match="4,000 samples a pixel, 16,000 MB"):
        read(tiff(row, 1, tags=shared), tmp_path)
    with pytest.raises(LimitError, match="20 samples a pixel, 5,120 MB"):
        read(tiff(row, 1, tags={256: (4, (16_000,)), 257: (4, (16_000,)), 277: (3, (20,))}), tmp_path)
    with pytest.raises(LimitError, match="tiles are 60000 × 60000"):
        read(tiff(row, 1, tags={322: (4, (60_000,)), 323: (4, (60_000,))}), tmp_path)


def test_directories_are_counted_and_not_handed_over(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A million of them took 50 s: the library walked through them to count them."""
    first = bytearray(tiff(photo(16, 12), 2))
    table = struct.unpack_from("<I", first, 4)[0]
    pointer = table + 2 + 12 * struct.unpack_from("<H", first, table)[0]
    start = len(first)
    for i in range(3000):
        struct.pack_into("<I", first, pointer, start + 6 * i)
        pointer = start + 6 * i + 2
        first += bytes(6)
    reads: list[int] = []

    class Counting(io.BytesIO):
        def read(self, size: int | None = -1, /) -> bytes:
            reads.append(self.tell())
            return super().read(size)

    structure = read_structure(file_reader(Counting(bytes(first))))
    assert structure.pages == MOST_PAGES
    assert len(reads) < 2 * MOST_PAGES + 100
    seen: list[bytes] = []
    inner = tiff_decoder.OpenedFile

    def watched(file: io.BytesIO, *rest: object) -> object:
        file.seek(0)
        seen.append(file.read())
        return inner(file, *rest)  # type: ignore[arg-type]

    monkeypatch.setattr(tiff_decoder, "OpenedFile", watched)
    source = read(bytes(first), tmp_path)
    assert source.notes == ("only the first of 1,000 or more pages was read",)
    assert read_structure(file_reader(io.BytesIO(seen[0]))).pages == 1


TILED_PLANES = {284: (3, (2,)), 322: (4, (16,)), 323: (4, (16,)), 324: (4, (8, 8, 8)), 325: (4, (256,) * 3)}


@pytest.mark.parametrize(
    ("data", "said"),
    [
        (tiff(np.zeros((4, 4, 1), np.uint8), 1, bits=12, packed=bytes(24)), "has 12 bits a sample"),
        (tiff(np.zeros((4, 4, 3), np.uint8), 2, bits=10, packed=bytes(60)), "has 10 bits a sample"),
        (tiff(photo(), 2, tags={259: (3, (50000,))}), "compressed by Zstandard"),
        (tiff(photo(), 2, tags={259: (3, (34925,))}), "compressed by LZMA"),
        (tiff(photo(), 2, tags={259: (3, (50002,))}), "compressed by JPEG XL"),
        (tiff(photo().astype(np.float64) / 255, 2, sample_format=3), "has 64 bits a sample"),
        (tiff(photo(), 2, tags=TILED_PLANES), "a kind of TIFF that is not read: tiled separate planes"),
        (tiff(photo().astype(np.int16), 2, sample_format=2), "has short samples"),
        (tiff(photo().astype(np.float32), 8, sample_format=3), "has Lab in float samples"),
        (tiff(photo().astype(np.float32) / 255, 8, sample_format=3), "has Lab in float samples"),
        (tiff(photo().astype(np.int16), 8, sample_format=2), "has Lab in short samples"),
        (tiff(photo().astype(np.uint32), 8), "has 32-bit Lab"),
        (tiff(np.full((4, 4, 3), np.inf, np.float32), 2, sample_format=3), "samples that are not finite"),
    ],
)
def test_kinds_that_are_not_read_are_called_that_with_the_way_out(
    data: bytes, said: str, tmp_path: Path
) -> None:
    with pytest.raises(InputError, match=said) as raised:
        read(data, tmp_path)
    assert "damaged" not in str(raised.value)
    assert "save it" in str(raised.value.hint)
    assert "copy or download" not in str(raised.value.hint)
