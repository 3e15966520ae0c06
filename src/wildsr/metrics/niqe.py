"""NIQE: distance of a picture's natural-scene statistics from those of pristine pictures.

Mittal, Soundararajan, Bovik, "Making a completely blind image quality analyzer", IEEE SPL 2013. The family is
the pristine model: the release's (basicsr carries it), or MATLAB's toolbox's. Both share the features.
"""

from collections.abc import Iterable
from functools import lru_cache
from math import inf
from pathlib import Path
from typing import Final

import numpy as np
from numpy.typing import NDArray

from wildsr.assets import METRIC_ASSETS, fetch
from wildsr.errors import MetricError
from wildsr.metrics.filters import halve
from wildsr.metrics.metric import Metric
from wildsr.metrics.niqe_model import FEATURES, NiqeModel, load_niqe
from wildsr.metrics.nss import features, mscn
from wildsr.metrics.pixels import Image, Plane, checked, gray_8bit
from wildsr.metrics.user_files import UserFile

BLOCK = 96
MINIMUM = (BLOCK, 2 * BLOCK)
"""Two whole blocks: one block has no covariance."""

CITATION: Final = "Mittal, Soundararajan, Bovik, IEEE SPL 2013"
_MATLAB: Final = UserFile(
    metric="niqe_matlab",
    names=("niqe_matlab.mat", "niqe_matlab.npz", "niqe_matlab_params.mat"),
    what="Mean and Covariance of MATLAB's niqeModel, saved as arrays",
)
_OWN: Final = UserFile(
    metric="niqe_own", names=("niqe_own.npz",), what="the .npz that `wildsr metrics fit-niqe` writes"
)


def niqe(picture: Image, model: NiqeModel | None = None) -> float:
    """Return NIQE on rgb2gray luminance (full range, rounded), 96×96 blocks; lower is better, not bounded.

    Args:
        picture: The picture to judge.
        model: Pristine statistics; the release's (basicsr's `niqe_pris_params`) when not given.

    Raises:
        MetricError: Too few pixels, or too few blocks with content.
        AssetError: The release's parameters can't be had.
    """
    checked(picture, "niqe", MINIMUM)
    return distance(gray_8bit(picture), release_model() if model is None else model, "niqe")


def niqe_matlab(picture: Image, model: NiqeModel | None = None) -> float:
    """Return NIQE with MATLAB's toolbox's pristine model, which the user must give; lower is better.

    Args:
        picture: The picture to judge.
        model: MATLAB's model; read from the folder of parameter files when not given.

    Raises:
        MetricError: As `niqe`, or no parameter file was given.
    """
    checked(picture, "niqe_matlab", MINIMUM)
    return distance(gray_8bit(picture), _load(_MATLAB.find()) if model is None else model, "niqe_matlab")


def niqe_own(picture: Image, model: NiqeModel | None = None) -> float:
    """Return NIQE with a pristine model of your own (`fit_niqe`, `wildsr metrics fit-niqe`); lower is better.

    Args:
        picture: The picture to judge.
        model: Your model; read from the folder of parameter files when not given.

    Raises:
        MetricError: As `niqe`, or no parameter file was given.
    """
    checked(picture, "niqe_own", MINIMUM)
    return distance(gray_8bit(picture), _load(_OWN.find()) if model is None else model, "niqe_own")


def distance(plane: Plane, model: NiqeModel, metric: str) -> float:
    """Return the distance between the Gaussian of a plane's blocks and the model's (NIQE's Eq. 10)."""
    blocks, _ = block_features(plane)
    mean, covariance = _gaussian_of(blocks, metric)
    difference = model.mean - mean
    pooled = (model.covariance + covariance) / 2
    inverse = np.linalg.pinv(pooled, rcond=FEATURES * np.finfo(np.float64).eps, hermitian=True)
    return float(np.sqrt(max(float(difference @ inverse @ difference), 0.0)))


def block_features(plane: Plane) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Return 36 features (NaN where undefined) and the sharpness (mean σ) of every whole 96×96 block."""
    rows, columns = plane.shape[0] // BLOCK, plane.shape[1] // BLOCK
    plane = plane[: rows * BLOCK, : columns * BLOCK]
    found: list[list[list[float]]] = []
    sharpness = np.empty(0)
    for size in (BLOCK, BLOCK // 2):
        coefficients, deviation = mscn(plane, "replicate")
        corners = [(y * size, x * size) for y in range(rows) for x in range(columns)]
        found.append([features(coefficients[y : y + size, x : x + size]) for y, x in corners])
        if size == BLOCK:
            sharpness = np.array([deviation[y : y + size, x : x + size].mean() for y, x in corners])
            plane = halve(plane)
    return np.concatenate([np.array(scale) for scale in found], axis=1), sharpness


def fit_niqe(pictures: Iterable[Image], *, sharpness: float = 0.75, source: str = "unknown") -> NiqeModel:
    """Return a NIQE model of pristine pictures.

    Args:
        pictures: Clean photographs, each at least 96×96, taken one at a time; the authors used 125.
        sharpness: Blocks at least this much of their picture's sharpest block are taken, 0…1.
        source: What the pictures are, for the record.

    Raises:
        MetricError: A picture too small, or fewer than 37 usable blocks in all (the covariance has 36
        dimensions).
    """
    if not 0 <= sharpness <= 1:
        raise MetricError(f"a sharpness threshold of {sharpness} is not between 0 and 1")
    taken = []
    for picture in pictures:
        blocks, sharp = block_features(gray_8bit(checked(picture, "fit-niqe", (BLOCK, BLOCK))))
        taken.append(blocks[sharp >= sharpness * float(sharp.max())])
    every = np.concatenate(taken) if taken else np.empty((0, FEATURES))
    usable = every[~np.isnan(every).any(axis=1)]
    if len(usable) <= FEATURES:
        raise MetricError(
            f"only {len(usable)} sharp blocks of {BLOCK}×{BLOCK} in {len(taken)} pictures; "
            f"a NIQE model needs more than {FEATURES}",
            hint="give more or larger pictures, or a lower sharpness threshold",
        )
    mean, covariance = _gaussian_of(every, "fit-niqe")
    return NiqeModel(mean=mean, covariance=covariance, source=source)


def _gaussian_of(blocks: NDArray[np.float64], metric: str) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Mean of every defined feature, covariance of the blocks where all are (MATLAB's nanmean and nancov)."""
    defined = ~np.isnan(blocks)
    whole = blocks[defined.all(axis=1)]
    if len(whole) < 2:
        raise MetricError(
            f"{metric}: {len(whole)} of {len(blocks)} blocks of {BLOCK}×{BLOCK} have texture; it needs 2",
            hint="a constant (or nearly constant) picture has no natural-scene statistics",
        )
    mean = np.where(defined, blocks, 0.0).sum(axis=0) / defined.sum(axis=0)
    return mean, np.cov(whole, rowvar=False)


def release_model() -> NiqeModel:
    """Return the release's pristine statistics, as basicsr carries them.

    Raises:
        AssetError: They can't be had.
    """
    return _load(fetch(METRIC_ASSETS["niqe-pris-params.npz"]))


@lru_cache(maxsize=4)
def _load(path: Path) -> NiqeModel:
    return load_niqe(path)


NIQE = Metric(
    name="niqe",
    label="NIQE",
    call=niqe,
    kind="no-reference",
    direction="lower",
    range=(0, inf),
    reference="none",
    family="authors' release (parameters as basicsr carries them)",
    citation=CITATION,
    minimum=MINIMUM,
    protocol="The release's NIQE on rounded rgb2gray luminance, whole 96×96 blocks, flat windows as 0.",
)

NIQE_MATLAB = Metric(
    name="niqe_matlab",
    label="NIQE (MATLAB)",
    call=niqe_matlab,
    kind="no-reference",
    direction="lower",
    range=(0, inf),
    reference="none",
    family="MATLAB toolbox",
    citation=CITATION,
    minimum=MINIMUM,
    protocol="NIQE with the pristine model of MATLAB's toolbox (a file the user gives), 96×96 blocks.",
    file=_MATLAB,
)

NIQE_OWN = Metric(
    name="niqe_own",
    label="NIQE (own)",
    call=niqe_own,
    kind="no-reference",
    direction="lower",
    range=(0, inf),
    reference="none",
    family="a pristine model of your own",
    citation=CITATION,
    minimum=MINIMUM,
    protocol="NIQE with a pristine model fitted by wildsr metrics fit-niqe; comparable only with itself.",
    file=_OWN,
)
