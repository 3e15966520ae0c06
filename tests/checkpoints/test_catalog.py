"""Published ncnn weights as torch networks to fine-tune: the same picture either way."""

from pathlib import Path

import numpy as np
import onnx
import pytest
import torch

from wildsr.checkpoints import export_onnx, load_network
from wildsr.checkpoints.graphs import weights_of_graph
from wildsr.errors import ModelError
from wildsr.models import CATALOG, ModelSpec, is_cached, load_model
from wildsr.models.runtimes import openvino
from wildsr.networks import NETWORKS

SHRUNK = ("realesr-animevideov3-x2", "realesr-animevideov3-x3")


@pytest.mark.parametrize("name", [*CATALOG])
def test_catalog_weights_in_torch_compute_what_the_graph_computes(name: str) -> None:
    if not is_cached(name):
        pytest.skip(f"{name} is not in the cache (wildsr models pull {name})")
    model = load_model(name)
    if model.ends is not None:
        model = model.at(1)  # training starts from the crisp end
    loaded = load_network(name)
    assert loaded.spec.id == name
    if name in SHRUNK:  # the ×4 network, whose result the graph shrinks
        assert loaded.spec.scale == 4
        return
    assert loaded.spec.scale == model.spec.scale
    core = openvino().Core()
    compiled = core.compile_model(
        core.read_model(model.graph().SerializeToString()), "CPU", {"INFERENCE_PRECISION_HINT": "f32"}
    )
    lr = torch.rand(1, 3, 12, 17, generator=torch.Generator().manual_seed(0))
    with torch.no_grad():
        ours = loaded.network(lr).numpy()
    assert np.abs(ours - compiled(lr.numpy())[0]).max() <= 1e-4


@pytest.mark.parametrize("scale", [2, 3, 4])
def test_a_graph_goes_back_into_its_network(scale: int, tmp_path: Path) -> None:

    torch.manual_seed(0)
    network = NETWORKS["srvgg-16"](scale=scale).eval()
    with torch.no_grad():
        for parameter in network.parameters():
            parameter.add_(torch.randn_like(parameter) * 0.01)
    spec = ModelSpec(id="x", architecture="srvgg-16", scale=scale)
    export_onnx(network, spec, tmp_path / "m.onnx")
    found, tensors = weights_of_graph(tmp_path / "m.onnx", spec)
    assert found.arguments == {"scale": scale}
    assert found.scale == scale
    assert all(torch.equal(tensors[name], tensor) for name, tensor in network.state_dict().items())


def test_a_graph_of_another_network_is_refused(tmp_path: Path) -> None:

    network = NETWORKS["zssr"](depth=3)
    export_onnx(network, ModelSpec(id="x", architecture="zssr"), tmp_path / "m.onnx")
    assert len(onnx.load(str(tmp_path / "m.onnx")).graph.node) < 20
    with pytest.raises(ModelError, match=r"the graph has \d+ layers, `rrdb` has 351"):
        weights_of_graph(tmp_path / "m.onnx", ModelSpec(id="x", architecture="rrdb"))
