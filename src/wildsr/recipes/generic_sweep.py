"""α, β and γ of Samsung's luminance rule by a sweep.

Judged are the photos held out, as they are and three exposure steps darker (HR darkened in linear light, then degraded
anew, so that noise is as strong as in the light). Half of them choose the rule; the other half says what it gives.
"""

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Annotated, Final

import numpy as np
import torch
from numpy.typing import NDArray
from pydantic import Field
from torch import nn

from wildsr.data import Sample, array_degrader, collate
from wildsr.degradation import Chosen, choose
from wildsr.imaging import FloatArray
from wildsr.imaging.exposure import exposed
from wildsr.imaging.luma import luma
from wildsr.metrics import lpips
from wildsr.models import FusionRule
from wildsr.training.datasets import Dataset

_TIE: Final = 1e-6


@dataclass(frozen=True, kw_only=True)
class SweepSettings:
    """How α, β and γ are chosen: by the mean LPIPS over photos held out, bright and dark."""

    alphas: tuple[float, ...] = (0.0, 0.25, 0.5, 0.75, 1.0)
    """Weights of y_R that are tried."""

    sums: tuple[Annotated[float, Field(gt=0)], ...] = (1.0,)
    """α + β. 1 keeps the brightness, which LPIPS hardly sees. Less than 1 also darkens what the GANs drew whiter than
    white, in each channel by another amount, into view as a tint."""

    gammas: tuple[float, ...] = (0.0, 20.0, 40.0, 60.0, 80.0, 100.0, 256.0)
    """Median lumas (0–255) below which a picture counts as dark."""

    exposure: float = -3.0
    """Exposure, in steps, of the darker copies of the photos held out."""

    without: FusionRule = field(default_factory=FusionRule)
    """The rule taken where no photo is held out to choose by."""


@dataclass(frozen=True, kw_only=True)
class Judged:
    """One picture of the sweep."""

    name: str
    """The photo, and its exposure."""

    luminance: float
    """Median luma of its LR, 0–255."""

    chooses: bool
    """Whether it takes part in the choice, or in what is reported."""

    lpips: tuple[float, ...]
    """For every pair of weights."""


@dataclass(frozen=True, kw_only=True)
class Sweep:
    """What was tried, and what came of it."""

    weights: tuple[tuple[float, float], ...]
    """Pairs (α, β)."""

    pictures: tuple[Judged, ...]
    """All of them."""

    rule: FusionRule
    """The best over the pictures that choose."""


def sweep(settings: SweepSettings, networks: tuple[nn.Module, nn.Module], dataset: Dataset) -> Sweep:
    """Judge every pair of weights on every picture, and choose.

    Args:
        settings: What to try.
        networks: y_R's and y_S's.
        dataset: With the photos held out.
    """
    weights = tuple((alpha, round(total - alpha, 6)) for total in settings.sums for alpha in settings.alphas)
    weights = tuple(dict.fromkeys(((1.0, 0.0), (0.0, 1.0), *weights)))
    scale = dataset.validation[0].hr.shape[0] // dataset.validation[0].lr.shape[0]
    degradation = dataset.degradation or choose("bicubic", scale=scale)
    judged = []
    for number, crop in enumerate(dataset.validation):
        for one in (crop, darkened(crop, degradation, settings.exposure)):
            r, s = (_floats(network, one) for network in networks)
            judged.append(
                Judged(
                    name=one.name,
                    luminance=_luminance(one),
                    chooses=number % 2 == 0,
                    lpips=tuple(_distance(alpha * r + beta * s, one) for alpha, beta in weights),
                )
            )
    return Sweep(weights=weights, pictures=tuple(judged), rule=best_rule(weights, judged, settings.gammas))


def best_rule(
    weights: Sequence[tuple[float, float]], pictures: Sequence[Judged], gammas: Sequence[float]
) -> FusionRule:
    """The weights and γ with the lowest mean LPIPS over the pictures that choose; of equals the lowest γ."""
    choosing = [one for one in pictures if one.chooses]
    alone = weights.index((1.0, 0.0))
    best, lowest = FusionRule(alpha=1.0, beta=0.0, gamma=0.0), float("inf")
    for gamma in sorted(gammas):
        for number, (alpha, beta) in enumerate(weights):
            mean = float(np.mean([one.lpips[number if one.luminance < gamma else alone] for one in choosing]))
            if mean < lowest - _TIE:
                best, lowest = FusionRule(alpha=alpha, beta=beta, gamma=gamma), mean
    return best


def darkened(crop: Sample, degradation: Chosen, exposure: float) -> Sample:
    """A crop as if taken with another exposure: HR darkened in linear light, LR made of that anew."""
    hr = np.asarray(crop.hr, dtype=np.float32) / np.float32(255)
    dark = exposed(hr, exposure)
    name = f"{crop.name} {exposure:+g} EV"
    seed = int.from_bytes(hashlib.sha256(name.encode("utf-8", "surrogateescape")).digest()[:8], "little")
    lr = array_degrader(degradation.pipeline)(dark, np.random.default_rng(seed))
    return Sample(lr=_bytes(lr), hr=_bytes(dark), name=name)


@torch.no_grad()
def _floats(network: nn.Module, crop: Sample) -> FloatArray:
    sr: FloatArray = network(collate([crop]).lr)[0].permute(1, 2, 0).numpy()
    return sr


def _distance(sr: FloatArray, crop: Sample) -> float:
    return lpips(_bytes(sr), np.asarray(crop.hr, dtype=np.uint8))


def _luminance(crop: Sample) -> float:
    return float(np.median(luma(np.asarray(crop.lr, dtype=np.float32))))


def _bytes(picture: FloatArray) -> NDArray[np.uint8]:
    return np.rint(np.clip(picture, 0, 1) * 255).astype(np.uint8)
