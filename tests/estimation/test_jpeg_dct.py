"""JPEG's steps are read off the pixels, and blur is found in spite of them."""

import io

import numpy as np
import pytest
from numpy.typing import NDArray
from PIL import Image

from tests.estimation.pictures import blurred, distance, gaussian, natural
from wildsr.estimation import estimate_kernel
from wildsr.estimation.kernels import estimate
from wildsr.estimation.kernels.jpeg_dct import at_frequencies, compression_error
from wildsr.imaging.luma import luma

Pixels = NDArray[np.float32]
TRUTH = gaussian(3.0, 1.2, 0.7)


def compressed(rgb: Pixels, quality: int) -> tuple[Pixels, NDArray[np.float64]]:
    """The photo after JPEG, and the steps of its luma table."""
    buffer = io.BytesIO()
    Image.fromarray(np.rint(rgb * 255).astype(np.uint8)).save(buffer, "JPEG", quality=quality)
    with Image.open(io.BytesIO(buffer.getvalue())) as picture:
        table = np.array(picture.quantization[0], float).reshape(8, 8)  # type: ignore[attr-defined]
        return (np.asarray(picture) / np.float32(255)).astype(np.float32), table


@pytest.mark.parametrize("quality", [70, 80])
def test_steps_are_those_of_the_table(quality: int) -> None:
    rgb, table = compressed(blurred(natural("astronaut.png"), TRUTH), quality)
    error = compression_error(luma(rgb))
    assert error is not None
    found = np.sqrt(12 * error)
    seen = (found > 0) & (np.add.outer(range(8), range(8)) <= 4)
    assert np.count_nonzero(seen) >= 6
    assert np.count_nonzero(np.isclose(found[seen], table[seen])) >= 0.85 * np.count_nonzero(seen)


def test_turned_photos_keep_their_lattice() -> None:
    rgb, _ = compressed(natural("coffee.png")[:397, :403], 80)
    upright, turned = compression_error(luma(rgb)), compression_error(luma(rgb[::-1, ::-1].copy()))
    assert upright is not None
    assert turned is not None
    np.testing.assert_allclose(turned, upright)


@pytest.mark.parametrize("name", ["astronaut.png", "coffee.png", "rocket.jpg"])
def test_what_is_not_compressed_is_on_no_lattice(name: str) -> None:
    assert compression_error(luma(blurred(natural(name), TRUTH))) is None


def test_flat_and_small_pictures_are_on_no_lattice() -> None:
    assert compression_error(np.full((64, 64), 0.5, np.float32)) is None
    noise = np.random.default_rng(0).random((96, 120)).astype(np.float32)
    assert compression_error(np.rint(noise * 255) / np.float32(255)) is None


def test_frequencies_are_those_of_the_dct() -> None:
    error = np.arange(64.0).reshape(8, 8)
    right, down = np.array([0.0, 1 / 16, -0.5, 0.03125]), np.array([0.0, 0.0, 0.5, 2 / 16])
    np.testing.assert_allclose(at_frequencies(error, right, down), [0, 1, 63, 16.5])


@pytest.mark.parametrize("quality", [80, 90])
@pytest.mark.parametrize("name", ["coffee.png", "motorcycle_left.png"])
def test_blur_is_found_under_compression(name: str, quality: int, monkeypatch: pytest.MonkeyPatch) -> None:
    rgb, _ = compressed(blurred(natural(name), TRUTH), quality)
    found = estimate_kernel(rgb, method="spectrum")
    assert found.reason is None
    assert distance(found.kernel, TRUTH) < 0.8 * distance(gaussian(2.4, 2.4, 0), TRUTH)
    monkeypatch.setattr(estimate, "compression_error", lambda plane: None)
    unaware = estimate_kernel(rgb, method="spectrum")

    assert unaware.reason is not None or distance(unaware.kernel, TRUTH) > distance(found.kernel, TRUTH)
