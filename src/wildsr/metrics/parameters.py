"""Where a metric's parameters come from: the store where packages carry them, else a folder of the user's.

Four official models are in no package: BRISQUE's release, MATLAB's BRISQUE and NIQE, and NRQM. They are read
from the folder `$WILDSR_METRICS` under the names of `USER_FILES`, or handed to the metric as its `model`.
"""

import os
from functools import lru_cache
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from wildsr.assets.backbones import BackboneName, backbone_weights, lpips_heads
from wildsr.errors import AssetError, MetricError
from wildsr.metrics.brisque import Regression
from wildsr.metrics.graphs import GraphName, dists_graph, lpips_graph
from wildsr.metrics.model_files import (
    load_libsvm,
    load_libsvm_range,
    load_matlab_brisque,
    load_niqe,
    load_nrqm,
)
from wildsr.metrics.niqe import NiqeModel
from wildsr.metrics.nrqm import NrqmModel

if TYPE_CHECKING:
    import onnx

FOLDER_VARIABLE = "WILDSR_METRICS"

USER_FILES: dict[str, tuple[tuple[str, ...], str]] = {
    "brisque": (("allmodel",), "allmodel and allrange of the authors' BRISQUE release (libsvm text files)"),
    "brisque_matlab": (
        ("brisque_matlab.mat", "brisque_matlab.npz"),
        "Alpha, Bias, SupportVectors and Scale of MATLAB's brisqueModel, saved as arrays",
    ),
    "niqe_matlab": (
        ("niqe_matlab.mat", "niqe_matlab.npz", "niqe_matlab_params.mat"),
        "Mean and Covariance of MATLAB's niqeModel, saved as arrays",
    ),
    "niqe_own": (("niqe_own.npz",), "the .npz that `wildsr metrics fit-niqe` writes"),
    "nrqm": (("nrqm.mat", "NRQM_model.mat", "model.mat"), "model.mat of the authors' sr-metric code"),
}
"""Metric → file names looked for, in order, and what the file is."""


def user_file(metric: str) -> Path:
    """Return the parameter file of a metric in the user's folder.

    Raises:
        MetricError: No folder is set, or the file is not in it.
    """
    names, what = USER_FILES[metric]
    hint = f"put {what} there as {names[0]}; the metric's family has no other source"
    folder = os.environ.get(FOLDER_VARIABLE)
    if not folder:
        raise MetricError(
            f"{metric} needs a parameter file that no package carries; set {FOLDER_VARIABLE} to its folder",
            hint=hint,
        )
    for name in names:
        path = Path(folder).expanduser() / name
        if path.is_file():
            return path
    raise MetricError(f"{metric}: no {' or '.join(names)} in {folder} ({FOLDER_VARIABLE})", hint=hint)


def has_parameters(metric: str) -> bool:
    """Tell whether a metric's user-given file, if it needs one, is in place."""
    if metric == "pi":
        metric = "nrqm"
    if metric not in USER_FILES:
        return True
    try:
        user_file(metric)
    except MetricError:
        return False
    return True


def niqe_release_model() -> NiqeModel:
    """Return the release's pristine statistics, as basicsr carries them."""
    return _niqe(_fetched("niqe-pris-params.npz"))


def niqe_matlab_model() -> NiqeModel:
    """Return MATLAB's pristine statistics from the user's folder."""
    return _niqe(user_file("niqe_matlab"))


def niqe_own_model() -> NiqeModel:
    """Return the user's own pristine statistics."""
    return _niqe(user_file("niqe_own"))


def brisque_release_model() -> Regression:
    """Return the release's regression from the user's folder."""
    return _libsvm(user_file("brisque"))


def brisque_matlab_model() -> Regression:
    """Return MATLAB's regression from the user's folder."""
    return _matlab_brisque(user_file("brisque_matlab"))


def nrqm_model() -> NrqmModel:
    """Return NRQM's forests from the user's folder."""
    return _nrqm(user_file("nrqm"))


@lru_cache(maxsize=1)
def brisque_wheel_model() -> Regression:
    """Return the regression of the `brisque` package."""
    from wildsr.assets.pickles import load_pickle

    ranges = load_pickle(_fetched("brisque-normalize.pickle"))
    if not isinstance(ranges, dict) or not all(isinstance(ranges.get(key), list) for key in ("min_", "max_")):
        raise AssetError("the feature range of the brisque package is not two lists, min_ and max_")
    return load_libsvm(_fetched("brisque-svm.txt"), ranges["min_"], ranges["max_"])


def build_graph(name: GraphName) -> "onnx.ModelProto":
    """Return a metric's graph with its fetched weights."""
    if name == "dists":
        alpha, beta = _dists_weights()
        return dists_graph(backbone_weights("vgg16"), alpha, beta)
    backbone: BackboneName = "alexnet" if name == "lpips-alexnet" else "vgg16"
    return lpips_graph(backbone, backbone_weights(backbone), lpips_heads(backbone))


def _dists_weights() -> tuple[NDArray[np.float32], NDArray[np.float32]]:
    """α and β of the 1475 channels."""
    from wildsr.assets.torch_files import load_torch

    tensors = load_torch(_fetched("dists-weights.pt"))
    found = []
    for name in ("alpha", "beta"):
        part = tensors.get(name) if isinstance(tensors, dict) else None
        if not isinstance(part, np.ndarray) or part.size != 1475:
            raise AssetError(f"DISTS has 1475 weights {name}; the file has {getattr(part, 'size', 'none')}")
        found.append(part.astype(np.float32).ravel())
    return found[0], found[1]


@lru_cache(maxsize=4)
def _niqe(path: Path) -> NiqeModel:
    return load_niqe(path)


@lru_cache(maxsize=2)
def _libsvm(path: Path) -> Regression:
    return load_libsvm(path, *load_libsvm_range(path.with_name("allrange")))


@lru_cache(maxsize=2)
def _matlab_brisque(path: Path) -> Regression:
    return load_matlab_brisque(path)


@lru_cache(maxsize=2)
def _nrqm(path: Path) -> NrqmModel:
    return load_nrqm(path)


def _fetched(name: str) -> Path:
    from wildsr.assets import METRIC_ASSETS, fetch

    return fetch(METRIC_ASSETS[name])
