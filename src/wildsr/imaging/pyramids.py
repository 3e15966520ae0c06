"""Pictures in tiles and several sizes: pyramidal TIFF and Deep Zoom, which libvips writes by name.

By name and not through a stream: of a TIFF's smaller sizes libvips then keeps some in a temporary file, in `TMPDIR`
(132 MB of RSS instead of 198 for 144 megapixels), and of Deep Zoom it makes thousands of files.
"""

import errno
import os
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Final

from wildsr.errors import OutputError
from wildsr.files.atomic import AtomicFile
from wildsr.files.refusals import output_error
from wildsr.files.tile_commit import tiles_of
from wildsr.files.tile_folder import EXTENSION, TileFolder
from wildsr.imaging.frame import WriteOptions

if TYPE_CHECKING:
    from pyvips import Image

TILE: Final = 256
"""Side of a TIFF's tiles."""

ZOOM_TILE: Final = 254
ZOOM_OVERLAP: Final = 1
"""Deep Zoom's usual tiles: 256 pixels with the one that they share with each neighbour."""

_PROPERTIES: Final = "vips-properties.xml"
"""libvips' notes on the picture, which no viewer reads."""

_REFUSALS: Final[Sequence[int]] = (errno.ENOSPC, errno.EDQUOT, errno.EFBIG)


def save_tiff(image: "Image", out: AtomicFile, *, big: bool) -> None:
    """Write a TIFF in tiles, its smaller sizes as further pages, each half the one before.

    Raises:
        pyvips.Error: libvips failed; see `refusal`.
    """
    image.tiffsave(
        _name(out.temporary),
        compression="deflate",
        level=3,
        predictor="horizontal",
        tile=True,
        tile_width=TILE,
        tile_height=TILE,
        pyramid=True,
        bigtiff=big,
        keep="none",
    )


def save_deep_zoom(image: "Image", out: TileFolder, options: WriteOptions) -> None:
    """Write Deep Zoom: tiles in PNG, or in JPEG where a quality is asked for, each with the colour profile.

    Raises:
        pyvips.Error: libvips failed; see `refusal`.
    """
    suffix = ".png[compression=2,filter=8]" if options.quality is None else f".jpg[Q={options.quality}]"
    image.dzsave(
        _name(out.base),
        layout="dz",
        suffix=suffix,
        tile_size=ZOOM_TILE,
        overlap=ZOOM_OVERLAP,
        keep="icc",
    )
    (tiles_of(out.base.with_suffix(f".{EXTENSION}")) / _PROPERTIES).unlink(missing_ok=True)


def refusal(said: str, out: AtomicFile | TileFolder) -> OutputError | None:
    """Return what the system refused, where libvips' message is of that."""
    for code in _REFUSALS:
        if os.strerror(code) in said:
            return output_error(OSError(code, os.strerror(code)), out.path)
    return None


def _name(path: Path) -> str:
    name = os.fspath(path)
    try:
        name.encode()
    except UnicodeEncodeError:
        raise OutputError(
            "a pyramid can't be written to a folder whose name is not UTF-8",
            hint="choose another folder with -o",
        ) from None
    return name
