"""Every metric by name: what it is, which way is better, what it needs and how it is to be quoted."""

from collections.abc import Callable
from dataclasses import dataclass
from math import inf
from typing import Literal, TypeAlias

from wildsr.errors import MetricError
from wildsr.metrics.brisque import MINIMUM as BRISQUE_MINIMUM
from wildsr.metrics.brisque import brisque, brisque_matlab
from wildsr.metrics.brisque_wheel import brisque_wheel
from wildsr.metrics.consistency import colour_drift, lr_consistency
from wildsr.metrics.fidelity import SSIM_MINIMUM, psnr, psnr_y, ssim, ssim_rgb, ssim_y
from wildsr.metrics.learned import ALEXNET_MINIMUM, VGG16_MINIMUM, dists, lpips, lpips_vgg
from wildsr.metrics.niqe import MINIMUM as NIQE_MINIMUM
from wildsr.metrics.niqe import niqe, niqe_matlab, niqe_own
from wildsr.metrics.nrqm import MINIMUM as NRQM_MINIMUM
from wildsr.metrics.nrqm import nrqm
from wildsr.metrics.perceptual_index import MINIMUM as PI_MINIMUM
from wildsr.metrics.perceptual_index import pi
from wildsr.metrics.piqe import MINIMUM as PIQE_MINIMUM
from wildsr.metrics.piqe import piqe
from wildsr.metrics.pixels import Image, crop_border

Reference: TypeAlias = Literal["none", "hr", "lr"]
Direction: TypeAlias = Literal["higher", "lower"]


@dataclass(frozen=True, kw_only=True)
class Metric:
    """One metric of the table."""

    name: str
    """Key in tables and reports."""

    call: Callable[[Image], float] | Callable[[Image, Image], float]
    """The pure function: (picture) or (picture, reference)."""

    direction: Direction
    """Which values are better."""

    range: tuple[float, float]
    """Least and greatest possible value (for regressions: the scale they were trained on)."""

    reference: Reference
    """What it compares with: nothing, the HR picture, or the LR picture the SR was made from."""

    family: str
    """Which implementation's numbers these are."""

    citation: str
    """Paper."""

    minimum: tuple[int, int]
    """Least (shorter, longer) side in pixels."""

    protocol: str
    """One sentence that must stand beside a quoted number."""

    user_file: bool = False
    """True where the parameters are in no package and the user gives them (`parameters.USER_FILES`)."""

    @property
    def needs_reference(self) -> bool:
        """True for full-reference metrics and those that need the LR picture."""
        return self.reference != "none"

    @property
    def higher_is_better(self) -> bool:
        """The direction as a boolean."""
        return self.direction == "higher"

    def measure(self, picture: Image, reference: Image | None = None, *, border: int = 0) -> float:
        """Return the metric of a picture.

        Args:
            picture: H×W×3, uint8 or float32 in [0, 1].
            reference: Of the same size for `hr`, smaller by a whole factor for `lr`; ignored by the others.
            border: Pixels cropped from each side of the picture (and of an HR reference) first.

        Raises:
            MetricError: No reference where one is needed, a border with an LR reference, or the metric's own
            reasons.
        """
        if self.reference == "none":
            return self.call(crop_border(picture, border) if border else picture)  # type: ignore[call-arg]
        if reference is None:
            raise MetricError(f"{self.name} needs the {self.reference.upper()} picture to compare with")
        if border and self.reference == "lr":
            raise MetricError(f"{self.name} compares whole pictures; it takes no border")
        if border:
            picture, reference = crop_border(picture, border), crop_border(reference, border)
        return self.call(picture, reference)  # type: ignore[call-arg]


def metric(name: str) -> Metric:
    """Return a metric of the table.

    Raises:
        MetricError: No metric has that name.
    """
    if name not in METRICS:
        from difflib import get_close_matches

        near = get_close_matches(name, METRICS, n=3)
        raise MetricError(
            f"no metric is called {name!r}; there are {', '.join(METRICS)}",
            hint=f"did you mean {' or '.join(near)}?" if near else None,
        )
    return METRICS[name]


_SSIM = "Wang, Bovik, Sheikh, Simoncelli, IEEE TIP 2004"
_LPIPS = "Zhang, Isola, Efros, Shechtman, Wang, CVPR 2018"
_NIQE = "Mittal, Soundararajan, Bovik, IEEE SPL 2013"
_BRISQUE = "Mittal, Moorthy, Bovik, IEEE TIP 2012"

_ALL = (
    Metric(
        name="psnr",
        call=psnr,
        direction="higher",
        range=(0, inf),
        reference="hr",
        family="RGB",
        citation="peak signal-to-noise ratio",
        minimum=(1, 1),
        protocol="PSNR in dB over RGB, peak 255; identical pictures give inf and are left out of means.",
    ),
    Metric(
        name="psnr_y",
        call=psnr_y,
        direction="higher",
        range=(0, inf),
        reference="hr",
        family="Y, BT.601 studio swing (BasicSR)",
        citation="peak signal-to-noise ratio",
        minimum=(1, 1),
        protocol="PSNR in dB over unrounded BT.601 studio Y, peak 255, the PSNR-Y of the SR papers.",
    ),
    Metric(
        name="ssim",
        call=ssim,
        direction="higher",
        range=(-1, 1),
        reference="hr",
        family="luminance, authors' release (rgb2gray)",
        citation=_SSIM,
        minimum=SSIM_MINIMUM,
        protocol="SSIM over rounded rgb2gray luminance, 11×11 Gaussian σ 1.5, valid windows, own size.",
    ),
    Metric(
        name="ssim_y",
        call=ssim_y,
        direction="higher",
        range=(-1, 1),
        reference="hr",
        family="Y, BT.601 studio swing (BasicSR)",
        citation=_SSIM,
        minimum=SSIM_MINIMUM,
        protocol="SSIM over unrounded BT.601 studio Y, 11×11 Gaussian σ 1.5, the SSIM-Y of the SR papers.",
    ),
    Metric(
        name="ssim_rgb",
        call=ssim_rgb,
        direction="higher",
        range=(-1, 1),
        reference="hr",
        family="RGB (BasicSR)",
        citation=_SSIM,
        minimum=SSIM_MINIMUM,
        protocol="Mean of SSIM over the R, G and B planes, 11×11 Gaussian σ 1.5, valid windows.",
    ),
    Metric(
        name="lpips",
        call=lpips,
        direction="lower",
        range=(0, inf),
        reference="hr",
        family="v0.1, AlexNet",
        citation=_LPIPS,
        minimum=ALEXNET_MINIMUM,
        protocol="LPIPS v0.1 with AlexNet and its linear heads, fp32, pictures at their own size.",
    ),
    Metric(
        name="lpips_vgg",
        call=lpips_vgg,
        direction="lower",
        range=(0, inf),
        reference="hr",
        family="v0.1, VGG16",
        citation=_LPIPS,
        minimum=VGG16_MINIMUM,
        protocol="LPIPS v0.1 with VGG16 and its linear heads, fp32; not comparable with AlexNet's.",
    ),
    Metric(
        name="dists",
        call=dists,
        direction="lower",
        range=(0, 1),
        reference="hr",
        family="authors' weights, no resizing",
        citation="Ding, Ma, Wang, Simoncelli, IEEE TPAMI 2020",
        minimum=VGG16_MINIMUM,
        protocol="DISTS with VGG16 and L2 pooling, fp32, pictures at their own size (not resized to 256).",
    ),
    Metric(
        name="niqe",
        call=niqe,
        direction="lower",
        range=(0, inf),
        reference="none",
        family="authors' release (parameters as basicsr carries them)",
        citation=_NIQE,
        minimum=NIQE_MINIMUM,
        protocol="The release's NIQE on rounded rgb2gray luminance, whole 96×96 blocks, flat windows as 0.",
    ),
    Metric(
        name="niqe_matlab",
        call=niqe_matlab,
        direction="lower",
        range=(0, inf),
        reference="none",
        family="MATLAB toolbox",
        citation=_NIQE,
        minimum=NIQE_MINIMUM,
        protocol="NIQE with the pristine model of MATLAB's toolbox (a file the user gives), 96×96 blocks.",
        user_file=True,
    ),
    Metric(
        name="niqe_own",
        call=niqe_own,
        direction="lower",
        range=(0, inf),
        reference="none",
        family="a pristine model of your own",
        citation=_NIQE,
        minimum=NIQE_MINIMUM,
        protocol="NIQE with a pristine model fitted by wildsr metrics fit-niqe; comparable only with itself.",
        user_file=True,
    ),
    Metric(
        name="brisque_wheel",
        call=brisque_wheel,
        direction="lower",
        range=(0, 100),
        reference="none",
        family="`brisque` package 0.2.0",
        citation=_BRISQUE,
        minimum=BRISQUE_MINIMUM,
        protocol="BRISQUE as the brisque package 0.2.0 has it; neither the release's nor MATLAB's numbers.",
    ),
    Metric(
        name="brisque",
        call=brisque,
        direction="lower",
        range=(0, 100),
        reference="none",
        family="authors' release",
        citation=_BRISQUE,
        minimum=BRISQUE_MINIMUM,
        protocol="BRISQUE of the authors' release (allmodel and allrange, files the user gives).",
        user_file=True,
    ),
    Metric(
        name="brisque_matlab",
        call=brisque_matlab,
        direction="lower",
        range=(0, 100),
        reference="none",
        family="MATLAB toolbox",
        citation=_BRISQUE,
        minimum=BRISQUE_MINIMUM,
        protocol="BRISQUE of MATLAB's toolbox (its model is a file the user gives).",
        user_file=True,
    ),
    Metric(
        name="piqe",
        call=piqe,
        direction="lower",
        range=(0, 100),
        reference="none",
        family="MATLAB toolbox",
        citation="Venkatanath, Praneeth, Chandrasekhar, Channappayya, Medasani, NCC 2015",
        minimum=PIQE_MINIMUM,
        protocol="PIQE as MATLAB's toolbox defines it, 16×16 blocks, replicated padding; no parameters.",
    ),
    Metric(
        name="nrqm",
        call=nrqm,
        direction="higher",
        range=(0, 10),
        reference="none",
        family="authors' release (sr-metric)",
        citation="Ma, Yang, Yang, Yang, CVIU 2017",
        minimum=NRQM_MINIMUM,
        protocol="NRQM (Ma's score) on rounded rgb2gray luminance, the authors' forests (a user's file).",
        user_file=True,
    ),
    Metric(
        name="pi",
        call=pi,
        direction="lower",
        range=(0, inf),
        reference="none",
        family="PIRM 2018",
        citation="Blau, Mechrez, Timofte, Michaeli, Zelnik-Manor, ECCVW 2018",
        minimum=PI_MINIMUM,
        protocol="½((10 − NRQM) + NIQE) on rounded BT.601 studio Y without a border of 4 pixels.",
        user_file=True,
    ),
    Metric(
        name="lr_consistency",
        call=lr_consistency,
        direction="higher",
        range=(0, inf),
        reference="lr",
        family="LR-PSNR (NTIRE 2021)",
        citation="Lugmayr, Danelljan, Timofte, CVPRW 2021",
        minimum=(1, 1),
        protocol="PSNR in dB over RGB of the SR picture shrunk by MATLAB's bicubic against the LR picture.",
    ),
    Metric(
        name="colour_drift",
        call=colour_drift,
        direction="lower",
        range=(0, 255),
        reference="lr",
        family="wildsr",
        citation="mean |block means of SR − LR|",
        minimum=(1, 1),
        protocol="Mean absolute difference, in levels, of the SR picture's block means and the LR picture.",
    ),
)

METRICS: dict[str, Metric] = {entry.name: entry for entry in _ALL}
"""Metrics by name, full-reference first."""
