"""Metadata of PNGs is read wherever programs put it, applied, and kept or mapped."""

import struct
import zlib
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from tests.imaging.make import exif_block, iptc_dataset, photoshop, png, png_chunk, xmp_packet
from wildsr import imaging
from wildsr.imaging import Metadata, Picture
from wildsr.imaging.metadata import TextItem

PIXELS = np.random.default_rng(6).integers(0, 256, (24, 32, 3), dtype=np.uint8)
EXIF = exif_block(6, prefix=False, gps=False)
XMP = xmp_packet("", ' dc:source="a source"', dc="http://purl.org/dc/elements/1.1/")
IPTC = iptc_dataset(2, 80, b"Ann") + iptc_dataset(2, 120, b"a caption")
APP1_XMP = b"http://ns.adobe.com/xap/1.0/\0"


def raw_profile(name: str, block: bytes, *, upper: bool = False) -> bytes:
    digits = block.hex().upper() if upper else block.hex()
    lines = "\n".join(digits[i : i + 72] for i in range(0, len(digits), 72))
    return f"\n{name}\n{len(block):8d}\n{lines}\n".encode("ascii")


def packed(key: str, content: bytes) -> tuple[bytes, bytes]:
    return b"zTXt", key.encode("latin-1") + b"\0\0" + zlib.compress(content)


def plain(key: str, content: bytes) -> tuple[bytes, bytes]:
    return b"tEXt", key.encode("latin-1") + b"\0" + content


def international(key: str, content: bytes, *, compress: bool = False) -> tuple[bytes, bytes]:
    body = zlib.compress(content) if compress else content
    return b"iTXt", key.encode("latin-1") + bytes([0, compress, 0]) + b"en\0Titel\0" + body


def behind(file: bytes, *chunks: tuple[bytes, bytes]) -> bytes:
    """Return a PNG with chunks between its pixels and its end."""
    return file[:-12] + b"".join(png_chunk(*one) for one in chunks) + file[-12:]


def prefixed(block: bytes) -> bytes:
    return b"Exif\0\0" + block


PLACES = {
    "eXIf": png(PIXELS, 2, chunks=[(b"eXIf", EXIF)]),
    "eXIf with prefix": png(PIXELS, 2, chunks=[(b"eXIf", prefixed(EXIF))]),
    "eXIf behind": behind(png(PIXELS, 2), (b"eXIf", EXIF)),
    "eXIf with prefix behind": behind(png(PIXELS, 2), (b"eXIf", prefixed(EXIF))),
    "raw exif": png(PIXELS, 2, chunks=[packed("Raw profile type exif", raw_profile("exif", prefixed(EXIF)))]),
    "raw exif bare": png(PIXELS, 2, chunks=[packed("Raw profile type exif", raw_profile("exif", EXIF))]),
    "raw exif plain": png(PIXELS, 2, chunks=[plain("Raw profile type exif", raw_profile("exif", EXIF))]),
    "raw APP1": png(PIXELS, 2, chunks=[packed("Raw profile type APP1", raw_profile("app1", prefixed(EXIF)))]),
    "raw APP1 capitals": png(
        PIXELS, 2, chunks=[packed("Raw Profile Type APP1", raw_profile("APP1", prefixed(EXIF), upper=True))]
    ),
    "raw APP1 behind": behind(
        png(PIXELS, 2), packed("Raw profile type APP1", raw_profile("generic", prefixed(EXIF)))
    ),
    "raw exif international": png(
        PIXELS, 2, chunks=[international("Raw profile type exif", raw_profile("exif", EXIF), compress=True)]
    ),
}


@pytest.mark.parametrize("name", PLACES)
def test_exif_is_found_and_its_orientation_applied(name: str, tmp_path: Path) -> None:
    (tmp_path / "a.png").write_bytes(PLACES[name])
    header = imaging.probe(tmp_path / "a.png")
    assert (header.width, header.height, header.orientation) == (24, 32, 6)
    picture = imaging.read(tmp_path / "a.png")
    assert picture.notes == ()
    np.testing.assert_array_equal(np.rint(picture.rgb * 255), PIXELS[::-1].swapaxes(0, 1))
    imaging.write(picture, tmp_path / "b.png")
    with Image.open(tmp_path / "b.png") as image:
        tags = image.getexif()
        assert (tags[0x010F], tags[0x0112]) == ("Acme Optical", 1)
        assert not any("Raw profile" in key for key in image.info)
    assert imaging.probe(tmp_path / "b.png").orientation == 1


XMP_PLACES = {
    "iTXt": [international("XML:com.adobe.xmp", XMP)],
    "iTXt packed": [international("XML:com.adobe.xmp", XMP, compress=True)],
    "raw xmp": [packed("Raw profile type xmp", raw_profile("xmp", XMP))],
    "raw APP1": [packed("Raw profile type APP1", raw_profile("app1", APP1_XMP + XMP))],
}


@pytest.mark.parametrize("where", ["before", "behind"])
@pytest.mark.parametrize("name", XMP_PLACES)
def test_xmp_is_found_and_kept(name: str, where: str, tmp_path: Path) -> None:
    chunks = XMP_PLACES[name]
    file = png(PIXELS, 2, chunks=chunks) if where == "before" else behind(png(PIXELS, 2), *chunks)
    (tmp_path / "a.png").write_bytes(file)
    for ending in ("png", "jpg", "webp", "tif", "avif"):
        imaging.write(imaging.read(tmp_path / "a.png"), tmp_path / f"b.{ending}")
        assert imaging.read(tmp_path / f"b.{ending}").metadata.xmp == XMP


@pytest.mark.parametrize("name", ["iptc", "8bim", "APP13"])
@pytest.mark.parametrize("wrapped", [False, True])
def test_iptc_is_found_and_kept(name: str, wrapped: bool, tmp_path: Path) -> None:
    block = photoshop(IPTC) if wrapped else IPTC
    for form in (block, block.removeprefix(b"Photoshop 3.0\0")):
        chunk = packed(f"Raw profile type {name}", raw_profile(name, form))
        (tmp_path / "a.png").write_bytes(png(PIXELS, 2, chunks=[chunk]))
        assert imaging.read(tmp_path / "a.png").metadata.iptc == IPTC


TEXTS = (
    TextItem(key="Title", text="A title"),
    TextItem(key="Author", text="Ann Žofie 漢"),
    TextItem(key="Description", text="a cat\nand a dog"),
    TextItem(key="Copyright", text="© Ann"),
    TextItem(key="Creation Time", text="4 Mar 2021 05:06:07 GMT"),
    TextItem(key="Software", text="a painter 1.0"),
    TextItem(key="Source", text="a camera"),
    TextItem(key="parameters", text="a prompt\nSteps: 20, Seed: 1" + ", more" * 2000),
)


def test_text_of_every_chunk_is_kept_in_png(tmp_path: Path) -> None:
    chunks = [
        plain("Title", b"A title"),
        international("Author", "Ann Žofie 漢".encode()),
        packed("Description", b"a cat\nand a dog"),
        plain("Copyright", "© Ann".encode("latin-1")),
        plain("Creation Time", b"4 Mar 2021 05:06:07 GMT"),
        international("Software", b"a painter 1.0", compress=True),
    ]
    late = [plain("Source", b"a camera"), packed("parameters", TEXTS[-1].text.encode())]
    (tmp_path / "a.png").write_bytes(behind(png(PIXELS, 2, chunks=chunks), *late))
    picture = imaging.read(tmp_path / "a.png")
    assert picture.metadata.text == TEXTS
    report = imaging.write(picture, tmp_path / "b.png")
    assert report.dropped == ()
    assert imaging.read(tmp_path / "b.png").metadata.text == TEXTS
    with Image.open(tmp_path / "b.png") as image:
        image.load()
        assert {item.key: item.text for item in TEXTS}.items() <= dict(image.info).items()


@pytest.mark.parametrize("ending", ["jpg", "webp", "tif", "avif"])
def test_text_goes_into_tags_or_is_named(ending: str, tmp_path: Path) -> None:
    made = Picture(rgb=PIXELS.astype(np.float32) / np.float32(255), metadata=Metadata(text=TEXTS))
    report = imaging.write(made, tmp_path / f"a.{ending}")
    assert report.dropped == ("text 'Creation Time'", "text 'Software'", "text 'Source'")
    with Image.open(tmp_path / f"a.{ending}") as image:
        tags = image.getexif()
        comment = tags.get_ifd(0x8769)[0x9286]
    assert tags[0x010E] == "a cat\nand a dog"
    author, rights = (tags[tag].encode("latin-1").decode("utf-8") for tag in (0x013B, 0x8298))
    assert (author, rights) == ("Ann Žofie 漢", "© Ann")
    title = tags[0x9C9B]
    assert bytes(title).decode("utf-16-le").rstrip("\0") == "A title"
    assert comment == b"ASCII\0\0\0" + TEXTS[-1].text.encode()


def test_a_comment_beyond_ascii_is_unicode_in_the_blocks_order(tmp_path: Path) -> None:
    for order in "<>":
        block = exif_block(order=order, prefix=False)
        text = (TextItem(key="Comment", text="Žofie"),)
        made = Picture(rgb=np.zeros((8, 8, 3), np.float32), metadata=Metadata(exif=block, text=text))
        imaging.write(made, tmp_path / "a.webp")
        with Image.open(tmp_path / "a.webp") as image:
            exif = image.getexif().get_ifd(0x8769)
        codec = "utf-16-le" if order == "<" else "utf-16-be"
        assert exif[0x9286] == b"UNICODE\0" + "Žofie".encode(codec)
        assert exif[0x927C] == b"ACME\0\x01\x02\x03" * 9


def test_tags_that_are_there_are_not_replaced_by_text(tmp_path: Path) -> None:
    block = exif_block(prefix=False)
    text = (TextItem(key="Copyright", text="(c) another"), TextItem(key="Title", text="new"))
    made = Picture(rgb=np.zeros((8, 8, 3), np.float32), metadata=Metadata(exif=block, text=text))
    report = imaging.write(made, tmp_path / "a.jpg")
    assert report.dropped == ("text 'Copyright'",)
    with Image.open(tmp_path / "a.jpg") as image:
        assert image.getexif()[0x8298] == "(c) somebody"


def test_a_jpegs_comment_stays_one_and_becomes_text_in_png(tmp_path: Path) -> None:
    text = (TextItem(key="Comment", text="drawn by hand"),)
    made = Picture(rgb=np.zeros((8, 8, 3), np.float32), metadata=Metadata(text=text))
    imaging.write(made, tmp_path / "a.jpg")
    with Image.open(tmp_path / "a.jpg") as image:
        assert image.info["comment"] == b"drawn by hand"
    again = imaging.read(tmp_path / "a.jpg")
    assert again.metadata.text == text
    imaging.write(again, tmp_path / "b.png")
    assert b"tEXtComment\0drawn by hand" in (tmp_path / "b.png").read_bytes()


DAMAGED = {
    "no keyword": (b"tEXt", b"\0text"),
    "long keyword": (b"tEXt", b"k" * 80 + b"\0text"),
    "no zlib": (b"zTXt", b"Title\0\0nothing packed"),
    "cut zlib": (b"zTXt", b"Title\0\0" + zlib.compress(bytes(1000))[:8]),
    "odd digits": (b"tEXt", b"Raw profile type exif\0\nexif\n 4\nabc\n"),
    "wrong length": (b"tEXt", b"Raw profile type exif\0\nexif\n 9\n00000000\n"),
    "no digits": (b"tEXt", b"Raw profile type APP1\0\nexif\n"),
}


@pytest.mark.parametrize("name", DAMAGED)
def test_damaged_text_is_left_out_and_said(name: str, tmp_path: Path) -> None:
    (tmp_path / "a.png").write_bytes(png(PIXELS, 2, chunks=[DAMAGED[name], plain("Author", b"Ann")]))
    picture = imaging.read(tmp_path / "a.png")
    assert len(picture.notes) == 1
    assert "left out" in picture.notes[0]
    assert picture.metadata.text == (TextItem(key="Author", text="Ann"),)


def test_the_first_of_two_blocks_counts_and_exif_before_a_raw_profile(tmp_path: Path) -> None:
    other = exif_block(3, prefix=False, gps=False)
    chunks = [
        packed("Raw profile type exif", raw_profile("exif", other)),
        (b"eXIf", EXIF),
        (b"eXIf", other),
    ]
    (tmp_path / "a.png").write_bytes(png(PIXELS, 2, chunks=chunks))
    assert imaging.probe(tmp_path / "a.png").orientation == 6


def test_a_chunk_that_claims_more_than_the_file_has(tmp_path: Path) -> None:
    file = png(PIXELS, 2)
    (tmp_path / "a.png").write_bytes(file[:-12] + struct.pack(">I", 1 << 30) + b"tEXtTitle\0")
    assert imaging.read(tmp_path / "a.png").rgb.shape == (24, 32, 3)
