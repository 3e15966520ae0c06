"""The psnr recipe on tiny data: it learns, writes what it promises, resumes, recovers, refuses."""

import json
import math
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch
from torch import Tensor

from wildsr.checkpoints import load_network
from wildsr.data import AlignedCrops, Sample
from wildsr.errors import InputError, OutputError, TrainingError, UsageError
from wildsr.models import load_model
from wildsr.recipes import psnr
from wildsr.recipes.psnr import PsnrConfig
from wildsr.training import loop
from wildsr.training.checkpoint import checkpoints_in, load_checkpoint
from wildsr.training.config import configure

Say = Callable[[str], None]


def weights(run: Path) -> dict[str, Tensor]:
    return load_network(run).network.state_dict()


def same(one: dict[str, Tensor], other: dict[str, Tensor]) -> bool:
    return one.keys() == other.keys() and all(torch.equal(one[name], other[name]) for name in one)


def test_a_run_leaves_a_model_to_run_one_to_train_on_and_a_card(
    tiny: PsnrConfig, tmp_path: Path, said: Say
) -> None:
    run = psnr.run(tiny, tmp_path / "run", resume=False, say=said)
    names = {path.name for path in run.iterdir()}
    assert names >= {
        "model.onnx",
        "model.safetensors",
        "card.md",
        "card.json",
        "curves.png",
        "curves.jsonl",
        "checkpoints",
    }
    assert len(checkpoints_in(run)) == tiny.run.keep
    model = load_model(run)
    assert (model.spec.id, model.spec.scale, model.spec.architecture) == ("run", 2, "srvgg-16")
    assert model.spec.arguments == tiny.arguments
    card = json.loads((run / "card.json").read_text())
    assert card["steps"] == 12
    assert card["data"]["photos"] == "4 photos, 2 more for validation, 0 skipped"
    assert card["data"]["licences"] == "not stated"
    assert card["onnx_difference"] <= 1e-4
    assert [point["step"] for point in card["validation"]] == [6, 12]
    text = (run / "card.md").read_text()
    for expected in ("# run", "![curves](curves.png)", "| 12 |", "[optimiser]", "torch 2."):
        assert expected in text
    assert said.lines[0].startswith("training on ")
    assert "step 12/12: loss" in said.lines[-2]


def test_the_network_learns(tiny: PsnrConfig, tmp_path: Path, said: Say) -> None:
    longer = configure(tiny, sets=["run.steps=150", "run.validate_every=50", "optimiser.learning_rate=5e-3"])
    run = psnr.run(longer, tmp_path / "run", resume=False, say=said)
    points = [json.loads(line) for line in (run / "curves.jsonl").read_text().splitlines()]
    judged = [point["psnr"] for point in points if "psnr" in point]
    assert judged[-1] > judged[0] + 0.3
    losses = [point["loss"] for point in points if "loss" in point]
    assert sum(losses[-20:]) < 0.95 * sum(losses[:20])


def test_two_runs_of_one_seed_are_the_same_bit_for_bit(tiny: PsnrConfig, tmp_path: Path, said: Say) -> None:
    one = psnr.run(tiny, tmp_path / "one", resume=False, say=said)
    other = psnr.run(tiny, tmp_path / "other", resume=False, say=said)
    third = psnr.run(configure(tiny, sets=["run.seed=1"]), tmp_path / "third", resume=False, say=said)
    assert same(weights(one), weights(other))
    assert not same(weights(one), weights(third))


def test_a_run_stopped_in_the_middle_ends_at_the_same_weights(
    tiny: PsnrConfig, tmp_path: Path, said: Say, monkeypatch: pytest.MonkeyPatch
) -> None:
    whole = psnr.run(tiny, tmp_path / "whole", resume=False, say=said)
    original = AlignedCrops.sample

    def breaks(self: AlignedCrops, seed: int, index: int) -> Sample:
        if index == 15:
            raise RuntimeError("power cut")
        return original(self, seed, index)

    monkeypatch.setattr(AlignedCrops, "sample", breaks)
    with pytest.raises(RuntimeError, match="power cut"):
        psnr.run(tiny, tmp_path / "broken", resume=False, say=said)
    assert load_checkpoint(checkpoints_in(tmp_path / "broken")[-1]).step == 6
    monkeypatch.setattr(AlignedCrops, "sample", original)
    broken = psnr.run(tiny, tmp_path / "broken", resume=True, say=said)
    assert "resumed at step 6 of 12" in said.lines
    assert same(weights(whole), weights(broken))
    curves = [json.loads(line)["step"] for line in (broken / "curves.jsonl").read_text().splitlines()]
    assert curves == sorted(curves)
    assert len([step for step in curves if step == 7]) == 1


def test_the_thread_count_is_stored_and_enforced(tiny: PsnrConfig, tmp_path: Path, said: Say) -> None:
    psnr.run(configure(tiny, sets=["run.threads=2"]), tmp_path / "run", resume=False, say=said)
    torch.set_num_threads(1)
    psnr.run(configure(tiny, sets=["run.threads=2"]), tmp_path / "run", resume=True, say=said)
    assert torch.get_num_threads() == 2
    assert load_checkpoint(checkpoints_in(tmp_path / "run")[-1]).context.threads == 2


def test_a_nan_in_a_batch_is_named_rolled_back_and_training_goes_on(
    tiny: PsnrConfig, tmp_path: Path, said: Say, monkeypatch: pytest.MonkeyPatch
) -> None:
    original = AlignedCrops.sample

    def poisoned(self: AlignedCrops, seed: int, index: int) -> Sample:
        sample = original(self, seed, index)
        if index != 9:
            return sample
        lr = np.asarray(sample.lr, dtype=np.float32) / 255
        lr[3, 3, 1] = math.nan
        return Sample(lr=lr, hr=np.asarray(sample.hr, dtype=np.float32) / 255, name=sample.name)

    def batch(samples: list[Sample]) -> object:
        floats = [Sample(lr=_float(sample.lr), hr=_float(sample.hr), name=sample.name) for sample in samples]
        return collate(floats)

    from wildsr.data import collate, loader

    monkeypatch.setattr(AlignedCrops, "sample", poisoned)
    monkeypatch.setattr(loader, "collate", batch)
    run = psnr.run(tiny, tmp_path / "run", resume=False, say=said)
    (line,) = [line for line in said.lines if "rolled back" in line]
    assert line.startswith("step 5: ")
    assert "NaN in `lr` of the batch (photo " in line
    assert all(torch.isfinite(tensor).all() for tensor in weights(run).values())
    card = json.loads((run / "card.json").read_text())
    assert card["steps"] == 12
    assert len(card["rollbacks"]) == 1
    assert "NaN in `lr`" in (run / "card.md").read_text()
    assert "1 rollback |" in said.lines[-2]


def _float(array: np.ndarray) -> np.ndarray:
    return array if array.dtype == np.float32 else array.astype(np.float32) / 255


def test_a_rollback_returns_to_the_last_good_weights(
    tiny: PsnrConfig, tmp_path: Path, said: Say, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Step 5 explodes after its weights were spoilt; what follows starts from step 3's state."""
    seen: list[tuple[int, bool]] = []
    restore = loop.restore

    def watch(state: object, tensors: dict[str, Tensor]) -> None:
        restore(state, tensors)  # type: ignore[arg-type]
        good = load_checkpoint(checkpoints_in(tmp_path / "run")[-1])
        now = state.networks["generator"].state_dict()  # type: ignore[attr-defined]
        seen.append(
            (good.step, all(torch.equal(good.tensors[f"network/generator/{k}"], v) for k, v in now.items()))
        )

    monkeypatch.setattr(loop, "restore", watch)
    original = AlignedCrops.sample

    def spoilt(self: AlignedCrops, seed: int, index: int) -> Sample:
        sample = original(self, seed, index)
        return Sample(
            lr=_float(sample.lr), hr=_float(sample.hr) * (math.inf if index == 9 else 1), name=sample.name
        )

    monkeypatch.setattr(AlignedCrops, "sample", spoilt)
    psnr.run(tiny, tmp_path / "run", resume=False, say=said)
    assert seen == [(3, True)]


def test_endless_trouble_gives_up_with_advice(
    tiny: PsnrConfig, tmp_path: Path, said: Say, monkeypatch: pytest.MonkeyPatch
) -> None:
    original = AlignedCrops.sample

    def bad(self: AlignedCrops, seed: int, index: int) -> Sample:
        sample = original(self, seed, index)
        return Sample(lr=_float(sample.lr) * math.nan, hr=_float(sample.hr), name=sample.name)

    monkeypatch.setattr(AlignedCrops, "sample", bad)
    config = configure(tiny, sets=["run.rollbacks=2", "run.checkpoint_every=100"])
    with pytest.raises(
        TrainingError, match=r"gave up after 3 rollbacks .* the last at step 3: .*NaN in `lr`"
    ) as caught:
        psnr.run(config, tmp_path / "run", resume=False, say=said)
    assert "learning rate" in (caught.value.hint or "")


def test_a_full_disk_while_checkpointing_leaves_the_last_good_checkpoint(
    tiny: PsnrConfig, tmp_path: Path, said: Say, monkeypatch: pytest.MonkeyPatch
) -> None:
    whole = psnr.run(tiny, tmp_path / "whole", resume=False, say=said)
    from safetensors import SafetensorError

    from wildsr.training import checkpoint

    save, calls = checkpoint.save_file, []

    def full(tensors: dict[str, Tensor], path: Path, metadata: dict[str, str]) -> None:
        calls.append(path)
        if len(calls) == 3:
            Path(path).write_bytes(b"half")
            raise SafetensorError("I/O error: No space left on device (os error 28)")
        save(tensors, path, metadata=metadata)

    monkeypatch.setattr(checkpoint, "save_file", full)
    with pytest.raises(OutputError, match="the disk is full"):
        psnr.run(tiny, tmp_path / "run", resume=False, say=said)
    kept = checkpoints_in(tmp_path / "run")
    assert [load_checkpoint(path).step for path in kept] == [3, 6]
    assert {path.name for path in kept[0].parent.iterdir()} == {
        path.name for path in kept
    }  # no half-written file
    monkeypatch.setattr(checkpoint, "save_file", save)
    psnr.run(tiny, tmp_path / "run", resume=True, say=said)
    assert same(weights(whole), weights(tmp_path / "run"))


def test_resume_with_another_configuration_is_refused_and_the_differences_listed(
    tiny: PsnrConfig, tmp_path: Path, said: Say
) -> None:
    psnr.run(tiny, tmp_path / "run", resume=False, say=said)
    other = configure(tiny, sets=["loss=l2", "data.batch=3", "data.workers=2"])
    with pytest.raises(UsageError) as caught:
        psnr.run(other, tmp_path / "run", resume=True, say=said)
    assert str(caught.value).endswith(
        "was started with another configuration:\n  data.batch: 2 → 3\n  loss: l1 → l2"
    )


def test_resume_over_other_photos_is_refused(tiny: PsnrConfig, tmp_path: Path, said: Say) -> None:
    folder = tmp_path / "own"
    folder.mkdir()
    for path in sorted(tiny.data.hr.iterdir()):  # type: ignore[union-attr]
        (folder / path.name).write_bytes(path.read_bytes())
    config = replace(tiny, data=replace(tiny.data, hr=folder))
    psnr.run(config, tmp_path / "run", resume=False, say=said)
    (folder / "5.png").rename(folder / "6.png")
    with pytest.raises(TrainingError, match="the photos are not those"):
        psnr.run(config, tmp_path / "run", resume=True, say=said)


def test_a_folder_with_a_training_is_not_overwritten(tiny: PsnrConfig, tmp_path: Path, said: Say) -> None:
    psnr.run(tiny, tmp_path / "run", resume=False, say=said)
    with pytest.raises(UsageError, match=r"holds a training already \(step-00000012\)") as caught:
        psnr.run(tiny, tmp_path / "run", resume=False, say=said)
    assert "--resume" in (caught.value.hint or "")


def test_a_finished_run_can_be_resumed_to_write_its_model_again(
    tiny: PsnrConfig, tmp_path: Path, said: Say
) -> None:
    run = psnr.run(tiny, tmp_path / "run", resume=False, say=said)
    before = weights(run)
    (run / "model.safetensors").unlink()
    psnr.run(tiny, tmp_path / "run", resume=True, say=said)
    assert same(before, weights(run))


@pytest.mark.parametrize("content", [b"", b"junk", b"\x08\0\0\0\0\0\0\0{}      "])
def test_a_damaged_checkpoint_is_named_with_the_way_out(
    tiny: PsnrConfig, tmp_path: Path, said: Say, content: bytes
) -> None:
    psnr.run(tiny, tmp_path / "run", resume=False, say=said)
    last = checkpoints_in(tmp_path / "run")[-1]
    last.write_bytes(content)
    with pytest.raises(
        TrainingError, match=r"step-00000012\.safetensors can't be read as a checkpoint"
    ) as caught:
        psnr.run(tiny, tmp_path / "run", resume=True, say=said)
    assert "the one before it" in (caught.value.hint or "")


def test_a_time_budget_fixes_the_steps_once_and_stores_them(
    tiny: PsnrConfig, tmp_path: Path, said: Say
) -> None:
    config = configure(
        tiny, sets=["run.time_budget=1.5", "run.checkpoint_every=1000000", "data.validation_photos=0"]
    )
    psnr.run(config, tmp_path / "run", resume=False, say=said)
    (fixed,) = [line for line in said.lines if "steps fit into" in line]
    kept = [load_checkpoint(path) for path in checkpoints_in(tmp_path / "run")]
    assert kept[0].step == 20
    assert kept[0].total == kept[-1].total == kept[-1].step
    assert kept[0].total is not None
    assert kept[0].total > 20
    assert f": {kept[0].total} steps fit" in fixed


def test_a_patch_must_be_a_multiple_of_the_scale(tiny: PsnrConfig, tmp_path: Path, said: Say) -> None:
    with pytest.raises(UsageError, match=r"data\.patch is 15, which is no multiple of the scale 2") as caught:
        psnr.run(configure(tiny, sets=["data.patch=15"]), tmp_path / "run", resume=False, say=said)
    assert "data.patch=14" in (caught.value.hint or "")


def test_photos_must_be_given(tiny: PsnrConfig, tmp_path: Path, said: Say) -> None:
    with pytest.raises(UsageError, match="no photos given"):
        psnr.run(configure(tiny, sets=["data.hr=none"]), tmp_path / "run", resume=False, say=said)


def test_an_empty_folder_is_named(tiny: PsnrConfig, tmp_path: Path, said: Say) -> None:
    (tmp_path / "empty").mkdir()
    config = replace(tiny, data=replace(tiny.data, hr=tmp_path / "empty"))
    with pytest.raises(InputError):
        psnr.run(config, tmp_path / "run", resume=False, say=said)


@pytest.mark.parametrize(
    ("text", "message", "hint"),
    [
        ('network="srvg-16"', "unknown network `srvg-16`", "did you mean srvgg-16"),
        ("arguments.chanels=4", "network `srvgg-16` has no argument `chanels`", "did you mean channels"),
    ],
)
def test_networks_and_arguments_are_checked(
    tiny: PsnrConfig, tmp_path: Path, said: Say, text: str, message: str, hint: str
) -> None:
    with pytest.raises(UsageError) as caught:
        psnr.run(configure(tiny, sets=[text]), tmp_path / "run", resume=False, say=said)
    assert message in str(caught.value)
    assert hint in (caught.value.hint or "")


def test_a_run_can_start_from_another_and_from_smaller_scales(
    tiny: PsnrConfig, tmp_path: Path, said: Say
) -> None:
    first = psnr.run(tiny, tmp_path / "x2", resume=False, say=said)
    second = configure(
        tiny, sets=[f'start="{first}"', "run.steps=1", "optimiser.learning_rate=1e-9", "run.ema=0"]
    )
    run = psnr.run(second, tmp_path / "again", resume=False, say=said)
    assert all(
        torch.allclose(a, b, atol=1e-6)
        for a, b in zip(weights(first).values(), weights(run).values(), strict=True)
    )


def test_paired_folders_and_luma_losses(tiny: PsnrConfig, photos: Path, tmp_path: Path, said: Say) -> None:
    from PIL import Image

    (tmp_path / "lr").mkdir()
    for path in photos.iterdir():
        with Image.open(path) as picture:
            picture.resize((32, 32)).save(tmp_path / "lr" / path.name)
    config = configure(tiny, sets=[f'data.lr="{tmp_path / "lr"}"', "loss_on=y", "loss=charbonnier"])
    run = psnr.run(config, tmp_path / "run", resume=False, say=said)
    assert load_checkpoint(checkpoints_in(run)[-1]).step == 12


def test_licences_are_counted_from_the_table_beside_the_photos(
    tiny: PsnrConfig, photos: Path, tmp_path: Path, said: Say
) -> None:
    folder = tmp_path / "own"
    folder.mkdir()
    for path in photos.iterdir():
        (folder / path.name).write_bytes(path.read_bytes())
    rows = "".join(f"{number}.png\tCC0-1.0\n" for number in range(6))
    (folder / "SOURCES.tsv").write_text("file\tlicence\n" + rows)
    config = replace(tiny, data=replace(tiny.data, hr=folder))
    run = psnr.run(config, tmp_path / "run", resume=False, say=said)
    assert json.loads((run / "card.json").read_text())["data"]["licences"] == "CC0-1.0 (4)"
    assert load_model(run).spec.licence == "photos: CC0-1.0 (4)"
