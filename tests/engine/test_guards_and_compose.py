from collections.abc import Callable

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from wildsr.engine.backends import Precision
from wildsr.engine.compose import EnsembleBackend, FusedBackend, FusionRule
from wildsr.engine.guards import GuardedBackend, fault
from wildsr.errors import BackendError, UsageError
from wildsr.imaging import FloatArray


class Fake:
    """A backend that computes what it is told."""

    bytes_per_pixel = 100
    threads = 1

    def __init__(
        self, function: Callable[[FloatArray], FloatArray], *, scale: int = 2, precision: Precision = "fp32"
    ) -> None:
        self.function, self.scale, self.precision = function, scale, precision
        self.runs = 0

    def run(self, tile: FloatArray) -> FloatArray:
        self.runs += 1
        return self.function(tile)


def nearest(tile: FloatArray) -> FloatArray:
    return tile.repeat(2, axis=2).repeat(2, axis=3)


def photo(height: int = 5, width: int = 7) -> FloatArray:
    return np.random.default_rng(0).random((1, 3, height, width), np.float32)


BAD: dict[str, Callable[[FloatArray], FloatArray]] = {
    "not finite": lambda tile: np.full_like(nearest(tile), np.nan),
    "infinite": lambda tile: np.where(nearest(tile) > 0.5, np.float32(np.inf), np.float32(0)),
    "far outside": lambda tile: nearest(tile) * 1000,
    "black": lambda tile: np.zeros_like(nearest(tile)),
    "black once clipped": lambda tile: nearest(tile) - 1,
    "white once clipped": lambda tile: nearest(tile) + 1,
    "gray once rounded": lambda tile: np.float32(0.5) + nearest(tile) * np.float32(1e-3),
    "of one colour": lambda tile: nearest(tile) * 0 + np.array([0.9, 0.1, 0], np.float32).reshape(1, 3, 1, 1),
}


@pytest.mark.parametrize("kind", BAD)
def test_a_bad_low_precision_tile_is_redone_in_fp32_and_reported(kind: str) -> None:
    spare = Fake(nearest)
    guard = GuardedBackend(Fake(BAD[kind], precision="bf16"), lambda: spare)
    np.testing.assert_array_equal(guard.run(photo()), nearest(photo()))
    assert spare.runs == 1
    assert len(guard.redone) == 1


@pytest.mark.parametrize("kind", BAD)
def test_a_tile_bad_in_fp32_stops_the_run(kind: str) -> None:
    guard = GuardedBackend(Fake(BAD[kind]), lambda: pytest.fail("fp32 is running already"))
    with pytest.raises(BackendError, match="5×7 LR pixels"):
        guard.run(photo())


def test_a_good_tile_never_opens_the_fp32_backend() -> None:
    guard = GuardedBackend(Fake(nearest, precision="bf16"), lambda: pytest.fail("not needed"))
    guard.run(photo())
    assert guard.redone == []


def test_a_flat_result_of_a_flat_photo_is_fine() -> None:
    flat = np.full((1, 3, 4, 4), 0.5, np.float32)
    assert fault(flat, nearest(flat)) is None


@pytest.mark.parametrize("level", [0.0, 0.5, 1.0])
def test_noise_smoothed_away_is_fine_and_another_brightness_is_not(level: float) -> None:
    noise = np.random.default_rng(1).integers(-3, 4, (1, 3, 20, 20)).astype(np.float32) / 255
    noisy = np.clip(np.float32(level) + noise, 0, 1)
    flat = np.full((1, 3, 40, 40), level, np.float32)
    assert fault(noisy, flat) is None
    assert fault(noisy, np.full_like(flat, abs(level - 0.1))) == "constant although the photo isn't"


@pytest.mark.parametrize("span", [3, 7, 30, 255])
def test_a_black_result_is_seen_in_photos_of_little_contrast_too(span: int) -> None:
    ramp = np.linspace(100, 100 + min(span, 155), 12, dtype=np.float32).reshape(1, 1, 1, 12) / 255
    lr = np.broadcast_to(ramp, (1, 3, 5, 12))
    assert fault(lr, nearest(lr) - 2) == "constant although the photo isn't"
    assert fault(lr, nearest(lr)) is None


def test_self_ensemble_of_an_equivariant_network_changes_nothing_and_runs_eight_times() -> None:
    fake = Fake(nearest)
    np.testing.assert_allclose(EnsembleBackend(fake).run(photo()), nearest(photo()), atol=1e-6)
    assert fake.runs == 8


def test_self_ensemble_averages_away_a_directional_bias() -> None:
    def leaning(tile: FloatArray) -> FloatArray:
        sr = nearest(tile)
        return sr + np.linspace(-0.1, 0.1, sr.shape[3], dtype=np.float32)

    np.testing.assert_allclose(EnsembleBackend(Fake(leaning)).run(photo()), nearest(photo()), atol=1e-6)


@given(
    r=st.floats(0, 1, width=32), s=st.floats(0, 1, width=32), alpha=st.floats(0, 1), gamma=st.floats(0, 255)
)
def test_fusion_of_constants(r: float, s: float, alpha: float, gamma: float) -> None:
    rule = FusionRule(alpha=alpha, beta=1 - alpha, gamma=gamma)
    main = Fake(lambda tile: np.full((1, 3, 2, 2), r, np.float32))
    second = Fake(lambda tile: np.full((1, 3, 2, 2), s, np.float32))
    fused = FusedBackend(main, second, rule).run(photo(1, 1))
    np.testing.assert_allclose(fused, alpha * r + (1 - alpha) * s, atol=1e-5)


def test_a_picture_exactly_at_gamma_is_not_dark() -> None:
    rule = FusionRule(gamma=60)
    assert rule.applies(59.9)
    assert not rule.applies(60)


@pytest.mark.parametrize(("alpha", "beta"), [(float("nan"), 1), (1, float("inf")), (1, -1)])
def test_fusion_weights_that_make_no_picture_are_refused(alpha: float, beta: float) -> None:
    with pytest.raises(UsageError, match="fusion weights"):
        FusionRule(alpha=alpha, beta=beta)


def test_models_of_different_scale_are_not_fused() -> None:
    with pytest.raises(UsageError, match="×2 and ×4"):
        FusedBackend(Fake(nearest), Fake(nearest, scale=4), FusionRule())
