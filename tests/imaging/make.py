"""Picture files made byte by byte, for kinds no encoder at hand writes.  Shared by the tests of imaging."""

import io
import struct
import zlib
from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray
from PIL import Image

_TIFF_TYPES = {1: "B", 2: "s", 3: "H", 4: "I", 5: "II", 7: "B"}


def tiff(
    samples: NDArray[np.generic],
    photometric: int,
    *,
    bits: int | None = None,
    extra: Sequence[int] = (),
    sample_format: int = 1,
    orientation: int = 1,
    blobs: dict[int, bytes] | None = None,
    tags: dict[int, tuple[int, tuple[int, ...]]] | None = None,
    packed: bytes | None = None,
    order: str = "<",
    pages: int = 1,
) -> bytes:
    """Return an uncompressed single-strip TIFF 6.0 of H×W×C samples (or of `packed` rows of fewer bits)."""
    height, width, channels = samples.shape
    data = packed if packed is not None else samples.astype(samples.dtype.newbyteorder(order)).tobytes()
    bits = bits or samples.dtype.itemsize * 8
    out = bytearray((b"II" if order == "<" else b"MM") + struct.pack(order + "HI", 42, 0))
    strip = len(out)
    out += data + b"\0" * (len(data) % 2)
    pointer = 4
    for page in range(pages):
        entries: dict[int, tuple[int, tuple[int, ...] | bytes]] = {
            256: (4, (width,)),
            257: (4, (height,)),
            258: (3, (bits,) * channels),
            259: (3, (1,)),
            262: (3, (photometric,)),
            273: (4, (strip,)),
            274: (3, (orientation,)),
            277: (3, (channels,)),
            278: (4, (height,)),
            279: (4, (len(data),)),
            284: (3, (1,)),
            339: (3, (sample_format,) * channels),
            **({338: (3, tuple(extra))} if extra else {}),
            **({297: (3, (page, pages))} if pages > 1 else {}),
            **(tags or {}),
            **{tag: (7, blob) for tag, blob in (blobs or {}).items()},
        }
        pointer = _append_ifd(out, entries, order, pointer)
    return bytes(out)


def _append_ifd(
    out: bytearray, entries: dict[int, tuple[int, tuple[int, ...] | bytes]], order: str, pointer: int
) -> int:
    fields = []
    for tag in sorted(entries):
        kind, values = entries[tag]
        raw = values if isinstance(values, bytes) else _pack(values, kind, order)
        count = len(values) // (2 if kind == 5 else 1)
        if len(raw) > 4:
            at = len(out)
            out += raw + b"\0" * (len(raw) % 2)
            raw = struct.pack(order + "I", at)
        fields.append(struct.pack(order + "HHI", tag, kind, count) + raw.ljust(4, b"\0"))
    struct.pack_into(order + "I", out, pointer, len(out))
    out += struct.pack(order + "H", len(fields)) + b"".join(fields) + b"\0\0\0\0"
    return len(out) - 4


def _pack(values: tuple[int, ...], kind: int, order: str) -> bytes:
    return struct.pack(order + _TIFF_TYPES[kind][0] * len(values), *values)


def png_chunk(kind: bytes, data: bytes) -> bytes:
    return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))


def png(
    samples: NDArray[np.generic],
    colour_type: int,
    *,
    bits: int | None = None,
    chunks: Sequence[tuple[bytes, bytes]] = (),
    packed: bytes | None = None,
) -> bytes:
    """Return a PNG of H×W×C samples; `chunks` come between IHDR and IDAT."""
    height, width = samples.shape[:2]
    bits = bits or samples.dtype.itemsize * 8
    raw = packed if packed is not None else samples.astype(samples.dtype.newbyteorder(">")).tobytes()
    row = len(raw) // height
    lines = b"".join(b"\0" + raw[y * row : (y + 1) * row] for y in range(height))
    header = struct.pack(">IIBBBBB", width, height, bits, colour_type, 0, 0, 0)
    body = [png_chunk(b"IHDR", header), *(png_chunk(k, d) for k, d in chunks)]
    body += [png_chunk(b"IDAT", zlib.compress(lines)), png_chunk(b"IEND", b"")]
    return b"\x89PNG\r\n\x1a\n" + b"".join(body)


def exif_block(
    orientation: int = 1,
    *,
    order: str = "<",
    thumbnail: bytes = b"",
    maker_note: bytes = b"ACME\0\x01\x02\x03" * 9,
    gps: bool = True,
    prefix: bool = True,
) -> bytes:
    """Return EXIF as cameras lay it out: directory 0, Exif with a maker's note, GPS, then thumbnail directory 1."""
    out = bytearray((b"II" if order == "<" else b"MM") + struct.pack(order + "HI", 42, 8))
    gps_tags: dict[int, tuple[int, tuple[int, ...] | bytes]] = {
        0: (1, (2, 3, 0, 0)),
        1: (2, b"N\0"),
        2: (5, (47, 1, 22, 1, 1234, 100)),
        3: (2, b"E\0"),
        4: (5, (8, 1, 32, 1, 5678, 100)),
    }
    exif_tags: dict[int, tuple[int, tuple[int, ...] | bytes]] = {
        0x829A: (5, (1, 250)),
        0x9003: (2, b"2021:07:14 12:34:56\0"),
        0x927C: (7, maker_note),
        0x9999: (7, b"a tag nobody knows"),
        0xA002: (3, (96,)),
        0xA003: (4, (64,)),
    }
    main: dict[int, tuple[int, tuple[int, ...] | bytes]] = {
        0x010F: (2, b"Acme Optical\0"),
        0x0110: (2, b"Model 7\0"),
        0x0112: (3, (orientation,)),
        0x0131: (2, b"firmware 1.2\0"),
        0x0132: (2, b"2021:07:14 12:34:56\0"),
        0x8298: (2, b"(c) somebody\0"),
        0x8769: (4, (0,)),
        **({0x8825: (4, (0,))} if gps else {}),
    }
    table = len(out)
    next_at = _append_ifd(out, main, order, 4)
    _link(out, table, main, 0x8769, exif_tags, order)
    if gps:
        _link(out, table, main, 0x8825, gps_tags, order)
    if thumbnail:
        at = len(out) + 2 + 3 * 12 + 4
        tags: dict[int, tuple[int, tuple[int, ...] | bytes]] = {
            0x0103: (3, (6,)),
            0x0201: (4, (at,)),
            0x0202: (4, (len(thumbnail),)),
        }
        _append_ifd(out, tags, order, next_at)
        out += thumbnail
    return (b"Exif\0\0" if prefix else b"") + bytes(out)


def _link(
    out: bytearray,
    table: int,
    main: dict[int, tuple[int, tuple[int, ...] | bytes]],
    tag: int,
    entries: dict[int, tuple[int, tuple[int, ...] | bytes]],
    order: str,
) -> None:
    """Append a directory and let `tag` of the directory written first point at it."""
    start = struct.unpack_from(order + "I", out, 4)[0]
    index = sorted(main).index(tag)
    scratch = len(out)
    out += bytes(4)
    _append_ifd(out, entries, order, scratch)
    at = struct.unpack_from(order + "I", out, scratch)[0]
    struct.pack_into(order + "I", out, start + 2 + 12 * index + 8, at)


def jpeg_segment(marker: int, payload: bytes) -> bytes:
    return struct.pack(">BBH", 0xFF, marker, len(payload) + 2) + payload


def jpeg(
    samples: NDArray[np.uint8], *, segments: Sequence[tuple[int, bytes]] = (), behind: bytes = b""
) -> bytes:
    """Return a JPEG with application segments behind its start, and bytes behind its end."""
    out = io.BytesIO()
    Image.fromarray(samples).save(out, "JPEG", quality=95)
    data = out.getvalue()
    return data[:2] + b"".join(jpeg_segment(*one) for one in segments) + data[2:] + behind


def xmp_packet(body: str = "", attributes: str = "", **namespaces: str) -> bytes:
    """Return a packet of one description with properties as elements and as attributes."""
    bound = "".join(f' xmlns:{prefix.replace("_", "-")}="{uri}"' for prefix, uri in namespaces.items())
    return (
        '<?xpacket begin="\ufeff" id="W5M0MpCehiHzreSzNTczkc9d"?><x:xmpmeta xmlns:x="adobe:ns:meta/">'
        '<rdf:RDF xmlns:rdf="http://www.w3.org/1999/02/22-rdf-syntax-ns#">'
        f'<rdf:Description rdf:about=""{bound}{attributes}>{body}</rdf:Description>'
        '</rdf:RDF></x:xmpmeta><?xpacket end="w"?>'
    ).encode()


def iptc_dataset(record: int, number: int, data: bytes) -> bytes:
    return struct.pack(">BBBH", 0x1C, record, number, len(data)) + data


def photoshop(records: bytes) -> bytes:
    """Return IPTC records as the payload of a JPEG's APP13 segment."""
    padded = records + b"\0" * (len(records) % 2)
    return b"Photoshop 3.0\0" + b"8BIM\x04\x04\0\0" + struct.pack(">I", len(records)) + padded
