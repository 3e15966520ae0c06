"""Which camera took a photo, and how, as its EXIF says."""

from typing import Final

from wildsr.imaging.metadata.budget import Budget
from wildsr.imaging.metadata.exif import bare
from wildsr.imaging.metadata.ifd import (
    EXIF_IFD,
    TiffError,
    integer,
    read_directory,
    read_start,
    reader,
)

_MAKE, _MODEL = 0x010F, 0x0110
_SENSITIVITY: Final = 0x8827
_ASCII: Final = 2
_MOST_BYTES: Final = 4096
_NO_SENSITIVITY: Final = 65535
"""What cameras write where the number does not fit."""


def camera_of(exif: bytes | None) -> str:
    """Return maker and model, the maker once; empty where the block doesn't say or can't be followed."""
    if not exif:
        return ""
    try:
        read = reader(bare(exif))
        layout, offset = read_start(read)
        values = read_directory(read, layout, offset, Budget(_MOST_BYTES), wanted={_MAKE, _MODEL}).values
    except TiffError:
        return ""
    make, model = (
        values[tag].data.split(b"\0")[0].decode("ascii", "replace").strip()
        if tag in values and values[tag].kind == _ASCII
        else ""
        for tag in (_MAKE, _MODEL)
    )
    whole = model if make and model.lower().startswith(make.lower().split()[0]) else f"{make} {model}"
    return "".join(one for one in whole.strip() if one.isprintable())[:80]


def sensitivity_of(exif: bytes | None) -> int | None:
    """Return the ISO sensitivity, or None where the block doesn't say or can't be followed."""
    if not exif:
        return None
    try:
        read = reader(bare(exif))
        layout, offset = read_start(read)
        found = read_directory(read, layout, offset, Budget(_MOST_BYTES), pointers=(EXIF_IFD,), wanted=())
        below = found.below.get(EXIF_IFD)
        iso = integer(below.values.get(_SENSITIVITY), layout) if below else None
    except TiffError:
        return None
    return iso if iso and iso < _NO_SENSITIVITY else None
