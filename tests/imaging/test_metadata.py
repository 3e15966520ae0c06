"""EXIF, XMP and IPTC: kept byte for byte where true, corrected where upscaling made them false, stripped on request."""

import io
import struct
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from PIL import Image

from tests.imaging.make import exif_block
from wildsr import imaging
from wildsr.imaging import Metadata, Picture, Resolution, TextItem, WriteOptions
from wildsr.imaging.metadata.exif import edited, orientation_of, resolution_of, unjudged
from wildsr.imaging.metadata.geometry import Change
from wildsr.imaging.metadata.ifd import TiffError
from wildsr.imaging.metadata.iptc import unwrapped, wrapped
from wildsr.imaging.metadata.xmp import Wanted, rewritten
from wildsr.version import __version__

NOTE = b"ACME\0\x01\x02\x03" * 9
THUMBNAIL = b"\xff\xd8" + b"thumb" * 40 + b"\xff\xd9"
XMP = (
    b'<x:xmpmeta xmlns:x="adobe:ns:meta/"><rdf:RDF xmlns:rdf="http://www.w3.org/1999/02/22-rdf-syntax-ns#">'
    b'<rdf:Description tiff:Orientation="6" exif:PixelXDimension="96" exif:GPSLatitude="47,22.2N" dc:title="kept">'
    b"<exif:GPSLongitude>8,32.9E</exif:GPSLongitude><tiff:ImageLength>64</tiff:ImageLength>"
    b"<xmp:Thumbnails><rdf:Alt><rdf:li><xmpGImg:image>AAAA</xmpGImg:image></rdf:li></rdf:Alt></xmp:Thumbnails>"
    b"</rdf:Description></rdf:RDF></x:xmpmeta>"
)
IPTC = b"\x1c\x02\x78\x00\x0ca fine title" + b"\x1c\x02\x50\x00\x04me.."
FORMATS = ("png", "jpg", "webp", "tif", "avif")


def picture(*, exif: bytes | None = None, xmp: bytes | None = None, iptc: bytes | None = None) -> Picture:
    rgb = np.random.default_rng(1).random((20, 30, 3), dtype=np.float32)
    return Picture(rgb=rgb, metadata=Metadata(exif=exif, xmp=xmp, iptc=iptc))


def settled(block: bytes) -> bytes:
    return edited(block, Change(before=(64, 96), after=(64, 96)), resolution=None)[0]


def stamped(block: bytes | None, *, width: int, height: int, software: str, strip_gps: bool = False) -> bytes:
    change = Change(before=None, after=(width, height))
    return edited(block, change, resolution=None, software=software, strip_place=strip_gps)[0]


def corrected(packet: bytes, *, width: int, height: int, strip_gps: bool = False) -> bytes:
    change = Change(before=None, after=(width, height))
    return rewritten(packet, Wanted(change=change, resolution=None, strip_place=strip_gps))


def pillow_exif(path: Path) -> dict[int, object]:
    with Image.open(path) as image:
        exif = image.getexif()
        return {**exif, **exif.get_ifd(0x8769), **{0x10000 + k: v for k, v in exif.get_ifd(0x8825).items()}}


@pytest.mark.parametrize("order", ["<", ">"])
def test_nothing_but_the_named_tags_moves_or_changes(order: str) -> None:
    block = exif_block(6, order=order, prefix=False)
    after = stamped(block, width=384, height=256, software="wildsr 9")
    assert len(after) > len(block)
    at = block.index(NOTE)
    assert after[at : at + len(NOTE)] == NOTE  # offsets inside a maker's note still lead where they led
    changed = [i for i in range(len(block)) if block[i] != after[i]]
    assert len(changed) <= 2 + 2 * 8 + 12  # orientation, two sizes with their types, the software entry
    assert orientation_of(block) == 6
    assert orientation_of(after) == 1
    assert b"wildsr 9\0" in after


@pytest.mark.parametrize("order", ["<", ">"])
def test_thumbnail_is_cut_off(order: str) -> None:
    block = exif_block(6, order=order, thumbnail=THUMBNAIL, prefix=False)
    after = settled(block)
    assert b"thumb" not in after
    assert len(after) <= len(block) - len(THUMBNAIL)
    assert after == settled(after)
    assert NOTE in after


def test_thumbnail_before_other_data_is_blanked() -> None:
    block = exif_block(1, thumbnail=THUMBNAIL, prefix=False) + bytes(200) + b"something a maker put behind"
    after = settled(block)
    assert b"thumb" not in after
    assert after.endswith(b"something a maker put behind")
    assert len(after) == len(block)


@pytest.mark.parametrize("order", ["<", ">"])
def test_place_is_overwritten_not_only_unlinked(order: str) -> None:
    block = exif_block(order=order, prefix=False)
    place = struct.pack(order + "6I", 47, 1, 22, 1, 1234, 100)
    assert place in block
    after = stamped(block, width=1, height=1, software="x", strip_gps=True)
    assert place not in after
    assert not Image.Exif().get_ifd(0x8825)
    exif = Image.Exif()
    exif.load(after)
    assert 0x8825 not in exif
    assert exif[0x010F] == "Acme Optical"
    assert exif.get_ifd(0x8769)[0x9003] == "2021:07:14 12:34:56"


@pytest.mark.parametrize("ending", FORMATS)
def test_every_format_keeps_camera_date_and_place(ending: str, tmp_path: Path) -> None:
    path = tmp_path / f"a.{ending}"
    made = picture(exif=exif_block(6, thumbnail=THUMBNAIL, prefix=False), xmp=XMP, iptc=IPTC)
    report = imaging.write(made, path, options=WriteOptions(model="realsr-df2k"))
    tags = pillow_exif(path)
    assert tags[0x010F] == "Acme Optical"
    assert tags[0x0110] == "Model 7"
    assert tags[0x0112] == 1
    assert tags[0x0131] == f"wildsr {__version__} (realsr-df2k)"
    assert tags[0x9003] == "2021:07:14 12:34:56"
    assert tags[0x829A] == pytest.approx(1 / 250)
    assert tags[0x927C] == NOTE
    assert tags[0x9999] == b"a tag nobody knows"
    assert (tags[0xA002], tags[0xA003]) == (30, 20)
    assert tags[0x10002] == (47.0, 22.0, 12.34)
    again = imaging.read(path)
    assert again.metadata.exif is not None
    assert b"thumb" not in again.metadata.exif
    assert again.metadata.xmp == corrected(XMP, width=30, height=20)
    holds_iptc = ending in ("png", "jpg", "tif")
    assert again.metadata.iptc == (IPTC if holds_iptc else None)
    assert report.dropped == (() if holds_iptc else ("IPTC",))


@pytest.mark.parametrize("ending", FORMATS)
def test_stripping(ending: str, tmp_path: Path) -> None:
    made = picture(exif=exif_block(prefix=False), xmp=XMP, iptc=IPTC)
    bare, placeless = tmp_path / f"bare.{ending}", tmp_path / f"placeless.{ending}"
    imaging.write(made, bare, options=WriteOptions(strip_metadata=True))
    again = imaging.read(bare)
    assert (again.metadata.exif, again.metadata.xmp, again.metadata.iptc) == (None, None, None)
    for secret in (b"Acme", b"2021:07", b"GPS", b"fine title", b"wildsr"):
        assert secret not in bare.read_bytes()
    imaging.write(made, placeless, options=WriteOptions(strip_gps=True))
    data = placeless.read_bytes()
    assert struct.pack("<4I", 47, 1, 22, 1) not in data
    assert pillow_exif(placeless)[0x010F] == "Acme Optical"
    again = imaging.read(placeless)
    assert again.metadata.xmp is not None
    assert b"GPS" not in again.metadata.xmp
    assert b'dc:title="kept"' in again.metadata.xmp


@pytest.mark.parametrize("ending", FORMATS)
def test_a_picture_without_exif_says_who_made_it(ending: str, tmp_path: Path) -> None:
    path = tmp_path / f"a.{ending}"
    imaging.write(picture(), path, options=WriteOptions(software="my tool", model="general-x4v3"))
    assert pillow_exif(path)[0x0131] == "my tool (general-x4v3)"


@pytest.mark.parametrize("ending", ["png", "webp", "tif", "avif"])
def test_exif_of_any_size_fits_but_into_jpeg(ending: str, tmp_path: Path) -> None:
    note = bytes(range(256)) * 400
    made = picture(exif=exif_block(maker_note=note, prefix=False))
    imaging.write(made, tmp_path / f"a.{ending}")
    again = imaging.read(tmp_path / f"a.{ending}")
    assert again.metadata.exif is not None
    assert note in again.metadata.exif
    report = imaging.write(made, tmp_path / "a.jpg")
    (dropped,) = report.dropped
    assert dropped.startswith("EXIF (10")
    assert "65,533" in dropped


@pytest.mark.parametrize("ending", FORMATS)
def test_exif_that_makes_no_sense_is_named_and_replaced(ending: str, tmp_path: Path) -> None:
    report = imaging.write(picture(exif=b"II*\0\xff\xff\xff\xff"), tmp_path / f"a.{ending}")
    assert report.dropped == ("EXIF (it ends too early)",)
    assert str(pillow_exif(tmp_path / f"a.{ending}")[0x0131]).startswith("wildsr ")


def test_tiff_exif_reads_back_from_other_writers(tmp_path: Path) -> None:
    exif = Image.Exif()
    exif.load(exif_block(prefix=False))
    Image.fromarray(np.zeros((8, 8, 3), np.uint8)).save(tmp_path / "a.tif", exif=exif)
    again = imaging.read(tmp_path / "a.tif")
    assert again.metadata.exif is not None
    back = Image.Exif()
    back.load(again.metadata.exif)
    assert back[0x010F] == "Acme Optical"
    assert back.get_ifd(0x8769)[0x927C] == NOTE
    assert back.get_ifd(0x8825)[2] == (47.0, 22.0, 12.34)


def test_big_endian_exif_into_little_endian_tiff(tmp_path: Path) -> None:
    imaging.write(picture(exif=exif_block(order=">", prefix=False)), tmp_path / "a.tif")
    tags = pillow_exif(tmp_path / "a.tif")
    assert tags[0x829A] == pytest.approx(1 / 250)
    assert tags[0x10002] == (47.0, 22.0, 12.34)


def test_xmp_is_corrected_by_property() -> None:
    after = corrected(XMP, width=384, height=256, strip_gps=True)
    assert b'tiff:Orientation="1"' in after
    assert b'exif:PixelXDimension="384"' in after
    assert b"<tiff:ImageLength>256</tiff:ImageLength>" in after
    assert b"Thumbnails" not in after
    assert b"GPS" not in after
    assert b'dc:title="kept"' in after
    assert corrected(after, width=384, height=256, strip_gps=True) == after


@pytest.mark.parametrize("length", [60_000, 65_503, 65_504, 70_000, 400_000])
def test_xmp_of_any_size_goes_into_jpeg(length: int, tmp_path: Path) -> None:
    caption = "a long caption " * (length // 15)
    packet = (
        '<x:xmpmeta xmlns:x="adobe:ns:meta/"><rdf:RDF xmlns:rdf="http://www.w3.org/1999/02/22-rdf-syntax-ns#">'
        '<rdf:Description xmlns:dc="http://purl.org/dc/elements/1.1/"><dc:source>'
        f"{caption}</dc:source></rdf:Description></rdf:RDF></x:xmpmeta>"
    ).encode()
    report = imaging.write(picture(xmp=packet), tmp_path / "a.jpg")
    assert report.dropped == ()
    again = imaging.read(tmp_path / "a.jpg")
    assert again.notes == ()
    assert caption.encode() in (again.metadata.xmp or b"")
    assert b"HasExtendedXMP" not in (again.metadata.xmp or b"")
    with Image.open(tmp_path / "a.jpg") as image:  # and another reader still reads the file
        image.load()


def test_place_that_points_beyond_the_block_takes_nothing_that_is_added() -> None:
    block = bytearray(exif_block(6, order="<", thumbnail=THUMBNAIL, prefix=False))
    del block[433:437]
    resolution = Resolution(x=300, y=299.72)
    made, _ = edited(
        bytes(block[:477]),
        Change(before=(64, 96), after=(640, 960)),
        resolution=resolution,
        add_resolution=True,
        strip_place=True,
    )
    assert resolution_of(made) == resolution


SHARED = {302: bytes(8), 176: b"\x2e\x01\0\0"}
ONE_DIRECTORY = {170: b"\x01", 172: b"\x2e\x01\0\0"}


@pytest.mark.parametrize(
    ("kept", "lost", "written", "date"),
    [
        pytest.param(347, (163, 303), {}, None, id="a directory that what is added would complete"),
        pytest.param(310, (), SHARED, None, id="an empty directory that a thumbnail shares"),
        pytest.param(
            None, (), {340: struct.pack("<HHII", 0x9214, 3, 70, 250)}, True, id="an area over directories"
        ),
        pytest.param(None, (), ONE_DIRECTORY, None, id="two pointers to one directory"),
    ],
)
def test_a_damaged_block_is_rewritten_once(
    kept: int | None, lost: tuple[int, ...], written: dict[int, bytes], date: bool | None
) -> None:
    block = bytearray(exif_block(6, order="<", thumbnail=THUMBNAIL, prefix=False))
    for at in lost:
        del block[at : at + 4]
    for at, data in written.items():
        block[at : at + len(data)] = data
    resolution = Resolution(x=300, y=299.72)
    text = [TextItem(key=key, text="a word") for key in ("Title", "Comment", "Author")]
    first, second = Change(before=(64, 96), after=(640, 960)), Change(before=None, after=(640, 960))
    made, _ = edited(
        bytes(block[:kept]),
        first,
        resolution=resolution,
        software="x",
        add_resolution=True,
        strip_place=True,
        text=text,
    )
    again, homeless = edited(made, second, resolution=resolution, text=text)
    assert (again, set(homeless)) == (made, {"Title", "Comment", "Author"})
    read = Image.Exif()
    read.load(made)
    assert read[0x0110] == "Model 7"
    if date:
        assert read.get_ifd(0x8769)[0x9003] == "2021:07:14 12:34:56"


def test_iptc_wrapper_is_photoshops(tmp_path: Path) -> None:
    assert unwrapped(wrapped(IPTC)) == IPTC
    assert unwrapped(IPTC) == IPTC
    assert unwrapped(b"Photoshop 3.0\0" + b"8BIM\x03\xed\0\0\0\0\0\x02ab" + wrapped(IPTC)[14:]) == IPTC
    assert unwrapped(b"Photoshop 3.0\0") is None
    out = io.BytesIO()
    Image.fromarray(np.zeros((8, 8, 3), np.uint8)).save(out, "JPEG")
    data = out.getvalue()
    payload = wrapped(IPTC)
    data = data[:2] + b"\xff\xed" + struct.pack(">H", len(payload) + 2) + payload + data[2:]
    (tmp_path / "a.jpg").write_bytes(data)
    assert imaging.read(tmp_path / "a.jpg").metadata.iptc == IPTC


def test_metadata_beyond_the_limit_is_left_out_and_said(tmp_path: Path) -> None:
    imaging.write(picture(xmp=b"<x:xmpmeta>" + b" " * 5000 + b"</x:xmpmeta>"), tmp_path / "a.png")
    again = imaging.read(tmp_path / "a.png", limits=imaging.Limits(max_metadata_bytes=4000))
    assert again.metadata.xmp is None
    assert any("XMP" in note and "4,000" in note for note in again.notes)


@settings(max_examples=300, deadline=None)
@given(st.data())
def test_damaged_exif_never_does_more_than_raise_tifferror(data: st.DataObject) -> None:
    order = data.draw(st.sampled_from("<>"))
    block = bytearray(exif_block(6, order=order, thumbnail=THUMBNAIL, prefix=False))
    for _ in range(data.draw(st.integers(1, 8))):
        at = data.draw(st.integers(0, len(block) - 1))
        block[at : at + 4] = data.draw(st.binary(min_size=0, max_size=6))
    hostile = bytes(block[: data.draw(st.integers(0, len(block)))])
    assert 1 <= orientation_of(hostile) <= 8
    change = Change(orientation=data.draw(st.integers(1, 8)), before=(64, 96), after=(640, 960))
    resolution = data.draw(st.sampled_from([None, Resolution(x=300, y=299.72)]))
    text = (
        TextItem(key="Title", text="a"),
        TextItem(key="Comment", text="b"),
        TextItem(key="Author", text="c"),
    )

    def everything(block: bytes) -> bytes:
        made, _ = edited(
            block,
            change,
            resolution=resolution,
            software="x",
            add_resolution=True,
            strip_place=True,
            text=text,
        )
        return made

    for edit in (settled, lambda b: stamped(b, width=9, height=9, software="x", strip_gps=True), everything):
        try:
            after = edit(hostile)
        except TiffError:
            continue
        assert len(after) <= len(hostile) + 4000
        assert orientation_of(after) == 1
        if edit is everything:
            assert resolution_of(after) == resolution
            assert edited(after, Change(before=None, after=(640, 960)), resolution=resolution)[0] == after
    resolution_of(hostile)
    unjudged(hostile)
