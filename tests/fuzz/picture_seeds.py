"""Small pictures of every format and colour model that is read, made here."""

import io

import numpy as np
from PIL import Image


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
