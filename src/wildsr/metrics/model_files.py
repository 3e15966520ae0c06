"""Reads and writes the files of metric parameters: ours (.npz), MATLAB's (.mat), libsvm's (text)."""

from collections.abc import Sequence
from pathlib import Path
from zipfile import BadZipFile

import numpy as np
from numpy.typing import NDArray

from wildsr.errors import MetricError
from wildsr.files.atomic import atomic_write
from wildsr.metrics.brisque import FEATURES, Regression
from wildsr.metrics.forest import Forest
from wildsr.metrics.matfile import MatValue, read_mat
from wildsr.metrics.niqe import NiqeModel
from wildsr.metrics.nrqm import NrqmModel

Arrays = dict[str, NDArray[np.float64]]


def save_niqe(model: NiqeModel, path: Path) -> None:
    """Write a NIQE model as .npz: `mean` (36), `covariance` (36×36), `source` (UTF-8 bytes).

    Raises:
        OutputError: The file can't be written.
    """
    source = np.frombuffer(model.source.encode(), np.uint8)
    with atomic_write(path.with_suffix(".npz")) as temporary:
        np.savez(temporary, mean=model.mean, covariance=model.covariance, source=source)


def load_niqe(path: Path) -> NiqeModel:
    """Return the NIQE model of a file: ours, basicsr's .npz, the release's or MATLAB's .mat.

    Raises:
        MetricError: Unreadable, unknown content, or numbers that can't be a model.
    """
    arrays = _arrays(path)
    for mean, covariance in (
        ("mean", "covariance"),
        ("mu_pris_param", "cov_pris_param"),
        ("mu_prisparam", "cov_prisparam"),
        ("Mean", "Covariance"),
    ):
        if mean in arrays and covariance in arrays:
            source = arrays.get("source", np.empty(0)).astype(np.uint8).tobytes().decode("utf-8", "replace")
            return NiqeModel(
                mean=arrays[mean].astype(np.float64).ravel(),
                covariance=arrays[covariance].astype(np.float64),
                source=source or path.name,
            )
    raise MetricError(
        f"{path} holds no NIQE model; it has {_names(arrays)}, one of mean/covariance, "
        "mu_prisparam/cov_prisparam or Mean/Covariance is expected"
    )


def load_matlab_brisque(path: Path) -> Regression:
    """Return MATLAB's brisqueModel from its properties as arrays: Alpha, Bias, SupportVectors, Scale.

    Raises:
        MetricError: Unreadable, or a property is missing.
    """
    arrays = _arrays(path)
    wanted = ("Alpha", "Bias", "SupportVectors", "Scale")
    if missing := [name for name in wanted if name not in arrays]:
        raise MetricError(
            f"{path} lacks {', '.join(missing)}; it has {_names(arrays)}",
            hint="in MATLAB: m = brisqueModel; Alpha = m.Alpha; Bias = m.Bias; "
            "SupportVectors = m.SupportVectors; Scale = m.Scale; "
            "save('brisque_matlab.mat', 'Alpha', 'Bias', 'SupportVectors', 'Scale', '-v7')",
        )
    alpha, bias, vectors, scale = (arrays[name].astype(np.float64) for name in wanted)
    if bias.size != 1 or scale.size != 1 or scale.item() <= 0:
        raise MetricError(f"{path}: Bias and Scale must be single numbers, Scale above 0")
    return Regression(
        vectors=vectors, coefficients=alpha.ravel(), bias=bias.item(), gamma=1 / scale.item() ** 2
    )


def load_libsvm(model: Path, low: Sequence[float], high: Sequence[float]) -> Regression:
    """Return the regression of a libsvm model file (epsilon-SVR, RBF kernel) over features scaled to −1…1.

    Raises:
        MetricError: Unreadable, or another kind of model.
    """
    head, _, body = _text(model).partition("\nSV\n")
    facts = dict(line.split(None, 1) for line in head.splitlines() if len(line.split(None, 1)) == 2)
    if facts.get("svm_type", "").strip() != "epsilon_svr" or facts.get("kernel_type", "").strip() != "rbf":
        raise MetricError(f"{model} is not a libsvm regression (epsilon_svr) with an RBF kernel")
    coefficients, vectors = [], []
    try:
        for line in body.splitlines():
            first, *pairs = line.split()
            vector = np.zeros(FEATURES)
            for pair in pairs:
                index, value = pair.split(":")
                if not 1 <= int(index) <= FEATURES:
                    raise ValueError(f"feature {index} of {FEATURES}")
                vector[int(index) - 1] = float(value)
            coefficients.append(float(first))
            vectors.append(vector)
        bias, gamma = -float(facts["rho"]), float(facts["gamma"])
    except (ValueError, KeyError) as error:
        raise MetricError(f"{model} is a broken libsvm model: {error}") from error
    return Regression(
        vectors=np.array(vectors).reshape(len(vectors), FEATURES),
        coefficients=np.array(coefficients),
        bias=bias,
        gamma=gamma,
        low=np.array(low, np.float64),
        high=np.array(high, np.float64),
    )


def load_libsvm_range(path: Path) -> tuple[list[float], list[float]]:
    """Return the lows and highs of an svm-scale range file that scales to −1…1.

    Raises:
        MetricError: Unreadable, or not 36 features scaled to −1…1.
    """
    lines = [line.split() for line in _text(path).splitlines() if line.strip()]
    try:
        if lines[0] != ["x"] or [float(part) for part in lines[1]] != [-1, 1]:
            raise ValueError("it must begin with x and −1 1")
        rows = {int(index): (float(low), float(high)) for index, low, high in lines[2:]}
        pairs = [rows[index] for index in range(1, FEATURES + 1)]
    except (ValueError, IndexError, KeyError) as error:
        raise MetricError(f"{path} is not the range file of {FEATURES} features: {error}") from error
    return [low for low, _ in pairs], [high for _, high in pairs]


def load_nrqm(path: Path) -> NrqmModel:
    """Return NRQM's model from its MATLAB file: `model` with three forests `rf` and the weights `linear`.

    Raises:
        MetricError: Unreadable, or another content.
    """
    model = read_mat(path).get("model")
    if not isinstance(model, dict) or not isinstance(model.get("rf"), list):
        raise MetricError(f"{path} holds no NRQM model (a struct `model` with `rf` and `linear`)")
    forests = [_forest(tree, path) for tree in model["rf"]]
    linear = _array(model.get("linear"), "linear", path).ravel()
    if len(forests) != 3:
        raise MetricError(f"{path}: NRQM has 3 forests, not {len(forests)}")
    return NrqmModel(forests=(forests[0], forests[1], forests[2]), linear=linear)


def _forest(value: MatValue, path: Path) -> Forest:
    if not isinstance(value, dict):
        raise MetricError(f"{path}: a forest is a struct, not {type(value).__name__}")
    names = ("lDau", "rDau", "mbest", "upper", "avnode")
    left, right, feature, threshold, mean = (_array(value.get(name), name, path) for name in names)
    return Forest(
        left=left.astype(np.intp),
        right=right.astype(np.intp),
        feature=feature.astype(np.intp),
        threshold=threshold,
        value=mean,
    )


def _array(value: MatValue | None, name: str, path: Path) -> NDArray[np.float64]:
    if not isinstance(value, np.ndarray):
        raise MetricError(f"{path} lacks the array {name}")
    return value


def _arrays(path: Path) -> Arrays:
    """Return the numeric variables of an .npz or .mat file; those of a single struct count as its own."""
    if path.suffix == ".mat":
        found = read_mat(path)
        structs = [value for value in found.values() if isinstance(value, dict)]
        if len(found) == 1 and len(structs) == 1:
            found = structs[0]
        return {name: value for name, value in found.items() if isinstance(value, np.ndarray)}
    try:
        # numpy leaves a file open that it opened itself and could not read
        with path.open("rb") as file, np.load(file, allow_pickle=False) as archive:
            if not isinstance(archive, np.lib.npyio.NpzFile):
                raise MetricError(f"{path} is a single array; an .npz of named arrays is expected")
            return {name: archive[name] for name in archive.files}
    except (OSError, ValueError, EOFError, KeyError, BadZipFile) as error:
        raise MetricError(f"can't read {path} as an .npz or .mat file: {error}") from error


def _text(path: Path) -> str:
    try:
        return path.read_text("utf-8")
    except (OSError, UnicodeDecodeError) as error:
        raise MetricError(f"can't read {path}: {error}") from error


def _names(arrays: Arrays) -> str:
    return ", ".join(sorted(arrays)) or "no arrays"
