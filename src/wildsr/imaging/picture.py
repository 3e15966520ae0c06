"""A picture with everything that must survive upscaling."""

from dataclasses import dataclass, replace
from typing import Literal, TypeAlias

import numpy as np
from numpy.typing import NDArray

from wildsr.imaging.metadata import NO_METADATA, Metadata

FloatArray: TypeAlias = NDArray[np.float32]
Samples: TypeAlias = NDArray[np.uint8 | np.uint16]
Depth: TypeAlias = Literal[8, 16]


@dataclass(frozen=True, kw_only=True, eq=False)
class Picture:
    """Pixels as encoded, in [0, 1], and what came with them.

    Examples:
        >>> import numpy as np
        >>> gray = wildsr.Picture(rgb=np.full((20, 30, 3), 0.5, np.float32), gray=True)
        >>> gray.width, gray.height
        (30, 20)
    """

    rgb: FloatArray
    """H×W×3 float32 in [0, 1]; a gray picture has three equal channels."""

    alpha: FloatArray | None = None
    """H×W float32 in [0, 1], or None for an opaque picture."""

    metadata: Metadata = NO_METADATA
    """Colour profile, EXIF (orientation already applied and reset), XMP and IPTC."""

    depth: Depth = 8
    """Bits a channel in the file the picture came from; results are written with the same."""

    gray: bool = False
    """True where the file had one colour channel; results are written with one."""

    notes: tuple[str, ...] = ()
    """What reading changed (a colour conversion, a first frame taken), in sentences for the user."""

    @property
    def height(self) -> int:
        """Rows."""
        return int(self.rgb.shape[0])

    @property
    def width(self) -> int:
        """Columns."""
        return int(self.rgb.shape[1])

    def with_pixels(self, rgb: FloatArray, alpha: FloatArray | None) -> "Picture":
        """Return the same picture (profile, metadata, depth) with other pixels."""
        return replace(self, rgb=rgb, alpha=alpha)
