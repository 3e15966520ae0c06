"""Super-resolution for the photos you really have.

>>> import wildsr
>>> upscaler = wildsr.Upscaler("realsr-df2k-jpeg")
>>> wildsr.write(upscaler(wildsr.read("IMG_0012.jpg")), "IMG_0012_x4.png")
"""

import importlib
from typing import TYPE_CHECKING

from wildsr.version import __version__

if TYPE_CHECKING:
    from wildsr.engine import FusionRule, Report, Settings, Size, Upscaler, upscale_file
    from wildsr.errors import WildsrError
    from wildsr.imaging import Limits, Picture, WriteOptions, read, write

__all__ = [
    "FusionRule",
    "Limits",
    "Picture",
    "Report",
    "Settings",
    "Size",
    "Upscaler",
    "WildsrError",
    "WriteOptions",
    "__version__",
    "read",
    "upscale_file",
    "write",
]

_HOMES = {
    "FusionRule": "engine",
    "Limits": "imaging",
    "Picture": "imaging",
    "Report": "engine",
    "Settings": "engine",
    "Size": "engine",
    "Upscaler": "engine",
    "WildsrError": "errors",
    "WriteOptions": "imaging",
    "read": "imaging",
    "upscale_file": "engine",
    "write": "imaging",
}


def __getattr__(name: str) -> object:
    """Load public names when they are first used, so that `import wildsr` costs nothing."""
    if name not in _HOMES:
        raise AttributeError(f"module 'wildsr' has no attribute {name!r}")
    return getattr(importlib.import_module(f"wildsr.{_HOMES[name]}"), name)


def __dir__() -> list[str]:
    return sorted(__all__)
