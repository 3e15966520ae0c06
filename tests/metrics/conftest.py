"""Pictures for the metrics' tests: made by code everywhere, official pairs where they are at hand."""

from pathlib import Path

import numpy as np
import pytest
from numpy.typing import NDArray

from wildsr.errors import AssetError
from wildsr.metrics.brisque import release_regression
from wildsr.metrics.brisque_wheel import package_model
from wildsr.metrics.learned import compiled
from wildsr.metrics.niqe import release_model

Pixels = NDArray[np.uint8]


def photo_like(seed: int, height: int = 192, width: int = 288) -> Pixels:
    """Smooth structure of several scales with edges and a little grain: statistics not far from a photograph's."""
    dice = np.random.default_rng(seed)
    y, x = np.mgrid[0:height, 0:width].astype(float)
    plane = np.zeros((height, width, 3))
    for octave in range(1, 7):
        angle, phase = dice.uniform(0, np.pi), dice.uniform(0, 2 * np.pi, 3)
        wave = (x * np.cos(angle) + y * np.sin(angle)) * 2**octave / 100
        plane += np.sin(wave[..., None] + phase) * 60 / octave
    plane += 40 * np.sign(np.sin(x / 31) * np.sin(y / 23))[..., None]
    plane += dice.normal(0, 4, plane.shape)
    return np.clip(plane + 128, 0, 255).astype(np.uint8)


@pytest.fixture(scope="session")
def photo() -> Pixels:
    """One picture, 288×192."""
    return photo_like(1)


@pytest.fixture(scope="session")
def worse(photo: Pixels) -> Pixels:
    """The same with noise."""
    noise = np.random.default_rng(2).normal(0, 12, photo.shape)
    return np.clip(photo + noise, 0, 255).astype(np.uint8)


@pytest.fixture(scope="session")
def official(shared_data: Path) -> Path:
    """Folder of the calibration pairs with official values; skips where it is absent."""
    folder = shared_data / "metric_refs"
    if not folder.is_dir():
        pytest.skip("the calibration pairs (metric_refs) are not at hand")
    return folder


@pytest.fixture(scope="session")
def niqe_parameters() -> None:
    """Skips where the release's NIQE parameters are neither cached nor to be had."""
    _or_skip(release_model)


@pytest.fixture(scope="session")
def brisque_parameters() -> None:
    """Skips where the BRISQUE release's parameters are neither cached nor to be had."""
    _or_skip(release_regression)


@pytest.fixture(scope="session")
def wheel_parameters() -> None:
    """Skips where the brisque package's parameters are neither cached nor to be had."""
    _or_skip(package_model)


@pytest.fixture(scope="session")
def backbones() -> None:
    """Skips where the backbones' weights are neither cached nor to be had."""
    _or_skip(lambda: compiled("lpips-alexnet"))


def _or_skip(get: object) -> None:
    assert callable(get)
    try:
        get()
    except AssetError as error:
        pytest.skip(f"parameters neither cached nor to be had: {error}")
