"""NRQM's model: three forests and their weights, and the MATLAB file its authors keep it in."""

from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from wildsr.errors import MetricError
from wildsr.files import shown
from wildsr.metrics.arrays import Arrays
from wildsr.metrics.forest import Forest
from wildsr.metrics.matlab import read_mat


@dataclass(frozen=True, kw_only=True, eq=False)
class NrqmModel:
    """Three forests (local, global, spatial features) and the weights that combine them."""

    forests: tuple[Forest, Forest, Forest]
    """In the order of `features`."""

    linear: NDArray[np.float64]
    """Bias and three weights."""

    def __post_init__(self) -> None:
        """Refuse what can't be a model."""
        if self.linear.shape != (4,) or not np.isfinite(self.linear).all():
            raise MetricError(f"NRQM combines its forests by 4 finite weights, not {self.linear}")


def load_nrqm(path: Path) -> NrqmModel:
    """Return NRQM's model from its MATLAB file: `model` with three forests `rf` and the weights `linear`.

    Raises:
        MetricError: Unreadable, or another content.
    """
    arrays = read_mat(path)
    if not any(name.startswith("model.rf[") for name in arrays):
        raise MetricError(f"{shown(path)} holds no NRQM model (a struct `model` with `rf` and `linear`)")
    count = len({name.partition("]")[0] for name in arrays if name.startswith("model.rf[")})
    if count != 3:
        raise MetricError(f"{shown(path)}: NRQM has 3 forests, not {count}")
    forests = [_forest(arrays, f"model.rf[{number}].", path) for number in range(3)]
    linear = _array(arrays, "model.linear", path).ravel()
    return NrqmModel(forests=(forests[0], forests[1], forests[2]), linear=linear)


def _forest(arrays: Arrays, place: str, path: Path) -> Forest:
    names = ("lDau", "rDau", "mbest", "upper", "avnode")
    left, right, feature, threshold, mean = (_array(arrays, place + name, path) for name in names)
    return Forest(
        left=left.astype(np.intp),
        right=right.astype(np.intp),
        feature=feature.astype(np.intp),
        threshold=threshold,
        value=mean,
    )


def _array(arrays: Arrays, name: str, path: Path) -> NDArray[np.float64]:
    if name not in arrays:
        raise MetricError(f"{shown(path)} lacks the array {name}")
    return arrays[name]
