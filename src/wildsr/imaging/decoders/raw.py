"""What every decoder hands over: samples and metadata as they were in the file."""

from dataclasses import dataclass
from typing import TypeAlias

import numpy as np
from numpy.typing import NDArray

Samples: TypeAlias = NDArray[np.uint8 | np.uint16]


@dataclass(frozen=True, kw_only=True, eq=False)
class Raw:
    """Samples in stored orientation, with everything found beside them."""

    samples: Samples
    """H×W×C, uint8 or uint16; gray, RGB or CMYK, then alpha (straight) where there is one."""

    cmyk: bool = False
    """Samples are CMYK, 0 no ink."""

    icc: bytes | None = None
    """Profile the samples are encoded in."""

    exif: bytes | None = None
    """EXIF as a TIFF block, without the `Exif` prefix."""

    xmp: bytes | None = None
    """XMP packet."""

    iptc: bytes | None = None
    """IPTC-IIM records."""

    notes: tuple[str, ...] = ()
    """What decoding changed, in sentences."""
