"""ZSSR: what it learns from a picture, what it refuses, and that the engine runs it like any model."""

import math
import sys
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch

from tests.cli.invoke import invoke
from wildsr.degradation import Profile
from wildsr.degradation.kernels import centre_of, centre_of_mass, gaussian, widened
from wildsr.degradation.shrinking import Shrink
from wildsr.engine import Settings, upscale_folder
from wildsr.errors import InputError, ProfileError, UsageError
from wildsr.imaging import Picture, Source, read, resize, write
from wildsr.metrics import psnr_y
from wildsr.recipes import zssr
from wildsr.recipes.zssr import PRESETS, ZssrConfig, learn, levelled, noise_of
from wildsr.recipes.zssr_result import as_tensor, turned, unturned
from wildsr.recipes.zssr_upscaler import kernel_of, read_kernel, zssr_upscaler

pytestmark = pytest.mark.train
TINY = ZssrConfig(scale=2, steps=4, patch=32, depth=3, channels=8)
LOSSES = (0.1047799, 0.07803635, 0.08096714, 0.07589137)


@pytest.fixture(autouse=True)
def _one_thread() -> None:
    before = torch.get_num_threads()
    torch.set_num_threads(1)
    yield
    torch.set_num_threads(before)


def scene(height: int, width: int, seed: int = 0) -> np.ndarray:
    """Squares and bars of many sizes: details that recur."""
    rng = np.random.default_rng(seed)
    rgb = np.full((height, width, 3), 0.5, np.float32)
    for _ in range(height * width // 60):
        h, w = rng.integers(2, 24, 2)
        y, x = rng.integers(0, height), rng.integers(0, width)
        rgb[y : y + h, x : x + w] = rng.random(3, dtype=np.float32)
    return rgb


def blurred(hr: np.ndarray, kernel: np.ndarray, scale: int) -> np.ndarray:
    made = Shrink(ratio=scale, scale=scale, kernel=kernel)(as_tensor(hr))[0].permute(1, 2, 0)
    return np.ascontiguousarray(made.clamp(0, 1).numpy())


def source_of(rgb: np.ndarray) -> Source:
    return Source.from_picture(Picture(rgb=rgb))


def test_first_losses() -> None:
    """Of `scene(48, 60)`, one thread, fp32."""
    assert learn(source_of(scene(48, 60)), TINY).losses == pytest.approx(LOSSES, rel=2e-3)


def test_the_same_seed_learns_the_same() -> None:
    first, again, other = (
        learn(source_of(scene(48, 60)), replace(TINY, seed=seed)).network.body[0].weight for seed in (1, 1, 2)
    )
    assert torch.equal(first, again)
    assert not torch.equal(first, other)


def test_knowing_the_blur_is_worth_more_than_half_a_decibel() -> None:
    kernel = gaussian(21, (4.0, 4.0), scale=2)
    hr = scene(160, 160, seed=3)
    lr = blurred(hr, kernel, 2)
    truth = np.rint(hr * 255).astype(np.uint8)[8:-8, 8:-8]
    config = ZssrConfig(scale=2, steps=80, patch=48, depth=6, channels=16, noise=0.0)

    def score(kernel: np.ndarray | None) -> float:
        sr = learn(source_of(lr), replace(config, kernel=kernel)).enlarge(as_tensor(lr))[0].permute(1, 2, 0)
        return psnr_y(np.rint(sr.numpy() * 255).astype(np.uint8)[8:-8, 8:-8], truth)

    bicubic, true = score(None), score(kernel)
    plain = psnr_y(np.rint(np.clip(resize(lr, scale=2), 0, 1) * 255).astype(np.uint8)[8:-8, 8:-8], truth)
    assert true > bicubic + 0.5
    assert true > plain + 1.0


def test_back_projection_makes_the_result_shrink_to_the_picture() -> None:
    lr = scene(40, 44)
    wrong = []
    for corrections in (0, 2):
        learnt = learn(source_of(lr), replace(TINY, back_projections=corrections))
        wrong.append(float((learnt.shrink(learnt.enlarge(as_tensor(lr))) - as_tensor(lr)).abs().mean()))
    assert wrong[1] < 0.7 * wrong[0]


def test_the_gradual_mode_learns_at_every_size() -> None:
    config = replace(TINY, scale=4, gradual=True, steps=3, kernel=gaussian(25, (3.0, 3.0), scale=4))
    learnt = learn(source_of(scene(60, 64)), config)
    assert len(learnt.losses) == 9
    assert zssr._ratios(4) == pytest.approx([4 ** (1 / 3), 4 ** (2 / 3), 4])
    assert zssr._ratios(2) == pytest.approx([math.sqrt(2), 2])
    assert learnt.enlarge(as_tensor(scene(60, 64))).shape == (1, 3, 240, 256)


def test_a_noisy_picture_is_not_sharpened_further() -> None:
    rng = np.random.default_rng(0)
    smooth = np.repeat(np.linspace(0.2, 0.8, 96, dtype=np.float32)[:, None, None], 96, axis=1).repeat(
        3, axis=2
    )
    noisy = np.clip(smooth + rng.normal(0, 6 / 255, smooth.shape), 0, 1).astype(np.float32)
    # of gray noise the luma has all; of independent channels 0.67
    assert noise_of(source_of(noisy)) * 255 == pytest.approx(6 * 0.67, rel=0.1)
    assert noise_of(source_of(smooth)) * 255 < 0.1
    assert learn(source_of(noisy), TINY).back_projections == 0
    assert learn(source_of(smooth), TINY).back_projections == 2


def test_the_papers_rule_for_the_learning_rate() -> None:
    assert levelled([1.0, 1.01, 0.99, 1.0, 1.0])
    assert not levelled([5.0, 4.0, 3.0, 2.0, 1.0])
    assert not levelled([1.0, 0.5])
    paper = PRESETS["paper"]
    assert (paper.steps, paper.patch, paper.depth, paper.channels, paper.plateaus) == (3000, 128, 8, 64, True)


@pytest.mark.parametrize(
    ("kernel", "count"),
    [
        (None, 8),
        (gaussian(15, (3.0, 3.0), scale=2), 8),
        (gaussian(15, (5.0, 1.0), scale=2), 4),
        (gaussian(15, (5.0, 1.0), 0.5, scale=2), 2),
    ],
    ids=["bicubic", "round", "along an axis", "oblique"],
)
def test_a_picture_is_turned_only_as_its_blur_allows(kernel: np.ndarray | None, count: int) -> None:
    shrink = Shrink(ratio=2, scale=2, kernel=kernel)
    assert len(shrink.symmetries) == count
    x = as_tensor(scene(24, 32))
    for turns, flipped in shrink.symmetries:
        there = shrink(turned(x, turns, flipped=flipped))
        assert torch.allclose(unturned(there, turns, flipped=flipped), shrink(x), atol=2e-3)


@pytest.mark.parametrize("ratio", [1.5, 2.0, 2.52])
def test_part_of_a_scale_blurs_by_part_of_the_kernel_and_moves_nothing(ratio: float) -> None:
    """An edge keeps its place to a tenth of a pixel, and is as wide in the sensor's pixels as at the full scale."""
    kernel = gaussian(25, (9.0, 9.0), scale=4)
    narrow = widened(kernel, ratio / 4, scale=4, to_scale=1)
    assert centre_of_mass(narrow) == pytest.approx((centre_of(25, 1),) * 2, abs=0.02)
    x = torch.zeros(1, 3, 120, 120)
    x[..., 60:] = 1
    small = Shrink(ratio=ratio, scale=4, kernel=kernel)(x)[0, 0, 10]
    below = float((1 - small).sum())  # pixels left of the edge
    assert below == pytest.approx(60 / ratio, abs=0.1)
    width = float((small * (1 - small)).sum())
    full = Shrink(ratio=4.0, scale=4, kernel=kernel)(x)[0, 0, 10]
    assert width == pytest.approx(float((full * (1 - full)).sum()), rel=0.15)


@pytest.mark.parametrize(
    ("size", "kernel"),
    [((15, 80), None), ((60, 20), gaussian(25, (9.0, 9.0), scale=2))],
    ids=["plain", "kernel"],
)
def test_a_picture_too_small_is_refused(size: tuple[int, int], kernel: np.ndarray | None) -> None:
    with pytest.raises(InputError, match="pixels are too few to learn to enlarge ×2 from"):
        learn(source_of(scene(*size)), replace(TINY, kernel=kernel))


@pytest.mark.parametrize(
    ("kernel", "message"),
    [
        (np.ones((4, 4)) / 16, "odd n"),
        (np.ones((5, 5)), "sums to 25"),
        (np.full((5, 5), np.nan), "not finite"),
        (np.eye(13)[:1].T @ np.eye(13)[:1], r"its centre at \(0.00, 0.00\)"),
    ],
)
def test_kernels_that_can_be_none_are_refused(kernel: np.ndarray, message: str) -> None:
    with pytest.raises(UsageError, match=message):
        zssr_upscaler(replace(TINY, kernel=kernel))


@pytest.mark.parametrize(
    "change", [{"scale": 9}, {"scale": 1}, {"steps": 0}, {"time_budget": 2.0}, {"time_budget": math.inf}]
)
def test_settings_that_can_do_nothing_are_refused(change: dict[str, float]) -> None:
    with pytest.raises(UsageError):
        replace(TINY, **change)


def test_a_time_budget_ends_the_learning(monkeypatch: pytest.MonkeyPatch) -> None:
    clock = iter(range(1000))
    monkeypatch.setattr(zssr.time, "perf_counter", lambda: float(next(clock)))
    learnt = learn(source_of(scene(48, 48)), replace(TINY, steps=500, time_budget=20.0))
    assert 5 <= len(learnt.losses) <= 20


def test_a_profile_gives_its_most_usual_kernel() -> None:
    pool = np.stack([gaussian(25, (v, v), scale=4) for v in (3.0, 4.0, 9.0)]).astype(np.float32)
    assert kernel_of(Profile(kernels=pool), 4) == pytest.approx(pool[1], abs=1e-6)
    with pytest.raises(ProfileError, match="are for ×4, and ×2 is asked for"):
        kernel_of(Profile(kernels=pool), 2)
    with pytest.raises(ProfileError, match="no kernels"):
        kernel_of(Profile(noise=np.zeros((1, 3, 8, 8), np.float32)), 4)


def test_files_that_hold_no_kernel_are_named(tmp_path: Path) -> None:
    (tmp_path / "text.npy").write_text("no array")
    np.save(tmp_path / "words.npy", np.array(["a", "b"]))
    np.save(tmp_path / "objects.npy", np.array([{}], dtype=object), allow_pickle=True)
    for name in ("missing.npy", "text.npy", "words.npy", "objects.npy"):
        with pytest.raises(UsageError, match=name):
            read_kernel(tmp_path / name)


def test_tiles_agree_with_the_whole() -> None:
    upscaler = zssr_upscaler(replace(TINY, steps=30), Settings(tile=96, tiling="exact"))
    whole = zssr_upscaler(replace(TINY, steps=30))
    picture = Picture(rgb=scene(120, 130))
    difference = np.abs(upscaler(picture).rgb - whole(picture).rgb)
    assert upscaler.plan(source_of(picture.rgb)).tiles > 1
    assert difference.max() < 1.5 / 255


def test_a_folder_interrupted_goes_on_to_the_same_bytes(tmp_path: Path) -> None:
    (tmp_path / "in").mkdir()
    for number in range(2):
        write(Picture(rgb=scene(40, 48, number)), tmp_path / "in" / f"{number}.png")
    stop: list[bool] = []
    first = upscale_folder(
        tmp_path / "in", tmp_path / "cut", model=zssr_upscaler(TINY), cancel=lambda: bool(stop)
    )
    for outcome in first:
        assert outcome.status == "done"
        stop.append(True)
    assert len(list((tmp_path / "cut").glob("*.png"))) == 1
    again = upscale_folder(tmp_path / "in", tmp_path / "cut", model=zssr_upscaler(TINY))
    assert sorted(one.status for one in again) == ["done", "skipped"]
    whole = upscale_folder(tmp_path / "in", tmp_path / "whole", model=zssr_upscaler(TINY))
    assert [one.status for one in whole] == ["done", "done"]
    for number in range(2):
        name = f"{number}_x2.png"
        assert (tmp_path / "cut" / name).read_bytes() == (tmp_path / "whole" / name).read_bytes()
    other = upscale_folder(tmp_path / "in", tmp_path / "cut", model=zssr_upscaler(replace(TINY, steps=5)))
    with pytest.raises(UsageError, match="model_sha256"):
        list(other)


def test_the_command(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(zssr.ZssrConfig.__init__.__kwdefaults__, "steps", 3)
    write(Picture(rgb=scene(40, 48), alpha=scene(40, 48)[..., 0]), tmp_path / "a.png")
    write(Picture(rgb=scene(12, 12)), tmp_path / "small.png")
    np.save(tmp_path / "k.npy", gaussian(9, (1.5, 1.5), scale=2))
    done = invoke(
        "upscale", tmp_path / "a.png", tmp_path / "small.png", "-o", tmp_path / "out", "--method", "zssr", "-s", "2",
        "--kernel", tmp_path / "k.npy",
    )  # fmt: skip
    assert done.code == 1
    assert "12×12 pixels are too few" in done.err
    assert "only 3 steps of learning were made" in done.err
    made = read(tmp_path / "out" / "a_x2.png")
    assert (made.width, made.height, made.alpha is not None) == (96, 80, True)


@pytest.mark.parametrize(
    ("options", "message"),
    [
        (["--gradual"], "--gradual is for --method zssr"),
        (["--kernel", "k.npy"], "--kernel is for --method zssr"),
        (["--method", "zssr", "-m", "realsr-df2k"], "a model was named too"),
        (["--method", "zssr", "--kernel", "k.npy", "--profile", "p"], "both given"),
        (["--method", "zssr", "--kernel", "k.npy", "-s", "2.5"], "a kernel is for a whole scale"),
        (["--method", "zssr", "--time-budget", "1s"], "1 seconds are not enough"),
        (["--method", "zssr", "--ensemble"], "--ensemble is for trained models"),
        (["--method", "zssr", "-s", "9"], "from 2 to 8, not by 9"),
    ],
)
def test_options_that_dont_go_together(options: list[str], message: str, tmp_path: Path) -> None:
    write(Picture(rgb=scene(40, 48)), tmp_path / "a.png")
    done = invoke("upscale", tmp_path / "a.png", *options)
    assert done.code == 2
    assert message in done.err


def test_without_torch_the_extra_is_named(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "wildsr.recipes.zssr_upscaler", None)
    done = invoke("upscale", tmp_path / "a.png", "--method", "zssr")
    assert done.code == 2
    assert 'pip install "wildsr[train]"' in done.err
