"""Files that break readers, each with what must come of it.  One table for the Python API, the CLI and the fuzzer.

for name, case in NASTY.items():
    case.write(folder / case.file_name)
    # case.outcome: "result", or the class of error reading it must raise; case.says: words of the error or note
"""

import io
import os
import random
import struct
import sys
import zlib
from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Literal

import numpy as np
from PIL import Image, ImageCms

from tests.imaging.make import exif_block, png, png_chunk, tiff
from wildsr.errors import InputError, LimitError, WildsrError

Outcome = Literal["result"] | type[WildsrError]
_BOMB = 60_000


@dataclass(frozen=True)
class Nasty:
    """One bad file: `write(path)` makes it; reading it gives `outcome`."""

    file_name: str
    write: Callable[[Path], None]
    outcome: Outcome
    says: str = ""
    """Pattern the error's message, or for a result one of its notes, must match."""
    size: tuple[int, int] | None = None
    """Width and height of a result."""


def photo(width: int = 96, height: int = 64, channels: int = 3) -> np.ndarray:
    """Return smooth colours with some noise, uint8: compresses like a photo, so damage is felt."""
    y, x = np.mgrid[:height, :width]
    waves = [128 + 90 * np.sin(x / (9 + c) + c) * np.cos(y / (7 + c)) for c in range(channels)]
    noise = np.random.default_rng(7).normal(0, 6, (height, width, channels))
    return np.clip(np.stack(waves, axis=2) + noise, 0, 255).astype(np.uint8)


def encoded(form: str, image: Image.Image | None = None, **options: object) -> bytes:
    """Return a well-formed file by Pillow."""
    out = io.BytesIO()
    (image or Image.fromarray(photo())).save(out, form, **options)  # type: ignore[arg-type]
    return out.getvalue()


def _save(data: bytes, path: Path) -> None:
    path.write_bytes(data)


def _put(data: Callable[[], bytes] | bytes) -> Callable[[Path], None]:
    return lambda path: _save(data() if callable(data) else data, path)


FORMS = {
    "JPEG": ".jpg",
    "PNG": ".png",
    "WEBP": ".webp",
    "TIFF": ".tif",
    "GIF": ".gif",
    "AVIF": ".avif",
    "BMP": ".bmp",
}
_OPTIONS: dict[str, dict[str, object]] = {
    "WEBP": {"lossless": True},
    "TIFF": {"compression": "tiff_adobe_deflate"},
}


def form_bytes(form: str) -> bytes:
    """Return a well-formed file of a format of FORMS, or PPM."""
    return encoded(form, **_OPTIONS.get(form, {}))


def _truncated(form: str, share: float) -> bytes:
    data = form_bytes(form)
    return data[: int(len(data) * share)]


def _corrupt(form: str) -> bytes:
    """Return a file whose second half is noise (JPEG: progressive, so that every scan is hit)."""
    data = encoded("JPEG", progressive=True, restart_marker_blocks=2) if form == "JPEG" else form_bytes(form)
    noise = random.Random(5)
    middle = len(data) // 2
    end = len(data) - 40 if form != "TIFF" else len(data) - 300
    junk = bytes(noise.randrange(256) for _ in range(end - middle))
    return data[:middle] + junk + data[end:]


def bomb_png(width: int = _BOMB, height: int = _BOMB, depth: int = 8) -> bytes:
    header = struct.pack(">IIBBBBB", width, height, depth, 2, 0, 0, 0)
    chunks = [
        png_chunk(b"IHDR", header),
        png_chunk(b"IDAT", zlib.compress(bytes(5000))),
        png_chunk(b"IEND", b""),
    ]
    return b"\x89PNG\r\n\x1a\n" + b"".join(chunks)


def bomb_gif(width: int = _BOMB, height: int = _BOMB) -> bytes:
    screen = b"GIF89a" + struct.pack("<HHBBB", width, height, 0x80, 0, 0) + bytes(6)
    return screen + b"\x2c" + struct.pack("<HHHHB", 0, 0, width, height, 0) + b"\x02\x02\x4c\x01\x00\x3b"


def bomb_tiff(width: int = _BOMB, height: int = _BOMB) -> bytes:
    tags = [(256, 4, 1, width), (257, 4, 1, height), (258, 3, 1, 8), (259, 3, 1, 1), (262, 3, 1, 1)]
    tags += [(273, 4, 1, 8), (277, 3, 1, 1), (278, 4, 1, height), (279, 4, 1, 0xFFFFFFFF)]
    table = b"".join(struct.pack("<HHII", *tag) for tag in tags)
    return b"II*\0" + struct.pack("<IH", 8, len(tags)) + table + bytes(4)


def bomb_webp(width: int = _BOMB, height: int = _BOMB) -> bytes:
    canvas = bytes(4) + (width - 1).to_bytes(3, "little") + (height - 1).to_bytes(3, "little")
    pixels = b"\x2f" + (16382 | 16382 << 14).to_bytes(4, "little") + bytes(5)
    body = b"WEBPVP8X" + struct.pack("<I", 10) + canvas + b"VP8L" + struct.pack("<I", 10) + pixels
    return b"RIFF" + struct.pack("<I", len(body)) + body


def bomb_jpeg(side: int = 65_500) -> bytes:
    frame = struct.pack(">HBHHB", 17, 8, side, side, 3) + bytes([1, 0x11, 0, 2, 0x11, 0, 3, 0x11, 0])
    scan = struct.pack(">HB", 12, 3) + bytes([1, 0, 2, 0x11, 3, 0x11, 0, 63, 0])
    return b"\xff\xd8\xff\xc0" + frame + b"\xff\xda" + scan + bytes(100) + b"\xff\xd9"


def bomb_avif(side: int = _BOMB) -> bytes:
    data = form_bytes("AVIF")
    at = data.index(b"ispe") + 8
    return data[:at] + struct.pack(">II", side, side) + data[at + 8 :]


def bomb_bmp(side: int = _BOMB) -> bytes:
    info = struct.pack("<IiiHHIIiiII", 40, side, side, 1, 24, 0, 0, 0, 0, 0, 0)
    return b"BM" + struct.pack("<IHHI", 154, 0, 0, 54) + info + bytes(100)


BOMBS: dict[str, Callable[[], bytes]] = {
    "png": bomb_png,
    "png_16": partial(bomb_png, depth=16),
    "png_truncated": lambda: bomb_png()[:40],
    "png_one_row": lambda: bomb_png(2_000_000_000, 1),
    "gif": bomb_gif,
    "gif_truncated": lambda: bomb_gif()[:16],
    "tiff": bomb_tiff,
    "webp": bomb_webp,
    "webp_truncated": lambda: bomb_webp()[:32],
    "jpeg": bomb_jpeg,
    "avif": bomb_avif,
    "bmp": bomb_bmp,
    "bmp_top_down": lambda: bomb_bmp()[:22] + struct.pack("<i", -_BOMB) + bomb_bmp()[26:],
    "ppm": lambda: b"P6 60000 60000 255\n" + bytes(100),
    "pam": lambda: b"P7\nWIDTH 60000\nHEIGHT 60000\nDEPTH 4\nMAXVAL 255\nENDHDR\n" + bytes(100),
}
_BOMB_ENDINGS = {"jpeg": ".jpg", "tiff": ".tif"}


def _frames(form: str, **options: object) -> bytes:
    first = Image.fromarray(photo(40, 30))
    rest = [Image.fromarray(photo(40, 30)[::step, ::-step].copy()) for step in (-1, 1)]
    return encoded(form, first, save_all=True, append_images=rest, duration=50, **options)


def _cmyk_jpeg() -> bytes:
    return encoded("JPEG", _cmyk(), quality=95)


def _cmyk() -> Image.Image:
    return Image.fromarray(photo()).convert("CMYK")


def _lab() -> Image.Image:
    transform = ImageCms.buildTransform(
        ImageCms.createProfile("sRGB"), ImageCms.createProfile("LAB"), "RGB", "LAB"
    )
    result = ImageCms.applyTransform(Image.fromarray(photo()), transform)
    assert result is not None
    return result


def _itxt_bomb() -> bytes:
    """Return a picture whose text chunk unpacks to 400 MB."""
    packer = zlib.compressobj(9)
    body = b"".join(packer.compress(bytes(1 << 20)) for _ in range(400)) + packer.flush()
    return png(photo(8, 8), 2, chunks=[(b"zTXt", b"Comment\0\0" + body)])


def _iccp_bomb() -> bytes:
    packer = zlib.compressobj(9)
    body = b"".join(packer.compress(bytes(1 << 20)) for _ in range(400)) + packer.flush()
    return png(photo(8, 8), 2, chunks=[(b"iCCP", b"bomb\0\0" + body)])


def _looping_tiff() -> bytes:
    """Return a TIFF whose directory names itself as the next one."""
    data = bytearray(tiff(photo(16, 12), 2))
    at = struct.unpack("<I", data[4:8])[0]
    count = struct.unpack("<H", data[at : at + 2])[0]
    struct.pack_into("<I", data, at + 2 + 12 * count, at)
    return bytes(data)


def _looping_exif() -> bytes:
    """Return a JPEG whose EXIF directories point at themselves and beyond the end."""
    entry = struct.pack("<HHII", 0x8769, 4, 1, 8) + struct.pack("<HHII", 0x8825, 4, 1, 0xFFFFFFF0)
    block = b"II*\0\x08\0\0\0" + struct.pack("<H", 2) + entry + struct.pack("<I", 8)
    return encoded("JPEG", exif=b"Exif\0\0" + block)


def _many_tags_tiff() -> bytes:
    """Return a TIFF whose thousand tags all point at the same large value."""
    picture = bytearray(tiff(photo(16, 12), 2))
    body = bytes(1 << 20)
    at = len(picture)
    picture += body
    old = struct.unpack("<I", picture[4:8])[0]
    count = struct.unpack("<H", picture[old : old + 2])[0]
    entries = bytes(picture[old + 2 : old + 2 + 12 * count])
    extra = b"".join(struct.pack("<HHII", 40_000 + i, 7, len(body), at) for i in range(900))
    struct.pack_into("<I", picture, 4, len(picture))
    return bytes(picture) + struct.pack("<H", count + 900) + entries + extra + bytes(4)


def _stray_bytes_jpeg() -> bytes:
    data = encoded("JPEG", progressive=True, restart_marker_blocks=4)
    return data[:-2] + b"\0\0\0\0\0" + data[-2:]


def _no_end_jpeg() -> bytes:
    return encoded("JPEG")[:-2]


def _fifo(path: Path) -> None:
    os.mkfifo(path)


def _folder(path: Path) -> None:
    path.mkdir()


def _link_loop(path: Path) -> None:
    path.symlink_to(path.name)


def _link_to(target: str) -> Callable[[Path], None]:
    return lambda path: path.symlink_to(target)


def _unreadable(path: Path) -> None:
    path.write_bytes(form_bytes("PNG"))
    path.chmod(0)


def _nothing(_: Path) -> None:
    return None


def _gray(bits: int) -> np.ndarray:
    return photo(channels=1).astype(np.uint16) * 257 if bits == 16 else photo(channels=1)


def _interlaced() -> bytes:
    """Return an Adam7 PNG of 8×8 black pixels."""
    passes = [(1, 1), (1, 1), (2, 1), (2, 2), (4, 2), (4, 4), (8, 4)]
    rows = b"".join(bytes(1 + 3 * width) * height for width, height in passes)
    header = struct.pack(">IIBBBBB", 8, 8, 8, 2, 0, 0, 1)
    chunks = [png_chunk(b"IHDR", header), png_chunk(b"IDAT", zlib.compress(rows)), png_chunk(b"IEND", b"")]
    return b"\x89PNG\r\n\x1a\n" + b"".join(chunks)


_GOOD = (96, 64)
_PACKED = bytes(np.packbits(photo(96, 64, 1)[..., 0] > 128, axis=1))

NASTY: dict[str, Nasty] = {
    **{
        f"truncated_{form.lower()}_{int(share * 100)}": Nasty(
            f"cut{ending}", _put(partial(_truncated, form, share)), InputError, r"cut\."
        )
        for form, ending in {**FORMS, "PPM": ".ppm"}.items()
        for share in (0.3, 0.9)
    },
    **{
        f"truncated_{form.lower()}_header": Nasty(
            f"head{ending}", _put(lambda form=form: form_bytes(form)[:14]), InputError, "head"
        )
        for form, ending in {**FORMS, "PPM": ".ppm"}.items()
    },
    **{
        f"corrupt_{form.lower()}": Nasty(
            f"noise{FORMS[form]}", _put(partial(_corrupt, form)), InputError, "noise"
        )
        for form in ("JPEG", "PNG", "TIFF", "AVIF")
    },
    "jpeg_without_end": Nasty("noend.jpg", _put(_no_end_jpeg), "result", "end marker is missing", _GOOD),
    "jpeg_with_stray_bytes": Nasty("stray.jpg", _put(_stray_bytes_jpeg), "result", "oddities", _GOOD),
    "jpeg_with_trailing_junk": Nasty(
        "tail.jpg", _put(lambda: encoded("JPEG") + bytes(5000)), "result", "", _GOOD
    ),
    "png_with_trailing_junk": Nasty(
        "tail.png", _put(lambda: form_bytes("PNG") + b"PK\3\4" * 99), "result", "", _GOOD
    ),
    **{
        f"wrong_extension_{form.lower()}": Nasty(
            "liar.png" if form != "PNG" else "liar.jpg",
            _put(partial(form_bytes, form)),
            "result",
            rf"named \.\w+ but is {form}",
            _GOOD,
        )
        for form in FORMS
    },
    "animated_gif": Nasty("anim.gif", _put(partial(_frames, "GIF")), "result", "first of 3 frames", (40, 30)),
    "animated_webp": Nasty(
        "anim.webp", _put(partial(_frames, "WEBP", lossless=True)), "result", "first of 3 frames", (40, 30)
    ),
    "animated_png": Nasty("anim.png", _put(partial(_frames, "PNG")), "result", "first of 3 frames", (40, 30)),
    "multi_page_tiff": Nasty(
        "pages.tif", _put(partial(_frames, "TIFF")), "result", "first of 3 pages", (40, 30)
    ),
    "cmyk_jpeg": Nasty("ink.jpg", _put(_cmyk_jpeg), "result", "CMYK converted", _GOOD),
    "cmyk_tiff": Nasty("ink.tif", _put(lambda: encoded("TIFF", _cmyk())), "result", "CMYK converted", _GOOD),
    "cmyk_tiff_16": Nasty(
        "ink16.tif", _put(lambda: tiff(photo(channels=4).astype(np.uint16) * 257, 5)), "result", "CMYK", _GOOD
    ),
    "palette_png": Nasty(
        "pal.png", _put(lambda: encoded("PNG", Image.fromarray(photo()).quantize(16))), "result", "", _GOOD
    ),
    "palette_gif": Nasty("pal.gif", _put(partial(form_bytes, "GIF")), "result", "", _GOOD),
    "palette_tiff": Nasty(
        "pal.tif", _put(lambda: encoded("TIFF", Image.fromarray(photo()).quantize(16))), "result", "", _GOOD
    ),
    "palette_bmp": Nasty(
        "pal.bmp", _put(lambda: encoded("BMP", Image.fromarray(photo()).quantize(16))), "result", "", _GOOD
    ),
    "one_bit_png": Nasty(
        "bit.png", _put(lambda: png(photo(channels=1), 0, bits=1, packed=_PACKED)), "result", "", _GOOD
    ),
    "one_bit_tiff": Nasty(
        "bit.tif", _put(lambda: tiff(photo(channels=1), 1, bits=1, packed=_PACKED)), "result", "", _GOOD
    ),
    "one_bit_tiff_white_is_zero": Nasty(
        "fax.tif", _put(lambda: tiff(photo(channels=1), 0, bits=1, packed=_PACKED)), "result", "", _GOOD
    ),
    "one_bit_bmp": Nasty(
        "bit.bmp", _put(lambda: encoded("BMP", Image.fromarray(photo()).convert("1"))), "result"
    ),
    "one_bit_pbm": Nasty("bit.pbm", _put(b"P4 96 64\n" + _PACKED), "result", "", _GOOD),
    "lab_tiff": Nasty("lab.tif", _put(lambda: encoded("TIFF", _lab())), "result", "Lab converted", _GOOD),
    "lab_tiff_16": Nasty(
        "lab16.tif",
        _put(lambda: tiff(np.full((64, 96, 3), (32768, 2560, 62976), np.uint16), 8)),
        "result",
        "Lab converted",
        _GOOD,
    ),
    "lab_tiff_alpha": Nasty(
        "laba.tif",
        _put(lambda: tiff(np.full((64, 96, 4), (128, 10, 246, 99), np.uint8), 8, extra=(2,))),
        "result",
        "Lab converted",
        _GOOD,
    ),
    "sixteen_bit_png": Nasty(
        "deep.png", _put(lambda: png(photo().astype(np.uint16) * 257, 2)), "result", "", _GOOD
    ),
    "sixteen_bit_tiff": Nasty(
        "deep.tif", _put(lambda: tiff(photo().astype(np.uint16) * 257, 2)), "result", "", _GOOD
    ),
    "sixteen_bit_ppm": Nasty(
        "deep.ppm",
        _put(lambda: b"P6 96 64 65535\n" + (photo().astype(">u2") * 257).tobytes()),
        "result",
        "",
        _GOOD,
    ),
    "float_tiff": Nasty(
        "float.tif",
        _put(lambda: tiff(photo().astype(np.float32) / 255, 2, sample_format=3)),
        "result",
        "linear light",
        _GOOD,
    ),
    "float_tiff_not_finite": Nasty(
        "nan.tif",
        _put(lambda: tiff(np.full((4, 4, 3), np.nan, np.float32), 2, sample_format=3)),
        InputError,
        "finite",
    ),
    "float_tiff_on_another_scale": Nasty(
        "counts.tif",
        _put(lambda: tiff(np.full((4, 4, 1), 4095, np.float32), 1, sample_format=3)),
        InputError,
        "0 to 1 is expected",
    ),
    "signed_tiff": Nasty(
        "signed.tif",
        _put(lambda: tiff(_gray(16).astype(np.int16), 1, sample_format=2)),
        InputError,
        "samples",
    ),
    "twelve_bit_tiff": Nasty(
        "twelve.tif",
        _put(lambda: tiff(np.zeros((4, 4, 1), np.uint8), 1, bits=12, packed=bytes(24))),
        InputError,
    ),
    "five_channel_tiff": Nasty(
        "multi.tif", _put(lambda: tiff(photo(channels=5), 2, extra=(0, 0))), "result", "extra channels", _GOOD
    ),
    "gray_alpha_png": Nasty("la.png", _put(lambda: png(photo(channels=2), 4)), "result", "", _GOOD),
    "gray_alpha_tiff": Nasty(
        "la.tif", _put(lambda: tiff(photo(channels=2), 1, extra=(2,))), "result", "", _GOOD
    ),
    "premultiplied_tiff": Nasty(
        "pre.tif", _put(lambda: tiff(photo(channels=4), 2, extra=(1,))), "result", "", _GOOD
    ),
    **{
        f"zero_byte_{ending[1:]}": Nasty(f"empty{ending}", _put(b""), InputError, "empty")
        for ending in (*FORMS.values(), ".heic")
    },
    **{
        f"one_by_one_{form.lower()}": Nasty(
            f"dot{ending}",
            _put(lambda form=form: encoded(form, Image.fromarray(photo(1, 1)))),
            "result",
            "",
            (1, 1),
        )
        for form, ending in {**FORMS, "PPM": ".ppm"}.items()
    },
    **{
        f"wide_65500_{form.lower()}": Nasty(
            f"wide{FORMS[form]}",
            _put(lambda form=form: encoded(form, Image.fromarray(photo(65_500, 2)))),
            "result",
            "",
            (65_500, 2),
        )
        for form in ("JPEG", "PNG", "TIFF", "BMP")
    },
    "tall_65500_png": Nasty(
        "tall.png", _put(lambda: encoded("PNG", Image.fromarray(photo(2, 65_500)))), "result", "", (2, 65_500)
    ),
    **{
        f"bomb_{name}": Nasty(
            f"bomb{_BOMB_ENDINGS.get(name.split('_')[0], '.' + name.split('_')[0])}",
            _put(make),
            LimitError,
            "at most",
        )
        for name, make in BOMBS.items()
    },
    "bomb_in_png_text": Nasty("text.png", _put(_itxt_bomb), "result", "", (8, 8)),
    "bomb_in_png_profile": Nasty("profile.png", _put(_iccp_bomb), "result", "", (8, 8)),
    "bomb_of_tiff_tags": Nasty("tags.tif", _put(_many_tags_tiff), LimitError, "bytes of tags"),
    "looping_tiff": Nasty("loop.tif", _put(_looping_tiff), "result", "", (16, 12)),
    "looping_exif": Nasty("loop.jpg", _put(_looping_exif), "result", "", _GOOD),
    "broken_profile": Nasty(
        "icc.png",
        _put(lambda: encoded("PNG", icc_profile=b"\0\0\1\0" + bytes(300))),
        "result",
        "profile",
        _GOOD,
    ),
    "exif_of_junk": Nasty(
        "exif.jpg", _put(lambda: encoded("JPEG", exif=b"Exif\0\0" + b"\xff" * 500)), "result", "EXIF", _GOOD
    ),
    "orientation_9": Nasty(
        "nine.jpg", _put(lambda: encoded("JPEG", exif=exif_block(orientation=9))), "result", "", _GOOD
    ),
    "png_zero_width": Nasty("flat.png", _put(lambda: bomb_png(0, 5)), InputError, "flat"),
    "png_interlaced": Nasty("lace.png", _put(_interlaced), "result", "", (8, 8)),
    "progressive_jpeg": Nasty(
        "prog.jpg", _put(lambda: encoded("JPEG", progressive=True)), "result", "", _GOOD
    ),
    "ppm_above_maximum": Nasty("over.pgm", _put(b"P5 2 2 9\n\1\2\3\x63"), InputError, "maximum"),
    "ppm_words": Nasty("words.ppm", _put(b"P3 1 1 255\nred green blue\n"), InputError, "no number"),
    "raw_photo": Nasty(
        "raw.dng",
        _put(lambda: tiff(photo(), 2, tags={254: (4, (1,)), 50706: (1, (1, 4, 0, 0))})),
        InputError,
        "raw",
    ),
    "text_file": Nasty("notes.jpg", _put(b"Dear diary,\n" * 40), InputError, "no picture wildsr knows"),
    "html_page": Nasty("page.png", _put(b"<!DOCTYPE html><html>404</html>"), InputError, "HTML"),
    "svg": Nasty("vector.png", _put(b"<svg xmlns='http://www.w3.org/2000/svg'/>"), InputError, "SVG"),
    "pdf": Nasty("paper.jpg", _put(b"%PDF-1.7\n%\xe2\xe3\n"), InputError, "PDF"),
    "zip": Nasty("album.jpg", _put(b"PK\3\4" + bytes(60)), InputError, "ZIP"),
    "video": Nasty("clip.heic", _put(b"\0\0\0\x18ftypmp42\0\0\0\0mp42isom" + bytes(40)), InputError, "video"),
    "ds_store": Nasty(".DS_Store", _put(b"\0\0\0\1Bud1" + bytes(99)), InputError),
    "folder": Nasty("folder.jpg", _folder, InputError, "folder"),
    "missing": Nasty("missing.jpg", _nothing, InputError, "no such file"),
    "link_loop": Nasty("loop.png", _link_loop, InputError, "symbolic links"),
    "dangling_link": Nasty("gone.png", _link_to("nowhere.png"), InputError, "no such file"),
    "odd_name_brackets": Nasty("a[page=7,n=-1].png", _put(partial(form_bytes, "PNG")), "result", "", _GOOD),
    "odd_name_unicode": Nasty("東京 🌸 ñ.png", _put(partial(form_bytes, "PNG")), "result", "", _GOOD),
    "odd_name_newline": Nasty("a\nb.png", _put(partial(form_bytes, "PNG")), "result", "", _GOOD),
    "odd_name_dash": Nasty("-rf.png", _put(partial(form_bytes, "PNG")), "result", "", _GOOD),
    "nul_in_name": Nasty("nul\0.png", _nothing, InputError, "null"),
    "name_too_long": Nasty("n" * 300 + ".png", _nothing, InputError, "too long"),
}
"""What every entry point must take."""

if sys.platform != "win32":
    NASTY |= {
        "pipe": Nasty("pipe.jpg", _fifo, InputError, "pipe"),
        "device": Nasty("zero.jpg", _link_to("/dev/zero"), InputError, "device"),
        "odd_name_bytes": Nasty(
            os.fsdecode(b"caf\xe9.png"), _put(partial(form_bytes, "PNG")), "result", "", _GOOD
        ),
    }
    if os.geteuid() != 0:  # the superuser may read anything
        NASTY["unreadable"] = Nasty("locked.png", _unreadable, InputError, "permission")
