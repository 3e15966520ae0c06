"""Every preset trains, exports and gives the same picture through `wildsr upscale` as through torch."""

from pathlib import Path

import numpy as np
import onnx
import pytest
import torch
from PIL import Image
from torch import nn

from tests.cli.invoke import invoke
from wildsr.checkpoints import build_network, export_onnx, load_network, multiple_of, save_model, scale_of
from wildsr.checkpoints.onnx_export import TOLERANCE
from wildsr.checkpoints.onnx_graph import translate
from wildsr.errors import ModelError
from wildsr.models import ModelSpec, load_model
from wildsr.networks import NETWORKS

HEAVY = ("edsr", "rcan", "rrdb", "rrdb-x2", "rrdb-x1")
"""15 to 43 million parameters: trained on one 8×8 LR picture, a few seconds each."""


@pytest.mark.parametrize(
    "preset", [pytest.param(name, marks=[pytest.mark.slow] if name in HEAVY else []) for name in NETWORKS]
)
def test_every_preset_trains_four_steps_exports_and_upscales_as_torch_does(
    preset: str, tmp_path: Path
) -> None:
    torch.manual_seed(0)
    network = NETWORKS[preset]()
    scale, multiple = scale_of(network), multiple_of(network)
    batch = 1 if preset in HEAVY else 2
    lr = torch.rand(batch, 3, 8, 8)
    hr = torch.rand(batch, 3, 8 * scale, 8 * scale)
    optimiser = torch.optim.SGD(network.parameters(), lr=1e-5)
    losses = []
    for _ in range(4):
        optimiser.zero_grad()
        loss = (network(lr) - hr).abs().mean()
        loss.backward()
        optimiser.step()
        losses.append(loss.item())
    assert all(np.isfinite(losses))
    spec = ModelSpec(id="test", architecture=preset, scale=scale, multiple=multiple)
    assert export_onnx(network, spec, tmp_path / "model.onnx") <= TOLERANCE
    model = load_model(tmp_path)  # what `wildsr upscale -m` does
    assert model.spec == spec
    rgb = np.random.default_rng(0).integers(0, 256, (5 * multiple, 11 * multiple, 3), dtype=np.uint8)
    Image.fromarray(rgb).save(tmp_path / "lr.png")
    sr = tmp_path / "sr.png"
    options = ("-s", str(scale), "--precision", "fp32", "--no-color-fix")
    done = invoke("upscale", tmp_path / "lr.png", "-m", tmp_path, "-o", sr, *options)
    assert done.code == 0, done.err
    with torch.no_grad():
        expected = network.eval()(torch.from_numpy(rgb).permute(2, 0, 1)[None] / 255)[0].permute(1, 2, 0)
    levels = 255 * expected.clamp(0, 1).numpy()
    assert np.abs(np.asarray(Image.open(sr)) - levels).max() <= 0.5 + 255 * TOLERANCE  # rounding to 8 bit


def test_all_presets_are_covered() -> None:
    assert set(HEAVY) <= set(NETWORKS)


def test_what_cannot_be_translated_is_named() -> None:
    with pytest.raises(ModelError, match="a Softmax can't be exported to ONNX; known are Conv2d"):
        translate(nn.Sequential(nn.Softmax(dim=1)))

    class Odd(nn.Module):
        def forward(self, lr: torch.Tensor) -> torch.Tensor:
            return torch.cumsum(lr, 1)

    with pytest.raises(ModelError, match="the operation cumsum can't be exported"):
        translate(Odd())


def test_a_graph_that_computes_something_else_is_not_written(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    from wildsr.checkpoints import onnx_graph

    wrong = {**onnx_graph.MODULES, nn.ReLU: lambda w, m, x: w.emit("Sigmoid", [x])}
    monkeypatch.setattr(onnx_graph, "MODULES", wrong)
    torch.manual_seed(0)
    network = NETWORKS["vdsr"](depth=3)
    with pytest.raises(ModelError, match="the exported graph differs from the network by"):
        export_onnx(network, ModelSpec(id="x", architecture="vdsr"), tmp_path / "model.onnx")
    assert not (tmp_path / "model.onnx").exists()


def test_export_leaves_the_network_in_training(tmp_path: Path) -> None:
    network = NETWORKS["srresnet"](blocks=1, channels=8).train()
    export_onnx(network, ModelSpec(id="x", architecture="srresnet"), tmp_path / "model.onnx")
    assert network.training
    assert len(onnx.load(str(tmp_path / "model.onnx")).graph.initializer) > 5


@pytest.mark.parametrize("preset", ["srvgg-16", "rcan-small", "srcnn-955", "dped"])
def test_model_files_rebuild_their_network(preset: str, tmp_path: Path) -> None:
    torch.manual_seed(0)
    network = NETWORKS[preset]().eval()
    spec = ModelSpec(id="mine", architecture=preset, scale=scale_of(network), licence="CC0-1.0", halo=12)
    save_model(tmp_path / "model.safetensors", network, spec)
    for source in (tmp_path, tmp_path / "model.safetensors"):
        loaded = load_network(source)
        assert loaded.spec == spec
        lr = torch.rand(1, 3, 6, 7)
        with torch.no_grad():
            assert torch.equal(loaded.network(lr), network(lr))


@pytest.mark.parametrize(
    ("architecture", "arguments", "message"),
    [
        ("nonsense", {}, "the architecture `nonsense` is not one that can be trained"),
        ("srvgg-16", {"blok": 1}, "`srvgg-16` has no argument `blok`"),
        ("srvgg-16", {"channels": 10**9}, "channels = 1000000000 is beyond what is allowed"),
        ("srvgg-16", {"channels": "wide"}, "can't be built"),
        ("rrdb", {"scale": 0}, "can't be built"),
        ("srvgg-16", {"channels": -3}, "beyond what is allowed"),
    ],
)
def test_hostile_specs_are_refused(architecture: str, arguments: dict[str, int | str], message: str) -> None:
    with pytest.raises(ModelError, match=message):
        build_network(ModelSpec(id="x", architecture=architecture, arguments=arguments))  # type: ignore[arg-type]
