"""Metrics: pure functions from pictures (arrays) to numbers; published ones equal their official implementation.

Import functions from here; OpenVINO, ONNX and parameter files are loaded by the first call that needs them.

Examples:
    >>> hr, sr = wildsr.read("originals/a.png").rgb, wildsr.read("results/a.png").rgb
    >>> 20 < wildsr.metrics.psnr(sr, hr) < 60
    True
    >>> sorted(name for name, metric in wildsr.metrics.METRICS.items() if name.startswith("ssim"))
    ['ssim', 'ssim_rgb', 'ssim_y']
"""

from wildsr.metrics.blotches import blotches, blotches_lr
from wildsr.metrics.brisque import brisque, brisque_matlab
from wildsr.metrics.brisque_wheel import brisque_wheel
from wildsr.metrics.consistency import colour_drift, lr_consistency
from wildsr.metrics.fidelity import psnr, psnr_y, ssim, ssim_rgb, ssim_y
from wildsr.metrics.grid import grid
from wildsr.metrics.learned import dists, lpips, lpips_vgg
from wildsr.metrics.metric import Metric
from wildsr.metrics.niqe import fit_niqe, niqe, niqe_matlab, niqe_own
from wildsr.metrics.niqe_model import NiqeModel, load_niqe, save_niqe
from wildsr.metrics.nrqm import nrqm
from wildsr.metrics.nrqm_model import NrqmModel
from wildsr.metrics.perceptual_index import pi
from wildsr.metrics.piqe import piqe
from wildsr.metrics.pixels import Image, crop_border
from wildsr.metrics.ranks import iqa_rank, mean_opinion_rank, rank_table, ranks
from wildsr.metrics.regression import Regression
from wildsr.metrics.ringing import ringing, ringing_lr
from wildsr.metrics.table import METRICS, markdown_table, metric

__all__ = [
    "METRICS",
    "Image",
    "Metric",
    "NiqeModel",
    "NrqmModel",
    "Regression",
    "blotches",
    "blotches_lr",
    "brisque",
    "brisque_matlab",
    "brisque_wheel",
    "colour_drift",
    "crop_border",
    "dists",
    "fit_niqe",
    "grid",
    "iqa_rank",
    "load_niqe",
    "lpips",
    "lpips_vgg",
    "lr_consistency",
    "markdown_table",
    "mean_opinion_rank",
    "metric",
    "niqe",
    "niqe_matlab",
    "niqe_own",
    "nrqm",
    "pi",
    "piqe",
    "psnr",
    "psnr_y",
    "rank_table",
    "ranks",
    "ringing",
    "ringing_lr",
    "save_niqe",
    "ssim",
    "ssim_rgb",
    "ssim_y",
]
