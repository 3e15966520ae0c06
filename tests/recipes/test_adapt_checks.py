"""What an adaptation refuses, and what it says of its photos and pictures, before anything is begun."""

from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from tests.degradation.test_profile import white
from wildsr.checkpoints import Loaded, load_network
from wildsr.degradation import Profile, kernels
from wildsr.errors import UsageError
from wildsr.networks import NETWORKS
from wildsr.networks.features import VGGFeatures
from wildsr.recipes import adapt_camera, psnr
from wildsr.recipes.adapt import PRESETS
from wildsr.recipes.adapt_camera import AdaptOptions
from wildsr.recipes.adapt_checks import check_photos, check_start, remark_on_noise, remarks_on
from wildsr.recipes.psnr import PsnrConfig
from wildsr.training.losses import PERCEPTUAL, Perceptual

Say = Callable[[str], None]
DATA = PRESETS["adapt"].data
JUDGE = VGGFeatures("vgg16", ("relu4_3",))


def camera(noise: np.ndarray, scale: int = 4) -> Profile:
    kernel = kernels.gaussian(13, (2.0, 1.0), 0.5, scale=scale)
    return Profile(kernels=kernel[None].astype(np.float32), noise=noise, scale=scale)


def flat_with_noise(folder: Path, sigma: float, count: int = 4) -> list[Path]:
    """Gray pictures with white noise of so many levels."""
    folder.mkdir()
    for number in range(count):
        rng = np.random.default_rng(number)
        pixels = np.clip(128 + rng.normal(0, sigma, (192, 192, 3)), 0, 255).round().astype(np.uint8)
        Image.fromarray(pixels).save(folder / f"{number}.png")
    return sorted(folder.iterdir())


@pytest.fixture
def start(tiny: PsnrConfig, tmp_path: Path, said: Say) -> Loaded:
    """A network of scale 2."""
    return load_network(str(psnr.run(tiny, tmp_path / "start", resume=False, say=said)))


@pytest.mark.parametrize(
    ("count", "profile", "hr", "least"), [(2, False, True, 3), (2, True, False, 3), (0, True, True, 1)]
)
def test_too_few_photos(count: int, profile: bool, hr: bool, least: int, said: Say) -> None:
    with pytest.raises(UsageError, match=f"photos given: {count}; .* fewer than {least}"):
        check_photos(count, profile=profile, hr=hr, say=said)
    assert not said.lines  # type: ignore[attr-defined]


def test_few_photos_are_said_to_be_few_where_a_profile_is_made_of_them(said: Say) -> None:
    check_photos(9, profile=True, hr=False, say=said)
    check_photos(10, profile=False, hr=False, say=said)
    assert not said.lines  # type: ignore[attr-defined]
    check_photos(9, profile=False, hr=False, say=said)
    assert "9 photos are few" in said.lines[0]  # type: ignore[attr-defined]


def test_a_start_of_another_scale_than_a_profile_of_photos_has(start: Loaded, tmp_path: Path) -> None:
    with pytest.raises(UsageError, match=r"the profile is for scale 4, the start .* for scale 2"):
        check_start(start, None, DATA, JUDGE)
    camera(white(3, 24, 0), scale=2).save(tmp_path / "x2.profile")
    check_start(start, tmp_path / "x2.profile", DATA, JUDGE)


def test_the_scale_is_refused_before_photos_are_looked_at(
    start: Loaded, tmp_path: Path, photos: Path, said: Say, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(adapt_camera, "profile_photos", lambda *_, **__: pytest.fail("photos were examined"))
    monkeypatch.setattr(
        adapt_camera, "perceptual_network", lambda *_, **__: Perceptual(PERCEPTUAL["lpips-vgg16"])
    )
    options = AdaptOptions(start=str(tmp_path / "start"), hr=photos)
    with pytest.raises(UsageError, match="for scale 2"):
        adapt_camera.adapt_camera(sorted(photos.iterdir()), tmp_path / "phone", options, say=said)
    assert not (tmp_path / "phone").exists()


def test_steps_that_no_memory_holds_are_refused_with_what_can_be_done(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    network = NETWORKS["srvgg-16"](scale=4)
    spec = type("Spec", (), {"scale": 4, "id": "srvgg"})()
    large = Loaded(network=network, spec=spec)
    check_start(large, None, DATA, JUDGE)
    monkeypatch.setattr("wildsr.training.memory.free_memory", lambda: 50_000_000)
    monkeypatch.setattr("wildsr.training.memory.torch.cuda.is_available", lambda: False)
    with pytest.raises(UsageError, match=r"need at least .* GB a step; 0\.05 GB are free") as caught:
        check_start(large, None, DATA, JUDGE)
    assert caught.value.hint is not None
    assert "--start" in caught.value.hint
    assert "data.batch" not in caught.value.hint


def test_coarse_noise_is_said_to_come_of_enlarging_or_denoising() -> None:
    rng = np.random.default_rng(0)
    fine = rng.normal(0, 3 / 255, (4, 3, 64, 64)).astype(np.float32)
    small = rng.normal(0, 3 / 255, (4, 3, 16, 16))
    coarse = np.stack(
        [
            [
                np.asarray(Image.fromarray(c.astype(np.float32)).resize((64, 64), Image.Resampling.BICUBIC))
                for c in one
            ]
            for one in small
        ]
    ).astype(np.float32)
    assert not remarks_on(camera(fine - fine.mean(axis=(2, 3), keepdims=True)))
    (said,) = remarks_on(camera(coarse - coarse.mean(axis=(2, 3), keepdims=True)))
    assert "enlarged, denoised or strongly compressed" in said
    none = Profile(kernels=camera(fine).kernels, noise=fine[:0], scale=4)
    assert not remarks_on(none)


def test_pictures_noisier_than_the_camera_are_named_with_both_figures(tmp_path: Path) -> None:
    quiet = camera(white(3, 24, 0) * np.float32(2 / 255) / white(3, 24, 0).std())
    noisy = flat_with_noise(tmp_path / "noisy", 8)
    remark = remark_on_noise(noisy, quiet)
    assert remark is not None
    assert "noise of σ 8" in remark.replace("σ 7.9", "σ 8.0")
    assert "of 2.0" in remark
    loud = camera(quiet.noise * 6)
    assert remark_on_noise(noisy, loud) is None
    assert remark_on_noise(flat_with_noise(tmp_path / "clean", 1), quiet) is None


def test_pictures_that_show_no_noise_or_cannot_be_read_say_nothing(tmp_path: Path) -> None:
    (tmp_path / "broken.png").write_bytes(b"no picture")
    Image.new("RGB", (96, 96), (90, 90, 90)).save(tmp_path / "flat.png")
    assert remark_on_noise(sorted(tmp_path.iterdir()), camera(white(3, 24, 0))) is None
