"""Random kernels: what is drawn lies where it was asked for, and the log says what was drawn."""

import numpy as np
import pytest
import torch

from wildsr.degradation import kernels
from wildsr.degradation.blur import BlurSubsample, FromPool
from wildsr.degradation.noise import CorrelatedNoise, GaussianNoise, GaussianPoissonNoise, PoissonNoise
from wildsr.degradation.operation import Chance, Log, OneOf, Pipeline, note, pick
from wildsr.degradation.samplers import Gaussians, Mixed, Sincs, odd
from wildsr.errors import UsageError


def rng(seed: int = 0) -> np.random.Generator:
    return np.random.default_rng(seed)


def variances_of(kernel: np.ndarray) -> np.ndarray:
    """Eigenvalues of a kernel's second moments, smaller first."""
    row, column = kernels.centre_of_mass(kernel)
    y, x = np.arange(kernel.shape[0]) - row, np.arange(kernel.shape[1]) - column
    xx, yy = float(kernel.sum(0) @ x**2), float(kernel.sum(1) @ y**2)
    xy = float(y @ kernel @ x)
    return np.linalg.eigvalsh([[xx, xy], [xy, yy]])


def test_odd_numbers() -> None:
    assert odd(7, 21) == (7, 9, 11, 13, 15, 17, 19, 21)
    assert odd(5, 5) == (5,)


def test_round_kernels_have_one_width_inside_the_range() -> None:
    sampler = Gaussians(sizes=(21,), sigma=(0.8, 2.0))
    draw = rng()
    widths = []
    for _ in range(60):
        kernel, facts = sampler(draw)
        small, large = variances_of(kernel)
        assert small == pytest.approx(large, rel=1e-6)
        assert facts["variances"][0] == facts["variances"][1]  # type: ignore[index]
        assert small == pytest.approx(facts["variances"][0], rel=0.02)  # type: ignore[index]
        widths.append(np.sqrt(small))
    assert 0.79 < min(widths) < 0.95
    assert 1.85 < max(widths) < 2.01
    assert np.mean(widths) == pytest.approx(1.4, abs=0.15)


def test_elongated_kernels_turn_and_stretch() -> None:
    sampler = Gaussians(sizes=(25,), sigma=(0.8, 2.4), elongated=True)
    draw = rng(1)
    found = [sampler(draw) for _ in range(60)]
    ratios = [float(np.divide(*variances_of(kernel)[::-1])) for kernel, _ in found]
    angles = [float(facts["angle"]) for _, facts in found]  # type: ignore[arg-type]
    assert max(ratios) > 3
    assert 0 <= min(angles) < 0.3
    assert np.pi - 0.3 < max(angles) < np.pi
    for kernel, facts in found:
        assert variances_of(kernel) == pytest.approx(sorted(facts["variances"]), rel=0.03)  # type: ignore[type-var,arg-type]


def test_variances_can_be_given_instead_of_sigmas() -> None:
    kernel, facts = Gaussians(sizes=(21,), sigma=(2.25, 2.25), by_variance=True)(rng())
    assert facts["variances"] == [2.25, 2.25]
    assert variances_of(kernel) == pytest.approx(2.25, rel=0.01)
    kernel, facts = Gaussians(sizes=(21,), sigma=(1.5, 1.5))(rng())
    assert facts["variances"] == [2.25, 2.25]


@pytest.mark.parametrize("scale", [1, 2, 4])
def test_every_size_is_drawn_and_every_kernel_is_centred(scale: int) -> None:
    sampler = Gaussians(sizes=odd(15, 21), sigma=(0.5, 1.5), elongated=True, scale=scale)
    draw, sizes = rng(2), set()
    for _ in range(40):
        kernel, facts = sampler(draw)
        sizes.add(kernel.shape[0])
        assert facts["size"] == kernel.shape[0]
        wanted = kernels.centre_of(kernel.shape[0], scale)
        assert kernels.centre_of_mass(kernel) == pytest.approx((wanted, wanted), abs=0.02)
        assert kernel.sum() == pytest.approx(1)
    assert sizes == {15, 17, 19, 21}


@pytest.mark.parametrize("shape", ["generalised", "plateau"])
def test_the_exponent_comes_from_one_of_its_ranges(shape: str) -> None:
    sampler = Gaussians(sizes=(21,), sigma=(1.5, 1.5), shape=shape, beta=((0.5, 0.6), (3.0, 4.0)))
    draw = rng(3)
    found = [sampler(draw) for _ in range(40)]
    betas = [float(facts["beta"]) for _, facts in found]  # type: ignore[arg-type]
    low = [beta for beta in betas if beta < 1]
    assert 8 <= len(low) <= 32
    assert all(0.5 <= beta <= 0.6 for beta in low)
    assert all(3 <= beta <= 4 for beta in betas if beta > 1)
    kernel, facts = found[0]
    make = kernels.plateau if shape == "plateau" else kernels.generalised_gaussian
    exact = make(21, (2.25, 2.25), 0.0, beta=float(facts["beta"]))  # type: ignore[arg-type]
    np.testing.assert_allclose(kernel, exact, atol=1e-6)


def test_small_low_passes_cut_less() -> None:
    """Below side 13 ω starts at π/3, from there at π/5 (Real-ESRGAN)."""
    draw = rng(4)
    for size, lowest in ((7, np.pi / 3), (21, np.pi / 5)):
        cuts = [float(Sincs(sizes=(size,))(draw)[1]["cutoff"]) for _ in range(200)]  # type: ignore[arg-type]
        assert lowest <= min(cuts) < lowest + 0.1
        assert np.pi - 0.1 < max(cuts) <= np.pi
    kernel, facts = Sincs(sizes=(21,))(draw)
    np.testing.assert_allclose(kernel, kernels.sinc(21, float(facts["cutoff"])), atol=1e-5)  # type: ignore[arg-type]


def test_samplers_are_mixed_by_weight() -> None:
    mixed = Mixed(
        samplers=(Gaussians(sizes=(7,), sigma=(1, 1)), Sincs(sizes=(9,)), Sincs(sizes=(11,))),
        weights=(3, 1, 0),
    )
    draw = rng(5)
    sizes = [mixed(draw)[0].shape[0] for _ in range(400)]
    assert sizes.count(7) == pytest.approx(300, abs=30)
    assert sizes.count(9) == 400 - sizes.count(7)


@pytest.mark.parametrize("weights", [(1.0,), (1.0, -1.0), (0.0, 0.0), (1.0, 1.0, 1.0)])
def test_weights_that_do_not_fit(weights: tuple[float, ...]) -> None:
    with pytest.raises(UsageError, match="don't fit 2 choices"):
        pick(rng(), 2, weights)


def test_a_pools_kernels_are_drawn_alike_and_named() -> None:
    pool = np.stack([np.eye(3, dtype=np.float32) * (one + 1) for one in range(3)])
    draw, seen = rng(6), []
    for _ in range(90):
        kernel, facts = FromPool(pool)(draw)
        assert kernel[0, 0] == facts["kernel"] + 1  # type: ignore[operator]
        seen.append(facts["kernel"])
    assert {one: seen.count(one) // 10 >= 2 for one in range(3)} == {0: True, 1: True, 2: True}


def plus(value: float) -> object:
    def add(x: torch.Tensor, _rng: np.random.Generator, log: Log | None = None) -> torch.Tensor:
        note(log, "plus", {"value": value})
        return x + value

    return add


def test_operations_are_done_in_order_and_logged() -> None:
    log: Log = []
    twice = Pipeline((plus(1.0), Pipeline((plus(2.0), plus(3.0)))))  # type: ignore[arg-type]
    assert float(twice(torch.zeros(1), rng(), log)) == 6
    assert [one["value"] for one in log] == [1.0, 2.0, 3.0]
    assert log[0]["operation"] == "plus"
    assert float(twice(torch.zeros(1), rng())) == 6


def test_chance_and_choice_come_as_often_as_asked() -> None:
    draw = rng(7)
    sometimes = Chance(plus(1.0), 0.3)  # type: ignore[arg-type]
    assert sum(float(sometimes(torch.zeros(1), draw)) for _ in range(1000)) == pytest.approx(300, abs=45)
    one = OneOf((plus(0.0), plus(1.0)), (1, 4))  # type: ignore[arg-type]
    assert sum(float(one(torch.zeros(1), draw)) for _ in range(1000)) == pytest.approx(800, abs=40)
    never, always = (Chance(plus(1.0), one) for one in (0.0, 1.0))  # type: ignore[arg-type]
    assert float(never(torch.zeros(1), draw)) == 0
    assert float(always(torch.zeros(1), draw)) == 1


@pytest.mark.parametrize(
    ("noise", "variance"),
    [
        (GaussianNoise(sigma=(0.1, 0.1)), 0.01),
        (PoissonNoise(photons=(50, 50)), 0.5 / 50),
        (GaussianPoissonNoise(photons=(50, 50), sigma=(0.1, 0.1)), 0.5 / 50 + 0.01),
    ],
    ids=["gaussian", "poisson", "both"],
)
def test_noise_has_its_variance_and_no_mean(noise: object, variance: float) -> None:
    x = torch.full((2, 3, 96, 96), 0.5)
    left = noise(x, rng(8)) - x  # type: ignore[operator]
    assert float(left.var()) == pytest.approx(variance, rel=0.03)
    assert abs(float(left.mean())) < 0.003
    assert not torch.equal(left[0], left[1])


def test_photons_can_be_drawn_over_their_logarithm() -> None:
    """Half of the draws from 10 to 1,000 lie below 100 then, 9 % otherwise."""
    log: Log = []
    draw, x = rng(9), torch.full((1, 3, 2, 2), 0.5)
    for _ in range(300):
        PoissonNoise(photons=(10, 1000), logarithmic=True)(x, draw, log)
    below = sum(float(one["photons"]) < 100 for one in log)  # type: ignore[arg-type]
    assert below == pytest.approx(150, abs=30)


def test_the_covariance_drawn_is_the_one_of_the_noise() -> None:
    log: Log = []
    x = torch.full((1, 3, 256, 256), 0.5)
    left = (CorrelatedNoise()(x, rng(10), log) - x)[0].flatten(1)
    wanted = log[0]["sigma"]
    assert left.std(dim=1).tolist() == pytest.approx(wanted, rel=0.05)
    assert max(wanted) <= 25 / 255 + 1e-9  # type: ignore[type-var,arg-type,operator]


def test_a_kernel_at_scale_4_takes_the_middle_of_its_block() -> None:
    """A one in the middle of the first 4×4 block, spread over its four central pixels."""
    kernel = np.zeros((5, 5))
    kernel[3:5, 3:5] = 0.25  # rows 1 and 2 of the block, n//2 + 1 and + 2
    x = torch.arange(64, dtype=torch.float32).reshape(1, 1, 8, 8).expand(1, 3, 8, 8)
    found = BlurSubsample(lambda _: (kernel, {}), scale=4)(x, rng())
    assert found.shape == (1, 3, 2, 2)
    assert found[0, 0].tolist() == [[13.5, 17.5], [45.5, 49.5]]
