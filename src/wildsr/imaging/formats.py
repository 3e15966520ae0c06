"""The formats wildsr writes, and what each can hold."""

from dataclasses import dataclass, replace
from pathlib import Path
from typing import Final

from wildsr.errors import OutputError
from wildsr.files.extensions import EXTENSIONS
from wildsr.files.tile_folder import EXTENSION


@dataclass(frozen=True, kw_only=True)
class Format:
    """One output format; the numbers are the format's own, or the encoder's where that is less."""

    name: str
    """Name as written in messages and options."""

    max_side: int
    """Longest side in pixels."""

    max_pixels: int
    """Most pixels in all; bounded for formats whose encoder holds the whole frame."""

    depths: tuple[int, ...]
    """Bits a channel."""

    alpha: bool
    """Can hold transparency."""

    gray: bool
    """Can hold one colour channel; the others store gray as three equal ones."""

    bytes_per_pixel: int
    """Most memory the encoder takes for each pixel (measured, lossless); 0 where rows stream through it."""

    quality: int | None
    """Default of `WriteOptions.quality`; None where every pixel is kept."""

    holds: frozenset[str]
    """Metadata it can carry: `icc`, `exif`, `xmp`, `iptc`."""

    @property
    def extensions(self) -> tuple[str, ...]:
        """File name endings, the usual one first."""
        return tuple(f".{one}" for one in EXTENSIONS.get(self.name, (self.name,)))

    @property
    def streams(self) -> bool:
        """Encoded row by row, in memory that does not grow with the picture's height."""
        return self.bytes_per_pixel == 0


_ALL = frozenset({"icc", "exif", "xmp", "iptc"})

FORMATS: dict[str, Format] = {
    "png": Format(
        name="png",
        max_side=(1 << 31) - 1,
        max_pixels=1 << 40,
        depths=(8, 16),
        alpha=True,
        gray=True,
        bytes_per_pixel=0,
        quality=None,
        holds=_ALL,
    ),
    "jpeg": Format(
        name="jpeg",
        max_side=65_500,  # the format has 65,535; libjpeg stops here
        max_pixels=1 << 40,
        depths=(8,),
        alpha=False,
        gray=True,
        bytes_per_pixel=0,
        quality=95,
        holds=_ALL,
    ),
    "webp": Format(
        name="webp",
        max_side=16_383,
        max_pixels=1 << 27,
        depths=(8,),
        alpha=True,
        gray=False,
        bytes_per_pixel=25,
        quality=90,
        holds=frozenset({"icc", "exif", "xmp"}),
    ),
    "tiff": Format(
        name="tiff",
        max_side=(1 << 31) - 1,
        max_pixels=1 << 40,
        depths=(8, 16),
        alpha=True,
        gray=True,
        bytes_per_pixel=0,
        quality=None,
        holds=_ALL,
    ),
    "avif": Format(
        name="avif",
        max_side=16_384,  # libheif's own limit
        max_pixels=1 << 25,
        depths=(8, 10, 12),
        alpha=True,
        gray=False,
        bytes_per_pixel=40,
        quality=80,
        holds=frozenset({"icc", "exif", "xmp"}),
    ),
}


DEEP_ZOOM: Final = Format(
    name=EXTENSION,
    max_side=10_000_000,  # libvips' own limit
    max_pixels=1 << 40,
    depths=(8,),
    alpha=True,
    gray=True,
    bytes_per_pixel=0,
    quality=None,
    holds=frozenset({"icc"}),
)
"""A pyramid of tiles in a folder, which is no single file and so none of `FORMATS`; tiles are PNG."""

DEEP_ZOOM_JPEG: Final = replace(DEEP_ZOOM, alpha=False, quality=90)
"""The same with JPEG tiles, where a quality is asked for."""

PYRAMIDS: Final = ("tiff", DEEP_ZOOM.name)
"""Formats that hold a picture in several sizes, for viewers that show a part of it."""


def format_named(name: str) -> Format:
    """Return the format called `name`, by name or extension (`jpg`, `.TIF`); raise OutputError otherwise."""
    ending = "." + name.lower().lstrip(".")
    if ending in DEEP_ZOOM.extensions:
        return DEEP_ZOOM
    for candidate in FORMATS.values():
        if ending in candidate.extensions or name.lower() == candidate.name:
            return candidate
    raise OutputError(
        f"can't write {name!r} pictures; wildsr writes {', '.join((*FORMATS, DEEP_ZOOM.name))}",
        hint="name the output .png, .jpg, .webp, .tif, .avif or .dzi",
    )


def format_of(path: str | Path) -> Format:
    """Return the format a file name asks for by its extension; raise OutputError where there is none."""
    suffix = Path(path).suffix
    if not suffix:
        raise OutputError(
            f"{Path(path).name!r} has no extension to tell the format by",
            hint=f"end the name in one of {', '.join(f.extensions[0] for f in FORMATS.values())}",
        )
    return format_named(suffix)


def check_output(output: str | Format, width: int, height: int, depth: int = 8, alpha: bool = False) -> None:
    """Raise OutputError, naming the format to take instead, where `output` can't hold such a picture.

    A depth the format lacks is no error: it is reduced and named in `WriteReport.dropped`.

    Args:
        output: A format or its name.
        width: Pixels.
        height: Pixels.
        depth: Bits a channel of the picture to write.
        alpha: Whether transparency must be kept.
    """
    form = output if isinstance(output, Format) else format_named(output)
    name = form.name.upper()
    instead = "TIFF" if depth > 8 and form.name == "png" else "PNG or TIFF"
    if max(width, height) > form.max_side:
        raise OutputError(
            f"{name} holds at most {form.max_side:,} pixels along a side; the result is {width} × {height}",
            hint=f"write {instead}, which hold any size",
        )
    if width * height > form.max_pixels:
        raise OutputError(
            f"{name} is encoded in one piece, at most {form.max_pixels / 1e6:,.0f} megapixels here; "
            f"the result is {width} × {height} = {width * height / 1e6:,.0f}",
            hint=f"write {instead}, which are written row by row at any size",
        )
    if alpha and not form.alpha:
        others = [f.name.upper() for f in FORMATS.values() if f.alpha and f.max_side >= max(width, height)]
        raise OutputError(
            f"{name} can't hold transparency, and this picture has it",
            hint=f"write {', '.join(others[:-1])} or {others[-1]}, "
            "or blend it: --background white, or background=(1, 1, 1)",
        )
