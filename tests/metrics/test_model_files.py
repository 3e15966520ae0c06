"""Parameter files: ours, MATLAB's, libsvm's; read back, and refused when broken."""

from pathlib import Path

import numpy as np
import pytest
from scipy.io import savemat

from wildsr.errors import MetricError
from wildsr.metrics import NiqeModel, Regression
from wildsr.metrics.niqe_model import load_niqe
from wildsr.metrics.nrqm_model import load_nrqm
from wildsr.metrics.regression import load_libsvm, load_matlab_regression

DICE = np.random.default_rng(0)


@pytest.mark.parametrize(
    "names", [("mu_prisparam", "cov_prisparam"), ("Mean", "Covariance"), ("mu_pris_param", "cov_pris_param")]
)
@pytest.mark.parametrize("suffix", [".mat", ".npz"])
def test_niqe_models_of_others(tmp_path: Path, names: tuple[str, str], suffix: str) -> None:
    arrays = {names[0]: np.arange(36.0)[None], names[1]: np.eye(36) * 2}
    path = tmp_path / f"model{suffix}"
    if suffix == ".mat":
        savemat(path, {"model": arrays} if names[0] == "Mean" else arrays)
    else:
        np.savez(path, **arrays)
    model = load_niqe(path)
    np.testing.assert_array_equal(model.mean, np.arange(36))
    np.testing.assert_array_equal(model.covariance, np.eye(36) * 2)


@pytest.mark.parametrize(
    ("mean", "covariance", "message"),
    [
        (np.zeros(35), np.eye(36), "a mean of 36"),
        (np.full(36, np.nan), np.eye(36), "not finite"),
        (np.zeros(36), np.triu(np.ones((36, 36))), "symmetric"),
        (np.zeros(36), -np.eye(36) + 2 * np.eye(36)[:, ::-1] * 0, "negative eigenvalues"),
    ],
)
def test_impossible_niqe_models(mean: np.ndarray, covariance: np.ndarray, message: str) -> None:
    with pytest.raises(MetricError, match=message):
        NiqeModel(mean=mean, covariance=covariance)


def test_unusable_niqe_files(tmp_path: Path) -> None:
    np.savez(tmp_path / "other.npz", weights=np.zeros(3))
    with pytest.raises(MetricError, match="holds no NIQE model; it has weights"):
        load_niqe(tmp_path / "other.npz")
    (tmp_path / "broken.npz").write_bytes(b"PK\x03\x04broken")
    with pytest.raises(MetricError, match="can't read"):
        load_niqe(tmp_path / "broken.npz")
    np.save(tmp_path / "pickled.npz", np.array([{}], object), allow_pickle=True)
    with pytest.raises(MetricError, match="can't read"):
        load_niqe(tmp_path / "pickled.npz")


def test_matlab_brisque(tmp_path: Path) -> None:
    vectors = DICE.normal(size=(5, 36))
    savemat(
        tmp_path / "m.mat",
        {"Alpha": np.ones((5, 1)), "Bias": 43.0, "SupportVectors": vectors, "Scale": 0.5},
    )
    model = load_matlab_regression(tmp_path / "m.mat")
    assert (model.gamma, model.bias) == (4.0, 43.0)
    # brisqueModel: exp(−‖x/scale − s/scale‖²) α + bias
    expected = np.exp(-(((vectors - 0.1) / 0.5) ** 2).sum(axis=1)).sum() + 43
    assert model.predict(np.full(36, 0.1)) == pytest.approx(expected)
    savemat(tmp_path / "less.mat", {"Alpha": np.ones((5, 1))})
    with pytest.raises(MetricError, match="lacks Bias, SupportVectors, Scale"):
        load_matlab_regression(tmp_path / "less.mat")


MODEL = """svm_type epsilon_svr
kernel_type rbf
gamma 0.05
nr_class 2
total_sv 2
rho -153.591
SV
1.5 1:0.25 36:-1
-2 2:0.5
"""


def test_libsvm_model_with_its_range(tmp_path: Path) -> None:
    (tmp_path / "allmodel").write_text(MODEL)
    high = range(1, 37)
    model = load_libsvm(tmp_path / "allmodel", [-value for value in high], high)
    assert (model.bias, model.gamma, model.vectors[0, 35], model.vectors[1, 1]) == (153.591, 0.05, -1, 0.5)
    # zero features scale to zero
    expected = 1.5 * np.exp(-0.05 * (0.0625 + 1)) - 2 * np.exp(-0.05 * 0.25) + 153.591
    assert model.predict(np.zeros(36)) == pytest.approx(expected)


@pytest.mark.parametrize(
    ("text", "message"),
    [
        (MODEL.replace("epsilon_svr", "c_svc"), "not a libsvm regression"),
        (MODEL.replace("36:-1", "37:-1"), "feature 37 of 36"),
        (MODEL.replace("rho -153.591\n", ""), "broken libsvm model: 'rho'"),
        (MODEL.replace("1:0.25", "1:nan"), "not finite"),
        (MODEL.split("SV\n", maxsplit=1)[0] + "SV\n", "n×36"),
    ],
)
def test_broken_libsvm_models(tmp_path: Path, text: str, message: str) -> None:
    (tmp_path / "model").write_text(text)
    with pytest.raises(MetricError, match=message):
        load_libsvm(tmp_path / "model", [0.0] * 36, [1.0] * 36)


def test_a_range_must_not_be_empty() -> None:
    with pytest.raises(MetricError, match="a low is not below its high"):
        Regression(
            vectors=np.zeros((1, 36)),
            coefficients=np.ones(1),
            bias=0,
            gamma=1,
            low=np.zeros(36),
            high=np.zeros(36),
        )


def test_unreadable_nrqm_models(tmp_path: Path) -> None:
    savemat(tmp_path / "other.mat", {"net": 1})
    with pytest.raises(MetricError, match="holds no NRQM model"):
        load_nrqm(tmp_path / "other.mat")
