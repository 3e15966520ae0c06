"""libvips, loaded once and locked down.

Pictures are decoded only by the loader their content asks for, never by libvips' own search, which would also
try loaders nobody here needs (SVG, raw, matrix files) and reads options out of file names.
"""

import io
import logging
import os
import sys
from contextlib import suppress
from functools import cache
from types import ModuleType
from typing import TYPE_CHECKING

import numpy as np

from wildsr.errors import ForkError
from wildsr.imaging.opening import BinaryFile
from wildsr.imaging.picture import Samples

if TYPE_CHECKING:
    from pyvips import Image, SourceCustom

_M_MMAP_THRESHOLD = -3
_MALLOC_SETTINGS = ("MALLOC_MMAP_THRESHOLD_", "GLIBC_TUNABLES")


def vips() -> ModuleType:
    """Return pyvips, with its operation cache off and its untrusted loaders blocked.

    The cache would keep the last hundred pictures' pixels alive; RSS stays flat without it.

    Raises:
        ForkError: In a child that was forked after libvips had started its threads.
    """
    module, process = _loaded()
    if process != os.getpid():
        raise ForkError("libvips")
    return module


@cache
def _loaded() -> tuple[ModuleType, int]:
    """Import and lock down pyvips; say which process did."""
    import pyvips

    pyvips.cache_set_max(0)
    pyvips.block_untrusted_set(True)
    # Damaged files put bytes that are no UTF-8 into libvips' messages. pyvips would raise UnicodeDecodeError on them
    # and leave them in libvips' buffer, where the next, healthy picture meets them.
    pyvips.error._to_string = _message
    logger = logging.getLogger("pyvips")
    if logger.level == logging.NOTSET:  # what matters of its warnings comes back as errors and notes
        logger.setLevel(logging.CRITICAL)
    _map_large_blocks()
    return pyvips, os.getpid()


def _map_large_blocks() -> None:
    """Have glibc give blocks of 4 MB and more straight from, and back to, the system.

    By default it raises that bar to 32 MB as it goes, and pictures of many sizes, coded in many threads, leave its
    heaps full of holes: RSS grew 45 % over 200 pictures, and 4 % with this.
    """
    if sys.platform != "linux" or any(name in os.environ for name in _MALLOC_SETTINGS):
        return
    import ctypes

    with suppress(OSError, AttributeError):  # a C library without mallopt
        ctypes.CDLL(None).mallopt(_M_MMAP_THRESHOLD, 4 << 20)


def _message(raw: object) -> str:
    """Return a C string of libvips as text, whatever is in it."""
    from pyvips import ffi

    text: str = "NULL" if raw == ffi.NULL else ffi.string(raw).decode("utf-8", "replace")
    return text


def integers(image: "Image") -> Samples:
    """Return the pixels of an 8 or 16 bit image as H×W×C; lets libvips' errors through."""
    shape = (image.height, image.width, image.bands)
    data = image.write_to_memory()
    if image.format == "uchar":
        return np.frombuffer(data, np.uint8).reshape(shape)
    return np.frombuffer(data, np.uint16).reshape(shape)


class FileBridge:
    """A Python file as a libvips source: any name, no memory map a shrinking file could crash.

    libvips holds the source by a bare handle: keep this object alive as long as any image made from it.
    """

    def __init__(self, file: BinaryFile) -> None:
        self._file = file
        self._at = 0  # its own: others read the same file between libvips' reads
        self.error: OSError | None = None
        self.source: SourceCustom = vips().SourceCustom()
        self.source.on_read(self._read)
        self.source.on_seek(self._seek)

    def _read(self, size: int) -> bytes | None:
        try:
            self._file.seek(self._at)
            data = self._file.read(size)
        except (OSError, ValueError) as error:  # an exception must not cross libvips
            self.error = error if isinstance(error, OSError) else OSError(0, str(error))
            return None
        self._at += len(data)
        return data

    def _seek(self, offset: int, whence: int) -> int:
        try:
            base = {io.SEEK_SET: 0, io.SEEK_CUR: self._at}.get(whence)
            self._at = self._file.seek(offset, whence) if base is None else self._file.seek(base + offset)
        except (OSError, ValueError):  # beyond what can be sought, or closed
            return -1
        return self._at
