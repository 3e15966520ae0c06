"""What every decoder hands over: samples and metadata as they were in the file."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

Samples = NDArray[np.uint8] | NDArray[np.uint16]


@dataclass(frozen=True, kw_only=True, eq=False)
class Raw:
    """Gray or RGB samples in stored orientation, with everything found beside them."""

    samples: Samples
    """H×W×C, uint8 or uint16; C as in `Header.channels`, alpha last and straight."""

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
