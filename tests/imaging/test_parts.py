"""What speaks of parts that are gone goes, what is left out is said, and JPEG's own oddities are followed."""

import hashlib
import struct
from pathlib import Path

import numpy as np
import pytest

from tests.imaging.make import exif_block, jpeg, jpeg_segment, xmp_packet
from wildsr import imaging
from wildsr.imaging import Frame
from wildsr.imaging.formats import FORMATS

PIXELS = np.random.default_rng(7).integers(0, 256, (24, 32, 3), dtype=np.uint8)
APP1_XMP = b"http://ns.adobe.com/xap/1.0/\0"
EXTENSION = b"http://ns.adobe.com/xmp/extension/\0"
GCAMERA = "http://ns.google.com/photos/1.0/camera/"
CONTAINER, ITEM = (
    "http://ns.google.com/photos/1.0/container/",
    "http://ns.google.com/photos/1.0/container/item/",
)
GPANO = "http://ns.google.com/photos/1.0/panorama/"
ENDINGS = [form.extensions[0] for form in FORMATS.values()]

DIRECTORY = (
    '<Container:Directory><rdf:Seq><rdf:li rdf:parseType="Resource"><Container:Item Item:Semantic="Primary" '
    'Item:Mime="image/jpeg"/></rdf:li><rdf:li rdf:parseType="Resource"><Container:Item Item:Semantic="{}" '
    'Item:Length="3068"/></rdf:li></rdf:Seq></Container:Directory>'
)
PARTS = {
    "micro video": (
        xmp_packet("", ' GCamera:MicroVideo="1" GCamera:MicroVideoOffset="2048"', GCamera=GCAMERA),
        "its motion video was left out",
    ),
    "motion photo": (
        xmp_packet(
            DIRECTORY.format("MotionPhoto") + "<c:MotionPhoto>1</c:MotionPhoto>",
            c=GCAMERA,
            Container=CONTAINER,
            Item=ITEM,
        ),
        "its motion video was left out",
    ),
    "gain map": (
        xmp_packet(
            DIRECTORY.format("GainMap"),
            ' hdrgm:Version="1.0"',
            hdrgm="http://ns.adobe.com/hdr-gain-map/1.0/",
            Container=CONTAINER,
            Item=ITEM,
        ),
        "its HDR gain map was left out; what is read is its SDR picture",
    ),
    "apple's gain map": (
        xmp_packet("", ' m:HDRGainMapVersion="65536"', m="http://ns.apple.com/HDRGainMap/1.0/"),
        "its HDR gain map was left out; what is read is its SDR picture",
    ),
    "depth map": (
        xmp_packet("", ' GDepth:Data="AAAA"', GDepth="http://ns.google.com/photos/1.0/depthmap/"),
        "its depth map was left out",
    ),
    "second eye": (
        xmp_packet("", ' GImage:Data="AAAA"', GImage="http://ns.google.com/photos/1.0/image/"),
        "a second picture inside its XMP was left out",
    ),
}
GONE = (
    b"MicroVideo=",
    b"MotionPhoto",
    b"Container:Directory",
    b"GainMapVersion",
    b"hdrgm",
    b"HDRGainMap/1.0",
    b"GDepth:Data",
)


def photo(tmp_path: Path, *segments: tuple[int, bytes], behind: bytes = b"") -> Path:
    path = tmp_path / "a.jpg"
    path.write_bytes(jpeg(PIXELS, segments=segments, behind=behind))
    return path


def times_four(path: Path, target: Path) -> imaging.WriteReport:
    """Write a picture four times as large, as an upscaler does."""
    source = imaging.open_source(path)
    rows = source.samples.repeat(4, axis=0).repeat(4, axis=1)
    frame = Frame(width=rows.shape[1], height=rows.shape[0], channels=3, metadata=source.metadata)
    return imaging.write_rows([rows], frame, target)


@pytest.mark.parametrize("name", PARTS)
def test_parts_are_noted_and_nothing_speaks_of_them(name: str, tmp_path: Path) -> None:
    packet, note = PARTS[name]
    path = photo(tmp_path, (0xE1, APP1_XMP + packet), behind=b"\0\0\0\x18ftypmp42" + bytes(2000))
    assert imaging.read(path).notes == (note,)
    for ending in ENDINGS:
        times_four(path, tmp_path / f"b{ending}")
        data = (tmp_path / f"b{ending}").read_bytes()
        assert not any(word in data for word in GONE)
        assert imaging.read(tmp_path / f"b{ending}").notes == ()


@pytest.mark.parametrize("pictures", [2, 3])
@pytest.mark.parametrize("order", ["<", ">"])
def test_other_pictures_of_an_mpo_are_said(pictures: int, order: str, tmp_path: Path) -> None:
    head = b"II*\0" if order == "<" else b"MM\0*"
    entries = struct.pack(order + "HHI4s", 0xB000, 7, 4, b"0100")
    entries += struct.pack(order + "HHII", 0xB001, 4, 1, pictures)
    index = head + struct.pack(order + "IH", 8, 2) + entries + bytes(4)
    path = photo(tmp_path, (0xE2, b"MPF\0" + index), behind=jpeg(PIXELS))
    assert imaging.read(path).notes == (f"only the first of {pictures} pictures in the file was read (MPO)",)


@pytest.mark.parametrize(
    ("kinds", "counted"),
    [
        ((0x030000, 0x010001), 1),  # a preview for televisions
        ((0x030000, 0x010002, 0x020002), 2),
        ((0x020003, 0x020003, 0x020003), 3),
        ((0, 0), 2),
    ],
)
def test_previews_are_no_other_pictures(kinds: tuple[int, ...], counted: int, tmp_path: Path) -> None:
    entries = b"".join(struct.pack(">IIIHH", 0x20000000 | kind, 100, 0, 0, 0) for kind in kinds)
    fields = struct.pack(">HHII", 0xB001, 4, 1, len(kinds))
    fields += struct.pack(">HHII", 0xB002, 7, len(entries), 8 + 2 + 24 + 4)
    index = b"MM\0*" + struct.pack(">IH", 8, 2) + fields + bytes(4) + entries
    notes = imaging.read(photo(tmp_path, (0xE2, b"MPF\0" + index))).notes
    assert notes == (
        (f"only the first of {counted} pictures in the file was read (MPO)",) if counted > 1 else ()
    )


def test_what_a_samsung_phone_adds_is_said(tmp_path: Path) -> None:
    path = photo(
        tmp_path, behind=b"\0\0\x30\x0aMotionPhoto_Data" + bytes(100) + b"SEFH" + bytes(20) + b"SEFT"
    )
    (note,) = imaging.read(path).notes
    assert "Samsung" in note


def test_one_picture_in_an_index_is_no_news(tmp_path: Path) -> None:
    index = b"II*\0" + struct.pack("<IHHHIII", 8, 1, 0xB001, 4, 1, 1, 0)
    assert imaging.read(photo(tmp_path, (0xE2, b"MPF\0" + index))).notes == ()
    assert imaging.read(photo(tmp_path, (0xE2, b"MPF\0II*\0\xff\xff"))).notes == ()


@pytest.mark.parametrize("form", ["attributes", "elements"])
def test_a_panorama_is_as_large_as_its_pixels(form: str, tmp_path: Path) -> None:
    numbers = {
        "CroppedAreaImageWidthPixels": 32,
        "CroppedAreaImageHeightPixels": 24,
        "FullPanoWidthPixels": 64,
        "FullPanoHeightPixels": 48,
        "CroppedAreaLeftPixels": 16,
        "CroppedAreaTopPixels": 12,
    }
    body, attributes = "", ""
    for key, value in numbers.items():
        if form == "elements":
            body += f"<p:{key}>{value}</p:{key}>"
        else:
            attributes += f' p:{key}="{value}"'
    path = photo(tmp_path, (0xE1, APP1_XMP + xmp_packet(body, attributes, p=GPANO)))
    for ending in ENDINGS:
        times_four(path, tmp_path / f"b{ending}")
        packet = imaging.read(tmp_path / f"b{ending}").metadata.xmp or b""
        for key, value in numbers.items():
            written = f"<p:{key}>{4 * value}<" if form == "elements" else f'p:{key}="{4 * value}"'
            assert written.encode() in packet


def test_faces_of_a_turned_photo_are_where_they_were(tmp_path: Path) -> None:
    """The marked area of the stored picture and of the upright one hold the same pixels."""
    face = (
        '<r:Regions rdf:parseType="Resource"><r:AppliedToDimensions d:w="32" d:h="24" d:unit="pixel"/><r:RegionList>'
        '<rdf:Bag><rdf:li><rdf:Description r:Name="Kim" r:Type="Face"><r:Area a:x="0.25" a:y="0.25" a:w="0.25" '
        'a:h="0.3333333" a:unit="normalized"/></rdf:Description></rdf:li></rdf:Bag></r:RegionList></r:Regions>'
    )
    packet = xmp_packet(
        face,
        r="http://www.metadataworkinggroup.com/schemas/regions/",
        d="http://ns.adobe.com/xap/1.0/sType/Dimensions#",
        a="http://ns.adobe.com/xmp/sType/Area#",
    )
    stored = imaging.read(photo(tmp_path)).rgb
    marked = stored[2:10, 4:12]
    for orientation in range(1, 9):
        exif = exif_block(orientation, gps=False)
        path = photo(tmp_path, (0xE1, exif), (0xE1, APP1_XMP + packet))
        picture = imaging.read(path)
        text = (picture.metadata.xmp or b"").decode()
        x, y, w, h = (float(text.split(f'a:{key}="')[1].split('"')[0]) for key in "xywh")
        height, width = picture.rgb.shape[:2]
        assert f'd:w="{width}" d:h="{height}"' in text
        rows = slice(round((y - h / 2) * height), round((y + h / 2) * height))
        columns = slice(round((x - w / 2) * width), round((x + w / 2) * width))
        found = picture.rgb[rows, columns]
        assert sorted(found.ravel()) == sorted(marked.ravel())
        assert text.count('r:Name="Kim"') == 1


def extended(
    tmp_path: Path, extension: bytes, *, order: int = 1, lose: bool = False, pieces: int = 2
) -> Path:
    digest = hashlib.md5(extension, usedforsecurity=False).hexdigest().upper().encode()
    packet = xmp_packet(
        "",
        f' xmpNote:HasExtendedXMP="{digest.decode()}" dc:source="main"',
        xmpNote="http://ns.adobe.com/xmp/note/",
        dc="http://purl.org/dc/elements/1.1/",
    )
    step = -(-len(extension) // pieces)
    parts = [
        (0xE1, EXTENSION + digest + struct.pack(">II", len(extension), at) + extension[at : at + step])
        for at in range(0, len(extension), step)
    ][::order]
    return photo(tmp_path, (0xE1, APP1_XMP + packet), *(parts[1:] if lose else parts))


@pytest.mark.parametrize("order", [1, -1])
@pytest.mark.parametrize("pieces", [1, 2, 5])
def test_extended_xmp_is_joined_and_its_pointer_goes(order: int, pieces: int, tmp_path: Path) -> None:
    extension = xmp_packet("<q:caption>a long caption</q:caption>", q="urn:q")
    path = extended(tmp_path, extension, order=order, pieces=pieces)
    for ending in ENDINGS:
        times_four(path, tmp_path / f"b{ending}")
        data = (tmp_path / f"b{ending}").read_bytes()
        assert b"a long caption" in data
        assert b'dc:source="main"' in data
        assert b"HasExtendedXMP" not in data


def test_an_extension_that_is_not_all_there_is_left_out(tmp_path: Path) -> None:
    path = extended(tmp_path, xmp_packet("<q:caption>a long caption</q:caption>", q="urn:q"), lose=True)
    packet = imaging.read(path).metadata.xmp or b""
    assert b"caption" not in packet
    assert b'dc:source="main"' in packet
    assert b"HasExtendedXMP" not in packet


def test_segments_behind_stray_and_fill_bytes_are_read(tmp_path: Path) -> None:
    exif = jpeg_segment(0xE1, exif_block(6, gps=False))
    data = jpeg(PIXELS)
    (tmp_path / "a.jpg").write_bytes(data[:20] + b"\xff" * 5 + exif + data[20:])
    assert imaging.probe(tmp_path / "a.jpg").orientation == 6


def test_a_profile_in_pieces_is_put_together_in_order(tmp_path: Path) -> None:
    from tests.imaging.spaces import P3

    step = -(-len(P3) // 3)
    pieces = [P3[at : at + step] for at in range(0, len(P3), step)]
    segments = [(0xE2, b"ICC_PROFILE\0" + bytes([n, 3]) + piece) for n, piece in enumerate(pieces, 1)]
    assert imaging.read(photo(tmp_path, *segments[::-1])).metadata.icc == P3
    picture = imaging.read(photo(tmp_path, *segments[:2]))
    assert picture.metadata.icc is None
    assert picture.notes == ("the colour profile is incomplete and was ignored",)
