"""The wide model of ordinary photos: its ranges, its draws, and a profile at several widths."""

import numpy as np
import pytest
import torch

from tests.degradation.pictures import scene, tensor
from tests.degradation.test_profile import white
from wildsr.degradation import Log, Profile, kernels, with_widths
from wildsr.degradation.wild import AliasLimitedSincs, WideGaussians, wild


def deviations(kernel: np.ndarray, scale: int) -> tuple[float, float]:
    """Standard deviations along the two axes, longer first."""
    places = np.arange(kernel.shape[0]) - kernels.centre_of(kernel.shape[0], scale)
    y, x = np.meshgrid(places, places, indexing="ij")
    moments = [[float((kernel * a * b).sum()) for b in (x, y)] for a in (x, y)]
    shorter, longer = np.sqrt(np.linalg.eigvalsh(moments))
    return float(longer), float(shorter)


@pytest.mark.parametrize("beta", [0.7, 1.0, 1.5])
def test_sigma_is_the_standard_deviation_whatever_the_exponent(beta: float) -> None:
    sampler = WideGaussians(sigma=(2.0, 2.0), ratio=(0.7, 0.7), beta=(beta, beta))
    kernel, facts = sampler(np.random.default_rng(0))
    assert deviations(np.asarray(kernel), 4) == pytest.approx((2.0, 1.4), rel=0.04)
    assert facts["sigma"] == [2.0, 1.4]


@pytest.mark.parametrize("scale", [2, 4])
def test_widths_follow_the_scale(scale: int) -> None:
    kernel, _ = WideGaussians(sigma=(2.0, 2.0), ratio=(1.0, 1.0), beta=(1.0, 1.0), scale=scale)(
        np.random.default_rng(0)
    )
    assert deviations(np.asarray(kernel), scale) == pytest.approx((scale / 2, scale / 2), rel=0.05)


def test_sincs_ring_around_their_cut_off() -> None:
    kernel, facts = AliasLimitedSincs()(np.random.default_rng(1))
    assert kernel.min() < 0
    assert kernel.sum() == pytest.approx(1)
    assert 0.7 * np.pi / 4 <= float(facts["cutoff"]) <= 1.3 * np.pi / 4  # type: ignore[arg-type]


def test_a_picture_that_is_sharpened_was_blurred_wider_and_never_bicubic() -> None:
    widths: dict[bool, list[float]] = {True: [], False: []}
    x = tensor(scene(32, 32))
    for seed in range(400):
        log: Log = []
        wild()(x, np.random.default_rng(seed), log)
        sharpened = any(entry["operation"] == "sharpening" for entry in log)
        assert not (sharpened and any("downscale" in str(entry["operation"]) for entry in log))
        for entry in log:
            match entry:
                case {"shape": "generalised", "sigma": [float(longer), float()]}:
                    widths[sharpened].append(longer)
    assert max(widths[False]) < 3.6
    assert 4.2 < max(widths[True]) < 4.5
    assert np.median(widths[True]) > np.median(widths[False]) + 0.3


def test_how_often_what_happens() -> None:
    pipeline, counts = wild(), {"blur": 0, "downscale": 0, "noise": 0, "jpeg": 0, "sharpening": 0}
    strong = 0
    x = tensor(scene(32, 32))
    for seed in range(400):
        log: Log = []
        pipeline(x, np.random.default_rng(seed), log)
        for entry in log:
            for key in counts:
                counts[key] += key in str(entry["operation"])
            match entry:
                case {"sigma": float(sigma)} if sigma > 8 / 255:
                    strong += 1
                case {"photons": float(photons)} if photons < 400:
                    strong += 1
    assert 325 < counts["blur"] < 375
    assert 165 < counts["sharpening"] < 235
    assert counts["blur"] + counts["downscale"] == 400
    assert 170 < counts["noise"] < 230
    assert 92 < counts["jpeg"] < 148
    assert (
        25 < strong < 70
    )  # a quarter of the noise is strong, a third of that grainy, a third of which is below 8


def test_a_profile_at_several_widths_holds_each_kernel_as_often() -> None:
    kernel = kernels.gaussian(25, (4.0, 2.0), 0.3, scale=4).astype(np.float32)
    narrow = kernels.gaussian(25, (2.0, 2.0), scale=4).astype(np.float32)
    profile = Profile(kernels=np.stack([kernel, narrow]), noise=white(2, 32))
    wide = with_widths(profile, (0.8, 1.0, 1.2))
    assert wide.kernels.shape == (6, 25, 25)
    assert len(wide.meta.kernels) == 6
    widths = [deviations(one.astype(float), 4)[0] for one in wide.kernels[:3]]
    assert widths == pytest.approx([0.8 * 2, 2, 1.2 * 2], rel=0.02)
    assert wide.fingerprint != profile.fingerprint
    assert np.array_equal(wide.noise, profile.noise)


def test_a_profile_without_kernels_stays_as_it_is() -> None:
    profile = Profile(noise=white(2, 32))
    assert with_widths(profile, (0.8, 1.0)) is profile


def test_noise_and_jpeg_leave_levels_of_a_file() -> None:
    lr = wild()(tensor(scene(48, 48)), np.random.default_rng(3))
    assert float((lr * 255 - (lr * 255).round()).abs().max()) < 1e-4
    assert lr.dtype == torch.float32
