"""`strip_gps` leaves nothing that says where a picture was taken, wherever it is said."""

import struct
from pathlib import Path

import numpy as np
import pytest

from tests.imaging.make import exif_block, iptc_dataset, jpeg, photoshop, tiff, xmp_packet
from wildsr import imaging
from wildsr.imaging import Metadata, Picture, WriteOptions
from wildsr.imaging.formats import FORMATS
from wildsr.imaging.metadata import TextItem
from wildsr.imaging.metadata.geometry import Change
from wildsr.imaging.metadata.places import names_a_place
from wildsr.imaging.metadata.xmp import Wanted, rewritten

PIXELS = np.random.default_rng(4).integers(0, 256, (24, 32, 3), dtype=np.uint8)
SECRET = "Marienplatz"
ENDINGS = [form.extensions[0] for form in FORMATS.values()]
EXIF_NS, PHOTOSHOP = "http://ns.adobe.com/exif/1.0/", "http://ns.adobe.com/photoshop/1.0/"
CORE, EXT = "http://iptc.org/std/Iptc4xmpCore/1.0/xmlns/", "http://iptc.org/std/Iptc4xmpExt/2008-02-29/"
DJI, DC = "http://www.dji.com/drone-dji/1.0/", "http://purl.org/dc/elements/1.1/"

PROPERTIES = [
    (PHOTOSHOP, "City"),
    (PHOTOSHOP, "State"),
    (PHOTOSHOP, "Country"),
    (CORE, "Location"),
    (CORE, "CountryCode"),
    (EXT, "LocationShown"),
    (EXT, "LocationCreated"),
    (EXT, "City"),
    (EXT, "Sublocation"),
    (EXT, "ProvinceState"),
    (EXT, "CountryName"),
    (EXT, "WorldRegion"),
    (EXIF_NS, "GPSLatitude"),
    (EXIF_NS, "GPSLongitude"),
    (EXIF_NS, "GPSAltitude"),
    (EXIF_NS, "GPSAreaInformation"),
    (EXIF_NS, "GPSDestLatitude"),
    (DJI, "GpsLatitude"),
    (DJI, "GpsLongtitude"),
    (DJI, "RelativeAltitude"),
    ("http://purl.org/dc/terms/", "spatial"),
    (DC, "coverage"),
    ("http://ns.adobe.com/xmp/1.0/DynamicMedia/", "shotLocation"),
    ("http://rs.tdwg.org/dwc/terms/", "decimalLatitude"),
    ("http://rs.tdwg.org/dwc/terms/", "municipality"),
]


def written(source: Path, ending: str, *, strip: bool = True) -> tuple[bytes, imaging.WriteReport]:
    target = source.parent / f"out{ending}"
    report = imaging.write(imaging.read(source), target, options=WriteOptions(strip_gps=strip))
    return target.read_bytes(), report


@pytest.mark.parametrize("prefix", ["exif", "q1"])
@pytest.mark.parametrize("form", ["attribute", "element", "structure", "typed node"])
@pytest.mark.parametrize(("namespace", "local"), PROPERTIES)
def test_places_in_xmp_go_however_they_are_written(
    namespace: str, local: str, form: str, prefix: str
) -> None:
    name = f"{prefix}:{local}"
    inside = {
        "attribute": ("", f' {name}="{SECRET}"'),
        "element": (f"<{name}>{SECRET}</{name}>", ""),
        "structure": (f'<{name} rdf:parseType="Resource"><k:any>{SECRET}</k:any></{name}>', ""),
        "typed node": (
            f'<k:any><rdf:Bag><rdf:li><rdf:Description {name}="{SECRET}"/></rdf:li></rdf:Bag></k:any>',
            "",
        ),
    }[form]
    packet = xmp_packet(inside[0], inside[1] + ' k:kept="yes"', **{prefix: namespace, "k": "urn:k"})
    plain, stripped = (
        rewritten(
            packet, Wanted(change=Change(before=None, after=(32, 24)), resolution=None, strip_place=strip)
        )
        for strip in (False, True)
    )
    assert SECRET.encode() in plain
    assert SECRET.encode() not in stripped
    assert local.encode() not in stripped
    assert b'k:kept="yes"' in stripped


@pytest.mark.parametrize("ending", ENDINGS)
def test_nothing_names_the_place_in_any_format(ending: str, tmp_path: Path) -> None:
    """The whole kind at once: GPS, IPTC, XMP in a packet and in its extension."""
    place = f"<photoshop:City>{SECRET}</photoshop:City>"
    digest = b"0123456789ABCDEF0123456789ABCDEF"
    extension = xmp_packet(place * 3, photoshop=PHOTOSHOP)
    packet = xmp_packet(
        place,
        f' xmpNote:HasExtendedXMP="{digest.decode()}"',
        photoshop=PHOTOSHOP,
        xmpNote="http://ns.adobe.com/xmp/note/",
    )
    records = b"".join(iptc_dataset(2, number, SECRET.encode()) for number in (26, 27, 90, 92, 95, 100, 101))
    records += iptc_dataset(2, 80, b"Ann")
    segments = [
        (0xE1, exif_block(thumbnail=b"\xff\xd8" + SECRET.encode() + b"\xff\xd9")),
        (0xE1, b"http://ns.adobe.com/xap/1.0/\0" + packet),
        (
            0xE1,
            b"http://ns.adobe.com/xmp/extension/\0"
            + digest
            + struct.pack(">II", len(extension), 0)
            + extension,
        ),
        (0xED, photoshop(records)),
    ]
    (tmp_path / "a.jpg").write_bytes(jpeg(PIXELS, segments=segments))
    kept, _ = written(tmp_path / "a.jpg", ending, strip=False)
    data, report = written(tmp_path / "a.jpg", ending)
    position = struct.pack("<4I", 47, 1, 22, 1)
    assert position in kept
    assert position not in data
    assert SECRET.encode() not in data
    assert b"GPS" not in data
    assert b"Acme Optical" in data
    assert report.notes == (
        "whether these name the place can't be judged, and they were kept: EXIF MakerNote",
    )


def test_places_in_tiff_and_webp_and_png_text_go_too(tmp_path: Path) -> None:
    gps = {34853: (4, (0,))}
    (tmp_path / "a.tif").write_bytes(
        tiff(PIXELS, 2, blobs={700: xmp_packet("", f' p:City="{SECRET}"', p=PHOTOSHOP)}, tags=gps)
    )
    assert SECRET.encode() not in written(tmp_path / "a.tif", ".tif")[0]
    made = Picture(
        rgb=np.zeros((8, 8, 3), np.float32),
        metadata=Metadata(
            exif=exif_block(prefix=False, maker_note=b""),
            text=(
                TextItem(key="exif:GPSLatitude", text=SECRET),
                TextItem(key="Location", text=SECRET),
                TextItem(key="Author", text="Ann"),
                TextItem(key="Comment", text="a cat"),
            ),
        ),
    )
    report = imaging.write(made, tmp_path / "b.png", options=WriteOptions(strip_gps=True))
    data = (tmp_path / "b.png").read_bytes()
    assert SECRET.encode() not in data
    assert b"GPS" not in data
    assert b"Author\0Ann" in data
    assert report.notes[0].endswith("text 'Comment'")


def test_a_second_gps_pointer_and_one_below_exif_go_too(tmp_path: Path) -> None:
    """Directory 0 and Exif's own both point at a place."""
    block = bytearray(exif_block(prefix=False))
    at = bytes(block).index(struct.pack("<HHI", 0xA003, 4, 1))  # turned into a pointer below Exif
    gps_entry = bytes(block).index(struct.pack("<HHI", 0x8825, 4, 1))
    block[at : at + 12] = block[gps_entry : gps_entry + 12]
    block[gps_entry : gps_entry + 12] = struct.pack("<HHII", 0x8826, 4, 1, 0)
    place = struct.pack("<6I", 47, 1, 22, 1, 1234, 100)
    assert place in block
    made = Picture(rgb=np.zeros((8, 8, 3), np.float32), metadata=Metadata(exif=bytes(block)))
    imaging.write(made, tmp_path / "a.jpg", options=WriteOptions(strip_gps=True))
    assert place not in (tmp_path / "a.jpg").read_bytes()


def test_what_can_not_be_judged_is_kept_and_named(tmp_path: Path) -> None:
    packet = xmp_packet(
        "<dc:description><rdf:Alt><rdf:li>At home</rdf:li></rdf:Alt></dc:description>"
        "<dc:subject><rdf:Bag><rdf:li>Munich</rdf:li></rdf:Bag></dc:subject>",
        ' photoshop:Headline="A square"',
        dc=DC,
        photoshop=PHOTOSHOP,
    )
    records = iptc_dataset(2, 120, b"a caption") + iptc_dataset(2, 25, b"Munich")
    segments = [
        (0xE1, b"http://ns.adobe.com/xap/1.0/\0" + packet),
        (0xED, photoshop(records)),
        (0xFE, b"a comment"),
    ]
    (tmp_path / "a.jpg").write_bytes(jpeg(PIXELS, segments=segments))
    data, report = written(tmp_path / "a.jpg", ".jpg")
    assert b"a caption" in data
    assert b"At home" in data
    (note,) = report.notes
    for name in (
        "text 'Comment'",
        "XMP dc:description",
        "XMP dc:subject",
        "XMP photoshop:Headline",
        "IPTC keywords",
        "IPTC caption",
    ):
        assert name in note
    assert written(tmp_path / "a.jpg", ".jpg", strip=False)[1].notes == ()


@pytest.mark.parametrize(
    ("local", "place"),
    [
        ("GPSLatitude", True),
        ("gpsversionid", True),
        ("Longitude", True),
        ("LocationShown", True),
        ("City", True),
        ("SubjectLocation", False),  # where in the picture
        ("Allocation", False),
        ("Orientation", False),
        ("Creator", False),
        ("Title", False),
        ("GeometricDistortion", False),
        ("GeoTag", True),
        ("ColorSpace", False),
        ("FocalPlaneXResolution", False),
    ],
)
def test_names_of_places(local: str, place: bool) -> None:
    assert names_a_place(local) == place
