"""Training on a degradation: on the fly, the same when resumed, refused when the profile is another."""

import json
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch

from tests.degradation.test_profile import white
from wildsr.checkpoints import load_network
from wildsr.data import DegradedCrops, Sample
from wildsr.degradation import Profile, kernels
from wildsr.errors import ProfileError, TrainingError, UsageError
from wildsr.recipes import psnr
from wildsr.recipes.psnr import PsnrConfig
from wildsr.training.config import configure
from wildsr.training.datasets import gather
from wildsr.training.settings import DataSettings

Say = Callable[[str], None]


def profile(scale: int = 2, seed: int = 0) -> Profile:
    kernel = kernels.gaussian(13, (2.0, 1.0), 0.5, scale=scale)
    return Profile(kernels=kernel[None].astype(np.float32), noise=white(3, 24, seed), scale=scale)


@pytest.fixture
def degraded(tiny: PsnrConfig, tmp_path: Path) -> PsnrConfig:
    profile().save(tmp_path / "cam.profile")
    return replace(tiny, data=replace(tiny.data, profile=tmp_path / "cam.profile"))


def same(one: Path, other: Path) -> bool:
    first, second = (load_network(run).network.state_dict() for run in (one, other))
    return all(torch.equal(first[name], second[name]) for name in first)


def test_the_card_names_the_profile(degraded: PsnrConfig, tmp_path: Path, said: Say) -> None:
    run = psnr.run(degraded, tmp_path / "run", resume=False, say=said)
    card = json.loads((run / "card.json").read_text())
    digest = profile().fingerprint[:12]
    expected = f"LR by realsr (profile {digest}: 1 kernel, 3 noise patches)"
    assert expected in card["data"]["photos"]
    assert expected in (run / "card.md").read_text()
    assert expected in card["model"]["training"]
    assert any(expected in line for line in said.lines)  # type: ignore[attr-defined]


def test_a_run_stopped_in_the_middle_ends_at_the_same_weights(
    degraded: PsnrConfig, tmp_path: Path, said: Say, monkeypatch: pytest.MonkeyPatch
) -> None:
    whole = psnr.run(degraded, tmp_path / "whole", resume=False, say=said)
    original = DegradedCrops.sample

    def breaks(self: DegradedCrops, seed: int, index: int) -> Sample:
        if index == 15:
            raise RuntimeError("power cut")
        return original(self, seed, index)

    monkeypatch.setattr(DegradedCrops, "sample", breaks)
    with pytest.raises(RuntimeError, match="power cut"):
        psnr.run(degraded, tmp_path / "broken", resume=False, say=said)
    monkeypatch.setattr(DegradedCrops, "sample", original)
    broken = psnr.run(degraded, tmp_path / "broken", resume=True, say=said)
    assert same(whole, broken)
    plain = configure(degraded, sets=["data.profile=none"])
    assert not same(whole, psnr.run(plain, tmp_path / "plain", resume=False, say=said))


def test_another_content_of_the_profile_is_refused(degraded: PsnrConfig, tmp_path: Path, said: Say) -> None:
    psnr.run(degraded, tmp_path / "run", resume=False, say=said)
    psnr.run(degraded, tmp_path / "run", resume=True, say=said)
    profile(seed=1).save(tmp_path / "cam.profile")
    with pytest.raises(TrainingError, match="the degradation is not the one"):
        psnr.run(degraded, tmp_path / "run", resume=True, say=said)
    other = configure(degraded, sets=["data.profile=none", "data.degradation=bsrgan"])
    with pytest.raises(UsageError, match=r"data.degradation: not set → bsrgan"):
        psnr.run(other, tmp_path / "run", resume=True, say=said)


def test_photos_that_changed_are_told_from_a_profile_that_did(
    degraded: PsnrConfig, photos: Path, tmp_path: Path, said: Say
) -> None:
    import shutil

    mine = tmp_path / "mine"
    shutil.copytree(photos, mine)
    config = configure(degraded, sets=[f'data.hr="{mine}"'])
    psnr.run(config, tmp_path / "run", resume=False, say=said)
    (mine / "0.png").unlink()
    with pytest.raises(TrainingError, match="the photos are not those"):
        psnr.run(config, tmp_path / "run", resume=True, say=said)


@pytest.mark.parametrize("name", ["samsung_generic", "bsrgan", "real_esrgan"])
def test_presets_train_and_validate_alike_every_time(
    tiny: PsnrConfig, tmp_path: Path, said: Say, name: str
) -> None:
    config = configure(tiny, sets=[f"data.degradation={name}", "run.steps=2", "run.validate_every=1"])
    run = psnr.run(config, tmp_path / "run", resume=False, say=said)
    assert f"LR by {name}" in json.loads((run / "card.json").read_text())["data"]["photos"]
    settings, seeds = config.data, []
    for _ in range(2):
        dataset = gather(settings, scale=2, folder=tmp_path, say=said)
        seeds.append([sample.lr.tobytes() for sample in dataset.validation])
    assert seeds[0] == seeds[1]


def test_bicubic_by_name_is_what_comes_without_one(tiny: PsnrConfig, tmp_path: Path, said: Say) -> None:
    plain = gather(tiny.data, scale=2, folder=tmp_path, say=said)
    named = gather(replace(tiny.data, degradation="bicubic"), scale=2, folder=tmp_path, say=said)
    assert named.fingerprint == plain.fingerprint
    assert named.degradation is None


def test_what_does_not_go_together_is_refused(photos: Path, tmp_path: Path, said: Say) -> None:
    profile().save(tmp_path / "two.profile")
    (tmp_path / "junk.profile").write_bytes(b"junk")
    two = tmp_path / "two.profile"
    cases: list[tuple[DataSettings, int, type[Exception], str]] = [
        (DataSettings(hr=photos, lr=photos, profile=two), 2, UsageError, "LR pictures are given"),
        (DataSettings(hr=photos, lr=photos, degradation="bicubic"), 2, UsageError, "LR pictures are given"),
        (DataSettings(hr=photos, lr=photos, bicubic=0.5), 2, UsageError, "can be made bicubic"),
        (DataSettings(hr=photos, profile=two), 4, UsageError, "for scale 2, not 4"),
        (DataSettings(hr=photos, profile=two, degradation="bsrgan"), 2, UsageError, "doesn't use a profile"),
        (DataSettings(hr=photos, degradation="realsr"), 2, UsageError, "needs a profile"),
        (DataSettings(hr=photos, profile=tmp_path / "junk.profile"), 2, ProfileError, "junk.profile"),
        (DataSettings(hr=photos, profile=tmp_path / "no.profile"), 2, ProfileError, "is missing"),
    ]
    for settings, scale, kind, message in cases:
        with pytest.raises(kind, match=message):
            gather(replace(settings, patch=16), scale=scale, folder=tmp_path / "run", say=said)
