"""Every preset: the sizes, the range, the same for the same seed; and what is refused."""

import json

import numpy as np
import pytest
import torch

from tests.degradation.pictures import array, flat, scene, shift_between, tensor
from tests.degradation.test_profile import box, white
from wildsr.degradation import PRESETS, Log, Profile, choose, correlate, kernels, realsr
from wildsr.degradation.bsrgan import _order
from wildsr.degradation.noise_pool import noise_field
from wildsr.degradation.presets import mixed_with_bicubic
from wildsr.degradation.real_esrgan import ScaledPoisson
from wildsr.errors import UsageError
from wildsr.imaging import resize


def profile(scale: int = 4) -> Profile:
    widths = (1.0, 2.0, 3.0)
    pool = np.stack([kernels.gaussian(21, (v * scale / 4, v * scale / 4), scale=scale) for v in widths])
    return Profile(kernels=pool, noise=white(5, 48), scale=scale)


def test_the_table() -> None:
    assert list(PRESETS) == ["bicubic", "samsung_generic", "realsr", "bsrgan", "real_esrgan", "wild"]
    assert all(preset.summary for preset in PRESETS.values())


@pytest.mark.parametrize("scale", [2, 4])
@pytest.mark.parametrize("name", list(PRESETS))
def test_sizes_range_levels_and_seeds(name: str, scale: int) -> None:
    chosen = choose(name, scale=scale, profile=profile(scale) if name == "realsr" else None)
    x = torch.cat([tensor(scene(96, 120)), tensor(scene(96, 120, seed=1))])
    for seed in range(6):
        log: Log = []
        one = chosen.pipeline(x, np.random.default_rng(seed), log)
        other = chosen.pipeline(x, np.random.default_rng(seed))
        assert one.shape == (2, 3, 96 // scale, 120 // scale)
        assert one.dtype == torch.float32
        assert torch.equal(one, other)
        assert float(one.min()) >= 0
        assert float(one.max()) <= 1
        levels = one * 255
        assert float((levels - levels.round()).abs().max()) < 1e-4
        assert json.loads(json.dumps(log)) == log
    if name != "bicubic":
        assert not torch.equal(one, chosen.pipeline(x, np.random.default_rng(99)))


@pytest.mark.parametrize("name", ["bsrgan", "real_esrgan", "samsung_generic", "wild"])
def test_wide_degradations_keep_brightness_on_average(name: str) -> None:
    """Of the mean over many draws, in which noise and blocks cancel out."""
    picture = scene(96, 96)
    pipeline = choose(name).pipeline
    mean = np.mean(
        [array(pipeline(tensor(picture), np.random.default_rng(seed))) for seed in range(30)], axis=0
    )
    assert mean.mean() == pytest.approx(picture.mean(), abs=0.01)
    assert np.corrcoef(mean.ravel(), resize(picture, scale=0.25).ravel())[0, 1] > 0.75  # colours suffer most


def test_samsungs_does_not_move_the_picture() -> None:
    """But for `nearest`, which moves by half an HR pixel, one time in four."""
    picture = scene(128, 128)
    pipeline = choose("samsung_generic").pipeline
    mean = np.mean(
        [array(pipeline(tensor(picture), np.random.default_rng(seed))) for seed in range(60)], axis=0
    )
    shift = shift_between(picture.mean(2), resize(mean, scale=4).mean(2))
    assert np.abs(shift).max() < 0.25


def test_realsr_is_kernel_then_noise_then_rounding() -> None:
    """I_LR = clip((I_HR ⊛ k)↓s + n), from what the log says was drawn."""
    made, picture = profile(), scene(96, 128)
    log: Log = []
    out = array(choose("realsr", profile=made).pipeline(tensor(picture), np.random.default_rng(5), log))
    blurred, noise = log
    assert blurred["operation"] == "blur and subsample"
    drawn = noise["drawn"]
    assert isinstance(drawn, list)
    assert isinstance(drawn[0], dict)
    lr = array(correlate(tensor(picture), made.kernels[int(str(blurred["kernel"]))], stride=4))
    patch = made.noise[int(str(drawn[0]["patch"]))]
    (corner,) = drawn[0]["crops"]  # type: ignore[union-attr]
    row, column = corner  # type: ignore[misc]
    crop = patch[:, row : row + 24, column : column + 32]  # type: ignore[misc, operator]
    from wildsr.degradation.noise_pool import detrended

    expected = np.rint(np.clip(lr + detrended(crop).transpose(1, 2, 0), 0, 1) * 255) / 255
    assert np.abs(out - expected).max() < 1 / 255 + 1e-6  # a tie may round either way
    assert np.mean(np.abs(out - expected) < 1e-5) > 0.999


def test_kernel_and_noise_are_drawn_independently() -> None:
    pipeline, pairs = realsr(profile()), []
    generator = np.random.default_rng(0)
    for _ in range(600):
        log: Log = []
        pipeline(flat(0.5, 16, 16), generator, log)
        pairs.append((log[0]["kernel"], log[1]["drawn"][0]["patch"]))  # type: ignore[index, call-overload]
    table = np.array([[pairs.count((k, n)) for n in range(5)] for k in range(3)])
    assert table.sum() == 600
    chi = ((table - 40) ** 2 / 40).sum()  # 14 degrees of freedom: 99.9 % below 36.1
    assert chi < 36.1


def test_a_profile_without_kernels_or_without_noise() -> None:
    x = tensor(scene(64, 64))
    only_noise = realsr(Profile(noise=white(3, 48)))
    log: Log = []
    out = only_noise(x, np.random.default_rng(0), log)
    assert [entry["operation"] for entry in log] == ["downscale", "noise from the pool"]
    bicubic = choose("bicubic").pipeline(x, np.random.default_rng(0))
    assert float((out - bicubic).std()) == pytest.approx(5 / 255, rel=0.05)
    only_kernels = realsr(Profile(kernels=box(1)))
    assert torch.equal(only_kernels(x, np.random.default_rng(0)), only_kernels(x, np.random.default_rng(1)))
    with pytest.raises(UsageError, match="neither kernels nor noise"):
        realsr(Profile())


def test_what_is_chosen_without_a_name() -> None:
    assert choose(None).name == "bicubic"
    chosen = choose(None, profile=profile())
    assert chosen.name == "realsr"
    assert "3 kernels, 5 noise patches" in chosen.summary
    assert chosen.margin == 3  # 11 HR pixels
    assert chosen.fingerprint != choose(None, profile=Profile(kernels=box(1))).fingerprint
    assert (
        choose("bsrgan").fingerprint == choose("bsrgan").fingerprint != choose("bsrgan", scale=2).fingerprint
    )


@pytest.mark.parametrize(
    ("arguments", "message", "hint"),
    [
        ({"name": "bicubik"}, "no degradation `bicubik`", "did you mean bicubic?"),
        ({"name": "magic"}, "no degradation `magic`", "known are bicubic, samsung"),
        ({"name": "realsr"}, "needs a profile", "--profile"),
        ({"name": "bsrgan", "profile": profile()}, "doesn't use a profile", "leave out"),
        ({"name": "realsr", "profile": profile(), "scale": 2}, "for scale 4, not 2", "arguments.scale=4"),
    ],
)
def test_what_can_not_be_chosen(arguments: dict[str, object], message: str, hint: str) -> None:
    with pytest.raises(UsageError, match=message) as caught:
        choose(**arguments)  # type: ignore[arg-type]
    assert hint in (caught.value.hint or "")


def test_bsrgans_order_is_random_with_the_resize_after_the_downscaling() -> None:
    names = ["blur 1", "blur 2", "downscale", "resize", "noise", "jpeg"]
    generator = np.random.default_rng(0)
    orders = [_order(names, generator) for _ in range(300)]
    assert all(order.index("downscale") < order.index("resize") for order in orders)
    assert {order[0] for order in orders} == set(names) - {"resize"}
    assert all(sorted(order) == sorted(names) for order in orders)


def test_scaled_poisson_counts_levels() -> None:
    """Two levels: 2 photons; variance x/2 of the picture's own, times the strength squared."""
    x = flat(0.2, 128, 128)
    x[..., 64:] = 0.6
    out = ScaledPoisson(strength=(0.1, 0.1))(x, np.random.default_rng(0))
    assert float(out[..., 64:].var()) == pytest.approx(0.01 * 0.6 / 2, rel=0.05)


def test_the_margin_of_a_profile_hides_the_border() -> None:
    """A crop degraded with its margin equals the same place of the whole picture, noise apart."""
    made = Profile(kernels=profile().kernels[2:])
    chosen = choose("realsr", profile=made)
    picture = scene(160, 160)
    whole = array(chosen.pipeline(tensor(picture), np.random.default_rng(0)))
    m = chosen.margin
    crop = picture[4 * (10 - m) : 4 * (26 + m), 4 * (8 - m) : 4 * (24 + m)]
    part = array(chosen.pipeline(tensor(crop), np.random.default_rng(0)))[m:-m, m:-m]
    assert part == pytest.approx(whole[10:26, 8:24], abs=1e-6)
    assert noise_field(white(1, 48)[0], (16, 16), np.random.default_rng(0))[0].shape == (3, 16, 16)


def test_a_share_can_be_left_bicubic() -> None:
    chosen, x = choose("wild"), tensor(scene(48, 48))
    assert mixed_with_bicubic(chosen, 0.0, scale=4) is chosen
    mixed = mixed_with_bicubic(chosen, 0.6, scale=4)
    assert mixed.fingerprint != chosen.fingerprint
    assert mixed.fingerprint != mixed_with_bicubic(chosen, 0.5, scale=4).fingerprint
    assert mixed.summary.endswith("; 60% plain bicubic")
    plain = choose("bicubic").pipeline(x, np.random.default_rng(0))
    same = sum(bool((mixed.pipeline(x, np.random.default_rng(seed)) == plain).all()) for seed in range(100))
    assert 50 < same < 80
    assert bool(
        (mixed_with_bicubic(chosen, 1.0, scale=4).pipeline(x, np.random.default_rng(0)) == plain).all()
    )
