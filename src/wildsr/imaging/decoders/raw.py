"""What every decoder hands over: samples and metadata as they were in the file."""

from dataclasses import dataclass

import numpy as np

from wildsr.imaging.metadata import NO_METADATA, Metadata
from wildsr.imaging.picture import Samples


@dataclass(frozen=True, kw_only=True, eq=False)
class Raw:
    """Samples in stored orientation, with everything found beside them."""

    samples: Samples
    """H×W×C, uint8 or uint16; gray, RGB or CMYK, then alpha (straight) where there is one."""

    cmyk: bool = False
    """Samples are CMYK, 0 no ink."""

    metadata: Metadata = NO_METADATA
    """As found in the file."""

    notes: tuple[str, ...] = ()
    """What decoding changed, in sentences."""


def full_range(samples: Samples, bits: int) -> Samples:
    """Return samples of 9 to 15 bits, which libheif puts on top of 16, with white at 65535 and not short of it."""
    if samples.dtype == np.uint8 or not 8 < bits < 16:
        return samples
    top = (1 << bits) - 1
    wide = (samples >> np.uint16(16 - bits)).astype(np.uint32)
    return ((wide * 65535 + top // 2) // top).astype(np.uint16)
