"""Metadata as cameras and programs write it, for fuzzing to start from."""

import struct

from tests.fuzz.metadata_targets import CONTAINERS, packed
from tests.fuzz.picture_seeds import exif
from tests.imaging.make import exif_block
from wildsr.imaging.cicp import by_code_points

XMP = b"""<?xpacket begin="" id="W5M0MpCehiHzreSzNTczkc9d"?><x:xmpmeta xmlns:x="adobe:ns:meta/">
<rdf:RDF xmlns:rdf="http://www.w3.org/1999/02/22-rdf-syntax-ns#"><rdf:Description rdf:about=""
 xmlns:tiff="http://ns.adobe.com/tiff/1.0/" xmlns:exif="http://ns.adobe.com/exif/1.0/"
 xmlns:photoshop="http://ns.adobe.com/photoshop/1.0/" xmlns:GPano="http://ns.google.com/photos/1.0/panorama/"
 tiff:Orientation="6" exif:GPSLatitude="47,22.1N" photoshop:City="Z" GPano:FullPanoWidthPixels="20">
<tiff:ImageWidth>5</tiff:ImageWidth><exif:SubjectArea><rdf:Seq><rdf:li>2</rdf:li><rdf:li>3</rdf:li></rdf:Seq>
</exif:SubjectArea></rdf:Description></rdf:RDF></x:xmpmeta><?xpacket end="w"?>"""
REGIONS = b"""<x:xmpmeta xmlns:x="adobe:ns:meta/"><rdf:RDF xmlns:rdf="http://www.w3.org/1999/02/22-rdf-syntax-ns#">
<rdf:Description xmlns:mwg-rs="http://www.metadataworkinggroup.com/schemas/regions/"
 xmlns:stArea="http://ns.adobe.com/xmp/sType/Area#" xmlns:xmpNote="http://ns.adobe.com/xmp/note/"
 xmpNote:HasExtendedXMP="0123456789ABCDEF0123456789ABCDEF">
<mwg-rs:Regions rdf:parseType="Resource"><mwg-rs:RegionList><rdf:Bag><rdf:li><rdf:Description mwg-rs:Name="n">
<mwg-rs:Area stArea:x=".5" stArea:y=".2" stArea:w=".1" stArea:h=".1" stArea:unit="normalized"/>
</rdf:Description></rdf:li></rdf:Bag></mwg-rs:RegionList></mwg-rs:Regions></rdf:Description></rdf:RDF></x:xmpmeta>"""
IPTC = b"".join(
    b"\x1c\x02" + bytes([number]) + struct.pack(">H", len(text)) + text
    for number, text in ((90, b"City"), (92, b"Place"), (101, b"Land"), (120, b"a caption"), (25, b"word"))
)


def blocks() -> list[bytes]:
    """Return every kind of block in every container."""
    icc = by_code_points(12, 13) or b""
    extended = b"0123456789ABCDEF0123456789ABCDEF" + struct.pack(">II", len(REGIONS), 0) + REGIONS
    found = []
    for number in range(len(CONTAINERS)):
        found += [
            packed(number, 0, ("exif", exif(6)), ("xmp", XMP), ("iptc", IPTC), ("icc", icc)),
            packed(
                number, 36, ("xmp", REGIONS), ("extended", extended), ("exif", exif_block(3, prefix=False))
            ),
            packed(
                number, 33, ("text", b"Author" + b"me at"), ("comment", b"note" + b"text"), ("icc", icc[:200])
            ),
            packed(
                number, 6, ("exif", exif_block(8, order=">", prefix=False, thumbnail=b"\xff\xd8\xff\xd9"))
            ),
            packed(
                number, 98, ("second", exif_block(5)), ("raw", b"pHYs" + struct.pack(">IIB", 11811, 11811, 1))
            ),
        ]
    return found


def layouts() -> list[bytes]:
    """Return recipes of directories, as `layout` reads them."""
    chain = bytes([2, 23, 3, 1, 0, 1, 24, 1, 1, 0, 9, 1, 40, 6, 2, 2, 0, 0, 0])
    return [
        bytes([kind, option]) + chain * repeat + bytes(range(1, 60, 3)) * (repeat - 1)
        for kind in range(8)
        for option, repeat in ((0, 1), (37, 2), (98, 4))
    ]


def repetitions() -> list[bytes]:
    """Return blocks with a piece that is repeated, as `expanded` reads them."""
    found = []
    for kind, block, piece in (
        (1, XMP, b"<tiff:ImageWidth>5</tiff:ImageWidth>"),
        (1, REGIONS, b"<rdf:li>"),
        (1, XMP, b' tiff:Orientation="6"'),
        (2, IPTC, IPTC[:9]),
        (0, exif_block(6, prefix=False), exif_block(6, prefix=False)[10:22]),
        (3, by_code_points(12, 13) or b"", b"para"),
    ):
        start = max(0, block.find(piece))
        for times in (0, 7):
            head = bytes([kind, 36, times, 0]) + struct.pack("<HH", start, start + len(piece))
            found.append(head + block)
    return found
