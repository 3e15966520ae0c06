"""Every preset trains, exports and gives the same picture through `wildsr upscale` as through torch."""

from pathlib import Path

import onnx
import pytest
import torch
from torch import nn

from tests.checkpoints.presets import HEAVY, check_preset
from wildsr.checkpoints import build_network, export_onnx, load_network, save_model, scale_of
from wildsr.checkpoints.onnx_graph import translate
from wildsr.errors import ModelError
from wildsr.models import ModelSpec
from wildsr.networks import NETWORKS


@pytest.mark.parametrize("preset", sorted(set(NETWORKS) - set(HEAVY)))
def test_every_preset_trains_two_steps_exports_and_upscales_as_torch_does(
    preset: str, tmp_path: Path
) -> None:
    check_preset(preset, tmp_path)


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

    wrong = {**onnx_graph.MODULES, nn.ReLU: lambda w, m, x: w.node("Sigmoid", [x])}
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
