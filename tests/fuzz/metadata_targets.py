"""Fuzz targets for what files say beside their pixels: blocks in sound containers, and directories of TIFF and EXIF."""

import struct
import zlib
from contextlib import suppress
from functools import cache

import numpy as np

from tests.fuzz.checks import LIMITS, check_error, check_picture, listing, scratch
from tests.fuzz.model_targets import tiny_upscaler
from tests.fuzz.picture_seeds import pixels, saved
from tests.imaging.make import png, png_chunk, tiff
from wildsr.engine import Size
from wildsr.errors import WildsrError
from wildsr.imaging import Frame, Metadata, WriteOptions, probe, read, write
from wildsr.imaging.containers.avif import with_metadata
from wildsr.imaging.fitting_metadata import fit_metadata
from wildsr.imaging.formats import FORMATS
from wildsr.imaging.icc import IccError, is_srgb_like, parse
from wildsr.imaging.metadata import xmp
from wildsr.imaging.metadata.rewriting import settled

CONTAINERS = ("png", "jpeg", "webp", "tiff", "gif", "avif")
KINDS = ("exif", "xmp", "iptc", "icc", "text", "extended", "second", "comment", "raw")
_FORMATS = ("png", "jpeg", "webp", "tiff")
_TAGS = (256, 257, 258, 259, 262, 270, 273, 274, 277, 278, 279, 282, 283, 296, 305, 330, 338, 513, 514, 700)
_TAGS += (
    33432,
    33723,
    34377,
    34665,
    34675,
    34853,
    36867,
    37396,
    37500,
    40962,
    40963,
    40965,
    41486,
    41492,
    50341,
)
_COUNTS = (0, 1, 2, 3, 4, 8, 255, 65535, 1 << 20, (1 << 31) - 1, (1 << 32) - 1)


def metadata(data: bytes) -> None:
    """Put blocks of metadata into a sound picture; carry them into another format, through a network or not."""
    form, options, *blocks = parse_blocks(data)
    _carry(container(CONTAINERS[form], blocks), options)


def directories(data: bytes) -> None:
    """Lay out TIFF directories that point at each other; read them as a TIFF, or as the EXIF of a JPEG or PNG."""
    head = data[:2].ljust(2, b"\0")
    block = layout(data[2:], order="<" if head[0] & 1 else ">", whole=head[0] & 6 == 0)
    if head[0] & 6 == 0:
        _carry(block, head[1])
    else:
        _carry(container("jpeg" if head[0] & 2 else "png", [("exif", block)]), head[1])


def rewriting(data: bytes) -> None:
    """Make blocks true of a picture that was turned, written in another size and format, and stripped of its place."""
    _, options, *blocks = parse_blocks(data)
    _rewrite(dict(blocks), options)


def repeated(data: bytes) -> None:
    """Do the same to a block in which one piece stands up to 4,096 times."""
    kind, block = expanded(data)
    _rewrite({kind: block, "extended": block} if kind == "xmp" else {kind: block}, data[1] if data[1:] else 0)


def expanded(data: bytes) -> tuple[str, bytes]:
    """Return kind and content of a block whose middle is repeated; kind, times and two places lead the bytes."""
    head, body = data[:8].ljust(8, b"\0"), data[8:4096]
    first, last = sorted(int.from_bytes(head[at : at + 2], "little") % (len(body) + 1) for at in (4, 6))
    times = min(1 << head[2] % 13, (1 << 20) // max(1, last - first))
    return KINDS[head[0] % 4], body[:first] + body[first:last] * times + body[last:]


def _rewrite(blocks: dict[str, bytes], options: int) -> None:
    packet = blocks.get("xmp")
    if packet and "extended" in blocks:
        packet = xmp.joined(packet, blocks["extended"])
    found = Metadata(icc=blocks.get("icc"), exif=blocks.get("exif"), iptc=blocks.get("iptc"), xmp=packet)
    width, height = 20 + (options & 3), 31
    upright = settled(found, orientation=1 + (options >> 2 & 7), width=width, height=height).metadata
    frame = Frame(width=4 * width, height=4 * height, channels=3, depth=8, metadata=upright)
    write_options = WriteOptions(strip_gps=bool(options & 32))
    for name in ("png", "jpeg") if options & 64 else ("tiff", "webp"):
        once = fit_metadata(frame, FORMATS[name], write_options).metadata
        again = settled(once, orientation=1, width=frame.width, height=frame.height).metadata
        assert bool(again.exif) == bool(once.exif), "EXIF we wrote can't be read by us"
        assert bool(again.xmp) == bool(once.xmp), "XMP we wrote can't be read by us"
    if found.icc:
        with suppress(IccError):
            is_srgb_like(parse(found.icc))


def _carry(file: bytes, options: int) -> None:
    form = _FORMATS[options & 3]
    write_options = WriteOptions(
        format=form, strip_gps=bool(options & 4), strip_metadata=options & 24 == 24, overwrite=True
    )
    with scratch() as folder:
        source, target = folder / "input", folder / "output"
        source.write_bytes(file)
        try:
            if options & 96:
                picture = read(source, limits=LIMITS)
                header = probe(source, limits=LIMITS)
                assert (header.width, header.height) == (picture.width, picture.height)
                check_picture(picture)
                write(picture, target, options=write_options)
            else:
                tiny_upscaler(0).upscale_file(source, target, Size(), limits=LIMITS, options=write_options)
        except WildsrError as error:
            check_error(error)
            assert listing(folder) == ["input"]
            return
        assert listing(folder) == ["input", "output"]
        check_picture(read(target))


def parse_blocks(data: bytes) -> tuple[int, int, *tuple[tuple[str, bytes], ...]]:
    """Read container, options and blocks (kind, size in two bytes, content) from bytes."""
    head, at = data[:2].ljust(2, b"\0"), 2
    blocks = []
    while at + 3 <= len(data) and len(blocks) < 64:
        size = int.from_bytes(data[at + 1 : at + 3], "little")
        blocks.append((KINDS[data[at] % len(KINDS)], data[at + 3 : at + 3 + size]))
        at += 3 + size
    return head[0] % len(CONTAINERS), head[1], *blocks


def packed(container_number: int, options: int, *blocks: tuple[str, bytes]) -> bytes:
    """Write what `parse_blocks` reads."""
    body = b"".join(
        bytes([KINDS.index(kind)]) + struct.pack("<H", len(block)) + block for kind, block in blocks
    )
    return bytes([container_number, options]) + body


def container(form: str, blocks: list[tuple[str, bytes]]) -> bytes:
    """Return a small, sound picture that carries blocks where its format keeps them."""
    return {"png": _png, "jpeg": _jpeg, "webp": _webp, "tiff": _tiff, "gif": _gif, "avif": _avif}[form](
        blocks
    )


def _png(blocks: list[tuple[str, bytes]]) -> bytes:
    chunks = []
    for kind, block in blocks:
        half = len(block) // 2
        keyword, text = block[:half].replace(b"\0", b"")[:79] or b"Title", block[half:]
        chunks += {
            "exif": [(b"eXIf", block)],
            "xmp": [(b"iTXt", b"XML:com.adobe.xmp\0\0\0\0\0" + block)],
            "iptc": [(b"tEXt", b"Raw profile type iptc\0" + _raw_profile(b"iptc", block))],
            "icc": [(b"iCCP", b"p\0\0" + _zlib(block))],
            "text": [(b"tEXt", keyword + b"\0" + text)],
            "extended": [(b"zTXt", keyword + b"\0\0" + _zlib(text))],
            "second": [(b"zTXt", b"Raw profile type exif\0\0" + _zlib(_raw_profile(b"exif", block)))],
            "comment": [(b"iTXt", keyword + b"\0\1\0\0\0" + _zlib(text))],
            "raw": [(block[:4].ljust(4, b"x"), block[4:])],
        }[kind]
    known = (b"IHDR", b"PLTE", b"IDAT", b"IEND")
    chunks = [(name, body) for name, body in chunks if name not in known and name.isalpha()]
    made = png(np.asarray(pixels("RGB", 5, 4)), 2, chunks=chunks[::2])
    return made[:-12] + b"".join(png_chunk(name, body) for name, body in chunks[1::2]) + made[-12:]


def _zlib(data: bytes) -> bytes:
    return zlib.compress(data, 1)


def _raw_profile(name: bytes, block: bytes) -> bytes:
    digits = block.hex().encode()
    lines = b"\n".join(digits[at : at + 72] for at in range(0, len(digits), 72))
    return b"\n" + name + b"\n" + str(len(block)).rjust(8).encode() + b"\n" + lines + b"\n"


@cache
def _plain(form: str) -> bytes:
    options = {"WEBP": {"lossless": True}, "AVIF": {"speed": 10}}.get(form, {})
    return saved(pixels("RGB", 5, 4).convert("P" if form == "GIF" else "RGB"), form, **options)


def _jpeg(blocks: list[tuple[str, bytes]]) -> bytes:
    plain = _plain("JPEG")
    segments = b""
    for kind, block in blocks:
        prefix, marker = {
            "exif": (b"Exif\0\0", 0xE1),
            "xmp": (b"http://ns.adobe.com/xap/1.0/\0", 0xE1),
            "iptc": (b"Photoshop 3.0\x008BIM\x04\x04\0\0" + struct.pack(">I", len(block)), 0xED),
            "icc": (b"ICC_PROFILE\0\x01\x01", 0xE2),
            "text": (b"Photoshop 3.0\0", 0xED),
            "extended": (b"http://ns.adobe.com/xmp/extension/\0", 0xE1),
            "second": (b"MPF\0", 0xE2),
            "comment": (b"", 0xFE),
            "raw": (b"", 0xE0 | (block[0] & 15 if block else 0)),
        }[kind]
        payload = (prefix + block)[:65533]
        segments += struct.pack(">BBH", 0xFF, marker, len(payload) + 2) + payload
    return plain[:2] + segments + plain[2:]


def _webp(blocks: list[tuple[str, bytes]]) -> bytes:
    names = {"exif": b"EXIF", "xmp": b"XMP ", "icc": b"ICCP"}
    chunks = [(names.get(kind, block[:4].ljust(4, b"x")), block) for kind, block in blocks]
    flags = sum({b"EXIF": 8, b"XMP ": 4, b"ICCP": 32}.get(name, 0) for name in {name for name, _ in chunks})
    header = struct.pack("<B3xI", flags, 4)[:7] + struct.pack("<I", 3)[:3]
    before = [(b"VP8X", header), *(chunk for chunk in chunks if chunk[0] == b"ICCP")]
    after = [chunk for chunk in chunks if chunk[0] != b"ICCP"]
    body = _riff(before) + _plain("WEBP")[12:] + _riff(after)
    return b"RIFF" + struct.pack("<I", len(body) + 4) + b"WEBP" + body


def _riff(chunks: list[tuple[bytes, bytes]]) -> bytes:
    return b"".join(
        name + struct.pack("<I", len(body)) + body + bytes(len(body) % 2) for name, body in chunks
    )


def _tiff(blocks: list[tuple[str, bytes]]) -> bytes:
    tags = {"xmp": 700, "iptc": 33723, "icc": 34675, "exif": 37500, "text": 34377, "comment": 37510}
    blobs = {tags.get(kind, 50000 + number): block for number, (kind, block) in enumerate(blocks)}
    return tiff(np.asarray(pixels("RGB", 5, 4)), 2, blobs={tag: blob for tag, blob in blobs.items() if blob})


def _gif(blocks: list[tuple[str, bytes]]) -> bytes:
    plain = _plain("GIF")
    palette = 3 << ((plain[10] & 7) + 1) if plain[10] & 128 else 0
    extensions = b""
    for kind, block in blocks:
        heads = {"xmp": b"\x21\xff\x0bXMP DataXMP" + block + b"\1" + bytes(range(255, -1, -1)) + b"\0"}
        parts = b"".join(
            bytes([len(block[at : at + 255])]) + block[at : at + 255] for at in range(0, len(block), 255)
        )
        extensions += heads.get(kind, b"\x21\xfe" + parts + b"\0")
    return plain[: 13 + palette] + extensions + plain[13 + palette :]


def _avif(blocks: list[tuple[str, bytes]]) -> bytes:
    given = {kind: block for kind, block in blocks if kind in ("exif", "xmp", "icc") and block}
    return with_metadata(_plain("AVIF"), Metadata(**given))


def layout(data: bytes, *, order: str, whole: bool) -> bytes:
    """Return TIFF directories: each entry takes five bytes of `data` for tag, type, count and value.

    Values are small numbers, or places in the block, which fit often enough to lead somewhere. With `whole`, the
    first directory begins as that of a sound 4×4 picture.
    """
    numbers = list(data)
    start = [(256, 4, 1, 4), (257, 4, 1, 4), (258, 3, 1, 8), (262, 3, 1, 1), (273, 4, 1, 8), (279, 4, 1, 16)]
    out = bytearray((b"II" if order == "<" else b"MM") + struct.pack(order + "HI", 42, 24) + bytes(range(16)))
    while len(numbers) >= 2 and len(out) < 20_000:
        entries = list(start) if whole and len(out) == 24 else []
        for _ in range(min(numbers.pop(0), 48)):
            if len(numbers) < 5:
                break
            tag, kind, count, high, low = numbers[:5]
            del numbers[:5]
            place = high << 8 | low if low & 1 else (high * 24 + low) % (len(out) + 256)
            known = _TAGS[tag % len(_TAGS)] if tag < 245 else tag << 8 | low
            entries.append((known, kind % 20, _COUNTS[count % len(_COUNTS)], place))
        if numbers and numbers[0] & 1:
            entries.sort()
        following = numbers.pop(0) * 12 if numbers else 0
        out += struct.pack(order + "H", len(entries))
        out += b"".join(_entry(order, *entry) for entry in entries) + struct.pack(order + "I", following)
    return bytes(out)


def _entry(order: str, tag: int, kind: int, count: int, value: int) -> bytes:
    small = struct.pack(order + "HH", value & 0xFFFF, 0) if kind == 3 and count == 1 else b""
    return struct.pack(order + "HHI", tag, kind, count) + (small or struct.pack(order + "I", value))
