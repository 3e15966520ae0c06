"""libvips, loaded once and locked down.

Pictures are decoded only by the loader their content asks for, never by libvips' own search, which would also try
loaders nobody here needs (SVG, raw, matrix files) and reads options out of file names.
"""

import io
from functools import cache
from types import ModuleType
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import pyvips


@cache
def vips() -> ModuleType:
    """Return pyvips, with its operation cache off and its untrusted loaders blocked.

    The cache would keep the last hundred pictures' pixels alive; RSS stays flat without it.
    """
    import pyvips

    pyvips.cache_set_max(0)
    pyvips.block_untrusted_set(True)
    return pyvips


def complaint(error: Exception) -> str:
    """Return what libvips said, as one short line without repeats or its own plumbing."""
    lines: list[str] = []
    for raw in str(error).splitlines():
        line = raw.strip()
        noise = line.startswith(("unable to ", "source: bad seek", "error buffer")) or not line
        if not noise and line not in lines:
            lines.append(line)
    return "; ".join(lines[:2]) or "no reason given"


class FileBridge:
    """A Python file as a libvips source: any name, no memory map a shrinking file could crash, real OSErrors kept.

    libvips holds the source by a bare handle: keep this object alive as long as any image made from it.
    """

    def __init__(self, file: io.FileIO) -> None:
        self._file = file
        self.error: OSError | None = None
        self.source: pyvips.SourceCustom = vips().SourceCustom()
        self.source.on_read(self._read)
        self.source.on_seek(self._seek)

    def _read(self, size: int) -> bytes | None:
        try:
            return self._file.read(size)
        except (OSError, ValueError) as error:  # an exception must not cross libvips
            self.error = error if isinstance(error, OSError) else OSError(str(error))
            return None

    def _seek(self, offset: int, whence: int) -> int:
        try:
            return self._file.seek(offset, whence)
        except (OSError, ValueError):  # beyond what can be sought, or closed
            return -1
