"""A picture with everything that must survive upscaling."""

from dataclasses import dataclass, replace
from typing import Literal, TypeAlias, get_args

import numpy as np
from numpy.typing import NDArray

from wildsr.errors import InputError, UsageError
from wildsr.imaging.metadata import NO_METADATA, Metadata

FloatArray: TypeAlias = NDArray[np.float32]
Samples: TypeAlias = NDArray[np.uint8 | np.uint16]
Depth: TypeAlias = Literal[8, 16]


@dataclass(frozen=True, kw_only=True, eq=False)
class Picture:
    """Pixels as encoded, in [0, 1], and what came with them.

    Raises:
        InputError: Arrays of another shape or type, empty, with values that are not finite or far outside [0, 1].

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

    def __post_init__(self) -> None:
        _check_plane("rgb", self.rgb, (*self.rgb.shape[:2], 3))
        if self.alpha is not None:
            _check_plane("alpha", self.alpha, self.rgb.shape[:2])
        if self.depth not in get_args(Depth):
            raise UsageError(f"depth is {self.depth}; a picture's must be 8 or 16")

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


def _check_plane(name: str, values: FloatArray, shape: tuple[int, ...]) -> None:
    """Refuse an array that is no picture: of another shape or type, empty, not a number, or not in [0, 1]."""
    wanted = "H×W×3" if name == "rgb" else f"{shape[0]}×{shape[1]}"
    if values.shape != shape or values.size == 0:
        raise InputError(
            f"{name} is an array of shape {values.shape}; it must be {wanted}, with at least one pixel"
        )
    if values.dtype != np.float32:
        raise InputError(
            f"{name} is an array of {values.dtype}; it must be float32 in [0, 1]",
            hint=f"{name}.astype(np.float32){_DIVISORS.get(str(values.dtype), '')}",
        )
    low, high = float(values.min()), float(values.max())
    if not (np.isfinite(low) and np.isfinite(high)):
        raise InputError(f"{name} has values that are not finite; all must be in [0, 1]")
    if low < -_TOLERANCE or high > 1 + _TOLERANCE:
        raise InputError(
            f"{name} has values from {low:.4g} to {high:.4g}; all must be in [0, 1]",
            hint="divide by 255 (or 65535)",
        )


_DIVISORS = {"uint8": " / 255", "uint16": " / 65535"}
_TOLERANCE = 1
"""How far a filter's overshoot may take a value out of [0, 1], where it is clipped; beyond, it is another scale."""
