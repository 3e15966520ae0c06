"""Model files that train: written whole, read back as they were, refused with the weight's name."""

import json
import struct
from dataclasses import replace
from pathlib import Path

import pytest
import torch
from safetensors.torch import save_file
from torch import nn

from wildsr.checkpoints import interpolate, load_network
from wildsr.checkpoints.building import build_network
from wildsr.checkpoints.files import fill, network_of, read_safetensors, save_model
from wildsr.checkpoints.interpolation import interpolate_models
from wildsr.errors import ModelError
from wildsr.models.spec import METADATA_KEY, ModelSpec

SPEC = ModelSpec(
    id="tiny",
    architecture="compact",
    arguments={"blocks": 1, "channels": 4},
    scale=4,
    halo=8,
    halo_exact=8,
    licence="MIT",
)


def network(seed: int) -> nn.Module:
    torch.manual_seed(seed)
    return build_network(SPEC)


def test_what_is_written_is_read(tmp_path: Path) -> None:
    net = network(1)
    save_model(tmp_path / "m.safetensors", net, SPEC)
    spec, tensors = read_safetensors(tmp_path / "m.safetensors")
    assert spec == SPEC
    assert tensors.keys() == net.state_dict().keys()
    assert all(torch.equal(tensors[name], one) for name, one in net.state_dict().items())
    loaded = load_network(tmp_path / "m.safetensors")
    x = torch.rand(1, 3, 7, 9)
    with torch.no_grad():
        torch.testing.assert_close(loaded.network(x), net(x), rtol=0, atol=0)


def test_the_same_weights_are_the_same_bytes(tmp_path: Path) -> None:
    for name in ("a", "b"):
        save_model(tmp_path / name, network(1), SPEC)
    assert (tmp_path / "a").read_bytes() == (tmp_path / "b").read_bytes()


def test_any_safetensors_file_is_read_without_a_spec(tmp_path: Path) -> None:
    save_file({"w": torch.arange(3.0)}, tmp_path / "w.safetensors")
    spec, tensors = read_safetensors(tmp_path / "w.safetensors")
    assert spec is None
    assert tensors["w"].tolist() == [0, 1, 2]


def header(text: bytes, length: int | None = None) -> bytes:
    return struct.pack("<Q", len(text) if length is None else length) + text


@pytest.mark.parametrize(
    "content",
    [
        b"",
        b"\x00" * 7,
        header(b"{}", 1 << 62),
        header(b"{"),
        header(json.dumps({"w": {"dtype": "F32", "shape": [4], "data_offsets": [0, 16]}}).encode()),
        header(json.dumps({"w": {"dtype": "F99", "shape": [], "data_offsets": [0, 0]}}).encode()),
        header(
            json.dumps({"w": {"dtype": "F32", "shape": [1 << 40], "data_offsets": [0, 1 << 42]}}).encode()
        ),
        b"PK\x03\x04" + b"\x00" * 100,
    ],
)
def test_damaged_and_hostile_files_are_named(tmp_path: Path, content: bytes) -> None:
    path = tmp_path / "bad.safetensors"
    path.write_bytes(content)
    with pytest.raises(ModelError, match=r"bad\.safetensors can't be read as safetensors"):
        read_safetensors(path)


def test_what_is_no_file_is_named(tmp_path: Path) -> None:
    for path in (tmp_path, tmp_path / "missing"):
        with pytest.raises(ModelError, match="can't be read as safetensors"):
            read_safetensors(path)


@pytest.mark.parametrize("text", ["{", "[]", "{}", '{"id": 3}', "x" * 100])
def test_a_spec_that_is_none_is_named_with_the_file(tmp_path: Path, text: str) -> None:
    save_file({"w": torch.zeros(1)}, tmp_path / "odd.safetensors", metadata={METADATA_KEY: text})
    with pytest.raises(ModelError, match=r"odd\.safetensors: "):
        read_safetensors(tmp_path / "odd.safetensors")


@pytest.mark.parametrize(
    ("change", "words"),
    [
        (lambda one: one.pop("bias"), "bias is missing"),
        (lambda one: one.update(more=torch.zeros(1)), "more is not known"),
        (lambda one: one.update(bias=torch.zeros(3)), r"bias has shape \(3,\), not \(2,\)"),
        (
            lambda one: one.update(bias=torch.tensor([0.0, float("nan")])),
            "bias has values that are not finite",
        ),
        (
            lambda one: one.update(bias=torch.tensor([0.0, float("-inf")])),
            "bias has values that are not finite",
        ),
    ],
    ids=["missing", "unknown", "shape", "nan", "inf"],
)
def test_weights_that_do_not_fit_are_named_and_change_nothing(change: object, words: str) -> None:
    layer = nn.Linear(3, 2)
    before = layer.bias.detach().clone()
    given = {name: torch.ones_like(one) for name, one in layer.state_dict().items()}
    change(given)  # type: ignore[operator]
    with pytest.raises(ModelError, match=rf"w\.pth doesn't fit the network: {words}"):
        fill(layer, given, "w.pth")
    assert torch.equal(layer.bias, before)


def test_many_faults_are_counted() -> None:
    layers = nn.Sequential(*[nn.Linear(1, 1) for _ in range(4)])
    with pytest.raises(ModelError, match=r"0\.weight is missing; .*; and 3 more"):
        fill(layers, {}, "w.pth")


def test_half_precision_becomes_single_and_counts_stay_whole() -> None:
    norm = nn.BatchNorm1d(2)
    given = {
        name: one.half() if one.is_floating_point() else one + 7 for name, one in norm.state_dict().items()
    }
    fill(norm, given, "w.pth")
    assert norm.weight.dtype == torch.float32
    assert norm.num_batches_tracked is not None
    assert (norm.num_batches_tracked.dtype, int(norm.num_batches_tracked)) == (torch.int64, 7)


def test_a_network_is_not_built_for_weights_that_do_not_fit_it() -> None:
    """A spec may claim a network of gigabytes; it is compared on paper first."""
    huge = replace(SPEC, arguments={"blocks": 64, "channels": 1024})
    with pytest.raises(ModelError, match="doesn't fit the network"):
        network_of(huge, network(1).state_dict(), "w.pth")


@pytest.mark.parametrize("alpha", [0.0, 0.25, 1.0])
def test_weights_are_blended_one_by_one(alpha: float) -> None:
    one, other = network(1).state_dict(), network(2).state_dict()
    found = interpolate(one, other, alpha)
    for name, tensor in found.items():
        torch.testing.assert_close(tensor, (1 - alpha) * one[name] + alpha * other[name])


@pytest.mark.parametrize("alpha", [-0.1, 1.1, float("nan")])
def test_shares_that_are_none(alpha: float) -> None:
    with pytest.raises(ModelError):
        interpolate(network(1).state_dict(), network(2).state_dict(), alpha)


def test_networks_that_can_not_be_blended() -> None:
    other = build_network(replace(SPEC, arguments={"blocks": 2, "channels": 4})).state_dict()
    with pytest.raises(ModelError):
        interpolate(network(1).state_dict(), other, 0.5)


def test_a_blend_is_a_model_and_says_what_it_is(tmp_path: Path) -> None:
    for number, licence in ((1, "MIT"), (2, "CC0-1.0")):
        spec = replace(SPEC, id=f"m{number}", halo=8 * number, halo_exact=8, licence=licence)
        save_model(tmp_path / f"{number}.safetensors", network(number), spec)
    folder = interpolate_models(
        tmp_path / "1.safetensors", tmp_path / "2.safetensors", alpha=0.25, folder=tmp_path / "out"
    )
    loaded = load_network(folder / "model.safetensors")
    assert loaded.spec.id == "m1+m2@0.25"
    assert (loaded.spec.halo, loaded.spec.licence) == (16, "MIT and CC0-1.0")
    assert loaded.spec.training == "0.75 × m1 + 0.25 × m2"
    wanted = interpolate(network(1).state_dict(), network(2).state_dict(), 0.25)
    assert all(torch.equal(one, wanted[name]) for name, one in loaded.network.state_dict().items())
    assert (folder / "model.onnx").is_file()
