"""What a TIFF's directory must say before libvips sees the file: kinds that are read, within the limits."""

from wildsr.errors import InputError, LimitError
from wildsr.imaging.containers.tiff_structure import Structure
from wildsr.imaging.limits import Limits

RGB, CIELAB, ICCLAB = 2, 8, 9
_MODELS = (None, 0, 1, RGB, 3, 5, 6, CIELAB, ICCLAB)
_BITS = (1, 2, 4, 8, 16, 32)
_MOST_SAMPLES = 32
_BYTES_PER_PIXEL = 8
"""Of 16-bit RGBA: what `Limits.max_pixels` pixels may take, however many samples they have."""
_FREE_TILE, _TILE_PER_PICTURE = 1 << 24, 4
_COMPRESSIONS = {
    6: "the JPEG of TIFF 6.0",
    33003: "JPEG 2000",
    33005: "JPEG 2000",
    34661: "JBIG",
    34712: "JPEG 2000",
    34887: "LERC",
    34925: "LZMA",
    50000: "Zstandard",
    50001: "WebP",
    50002: "JPEG XL",
}
_OTHER_WAY = "save it with LZW or Deflate compression"


def check(structure: Structure, name: str, limits: Limits) -> None:
    """Raise InputError on kinds that would be misread, LimitError on what would take too much memory."""
    if structure.raw:
        raise InputError(
            f"{name} is a camera's raw file, of which only a thumbnail could be read here",
            hint="develop it to TIFF or JPEG first",
        )
    if structure.photometric not in _MODELS:
        raise InputError(
            f"{name} has TIFF colour model {structure.photometric}; gray, RGB, palette, CMYK, Lab are read"
        )
    if structure.bits not in _BITS:
        raise InputError(
            f"{name} has {structure.bits} bits a sample; TIFF is read with {', '.join(map(str, _BITS))}",
            hint="save it with 16 bits a sample" + (", which loses nothing" if structure.bits < 16 else ""),
        )
    _check_memory(structure, name, limits)


def _check_memory(structure: Structure, name: str, limits: Limits) -> None:
    width, height, samples = structure.width, structure.height, structure.samples
    limits.check_size(name, width, height)
    taken, most = width * height * samples * structure.bits // 8, _BYTES_PER_PIXEL * limits.max_pixels
    if samples > _MOST_SAMPLES or taken > most:
        raise LimitError(
            f"{name} says it has {samples:,} samples a pixel, {taken / 1e6:,.0f} MB in all; "
            f"at most {_MOST_SAMPLES} samples and {most / 1e6:,.0f} MB are read",
            hint="save the channels that make the picture alone",
        )
    if structure.tile is not None:
        area, largest = (
            structure.tile[0] * structure.tile[1],
            max(_FREE_TILE, _TILE_PER_PICTURE * width * height),
        )
        if area > largest:
            raise LimitError(
                f"{name} says its tiles are {structure.tile[0]} × {structure.tile[1]} pixels, "
                f"of a picture of {width} × {height}; at most {largest / 1e6:,.0f} megapixels are allowed",
                hint="save it in strips, or in smaller tiles",
            )
    if structure.claimed > 2 * limits.max_metadata_bytes:
        raise LimitError(
            f"{name} claims {structure.claimed:,} bytes of tags; at most {2 * limits.max_metadata_bytes:,} are read",
            hint="raise Limits(max_metadata_bytes=…) if you trust this file",
        )


def unread_compression(structure: Structure, name: str) -> InputError | None:
    """Return the error that names a compression not every libvips reads, or None for the usual ones."""
    kind = _COMPRESSIONS.get(structure.compression)
    if kind is None:
        return None
    return InputError(
        f"{name} is compressed by {kind}, which this installation does not read in TIFF", hint=_OTHER_WAY
    )
