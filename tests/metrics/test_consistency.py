"""LR-consistency and colour drift."""

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.metrics.conftest import Pixels
from wildsr.errors import MetricError
from wildsr.imaging import resize_uint8
from wildsr.metrics import colour_drift, lr_consistency, psnr


def test_bicubic_shrinking_is_perfectly_consistent(photo: Pixels) -> None:
    lr = resize_uint8(photo, (48, 72))
    assert lr_consistency(photo, lr) == math.inf
    nearly = lr_consistency((photo / 255).astype(np.float32), (lr / 255).astype(np.float32))
    assert nearly > 50  # only the rounding of 8 bits between the passes differs


def test_a_shift_of_colour_is_measured_in_levels(photo: Pixels) -> None:
    lr = np.full((12, 18, 3), 100, np.uint8)
    sr = np.full((48, 72, 3), 100, np.uint8)
    sr[..., 0] += 6
    assert colour_drift(sr, lr) == 2
    assert lr_consistency(sr, lr) == pytest.approx(10 * math.log10(255**2 / 12))


@given(st.integers(0, 1000))
def test_texture_inside_a_block_is_no_drift(seed: int) -> None:
    lr = np.random.default_rng(seed).integers(20, 230, (6, 7, 3), dtype=np.uint8)
    sr = lr.repeat(4, axis=0).repeat(4, axis=1)
    sr[::2] += 9
    sr[1::2] -= 9
    assert colour_drift(sr, lr) == 0
    assert psnr(sr, lr.repeat(4, axis=0).repeat(4, axis=1)) < 30


@pytest.mark.parametrize("size", [(47, 72), (48, 71), (24, 72), (5, 9)])
def test_sizes_must_be_one_multiple(size: tuple[int, int]) -> None:
    sr, lr = np.zeros((*size, 3), np.uint8), np.zeros((12, 18, 3), np.uint8)
    for metric in (lr_consistency, colour_drift):
        with pytest.raises(MetricError, match=r"is no whole multiple of 18×12"):
            metric(sr, lr)
