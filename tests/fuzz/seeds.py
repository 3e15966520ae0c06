"""Well-formed inputs that fuzzing starts from, all made here."""

import io
import json
import struct
import zlib
from collections.abc import Callable, Iterator

import numpy as np
from PIL import Image

from tests.fuzz import model_seeds
from wildsr.files.fingerprint import Fingerprint
from wildsr.files.records import Entry, header_line


def pixels(mode: str, width: int, height: int) -> Image.Image:
    """Return a small picture with some structure in it."""
    y, x = np.mgrid[:height, :width]
    red = (x * 16 + y * 3) % 256
    base = np.stack([red, (y * 16) % 256, (x * y) % 256, 255 - red], axis=2).astype(np.uint8)
    picture = Image.fromarray(base, "RGBA")
    return picture if mode == "RGBA" else picture.convert("RGB").convert(mode)


def exif(orientation: int = 6) -> bytes:
    """Return an EXIF block as cameras write it."""
    block = Image.Exif()
    block[0x0112] = orientation
    block[0x010F] = "Maker"
    block.get_ifd(0x8769)[0x9003] = "2026:01:01 00:00:00"
    block.get_ifd(0x8825)[1] = "N"
    return block.tobytes()


def saved(picture: Image.Image, form: str, **options: object) -> bytes:
    """Return a picture as a file of some format."""
    file = io.BytesIO()
    picture.save(file, form, **options)
    return file.getvalue()


def pictures() -> list[bytes]:
    """Return small pictures of every format and colour model that is read."""
    rgb, rgba, gray = pixels("RGB", 17, 13), pixels("RGBA", 9, 8), pixels("L", 8, 8)
    sixteen = Image.fromarray((np.arange(64, dtype=np.uint16) * 1000).reshape(8, 8))
    return [
        saved(rgb, "JPEG", exif=exif(), quality=80),
        saved(rgb, "JPEG", progressive=True, icc_profile=b"not a profile", xmp=b"<x:xmpmeta/>"),
        saved(gray, "JPEG"),
        saved(rgb.convert("CMYK"), "JPEG"),
        saved(rgb, "PNG", exif=exif(3)),
        saved(rgba, "PNG"),
        saved(gray.convert("1"), "PNG"),
        saved(rgb.convert("P"), "PNG", transparency=0),
        saved(gray.convert("LA"), "PNG"),
        saved(sixteen, "PNG"),
        saved(rgb, "WEBP", exif=exif(8)),
        saved(rgba, "WEBP", lossless=True),
        saved(rgb, "TIFF"),
        saved(rgba, "TIFF", compression="tiff_lzw"),
        saved(rgb, "TIFF", compression="jpeg"),
        saved(gray.convert("1"), "TIFF", compression="group4"),
        saved(rgb.convert("CMYK"), "TIFF", compression="tiff_adobe_deflate"),
        saved(rgb.convert("LAB"), "TIFF"),
        saved(sixteen, "TIFF"),
        saved(gray.convert("F"), "TIFF"),
        saved(rgb.convert("P"), "GIF"),
        saved(
            rgb.convert("P"),
            "GIF",
            save_all=True,
            append_images=[rgb.convert("P").rotate(90)],
            transparency=1,
        ),
        saved(rgb, "WEBP", save_all=True, append_images=[rgb.rotate(180)]),
        saved(rgb, "AVIF", exif=exif(5)),
        saved(rgba, "AVIF"),
        saved(rgb, "BMP"),
        saved(rgb.convert("P"), "BMP"),
        saved(gray.convert("1"), "BMP"),
        saved(rgba, "BMP"),
        saved(rgb, "PPM"),
        saved(gray.convert("1"), "PPM"),
        saved(sixteen, "PPM"),
        b"P3\n# plain\n2 2\n255\n1 2 3 4 5 6 7 8 9 10 11 12\n",
        b"P7\nWIDTH 2\nHEIGHT 1\nDEPTH 4\nMAXVAL 255\nTUPLTYPE RGB_ALPHA\nENDHDR\n12345678",
    ]


def repaired(data: bytes) -> bytes:
    """Return a PNG with its checksums made right, so that damage gets past them; anything else as it is."""
    if not data.startswith(b"\x89PNG\r\n\x1a\n"):
        return data
    return data[:8] + b"".join(_png_chunks(data))


def _png_chunks(data: bytes) -> Iterator[bytes]:
    at = 8
    while at + 8 <= len(data):
        size = struct.unpack(">I", data[at : at + 4])[0]
        body = data[at + 4 : at + 8 + size]
        if at + 12 + size > len(data):
            break
        yield data[at : at + 4] + body + struct.pack(">I", zlib.crc32(body))
        at += 12 + size
    yield data[at:]


def journals() -> list[bytes]:
    """Return journals as runs leave them."""
    mark = Fingerprint(sha256="0" * 64, size=6, mtime_ns=1, ctime_ns=1, inode=1)
    header = header_line({"tile": 512, "precision": "fp32", "strength": 1.0, "fix": True, "fuse": None})
    begun = Entry(status="begun", source=mark).line(source="in.jpg", target="out.png")
    done = Entry(status="done", source=mark, target=mark, seconds=1.5).line(source="in.jpg", target="out.png")
    failed = Entry(status="failed", reason="broken").line(source="b.jpg", target="sub/b.png")
    return [
        header,
        header + begun,
        header + begun + done,
        header + done + failed,
        header + failed + done[:50],
    ]


def frames() -> list[bytes]:
    """Return plans for pictures to encode, as `targets.encode` reads them."""
    blocks = json.dumps({"a": 1}).encode(), exif(), b"<x:xmpmeta xmlns:x='adobe:ns:meta/'/>"
    return [
        bytes([form, 7, 5, channels, depth])
        + struct.pack("<HHHH", *(len(b) for b in blocks), 0)
        + b"".join(blocks)
        for form in range(5)
        for channels, depth in ((0, 0), (2, 1), (3, 0))
    ]


def arguments() -> list[bytes]:
    """Return command lines of names, as `targets.names` reads them."""
    return [
        b"in\0a.jpg\0b/c.png",
        b"in\0b/../a.jpg",
        b"*.jpg\0a.jpg\0\xff.jpg",
        b"**/[ab]?.*\0ab.png\0.hidden.png",
        b"-x\0-x\nb.jpg",
    ]


SEEDS: dict[str, Callable[[], list[bytes]]] = {
    "decode": pictures,
    "encode": frames,
    "journal": journals,
    "names": arguments,
    "ncnn": model_seeds.ncnn_models,
    "onnx": model_seeds.onnx_models,
    "spec": model_seeds.specs,
    "upscale": lambda: [bytes([n % 5, 3 * n, n, n % 7]) + file for n, file in enumerate(pictures())],
}
