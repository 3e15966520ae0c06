"""Adding an estimator is a file and a line: names, help and errors derive from the table."""

import numpy as np
import pytest

from tests.cli.invoke import invoke
from tests.estimation.pictures import blurred, distance, gaussian, leaves
from wildsr.errors import UsageError
from wildsr.estimation import estimate_kernel
from wildsr.estimation.kernels.methods import ALIASES, METHODS, CrossScaleProblem, KernelMethod, method_named
from wildsr.estimation.kernels.shapes import second_moments


def narrower(problem: CrossScaleProblem, seed: int) -> np.ndarray:
    """The "new estimator": half the variance of the reference, whatever the photo."""
    return gaussian(*np.linalg.eigvalsh(second_moments(problem.reference))[::-1] / 2, 0, 13)


def test_a_new_estimator_is_one_line(monkeypatch: pytest.MonkeyPatch) -> None:
    line = KernelMethod(summary="half as wide", refinement=f"{__name__}:narrower")
    monkeypatch.setitem(METHODS, "narrower", line)
    photo = blurred(leaves(300, 300), gaussian(2.5, 1.2, 0.6))
    found = estimate_kernel(photo, method="narrower")
    usual = estimate_kernel(photo, method="spectrum")
    assert found.method == "narrower"
    ratio = np.trace(second_moments(found.kernel)) / np.trace(second_moments(usual.kernel))
    assert ratio == pytest.approx(0.5, abs=0.08)
    with pytest.raises(UsageError) as raised:
        method_named("narower")
    assert "narrower" in (raised.value.hint or "")


@pytest.mark.parametrize("name", list(METHODS))
def test_every_method_is_in_the_help_and_can_be_loaded(name: str) -> None:
    text = " ".join(invoke("profile", "--help").out.replace("│", " ").split())
    assert f"{name}: {METHODS[name].summary.split()[0]}" in text
    if METHODS[name].refinement is not None:
        assert callable(METHODS[name].load())


def test_the_number_of_methods() -> None:
    assert list(METHODS) == ["auto", "spectrum", "michaeli_irani", "kernelgan", "realsr"]
    assert all(method_named(alias) == name for alias, name in ALIASES.items())
    assert (method_named("both"), method_named("recurrence")) == ("auto", "michaeli_irani")


@pytest.mark.parametrize(
    ("given", "hint"),
    [("Spectrum", "spectrum"), ("michaeli-irani", "michaeli_irani"), ("x" * 20, "known are auto")],
)
def test_an_unknown_method_is_answered_with_the_nearest(given: str, hint: str) -> None:
    with pytest.raises(UsageError, match="unknown method") as raised:
        method_named(given)
    assert hint in (raised.value.hint or "")


def test_an_earlier_name_gives_the_same_kernel() -> None:
    photo = blurred(leaves(200, 200), gaussian(2.5, 1.2, 0.6))
    old, new = (estimate_kernel(photo, method=name) for name in ("recurrence", "michaeli_irani"))
    assert old.method == "michaeli_irani"
    assert distance(old.kernel, new.kernel) == 0
