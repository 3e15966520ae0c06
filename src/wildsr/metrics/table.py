"""Every metric by name. Adding one is a file with its function and its `Metric`, and a line here."""

from typing import Final

from wildsr.errors import MetricError, did_you_mean
from wildsr.metrics.blotches import BLOTCHES, BLOTCHES_LR
from wildsr.metrics.brisque import BRISQUE, BRISQUE_MATLAB
from wildsr.metrics.brisque_wheel import BRISQUE_WHEEL
from wildsr.metrics.consistency import COLOUR_DRIFT, LR_CONSISTENCY
from wildsr.metrics.fidelity import PSNR, PSNR_Y, SSIM, SSIM_RGB, SSIM_Y
from wildsr.metrics.grid import GRID
from wildsr.metrics.learned import DISTS, LPIPS, LPIPS_VGG
from wildsr.metrics.metric import Metric
from wildsr.metrics.niqe import NIQE, NIQE_MATLAB, NIQE_OWN
from wildsr.metrics.nrqm import NRQM
from wildsr.metrics.perceptual_index import PI
from wildsr.metrics.piqe import PIQE
from wildsr.metrics.ringing import RINGING, RINGING_LR

METRICS: Final[dict[str, Metric]] = {
    entry.name: entry
    for entry in (
        PSNR_Y,
        PSNR,
        SSIM_Y,
        SSIM,
        SSIM_RGB,
        LPIPS,
        DISTS,
        LPIPS_VGG,
        PI,
        NIQE,
        NRQM,
        BRISQUE,
        PIQE,
        BRISQUE_WHEEL,
        BRISQUE_MATLAB,
        NIQE_MATLAB,
        NIQE_OWN,
        LR_CONSISTENCY,
        COLOUR_DRIFT,
        GRID,
        RINGING,
        RINGING_LR,
        BLOTCHES,
        BLOTCHES_LR,
    )
}
"""Metrics by name; of each kind the one that plots prefer comes first."""


def metric(name: str) -> Metric:
    """Return a metric of the table.

    Raises:
        MetricError: No metric has that name.
    """
    if name not in METRICS:
        raise MetricError(f"no metric is called {name[:100]!r}", hint=did_you_mean(name, METRICS))
    return METRICS[name]


def markdown_table() -> str:
    """Return the table of metrics as Markdown, as the documentation has it."""
    rows = [
        "| name | better | range | reference | family | least size | paper |",
        "|---|---|---|---|---|---|---|",
    ]
    for entry in METRICS.values():
        cells = (
            f"`{entry.name}`{' ¹' if entry.file else ''}",
            "↑" if entry.higher_is_better else "↓",
            f"{_bound(entry.range[0])}…{_bound(entry.range[1])} {entry.unit}".rstrip(),
            "–" if entry.reference == "none" else entry.reference.upper(),
            entry.family,
            f"{entry.minimum[1]}×{entry.minimum[0]}",
            entry.citation,
        )
        rows.append(f"| {' | '.join(cells)} |")
    return "\n".join(rows)


def _bound(value: float) -> str:
    return f"{value:g}".replace("inf", "∞").replace("-", "−")
