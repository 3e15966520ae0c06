"""What an evaluation measures."""

from dataclasses import dataclass
from typing import Final

from wildsr.errors import MetricError, UsageError
from wildsr.metrics import metric

REFERENCE_METRICS: Final = (
    "psnr",
    "psnr_y",
    "ssim",
    "ssim_y",
    "lpips",
    "dists",
    "niqe",
    "piqe",
    "grid",
    "ringing",
    "blotches",
)
"""What is measured by default where there is ground truth."""
NO_REFERENCE_METRICS: Final = ("niqe", "brisque", "piqe", "grid")
"""What is measured by default where there is none."""
TRACK_1_METRICS: Final = ("psnr", "ssim", "lpips")
"""What NTIRE 2020 judged results with ground truth by."""
TRACK_2_METRICS: Final = ("niqe", "brisque", "piqe")
"""What it judged results of real photos by, as far as parameters come with packages; NRQM and PI need the user's."""
TRACK_2_OWN_METRICS: Final = ("nrqm", "pi")
"""The rest of them."""


@dataclass(frozen=True, kw_only=True)
class Measures:
    """What is measured, and how."""

    metrics: tuple[str, ...]
    """Names of `wildsr.metrics.METRICS`."""

    crop_border: int = 0
    """Pixels cropped from each side of result and ground truth before measuring."""

    crop: bool = False
    """Cut result and ground truth to their common size where they differ by a few pixels."""

    def __post_init__(self) -> None:
        for name in self.metrics:
            try:
                metric(name)
            except MetricError as error:
                raise UsageError(str(error), hint=error.hint) from None
        if not self.metrics or len(set(self.metrics)) < len(self.metrics):
            raise UsageError(f"metrics are {', '.join(self.metrics) or 'none'}; name at least one, each once")
        if self.crop_border < 0:
            raise UsageError(f"crop-border is {self.crop_border}; it must be 0 or more pixels")
