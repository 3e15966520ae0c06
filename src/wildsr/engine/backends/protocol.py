"""What runs a network on one tile."""

from typing import Literal, Protocol, TypeAlias

from wildsr.imaging import FloatArray

Precision: TypeAlias = Literal["fp32", "bf16"]
PrecisionChoice: TypeAlias = Literal["auto", "fp32", "bf16"]
BackendName: TypeAlias = Literal["openvino", "onnxruntime"]
Device: TypeAlias = Literal["cpu", "cuda", "directml", "coreml"]


class Backend(Protocol):
    """Tile in, tile out. A new backend is a class with these members and a line in `open_backend`."""

    @property
    def scale(self) -> int:
        """SR pixels per LR pixel."""
        ...

    @property
    def precision(self) -> Precision:
        """Precision the network really runs in."""
        ...

    @property
    def bytes_per_pixel(self) -> int:
        """Memory a tile takes while it runs, in bytes per LR pixel."""
        ...

    @property
    def threads(self) -> int:
        """CPU threads it uses."""
        ...

    def run(self, tile: FloatArray) -> FloatArray:
        """Super-resolve a tile: 1×3×h×w in [0, 1] → 1×3×(scale·h)×(scale·w), not clipped.

        Raises:
            OutOfMemoryError: If the tile doesn't fit.
            BackendError: If inference fails.
        """
        ...
