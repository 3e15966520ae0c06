"""DPED: the published layout, the recipe's losses, exact resume, colours that move to the DSLR's, `--enhance`."""

import struct
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch
from numpy.typing import NDArray

from tests.cli.invoke import invoke
from tests.engine.tiny import save, tiny_compact
from tests.recipes.conftest import curves, vgg_weights
from wildsr.checkpoints import load_network, save_model, tiling_of
from wildsr.checkpoints.dped_files import read_dped
from wildsr.data import AlignedCrops, Sample
from wildsr.engine import Settings
from wildsr.engine.enhance import open_enhancer
from wildsr.errors import ModelError, UsageError
from wildsr.imaging import Picture, Source, read, write
from wildsr.models import ModelSpec, load_model
from wildsr.networks.dped import DPEDEnhancer
from wildsr.recipes import dped
from wildsr.recipes.dped import PRESETS, DpedConfig
from wildsr.training import perceptual_network as module
from wildsr.training.health import Health, UnhealthyError
from wildsr.training.losses import blurred_colour, dped_total_variation
from wildsr.training.settings import DataSettings, OptimiserSettings, RunSettings

pytestmark = pytest.mark.train
Say = Callable[[str], None]
Doubles = NDArray[np.float64]

OFFSETS = {
    "W1": 4_096, "W10": 66_304, "W11": 213_760, "W12": 361_216, "W2": 423_424, "W3": 570_880, "W4": 718_336,
    "W5": 865_792, "W6": 1_013_248, "W7": 1_160_704, "W8": 1_308_160, "W9": 1_455_616,
    "b1": 1_603_072, "b10": 1_603_328, "b11": 1_603_584, "b12": 1_603_840,
    **{f"b{number}": 1_603_852 + 256 * (number - 2) for number in range(2, 10)},
}  # fmt: skip
VARIABLES = {name: 256 * place for place, name in enumerate([0, 1, 10, 11, 12, 13, 14, 15, *range(2, 10)])}
"""Byte offsets in the three published files, as they were read off their indices."""


def published(seed: int) -> bytes:
    """A file of the published layout, with weights that let every layer matter."""
    rng = np.random.default_rng(seed)
    values = rng.normal(0, 0.05, 401_475).astype("<f4")
    for number, offset in VARIABLES.items():  # odd: scale
        values[offset // 4 : offset // 4 + 64] += 1.0 if number % 2 else 0.0
    return values.tobytes()


def forward(content: bytes, rgb: Doubles) -> Doubles:
    """The generator as the paper has it, h×w×3 in double precision, straight from the bytes."""

    def array(offset: int, shape: tuple[int, ...]) -> Doubles:
        count = int(np.prod(shape))
        return np.array(struct.unpack_from(f"<{count}f", content, offset)).reshape(shape)

    def conv(x: Doubles, number: int) -> Doubles:
        side = 9 if number in (1, 12) else 3
        before, after = (3 if number == 1 else 64), (3 if number == 12 else 64)
        kernel = array(OFFSETS[f"W{number}"], (side, side, before, after))
        reach = side // 2
        padded = np.pad(x, ((reach, reach), (reach, reach), (0, 0)))
        out = np.zeros((*x.shape[:2], after)) + array(OFFSETS[f"b{number}"], (after,))
        for row in range(side):
            for column in range(side):
                out += padded[row : row + x.shape[0], column : column + x.shape[1]] @ kernel[row, column]
        return out

    def norm(x: Doubles, after: int) -> Doubles:
        first = 2 * (after - 2)
        shift, scale = array(VARIABLES[first], (64,)), array(VARIABLES[first + 1], (64,))
        mean, variance = x.mean(axis=(0, 1)), x.var(axis=(0, 1))
        return scale * (x - mean) / np.sqrt(variance + 1e-3) + shift

    x = np.maximum(conv(rgb, 1), 0)
    for number in (2, 4, 6, 8):
        inner = np.maximum(norm(conv(x, number), number), 0)
        x = np.maximum(norm(conv(inner, number + 1), number + 1), 0) + x
    x = np.maximum(conv(x, 10), 0)
    x = np.maximum(conv(x, 11), 0)
    return np.tanh(conv(x, 12)) * 0.58 + 0.5


def test_a_published_file_runs_as_the_paper_says(tmp_path: Path) -> None:
    path = tmp_path / "iphone_orig.data-00000-of-00001"
    path.write_bytes(published(0))
    rgb = np.random.default_rng(1).random((14, 17, 3))
    wanted = forward(path.read_bytes(), rgb)
    loaded = load_network(path)
    assert (loaded.spec.id, loaded.spec.scale, loaded.spec.tiling) == ("dped-iphone", 1, "whole")
    with torch.no_grad():
        ours = (
            loaded.network(torch.from_numpy(rgb.transpose(2, 0, 1)[None]).float())[0].permute(1, 2, 0).numpy()
        )
    assert np.abs(ours - wanted).max() < 1e-4
    assert np.abs(wanted - wanted.mean()).max() > 0.05  # it is no constant that agrees


def test_an_imported_file_enhances(tmp_path: Path) -> None:
    """From the published file to ONNX to `--enhance`: the colours of the enhanced photo are in the result."""
    path = tmp_path / "sony_orig.data-00000-of-00001"
    path.write_bytes(published(2))
    done = invoke("models", "import", path, "-o", tmp_path / "sony.onnx")
    assert done.code == 0, done.err
    rgb = np.random.default_rng(3).random((24, 20, 3)).astype(np.float32)
    model = load_model(tmp_path / "sony.onnx")
    enhanced = open_enhancer(model, Settings(precision="fp32"))(Source.from_picture(Picture(rgb=rgb)))
    wanted = np.clip(forward(path.read_bytes(), rgb.astype(np.float64)), 0, 1)
    assert np.abs(enhanced.rgb(0, 24, 0, 20) - wanted).max() < 1e-3


@pytest.mark.parametrize(
    "change", [lambda b: b[:-4], lambda b: b + b"\0", lambda b: b"", lambda b: b"\xff" * len(b)]
)
def test_files_of_another_content_are_refused(change: Callable[[bytes], bytes], tmp_path: Path) -> None:
    path = tmp_path / "x_orig.data-00000-of-00001"
    path.write_bytes(change(published(0)))
    with pytest.raises(ModelError, match=r"published generators have|not finite"):
        read_dped(path)


def test_losses_are_the_papers() -> None:
    """Colour of a constant difference d: the 21×21 blur keeps it inside, 3·h·w·d²/2; variation of a ramp."""
    flat = torch.full((2, 3, 60, 60), 0.5)
    inner = blurred_colour(flat + 0.1, flat)
    assert 0.75 * 3 * 3600 * 0.01 / 2 < float(inner) < 3 * 3600 * 0.01 / 2
    ramp = torch.linspace(0, 1, 11).view(1, 1, 1, 11).expand(2, 3, 8, 11)
    assert float(dped_total_variation(ramp)) == pytest.approx(2 * 0.1**2, rel=1e-5)
    paper = PRESETS["dped-paper"]
    weights = (paper.perceptual_weight, paper.colour_weight, paper.texture_weight, paper.variation_weight)
    assert weights == (10.0, 0.5, 1.0, 2000.0)
    assert (paper.data.patch, paper.data.batch, paper.run.steps) == (100, 50, 20_000)
    assert paper.optimiser.learning_rate == 5e-4


def test_the_first_texture_is_no_explosion() -> None:
    """A fresh enhancer is flat: with textures its variation grows by orders, which the presets let pass."""
    torch.manual_seed(0)
    photo = torch.rand(1, 3, 40, 40)
    with torch.no_grad():
        fresh = float(dped_total_variation(DPEDEnhancer(blocks=2, channels=16)(photo)))
    assert fresh < 1e-3 * float(dped_total_variation(photo))
    for preset in PRESETS.values():
        health = Health()
        health.seen = 20
        health.means = {"variation": 1e-3}
        health.check({"variation": 0.9}, preset.run.explosion)
        with pytest.raises(UnhealthyError, match="exploded"):
            health.check({"variation": 9.0}, 20.0)


def scene(seed: int) -> NDArray[np.float32]:
    rng = np.random.default_rng(seed)
    coarse = rng.random((7, 7, 3))
    return np.kron(coarse, np.ones((16, 16, 1)))[:104, :104].astype(np.float32)


def dslr_of(phone: NDArray[np.float32]) -> NDArray[np.float32]:
    """Planted: warmer, and with more contrast."""
    return np.clip((phone - 0.5) * (1.2, 1.0, 0.7) + (0.62, 0.5, 0.36), 0, 1).astype(np.float32)


@pytest.fixture(scope="module")
def pairs(tmp_path_factory: pytest.TempPathFactory) -> Path:
    root = tmp_path_factory.mktemp("pairs")
    for side in ("phone", "dslr"):
        (root / side).mkdir()
    for number in range(6):
        phone = 0.25 + 0.5 * scene(number)
        write(Picture(rgb=phone), root / "phone" / f"{number}.png")
        write(Picture(rgb=dslr_of(phone)), root / "dslr" / f"{number}.png")
    return root


@pytest.fixture
def tiny(pairs: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> DpedConfig:
    monkeypatch.setattr(module, "_vgg16", lambda: vgg_weights("vgg16"))
    return DpedConfig(
        arguments={"blocks": 1, "channels": 8},
        perceptual="dped-vgg16",
        data=DataSettings(
            hr=pairs / "dslr", lr=pairs / "phone", patch=100, batch=1, validation_photos=2, validation_side=64,
            cache=tmp_path / "cache",
        ),
        optimiser=OptimiserSettings(learning_rate=1e-3, schedule="constant"),
        discriminator_optimiser=OptimiserSettings(learning_rate=1e-4, schedule="constant"),
        run=RunSettings(
            steps=4, threads=1, log_every=1, validate_every=4, checkpoint_every=2, precision="fp32", ema=0.0
        ),
    )  # fmt: skip


LOSSES = {
    "colour": (163.9242, 170.1731),
    "variation": (0.0001364568, 0.0002692584),
    "content": (0.02888648, 0.03309762),
    "texture": (0.6726784, 8.423418),
    "discriminator": (0.7140436, 5.693921),
}


def test_first_losses_and_exact_resume(
    tiny: DpedConfig, tmp_path: Path, said: Say, monkeypatch: pytest.MonkeyPatch
) -> None:
    whole = dped.run(tiny, tmp_path / "whole", resume=False, say=said)
    points = [point for point in curves(whole) if "colour" in point]
    for name, expected in LOSSES.items():
        assert [point[name] for point in points][:2] == pytest.approx(expected, rel=2e-3), name
    assert set(points[0]) >= {"colour", "variation", "content", "texture", "discriminator"}
    half = tmp_path / "half"
    with monkeypatch.context() as patch:
        patch.setattr(AlignedCrops, "sample", _power_cut_at(3, AlignedCrops.sample))
        with pytest.raises(RuntimeError, match="power cut"):
            dped.run(tiny, half, resume=False, say=said)
    assert not (half / "model.safetensors").exists()
    dped.run(tiny, half, resume=True, say=said)
    assert curves(half) == curves(whole)
    assert _weights(half) == _weights(whole)


def test_a_warm_start_on_l1_comes_first_and_resumes(
    tiny: DpedConfig, tmp_path: Path, said: Say, monkeypatch: pytest.MonkeyPatch
) -> None:
    config = replace(
        tiny, warm_steps=60, warm_optimiser=OptimiserSettings(learning_rate=5e-3, schedule="cosine")
    )
    whole, half = tmp_path / "whole", tmp_path / "half"
    with monkeypatch.context() as patch:
        patch.setattr(AlignedCrops, "sample", _power_cut_at(41, AlignedCrops.sample))
        with pytest.raises(RuntimeError, match="power cut"):
            dped.run(config, half, resume=False, say=said)
    assert not (half / "curves.jsonl").exists()  # it was in the warm start
    dped.run(config, half, resume=True, say=said)
    dped.run(config, whole, resume=False, say=said)
    losses = [point["loss"] for point in curves(whole / "l1") if "loss" in point]
    assert np.mean(losses[-3:]) < 0.9 * losses[0]
    colour = next(point["colour"] for point in curves(whole) if "colour" in point)
    assert colour < 0.9 * LOSSES["colour"][0]
    assert _weights(half) == _weights(whole)


def _power_cut_at(index: int, sample: Callable[..., Sample]) -> Callable[..., Sample]:
    def cut(self: AlignedCrops, seed: int, number: int) -> Sample:
        if number == index:
            raise RuntimeError("power cut")
        return sample(self, seed, number)

    return cut


def _weights(folder: Path) -> dict[str, list[float]]:
    return {
        name: tensor.flatten().tolist() for name, tensor in load_network(folder).network.state_dict().items()
    }


def test_held_out_photos_get_the_dslrs_colours(
    tiny: DpedConfig, pairs: Path, tmp_path: Path, said: Say
) -> None:
    """Means and spreads come nearer on photos never learnt from, after 150 steps; 0.24 of 0.34 is left."""
    config = replace(
        tiny,
        arguments={"blocks": 1, "channels": 16},
        perceptual_weight=0.0,
        texture_weight=0.0,
        variation_weight=0.0,
        data=replace(tiny.data, patch=48, batch=4),
        optimiser=OptimiserSettings(learning_rate=5e-3, schedule="cosine", clip=100.0),
        run=replace(tiny.run, steps=150, log_every=50, validate_every=150, checkpoint_every=150),
    )
    run = dped.run(config, tmp_path / "run", resume=False, say=said)
    enhancer = open_enhancer(load_model(run), Settings(precision="fp32"))
    before, after = [], []
    for seed in (100, 101, 102):
        phone = (0.25 + 0.5 * scene(seed)).astype(np.float32)
        made = enhancer(Source.from_picture(Picture(rgb=phone))).rgb(0, 104, 0, 104)
        target = dslr_of(phone)
        for rgb, distances in ((phone, before), (made, after)):
            means = np.abs(rgb.mean(axis=(0, 1)) - target.mean(axis=(0, 1)))
            spreads = np.abs(rgb.std(axis=(0, 1)) - target.std(axis=(0, 1)))
            distances.append(float(means.sum() + spreads.sum()))
    assert np.mean(after) < 0.8 * np.mean(before)
    assert all(one < other for one, other in zip(after, before, strict=True))


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"lr": None}, "no photos of the phone given"),
        ({"patch": 96}, "patches have 100 pixels a side"),
    ],
)
def test_data_that_dont_fit_are_refused(
    change: dict[str, int | None], message: str, tiny: DpedConfig, tmp_path: Path, said: Say
) -> None:
    with pytest.raises(UsageError, match=message):
        dped.run(replace(tiny, data=replace(tiny.data, **change)), tmp_path / "run", resume=False, say=said)


@pytest.fixture
def warmer(tmp_path: Path) -> Path:
    """An enhancer in which the photo's mean matters: not to be cut into tiles."""
    torch.manual_seed(0)
    network = DPEDEnhancer(blocks=1, channels=4)
    for weight in network.parameters():
        if weight.dim() == 4:
            middle = weight.shape[2] // 2
            taps = torch.randn(weight.shape[:2]) * (2 / weight.shape[1]) ** 0.5
            torch.nn.init.zeros_(weight)
            weight.data[:, :, middle, middle] = taps  # colours only
    spec = ModelSpec(
        id="warmer",
        architecture="dped",
        arguments={"blocks": 1, "channels": 4},
        scale=1,
        tiling=tiling_of(network),
    )
    assert spec.tiling == "whole"
    (tmp_path / "warmer").mkdir()
    save_model(tmp_path / "warmer" / "model.safetensors", network, spec)
    from wildsr.checkpoints import export_onnx

    export_onnx(network, spec, tmp_path / "warmer" / "model.onnx")
    return tmp_path / "warmer"


def test_a_photo_that_doesnt_fit_is_enhanced_smaller_without_seams(warmer: Path) -> None:
    smooth = np.linspace(0, 1, 240 * 240 * 3, dtype=np.float32).reshape(240, 240, 3)
    source = Source.from_picture(Picture(rgb=smooth))
    enhancer = open_enhancer(load_model(warmer), Settings(precision="fp32"))
    whole = enhancer(source)
    enhancer.upscaler.tile_pixels = 60 * 60
    small = enhancer(source)
    assert any("enhanced at 58×58 pixels" in note for note in small.notes)
    assert not any("enhanced at" in note for note in whole.notes)
    difference = np.abs(small.rgb(0, 240, 0, 240) - whole.rgb(0, 240, 0, 240))
    assert difference.mean() < 0.02


def test_the_option(warmer: Path, tmp_path: Path) -> None:
    phone = (0.25 + 0.5 * scene(7)).astype(np.float32)
    write(Picture(rgb=phone), tmp_path / "a.png")
    model = save(tiny_compact(), tmp_path / "tiny.onnx")
    done = invoke(
        "upscale", tmp_path / "a.png", "-o", tmp_path / "o.png", "--enhance", warmer, "-m", model,
        "--precision", "fp32", "-s", "1", "--strength", "0",
    )  # fmt: skip
    assert done.code == 0, done.err
    enhancer = open_enhancer(load_model(warmer), Settings(precision="fp32"))
    wanted = enhancer(Source.from_picture(read(tmp_path / "a.png"))).rgb(0, 104, 0, 104).mean(axis=(0, 1))
    assert read(tmp_path / "o.png").rgb.mean(axis=(0, 1)) == pytest.approx(wanted, abs=0.02)
    refused = invoke("upscale", tmp_path / "a.png", "-o", tmp_path / "p.png", "--enhance", model, "-m", model)
    assert refused.code == 2
    assert "enlarges ×4; a model that enhances keeps the size" in refused.err
