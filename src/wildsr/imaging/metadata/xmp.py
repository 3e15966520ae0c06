"""XMP packets, corrected by the few properties that upscaling makes wrong; all else stays as written.

Works on the serialised text: a property is an attribute (`tiff:Orientation="6"`) or an element. No XML parser
runs over untrusted packets.
"""

import re

_NUMBERS = {
    "tiff:Orientation": "orientation",
    "tiff:ImageWidth": "width",
    "tiff:ImageLength": "height",
    "exif:PixelXDimension": "width",
    "exif:PixelYDimension": "height",
}
_ELEMENT = rb"<(%s)(?:\s[^<>]*)?(?:/>|>.{0,%d}?</\1\s*>)"
_THUMBNAILS = re.compile(_ELEMENT % (rb"xmp:Thumbnails|xap:Thumbnails|xmpGImg:image", 4_000_000), re.S)
_GPS_ELEMENT = re.compile(_ELEMENT % (rb"exif:GPS\w{1,40}", 10_000), re.S)
_GPS_ATTRIBUTE = re.compile(rb"""\sexif:GPS\w{1,40}\s*=\s*("[^"<]*"|'[^'<]*')""")


def corrected(
    packet: bytes, *, width: int | None = None, height: int | None = None, strip_gps: bool = False
) -> bytes:
    """Return a packet with orientation 1, the size given, no thumbnails and, if asked, no place.

    Args:
        packet: UTF-8 XMP.
        width: Pixels, or None to leave stated sizes alone.
        height: Pixels, or None.
        strip_gps: Remove every `exif:GPS…` property.
    """
    wanted = {"orientation": 1, "width": width, "height": height}
    for name, kind in _NUMBERS.items():
        number = wanted[kind]
        if number is not None:
            packet = _set_number(packet, name.encode(), b"%d" % number)
    packet = _THUMBNAILS.sub(b"", packet)
    if strip_gps:
        packet = _GPS_ATTRIBUTE.sub(b"", _GPS_ELEMENT.sub(b"", packet))
    return packet


def _set_number(packet: bytes, name: bytes, number: bytes) -> bytes:
    attribute = re.compile(rb"(\s" + name + rb"""\s*=\s*["'])\s*\d{1,10}\s*(?=["'])""")
    element = re.compile(rb"(<" + name + rb">)\s*\d{1,10}\s*(?=</)")
    return element.sub(rb"\g<1>" + number, attribute.sub(rb"\g<1>" + number, packet))
