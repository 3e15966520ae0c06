"""BT.601 luma against the values of the recommendation."""

import re

import numpy as np
import pytest

from tests.conftest import REPOSITORY
from wildsr.imaging.luma import BT601, BT601_STUDIO, luma


def test_weights_are_those_of_bt601() -> None:
    assert sum(BT601) == pytest.approx(1, abs=1e-12)
    for full, studio in zip(BT601, BT601_STUDIO, strict=True):
        assert studio == pytest.approx(219 * full, abs=1e-9)  # 235 − 16 levels


def test_luma_of_the_primaries_and_of_gray() -> None:
    rgb = np.array([[[1, 0, 0], [0, 1, 0], [0, 0, 1], [0.25, 0.25, 0.25]]], np.float32)
    assert luma(rgb) == pytest.approx(np.array([[0.299, 0.587, 0.114, 0.25]]), abs=1e-7)
    assert luma(rgb).dtype == np.float32


def test_the_weights_are_written_down_once() -> None:
    source = REPOSITORY / "src" / "wildsr"
    found = [
        path.relative_to(source).as_posix()
        for path in source.rglob("*.py")
        if re.search(r"0?\.299\b|65\.481", path.read_text(encoding="utf-8"))
    ]
    assert found == ["imaging/luma.py"]
