"""Each operation against numbers that can be computed otherwise."""

import io

import numpy as np
import pytest
import torch
from PIL import Image
from scipy.ndimage import correlate as scipy_correlate

from tests.degradation.pictures import array, flat, scene, shift_between, tensor
from tests.degradation.test_profile import box, white
from wildsr.degradation import (
    Blur,
    BlurSubsample,
    Chance,
    Clip,
    CorrelatedNoise,
    Downscale,
    FromPool,
    GaussianNoise,
    GaussianPoissonNoise,
    Gaussians,
    GrainyNoise,
    Jpeg,
    Log,
    Mixed,
    NoisePool,
    OneOf,
    Pipeline,
    PoissonNoise,
    Round,
    Sincs,
    correlate,
    kernels,
    resize,
)
from wildsr.degradation.noise_pool import detrended, noise_field
from wildsr.degradation.resampling import Method
from wildsr.errors import UsageError
from wildsr.imaging import resize as resize_array


def rng(seed: int = 0) -> np.random.Generator:
    return np.random.default_rng(seed)


# blur


@pytest.mark.parametrize("size", [(40, 52), (9, 5), (1, 1)])
def test_correlation_is_scipys_with_its_border_and_no_flip(size: tuple[int, int]) -> None:
    """Also where the kernel is larger than the picture."""
    kernel = kernels.gaussian(13, (6.0, 1.0), 0.7)
    kernel[2, 3] += 0.3  # lopsided: a flip would show
    picture = scene(*size, seed=1) if min(size) > 1 else np.full((1, 1, 3), 0.3, np.float32)
    expected = np.stack([scipy_correlate(picture[..., c], kernel, mode="reflect") for c in range(3)], axis=2)
    assert array(correlate(tensor(picture), kernel)) == pytest.approx(expected, abs=2e-6)


@pytest.mark.parametrize("scale", [2, 3, 4])
def test_subsampling_keeps_every_sth_pixel_from_the_first(scale: int) -> None:
    kernel = kernels.gaussian(15, (2.0, 5.0), 0.6, scale=scale)
    picture = scene(61, 50)
    whole = np.stack([scipy_correlate(picture[..., c], kernel, mode="reflect") for c in range(3)], axis=2)
    out = array(correlate(tensor(picture), kernel, stride=scale))
    assert out.shape == (61 // scale, 50 // scale, 3)
    expected = whole[: out.shape[0] * scale : scale, : out.shape[1] * scale : scale]
    assert out == pytest.approx(expected, abs=2e-6)


@pytest.mark.parametrize("scale", [2, 3, 4])
@pytest.mark.parametrize("variances", [(1.5, 1.5), (6.0, 2.0)])
def test_centred_kernels_do_not_move_the_picture(scale: int, variances: tuple[float, float]) -> None:
    """ALGORITHMS 13.2: downscale by the kernel, bicubic up, phase-correlate with HR: less than .1 px."""
    picture = scene(192, 240)
    lr = BlurSubsample(FromPool(kernels.gaussian(21, variances, 0.5, scale=scale)[None]), scale)(
        tensor(picture), rng()
    )
    back = resize_array(array(lr), scale=scale)
    down, right = shift_between(picture.mean(2), back.mean(2))
    assert abs(down) < 0.05
    assert abs(right) < 0.05


def test_the_measure_sees_a_wrong_centre() -> None:
    """A kernel centred at n//2 moves an LR of scale 4 by 1.5 HR pixels: the test above can fail."""
    picture = scene(192, 240)
    lr = correlate(tensor(picture), kernels.gaussian(21, (3.0, 3.0)), stride=4)
    down, right = shift_between(picture.mean(2), resize_array(array(lr), scale=4).mean(2))
    assert (down, right) == pytest.approx((1.5, 1.5), abs=0.2)  # the window stays where it is


def test_blur_keeps_flat_pictures_and_logs_its_kernel() -> None:
    log: Log = []
    op = Blur(Gaussians(sizes=(7, 9), sigma=(0.5, 2.0), elongated=True))
    assert array(op(flat(0.4), rng(), log)) == pytest.approx(0.4, abs=1e-6)
    assert log[0]["operation"] == "blur"
    assert log[0]["size"] in (7, 9)
    drawn: Log = []
    pool = BlurSubsample(FromPool(np.concatenate([box(1), np.roll(box(2), 0)])), 4)
    for seed in range(40):
        pool(flat(0.4, 32, 32), rng(seed), drawn)
    assert {entry["kernel"] for entry in drawn} == {0, 1, 2}


def test_kernels_and_sizes_that_can_not_be() -> None:
    with pytest.raises(UsageError, match="odd n is expected"):
        correlate(flat(0.5), np.full((4, 4), 1 / 16))
    with pytest.raises(UsageError, match="too few to keep every 4th"):
        correlate(flat(0.5, 3, 20), box(1)[0], stride=4)
    with pytest.raises(UsageError, match="weights"):
        Mixed(samplers=(Sincs(sizes=(7,)),), weights=(0.5, 0.5))(rng())


# downscaling


def test_bicubic_is_the_one_of_imaging() -> None:
    picture = scene(64, 80)
    out = array(Downscale(scale=4)(tensor(picture), rng()))
    assert out == pytest.approx(resize_array(picture, scale=0.25), abs=2e-6)


@pytest.mark.parametrize("method", ["bilinear", "bicubic", "lanczos", "area"])
@pytest.mark.parametrize("scale", [2, 3, 4])
def test_downscaling_keeps_brightness_and_place(method: Method, scale: int) -> None:
    picture = scene(24 * 8, 24 * 9)
    op = Downscale(scale=scale, methods=(method,))
    assert array(op(flat(0.3), rng())) == pytest.approx(0.3, abs=1e-6)
    out = array(op(tensor(picture), rng()))
    assert out.mean() == pytest.approx(picture.mean(), abs=0.003)
    down, right = shift_between(picture.mean(2), resize_array(out, scale=scale).mean(2))
    assert max(abs(down), abs(right)) < 0.05


def test_area_is_the_mean_of_blocks_and_of_parts_of_pixels() -> None:
    picture = scene(24, 36)
    out = array(resize(tensor(picture), (6, 9), method="area"))
    assert out == pytest.approx(picture.reshape(6, 4, 9, 4, 3).mean((1, 3)), abs=1e-6)
    line = torch.tensor([[[[0.0, 0.3, 0.9]]]])
    # 3 → 2: 1.5 pixels each
    assert resize(line, (1, 2), method="area").flatten().tolist() == pytest.approx([0.1, 0.7])
    assert resize(line, (1, 6), method="area").flatten().tolist() == pytest.approx([0, 0, 0.3, 0.3, 0.9, 0.9])


@pytest.mark.parametrize("size", [(70, 81), (41, 37), (250, 230)])
def test_resizing_to_any_size_does_not_move_the_picture(size: tuple[int, int]) -> None:
    picture = scene(128, 128)
    for method in ("bilinear", "bicubic", "area"):
        there = resize(tensor(picture), size, method=method, antialias=False)  # type: ignore[arg-type]
        back = array(resize(there, (128, 128), method="bicubic"))
        # aliases move the estimate; corners aligned in place of centres would move by more than a pixel
        assert np.abs(shift_between(picture.mean(2), back.mean(2))).max() < 0.3


def test_nearest_takes_pixels_as_they_are() -> None:
    picture = scene(16, 16)
    out = array(Downscale(scale=2, methods=("nearest",))(tensor(picture), rng()))
    assert set(out.ravel().tolist()) <= set(picture.ravel().tolist())


def test_every_method_is_drawn_equally_often() -> None:
    log: Log = []
    op = Downscale(scale=2, methods=("nearest", "bilinear", "bicubic", "lanczos"))
    generator = rng()
    for _ in range(400):
        op(flat(0.5, 4, 4), generator, log)
    counts = [sum(entry["method"] == name for entry in log) for name in op.methods]
    assert min(counts) > 75  # 100 ± 8.7; 2.9 standard deviations
    with pytest.raises(UsageError, match="can't resize"):
        Downscale(scale=4)(flat(0.5, 3, 8), rng())
    with pytest.raises(UsageError, match="unknown method"):
        resize(flat(0.5), (4, 4), method="cubic")  # type: ignore[arg-type]


# noise by formula


def test_gaussian_noise_has_its_strength_and_no_colour_when_gray() -> None:
    log: Log = []
    x = GaussianNoise(sigma=(0.02, 0.02))(flat(0.5, 256, 256), rng(), log) - 0.5
    assert float(x.std()) == pytest.approx(0.02, rel=0.02)
    assert float(x.mean()) == pytest.approx(0, abs=2e-4)
    assert log == [{"operation": "gaussian noise", "sigma": 0.02, "gray": False}]
    gray = GaussianNoise(sigma=(0.02, 0.02), gray=1.0)(flat(0.5), rng()) - 0.5
    assert torch.equal(gray[:, 0], gray[:, 2])


def test_noise_is_another_for_every_picture_of_a_batch() -> None:
    x = GaussianNoise(sigma=(0.02, 0.02))(flat(0.5, count=2), rng())
    assert not torch.equal(x[0], x[1])


@pytest.mark.parametrize("level", [0.1, 0.5, 0.9])
def test_poisson_variance_is_x_over_lambda(level: float) -> None:
    x = PoissonNoise(photons=(100.0, 100.0))(flat(level, 256, 256), rng())
    assert float(x.mean()) == pytest.approx(level, abs=0.002)
    assert float(x.var()) == pytest.approx(level / 100, rel=0.03)
    both = GaussianPoissonNoise(photons=(100.0, 100.0), sigma=(0.05, 0.05))(flat(level, 256, 256), rng())
    assert float(both.var()) == pytest.approx(level / 100 + 0.0025, rel=0.03)


def test_gray_poisson_is_alike_in_all_channels() -> None:
    x = PoissonNoise(photons=(100.0, 100.0), gray=1.0)(flat(0.5), rng()) - 0.5
    assert torch.equal(x[:, 0], x[:, 1])
    log: Log = []
    generator = rng()
    for _ in range(300):
        PoissonNoise(photons=(10.0, 1000.0), logarithmic=True)(flat(0.5, 2, 2), generator, log)
    assert np.median([float(str(entry["photons"])) for entry in log]) == pytest.approx(100, rel=0.4)


def test_poisson_of_negative_values_is_no_error() -> None:
    x = PoissonNoise(photons=(50.0, 50.0))(flat(-0.01), rng())
    assert array(x) == pytest.approx(-0.01)


def test_correlated_noise_has_correlated_channels() -> None:
    largest = []
    for seed in range(20):
        log: Log = []
        x = CorrelatedNoise()(flat(0.5, 64, 64), rng(seed), log) - 0.5
        stds = x.std(dim=(0, 2, 3))
        assert stds.tolist() == pytest.approx(log[0]["sigma"], rel=0.35, abs=0.01)
        largest.append(np.abs(np.corrcoef(x[0].flatten(1).numpy())[np.triu_indices(3, 1)]).max())
    assert max(largest) > 0.5
    assert float(stds.max()) < 0.1


@pytest.mark.parametrize("grain", [0.8, 1.2])
def test_grainy_noise_keeps_its_strength_and_is_alike_nearby(grain: float) -> None:
    log: Log = []
    x = GrainyNoise(sigma=(0.05, 0.05), grain=(grain, grain))(flat(0.5, 256, 256), rng(), log) - 0.5
    assert float(x.std()) == pytest.approx(0.05, rel=0.03)
    # a Gaussian's own correlation: exp(−d²/4g²)
    for distance in (1, 2):
        nearby = float((x[..., distance:] * x[..., :-distance]).mean() / x.var())
        assert nearby == pytest.approx(float(np.exp(-(distance**2) / (4 * grain**2))), abs=0.03)
    assert log == [{"operation": "grainy noise", "sigma": 0.05, "grain": grain, "gray": False}]
    gray = GrainyNoise(sigma=(0.05, 0.05), grain=(grain, grain), gray=1.0)(flat(0.5), rng()) - 0.5
    assert torch.equal(gray[:, 0], gray[:, 2])


# noise from a pool


def test_crops_of_the_pool_have_no_mean_no_ramp_and_their_variance() -> None:
    side = 64
    ramp = np.linspace(-0.1, 0.1, side, dtype=np.float32)
    patches = white(4, side) + ramp[:, None] + 0.5 * ramp
    field, corners = noise_field(patches[0], (32, 24), rng())
    assert field.shape == (3, 32, 24)
    assert corners[0][0] <= 32
    assert corners[0][1] <= 40
    assert np.abs(field.mean(axis=(1, 2))).max() < 1e-7
    places = np.arange(32) - 15.5
    assert np.abs(field.mean(axis=2) @ places).max() < 1e-4
    assert field.std() == pytest.approx(5 / 255, rel=0.05)
    plane = np.broadcast_to(ramp[:32, None] + 0.3 * ramp[None, :24], (3, 32, 24)).astype(np.float32)
    assert np.abs(detrended(plane)).max() < 1e-7


def test_mean_of_every_channel_is_zero_after_the_pool() -> None:
    """ALGORITHMS 15.3: the crop's mean per channel is 0 after subtraction; LR stays in [0, 1]."""
    noise = NoisePool(white(3, 40))
    x = noise(flat(0.5, 32, 32, count=4), rng()) - 0.5
    assert float(x.mean(dim=(2, 3)).abs().max()) < 1e-6
    assert len({float(one.std()) for one in x}) == 4
    strong = Pipeline((NoisePool(white(3, 40) * 20), Round()))
    out = strong(flat(0.05, 32, 32), rng())
    assert float(out.min()) == 0
    assert float(out.max()) <= 1


@pytest.mark.parametrize(
    ("size", "side"), [((150, 101), 64), ((20, 200), 32), ((40, 40), 16), ((9, 9), 5), ((3, 2), 1)]
)
def test_larger_pictures_get_a_quilt_of_even_strength(size: tuple[int, int], side: int) -> None:
    patch = np.random.default_rng(1).normal(0, 0.02, (3, side, side)).astype(np.float32)
    field, corners = noise_field(patch, size, rng())
    assert field.shape == (3, *size)
    assert len(corners) > 1
    if side >= 16:
        columns = field.std(axis=(0, 1)) if size[1] > size[0] else field.std(axis=(0, 2))
        assert field.std() == pytest.approx(0.02, rel=0.1)
        assert columns.min() > 0.01
    again, same = noise_field(patch, size, rng())
    assert np.array_equal(field, again)
    assert corners == same


def test_an_empty_pool_says_so() -> None:
    with pytest.raises(UsageError, match="no noise patch"):
        NoisePool(white(1)[:0])(flat(0.5), rng())


# compression, levels, combinations


def test_jpeg_is_what_pillow_writes() -> None:
    picture = scene(48, 40)
    log: Log = []
    out = array(Jpeg(quality=(40, 40), chroma="4:2:0")(tensor(picture), rng(), log))
    file = io.BytesIO()
    Image.fromarray(np.rint(picture * 255).astype(np.uint8)).save(file, "JPEG", quality=40, subsampling=2)
    expected = np.asarray(Image.open(file)) / np.float32(255)
    assert out == pytest.approx(expected, abs=1e-6)
    assert log == [{"operation": "jpeg", "quality": 40, "chroma": "4:2:0"}]
    finer = array(Jpeg(quality=(95, 95))(tensor(picture), rng()))
    assert np.abs(finer - picture).mean() < 0.7 * np.abs(out - picture).mean()


def test_qualities_reach_from_first_to_last() -> None:
    log: Log = []
    generator = rng()
    for _ in range(60):
        Jpeg(quality=(30, 32))(flat(0.5, 8, 8), generator, log)
    assert {entry["quality"] for entry in log} == {30, 31, 32}


def test_levels() -> None:
    x = torch.tensor([[[[-0.1, 0.5019, 0.9999, 1.2]]]])
    assert Clip()(x, rng()).flatten().tolist() == pytest.approx([0, 0.5019, 0.9999, 1])
    assert (Round()(x, rng()) * 255).flatten().tolist() == pytest.approx([0, 128, 255, 255])
    assert (Round(bits=16)(x, rng()) * 65535).flatten().tolist() == pytest.approx(
        [0, 32892, 65528, 65535], abs=0.01
    )
    assert float(Round()(flat(0.3), rng()).mean()) == pytest.approx(0.3, abs=0.002)


def test_combinations_draw_by_their_weights() -> None:
    ops = OneOf((GaussianNoise(sigma=(1, 1)), Jpeg()), (3.0, 1.0))
    log: Log = []
    generator = rng()
    for _ in range(400):
        ops(flat(0.5, 8, 8), generator, log)
    assert sum(entry["operation"] == "jpeg" for entry in log) == pytest.approx(100, abs=26)
    log.clear()
    for _ in range(400):
        Chance(Jpeg(), 0.25)(flat(0.5, 8, 8), generator, log)
    assert len(log) == pytest.approx(100, abs=26)
    assert torch.equal(Pipeline(())(flat(0.5), generator), flat(0.5))
