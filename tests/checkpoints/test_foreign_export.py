"""Exports for other people's tools: the compact network as SRVGGNetCompact, ncnn files run by ncnn, the command."""

import json
from pathlib import Path

import numpy as np
import pytest
import torch
from safetensors.torch import load_file

from tests.cli.invoke import invoke
from tests.models.ncnn_files import decibels, run_ncnn, run_onnx
from tests.models.two_ends import SIZE, SPEC, save_ends, weights
from wildsr.checkpoints import export_onnx, load_network, save_model
from wildsr.checkpoints.foreign_export import compact_as_srvgg, export_weights, foreign_layout
from wildsr.errors import ModelError
from wildsr.models import ModelSpec, load_model
from wildsr.models.compact_graph import compact_graph
from wildsr.models.ncnn import import_ncnn
from wildsr.models.ncnn.exporter import export_ncnn
from wildsr.networks import NETWORKS


def random_weights(network: torch.nn.Module, seed: int = 0) -> None:
    """Weights far from any special case."""
    generator = torch.Generator().manual_seed(seed)
    with torch.no_grad():
        for parameter in network.parameters():
            parameter.add_(0.05 * torch.randn(parameter.shape, generator=generator))


@pytest.mark.parametrize("size", [{}, {"blocks": 2, "channels": 32}, {"blocks": 0, "scale": 2}, {"scale": 3}])
def test_srvgg_computes_the_compact_network_borders_included(size: dict[str, int]) -> None:
    arguments = SIZE | size
    network = NETWORKS["compact"](**arguments).eval()
    random_weights(network)
    tensors = compact_as_srvgg(network.state_dict())
    last = max(int(name.split(".")[1]) for name in tensors)
    width = tensors["body.0.weight"].shape[0]
    theirs = NETWORKS["srvgg-16"](blocks=last // 2 - 1, channels=width, scale=arguments["scale"]).eval()
    theirs.load_state_dict(tensors)
    for sides in ((1, 1), (2, 7), (9, 8)):
        lr = torch.rand(1, 3, *sides, generator=torch.Generator().manual_seed(1))
        with torch.no_grad():
            assert torch.allclose(theirs(lr), network(lr), atol=2e-5)


def test_the_width_of_the_real_one() -> None:
    with torch.device("meta"):
        shapes = NETWORKS["compact"]().state_dict()
    tensors = compact_as_srvgg({name: torch.zeros(tensor.shape) for name, tensor in shapes.items()})
    assert tensors["body.2.weight"].shape == (131, 131, 3, 3)
    assert len([name for name in tensors if name.endswith("bias")]) == 1 + 2 * 16 + 1 + 1


@pytest.mark.parametrize("form", ["pth", "safetensors"])
@pytest.mark.parametrize("half", [True, False])
def test_files_hold_what_spandrel_looks_for(form: str, half: bool, tmp_path: Path) -> None:
    network = NETWORKS["rrdb-small"]().eval()
    path = tmp_path / f"m.{form}"
    spec = ModelSpec(id="x", architecture="rrdb-small")
    assert export_weights(spec, network.state_dict(), path, form=form, half=half) == "ESRGAN"
    held = load_file(path) if form == "safetensors" else torch.load(path, weights_only=True)["params_ema"]
    assert {"conv_first.weight", "body.0.rdb1.conv1.weight", "conv_up2.bias", "conv_last.bias"} <= set(held)
    assert {tensor.dtype for tensor in held.values()} == {torch.float16 if half else torch.float32}
    assert load_network(path).spec.architecture == "rrdb"  # ours reads it too


@pytest.mark.parametrize("architecture", ["edsr-baseline", "rcan-small", "zssr"])
def test_networks_that_spandrel_does_not_know_are_refused(architecture: str) -> None:
    with pytest.raises(ModelError, match=f"`{architecture}`, which spandrel's tools don't know") as caught:
        foreign_layout(ModelSpec(id="x", architecture=architecture), {})
    assert "--to onnx" in str(caught.value.hint)


@pytest.mark.parametrize(
    ("architecture", "arguments"),
    [
        ("compact", {"blocks": 2, "channels": 16}),
        ("srvgg-16", {"blocks": 2, "channels": 12, "scale": 2}),
        ("srvgg-16", {"blocks": 1, "channels": 8, "activation": "leakyrelu"}),
        ("rrdb-small", {"blocks": 1, "channels": 16, "growth": 8}),
    ],
)
@pytest.mark.parametrize("half", [True, False])
def test_ncnn_gives_the_same_pixels(
    architecture: str, arguments: dict[str, int | str], half: bool, tmp_path: Path
) -> None:
    network = NETWORKS[architecture](**arguments).eval()
    random_weights(network)
    spec = ModelSpec(id="x", architecture=architecture, scale=int(arguments.get("scale", 4)))
    export_onnx(network, spec, tmp_path / "m.onnx")
    graph = load_model(tmp_path / "m.onnx").graph()
    text, content = export_ncnn(graph, half=half)
    (tmp_path / "m.param").write_text(text)
    (tmp_path / "m.bin").write_bytes(content)
    lines = text.splitlines()
    assert lines[0] == "7767517"
    assert lines[2].split()[0] == "Input"
    assert lines[2].split()[-1] == "data"
    assert lines[-1].split()[5 if lines[-1].split()[2] == "1" else 6] == "output"
    picture = np.random.default_rng(0).random((3, 12, 17), dtype=np.float32)
    ours = run_onnx(graph.SerializeToString(), picture)
    assert decibels(run_ncnn(tmp_path / "m.param", tmp_path / "m.bin", picture), ours) > (50 if half else 100)
    again, _ = import_ncnn(tmp_path / "m.param", tmp_path / "m.bin")  # and back
    assert decibels(run_onnx(again.SerializeToString(), picture), ours) > (50 if half else 100)


@pytest.mark.parametrize("architecture", ["rcan-small", "dped"])
def test_what_ncnn_files_are_not_written_for_is_named(architecture: str) -> None:
    from wildsr.checkpoints.onnx_graph import translate

    with pytest.raises(ModelError, match=r"\w+ is an operation that is not written") as caught:
        export_ncnn(translate(NETWORKS[architecture]().eval()))
    assert "--to onnx" in str(caught.value.hint)


@pytest.fixture
def here(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    return tmp_path


@pytest.mark.parametrize(
    ("form", "names"),
    [
        ("onnx", ["tiny-ends-x4.onnx"]),
        ("ncnn", ["tiny-ends-x4.param", "tiny-ends-x4.bin"]),
        ("pth", ["tiny-ends-x4.pth"]),
        ("safetensors", ["tiny-ends-x4.safetensors"]),
    ],
)
def test_the_command_writes_a_position_of_the_dial(form: str, names: list[str], here: Path) -> None:
    save_ends(here / "ends")
    done = invoke("models", "export", "ends", "--to", form, "--sharpness", "0", "--json")
    assert done.code == 0, done.err
    assert done.json == {"model": "tiny-ends", "files": names}
    faithful = {name: array.astype(np.float32) for name, array in weights(0).items()}
    picture = np.random.default_rng(0).random((3, 10, 9), dtype=np.float32)
    expected = run_onnx(compact_graph(faithful, **SIZE).SerializeToString(), picture)
    if form in ("pth", "safetensors"):
        with torch.no_grad():
            found = load_network(names[0]).network(torch.from_numpy(picture)[None])[0].numpy()
    else:
        found = run_onnx(load_model(names[0]).graph().SerializeToString(), picture)
    assert decibels(found, expected) > 50
    refused = invoke("models", "export", "ends", "--to", form)
    assert refused.code == 2
    assert f"{names[0]} exists" in refused.err
    assert invoke("models", "export", "ends", "--to", form, "--overwrite").code == 0


def test_wrong_names_and_models_are_refused(here: Path) -> None:
    network = NETWORKS["compact"](**SIZE).eval()
    (here / "run").mkdir()
    save_model(here / "run" / "model.safetensors", network, SPEC)
    export_onnx(network, SPEC, here / "run" / "model.onnx")
    assert "must end in .pth" in invoke("models", "export", "run", "--to", "pth", "-o", "a.onnx").err
    assert "no two ends" in invoke("models", "export", "run", "--to", "onnx", "--sharpness", "0").err
    assert invoke("models", "export", "run/model.onnx", "--to", "pth", "-o", "a.pth").code == 0
    (here / "run" / "model.safetensors").unlink()
    lost = invoke("models", "export", "run/model.onnx", "--to", "pth", "-o", "b.pth")
    assert lost.code == 1
    assert "lost their names" in lost.err
    assert sorted(path.name for path in here.iterdir()) == ["a.pth", "run"]
    assert json.loads(invoke("models", "info", "run", "--json").out)["name"] == "tiny-ends"
