"""The table of rewritten metadata: the page that prints it is true, and every row is tried."""

import re
import struct
from pathlib import Path

import pytest

from tests.conftest import REPOSITORY
from wildsr.imaging.metadata import Resolution
from wildsr.imaging.metadata.budget import Budget
from wildsr.imaging.metadata.exif import edited
from wildsr.imaging.metadata.fields import EXIF, IPTC_LEFT_OUT, IPTC_PREVIEW, NAMESPACES, RULES, XMP, Rule
from wildsr.imaging.metadata.geometry import Change
from wildsr.imaging.metadata.ifd import (
    EXIF_IFD,
    INTEROP_IFD,
    Directory,
    Layout,
    Value,
    read_directory,
    read_start,
    reader,
    write_directory,
)
from wildsr.imaging.metadata.iptc import rewritten as iptc_rewritten
from wildsr.imaging.metadata.xmp import Wanted, rewritten
from wildsr.imaging.metadata.xmp_tree import RDF, Attribute, Element, parse

PAGE = Path(REPOSITORY) / "docs" / "decisions" / "0011-which-metadata-is-rewritten.md"
DPI = Resolution(x=300, y=150)
SCALED = Change(before=(160, 120), after=(640, 480))
TURNED = Change(orientation=6, before=(160, 120), after=(120, 160))

AREA = '<{name} {c}x="{x}" {c}y="{y}" {c}w="{w}" {c}h="{h}" {c}unit="{unit}"/>'


def packet(body: str, attributes: str = "") -> bytes:
    bound = "".join(
        f' xmlns:{prefix}="{uri}"' for prefix, uri in NAMESPACES.items() if prefix not in ("x", "rdf")
    )
    return (
        '<?xpacket begin="" id="W5M0MpCehiHzreSzNTczkc9d"?><x:xmpmeta xmlns:x="adobe:ns:meta/">'
        f'<rdf:RDF xmlns:rdf="{RDF}"{bound}><rdf:Description rdf:about=""{attributes} dc:source="kept">{body}'
        '</rdf:Description></rdf:RDF></x:xmpmeta><?xpacket end="w"?>'
    ).encode()


def described(data: bytes) -> Element:
    (found,) = [e for e in parse(data).root.walk() if e.name == (RDF, "Description") and e.attributes]
    return found


def value_of(data: bytes, name: str) -> str | None:
    """Return what a packet says of a property, as an attribute or an element."""
    described_by = described(data)
    inside: list[Attribute | Element] = [*described_by.attributes, *described_by.elements]
    return next((one.value for one in inside if one.prefixed == name), None)


PLAIN: dict[Rule, tuple[str, str | None, str | None]] = {
    # rule: value before, after ×4, after a quarter turn
    "upright": ("6", "1", "1"),
    "width": ("160", "640", "120"),
    "height": ("120", "480", "160"),
    "x pixels": ("10", "40", None),
    "y pixels": ("20", "80", None),
    "mime": ("image/jpeg", "image/png", "image/png"),
    "left out": ("something", None, None),
}


def test_the_page_prints_the_tables() -> None:
    text = PAGE.read_text("utf-8")
    for table, names in (
        (XMP, list(XMP)),
        (
            dict(EXIF.values()),
            [f"{name} {tag:#06x}" for tag, (name, _) in EXIF.items()],
        ),
    ):
        for name in names:
            rule = table[name.split(" ")[0]]
            row = next((line for line in text.splitlines() if f"`{name}`" in line), "")
            assert row.endswith(f"| {RULES[rule]} |"), name
    printed = re.findall(r"`([\w-]+:[\w*]+)`", text)
    assert sorted(printed) == sorted(XMP)
    assert len(re.findall(r"`\w+ 0x[0-9a-f]{4}`", text)) == len(EXIF)


@pytest.mark.parametrize("form", ["attribute", "element"])
@pytest.mark.parametrize("name", [name for name, rule in XMP.items() if rule in PLAIN])
def test_plain_properties_of_xmp(name: str, form: str) -> None:
    before, scaled, turned = PLAIN[XMP[name]]
    name = name.replace("*", "Anything")
    data = packet(f"<{name}>{before}</{name}>") if form == "element" else packet("", f' {name}="{before}"')
    for change, expected in ((SCALED, scaled), (TURNED, turned)):
        after = rewritten(data, Wanted(change=change, resolution=DPI, mime="image/png"))
        assert value_of(after, name) == expected
        assert value_of(after, "dc:source") == "kept"
        assert (
            rewritten(after, Wanted(change=Change(before=None, after=change.after), resolution=DPI)) == after
        )


@pytest.mark.parametrize(
    ("name", "expected"),
    [("tiff:XResolution", "300/1"), ("tiff:YResolution", "150/1"), ("tiff:ResolutionUnit", "2")],
)
def test_resolution_in_xmp_is_the_files_or_none(name: str, expected: str) -> None:
    data = packet("", f' {name}="72/1"')
    assert value_of(rewritten(data, Wanted(change=SCALED, resolution=DPI)), name) == expected
    assert value_of(rewritten(data, Wanted(change=SCALED, resolution=None)), name) is None


POINTS = [
    ("10 20", "40 80", "100 10"),
    ("10 20 6", "40 80 24", "100 10 6"),
    ("10 20 6 8", "40 80 24 32", "100 10 8 6"),
]


@pytest.mark.parametrize(("before", "scaled", "turned"), POINTS)
@pytest.mark.parametrize("name", [name for name, rule in XMP.items() if rule == "points"])
def test_points_in_xmp(name: str, before: str, scaled: str, turned: str) -> None:
    items = "".join(f"<rdf:li>{one}</rdf:li>" for one in before.split())
    data = packet(f"<{name}><rdf:Seq>{items}</rdf:Seq></{name}>")
    for change, expected in ((SCALED, scaled), (TURNED, turned)):
        after = rewritten(data, Wanted(change=change, resolution=None))
        found = [one.value for one in parse(after).root.walk() if one.name == (RDF, "li")]
        assert found == expected.split()


def test_density_in_xmp_is_scaled_and_swapped() -> None:
    data = packet("", ' exif:FocalPlaneXResolution="1000/3" exif:FocalPlaneYResolution="500/1"')
    after = rewritten(data, Wanted(change=SCALED, resolution=None))
    assert value_of(after, "exif:FocalPlaneXResolution") == "4000/3"
    assert value_of(after, "exif:FocalPlaneYResolution") == "2000/1"
    after = rewritten(data, Wanted(change=TURNED, resolution=None))
    assert value_of(after, "exif:FocalPlaneXResolution") == "500/1"
    assert value_of(after, "exif:FocalPlaneYResolution") == "1000/3"


EIGHT = [
    # orientation, then x, y, w, h of an area around (0.25, 0.2) of size 0.1 × 0.3 once it is upright
    (1, 0.25, 0.2, 0.1, 0.3),
    (2, 0.75, 0.2, 0.1, 0.3),
    (3, 0.75, 0.8, 0.1, 0.3),
    (4, 0.25, 0.8, 0.1, 0.3),
    (5, 0.2, 0.25, 0.3, 0.1),
    (6, 0.8, 0.25, 0.3, 0.1),
    (7, 0.8, 0.75, 0.3, 0.1),
    (8, 0.2, 0.75, 0.3, 0.1),
]


@pytest.mark.parametrize("form", ["attributes", "elements", "description"])
@pytest.mark.parametrize("name", [name for name, rule in XMP.items() if rule == "region"])
@pytest.mark.parametrize(("orientation", "x", "y", "w", "h"), EIGHT)
def test_regions_turn_with_the_picture(
    orientation: int, x: float, y: float, w: float, h: float, name: str, form: str
) -> None:
    fields = {"x": "0.25", "y": "0.2", "w": "0.1", "h": "0.3", "unit": "normalized"}
    attributes = "".join(f' stArea:{key}="{value}"' for key, value in fields.items())
    elements = "".join(f"<stArea:{key}>{value}</stArea:{key}>" for key, value in fields.items())
    data = packet(
        {
            "attributes": f"<{name}{attributes}/>",
            "elements": f'<{name} rdf:parseType="Resource">{elements}</{name}>',
            "description": f"<{name}><rdf:Description{attributes}/></{name}>",
        }[form]
    )
    size = (120, 160) if orientation >= 5 else (160, 120)
    after = rewritten(
        data, Wanted(change=Change(orientation=orientation, before=(160, 120), after=size), resolution=None)
    )
    found = {
        one.name[1]: one.value
        for element in parse(after).root.walk()
        for one in (element, *element.attributes)
        if one.name[0] == NAMESPACES["stArea"]
    }
    assert [float(found[key]) for key in "xywh"] == pytest.approx([x, y, w, h], abs=1e-6)
    assert found["unit"] == "normalized"
    if orientation == 1:
        assert after == data


@pytest.mark.parametrize("name", [name for name, rule in XMP.items() if rule == "dimensions"])
def test_dimensions_are_those_of_the_picture_written(name: str) -> None:
    data = packet(f'<{name} stDim:w="160" stDim:h="120" stDim:unit="pixel"/>')
    for change in (SCALED, TURNED):
        after = rewritten(data, Wanted(change=change, resolution=None))
        (found,) = [one for one in parse(after).root.walk() if one.prefixed == name]
        assert tuple(int(one.value) for one in found.attributes[:2]) == change.after


@pytest.mark.parametrize(
    ("change", "expected"),
    [(SCALED, (0.2, 0.05, 0.1, 0.3)), (TURNED, (0.65, 0.2, 0.3, 0.1))],
)
def test_rectangles_by_their_corner(change: Change, expected: tuple[float, ...]) -> None:
    after = rewritten(
        packet("<MPReg:Rectangle>0.2, 0.05, 0.1, 0.3</MPReg:Rectangle>"),
        Wanted(change=change, resolution=None),
    )
    text = value_of(after, "MPReg:Rectangle") or ""
    assert [float(one) for one in text.split(",")] == pytest.approx(expected, abs=1e-6)


BOUNDARY = '<Iptc4xmpExt:RegionBoundary rdf:parseType="Resource">{}</Iptc4xmpExt:RegionBoundary>'


def boundary(**fields: str) -> bytes:
    return packet(
        BOUNDARY.format(
            "".join(f"<Iptc4xmpExt:{key}>{value}</Iptc4xmpExt:{key}>" for key, value in fields.items())
        )
    )


def numbers(data: bytes, *names: str) -> list[float]:
    return [float(one.value) for one in parse(data).root.walk() if one.name[1] in names]


def test_boundaries_in_shares_and_in_pixels() -> None:
    shares = boundary(rbShape="rectangle", rbUnit="relative", rbX="0.2", rbY="0.05", rbW="0.1", rbH="0.3")
    assert rewritten(shares, Wanted(change=SCALED, resolution=None)) == shares
    turned = rewritten(shares, Wanted(change=TURNED, resolution=None))
    assert numbers(turned, "rbX", "rbY", "rbW", "rbH") == pytest.approx([0.65, 0.2, 0.3, 0.1], abs=1e-6)
    pixels = boundary(rbShape="rectangle", rbUnit="pixel", rbX="16", rbY="6", rbW="32", rbH="12")
    scaled = rewritten(pixels, Wanted(change=SCALED, resolution=None))
    assert numbers(scaled, "rbX", "rbY", "rbW", "rbH") == [64, 24, 128, 48]
    turned = rewritten(pixels, Wanted(change=TURNED, resolution=None))
    assert numbers(turned, "rbX", "rbY", "rbW", "rbH") == [102, 16, 12, 32]
    circle = boundary(rbShape="circle", rbUnit="pixel", rbX="10", rbY="20", rbRx="5")
    assert numbers(rewritten(circle, Wanted(change=SCALED, resolution=None)), "rbX", "rbY", "rbRx") == [
        40,
        80,
        20,
    ]
    corner = (
        '<rdf:li rdf:parseType="Resource"><Iptc4xmpExt:rbX>{}</Iptc4xmpExt:rbX>'
        "<Iptc4xmpExt:rbY>{}</Iptc4xmpExt:rbY></rdf:li>"
    )
    polygon = boundary(
        rbShape="polygon",
        rbUnit="relative",
        rbVertices=f"<rdf:Seq>{corner.format(0.1, 0.2)}{corner.format(0.5, 1)}</rdf:Seq>",
    )
    turned = rewritten(polygon, Wanted(change=TURNED, resolution=None))
    assert numbers(turned, "rbX", "rbY") == pytest.approx([0.8, 0.1, 0, 0.5], abs=1e-6)


def test_after_a_crop_nothing_speaks_of_positions() -> None:
    data = packet(
        '<mwg-rs:Area stArea:x="0.5" stArea:y="0.5" stArea:w="0.1" stArea:h="0.1"/>',
        ' GPano:FullPanoWidthPixels="100" exif:FocalPlaneXResolution="9/1"',
    )
    after = rewritten(data, Wanted(change=Change(before=(160, 120), after=(100, 120)), resolution=None))
    assert b"Area" not in after.split(b"<rdf:Description")[1]
    assert value_of(after, "GPano:FullPanoWidthPixels") is None
    assert value_of(after, "exif:FocalPlaneXResolution") is None
    assert value_of(after, "dc:source") == "kept"


def block(order: str, main: dict[int, Value], exif: dict[int, Value], interop: dict[int, Value]) -> bytes:
    tree = Directory(
        values=main, below={EXIF_IFD: Directory(values=exif, below={INTEROP_IFD: Directory(values=interop)})}
    )
    layout = Layout(order)
    body, table = write_directory(tree, order, layout, 8)
    return (b"II*\0" if order == "<" else b"MM\0*") + struct.pack(order + "I", table) + body


def values_of(data: bytes) -> dict[int, Value]:
    read = reader(data)
    layout, offset = read_start(read)
    tree = read_directory(read, layout, offset, Budget(1 << 20), pointers=(EXIF_IFD,))
    below = tree.below[EXIF_IFD]
    interop = below.below.get(INTEROP_IFD, Directory())
    return {**tree.values, **below.values, **interop.values}


def example(rule: Rule, order: str) -> tuple[Value, Value | None, Value | None]:
    """Return a value, and what becomes of it ×4 and by a quarter turn."""

    def pack(kind: int, code: str, *numbers: int) -> Value:
        return Value(kind, struct.pack(order + code, *numbers))

    return {
        "upright": (pack(3, "H", 6), pack(3, "H", 1), pack(3, "H", 1)),
        "width": (pack(3, "H", 160), pack(4, "I", 640), pack(4, "I", 120)),
        "height": (pack(4, "I", 120), pack(4, "I", 480), pack(4, "I", 160)),
        "points": (pack(3, "4H", 10, 20, 6, 8), pack(3, "4H", 40, 80, 24, 32), pack(3, "4H", 100, 10, 8, 6)),
        "left out": (pack(3, "H", 6), None, None),
    }[rule]


MAIN_TAGS = {tag for tag in EXIF if tag < 0x1000 or 0x8000 <= tag < 0x9000}


@pytest.mark.parametrize("order", ["<", ">"])
@pytest.mark.parametrize(
    "tag", [tag for tag, (_, rule) in EXIF.items() if rule not in ("resolution", "density")]
)
def test_tags_of_exif(tag: int, order: str) -> None:
    before, scaled, turned = example(EXIF[tag][1], order)
    if EXIF[tag][0] == "SubIFDs":
        before = Value(4, struct.pack(order + "I", 0))
    note = Value(7, b"a maker's note")
    main, exif, interop = (
        ({tag: before} if tag in tags else {})
        for tags in (MAIN_TAGS, {t for t in EXIF if t > 0x9000} - MAIN_TAGS, {0x1001, 0x1002})
    )
    made = block(order, {0x010F: Value(2, b"Acme\0"), **main}, {0x927C: note, **exif}, interop)
    for change, expected in ((SCALED, scaled), (TURNED, turned)):
        after = values_of(edited(made, change, resolution=None)[0])
        assert after.get(tag) == expected
        assert after[0x010F].data == b"Acme\0"
        assert after[0x927C] == note


@pytest.mark.parametrize("tag", [0x02BC, 0x83BB, 0x8649, 0x8482, 0x87B1])
def test_what_is_left_out_of_exif_is_overwritten_too(tag: int) -> None:
    """An EXIF block made from a TIFF may hold a packet of XMP, or the earth's coordinates."""
    made = block(
        "<",
        {0x010F: Value(2, b"Acme\0"), tag: Value(7, b"Marienplatz, Munich")},
        {0x8827: Value(3, b"\x64\0")},
        {},
    )
    after = edited(made, SCALED, resolution=None)[0]
    assert b"Munich" in made
    assert b"Munich" not in after
    assert values_of(after)[0x010F].data == b"Acme\0"


@pytest.mark.parametrize("order", ["<", ">"])
def test_density_in_exif_is_scaled_and_swapped(order: str) -> None:
    x, y = (Value(5, struct.pack(order + "2I", *pair)) for pair in ((1000, 3), (500, 1)))
    made = block(order, {}, {0xA20E: x, 0xA20F: y}, {})
    after = values_of(edited(made, SCALED, resolution=None)[0])
    assert struct.unpack(order + "2I", after[0xA20E].data) == (4000, 3)
    assert struct.unpack(order + "2I", after[0xA20F].data) == (2000, 1)
    after = values_of(edited(made, TURNED, resolution=None)[0])
    assert (after[0xA20E], after[0xA20F]) == (y, x)


def test_a_subject_beyond_what_its_tag_can_say_is_left_out() -> None:
    made = block("<", {}, {0x9214: Value(3, struct.pack("<2H", 150, 100))}, {})
    after = values_of(edited(made, Change(before=(160, 120), after=(160_000, 120_000)), resolution=None)[0])
    assert 0x9214 not in after


@pytest.mark.parametrize("tag", [0x9214, 0xA20E])
def test_a_value_beyond_the_end_costs_its_tag_alone(tag: int) -> None:
    value = Value(5, bytes(8)) if tag == 0xA20E else Value(3, struct.pack("<4H", 1, 2, 3, 4))
    made = bytearray(block("<", {0x010F: Value(2, b"Acme\0")}, {tag: value, 0x8827: Value(3, b"\x64\0")}, {}))
    at = bytes(made).index(struct.pack("<HH", tag, value.kind))
    struct.pack_into("<I", made, at + 8, 1 << 30)
    after = values_of(edited(bytes(made), TURNED, resolution=None)[0])
    assert tag not in after
    assert after[0x8827].data == b"\x64\0"
    assert after[0x010F].data == b"Acme\0"


def dataset(record: int, number: int, data: bytes) -> bytes:
    return struct.pack(">BBBH", 0x1C, record, number, len(data)) + data


@pytest.mark.parametrize(
    ("record", "number"),
    [*((record, 20) for record in IPTC_LEFT_OUT), *((2, number) for number in IPTC_PREVIEW)],
)
def test_iptc_of_old_pixels_is_left_out(record: int, number: int) -> None:
    kept = dataset(1, 90, b"\x1b%G") + dataset(2, 80, b"Ann"), dataset(2, 120, b"a caption")
    assert iptc_rewritten(kept[0] + dataset(record, number, b"x" * 40) + kept[1]) == b"".join(kept)
    assert iptc_rewritten(dataset(record, number, b"x")) is None
