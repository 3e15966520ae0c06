"""Checkpoints of other trainers: every known layout is renamed to ours and recognised; hostile files are refused."""

import pickle
import re
from collections.abc import Callable
from pathlib import Path

import pytest
import torch
from safetensors.torch import save_file
from torch import Tensor

from wildsr.checkpoints import interpolate, interpolate_models, load_network, load_weights, save_model
from wildsr.errors import ModelError
from wildsr.models import ModelSpec, load_model
from wildsr.networks import EDSR, NETWORKS, RCAN, VDSR, MSRResNet, RRDBNet

Weights = dict[str, Tensor]


def renamed(weights: Weights, *rules: tuple[str, str]) -> Weights:
    """Our names turned into another trainer's."""
    result = {}
    for ours, tensor in weights.items():
        name = ours
        for pattern, replacement in rules:
            changed, count = re.subn(f"^{pattern}$", replacement, name)
            if count:
                name = changed
                break
        result[name] = tensor
    return result


def old_esrgan(weights: Weights) -> Weights:
    return renamed(
        weights,
        (r"conv_first\.(.*)", r"model.0.\1"),
        (r"body\.(\d+)\.rdb(\d)\.conv(\d)\.(.*)", r"model.1.sub.\1.RDB\2.conv\3.0.\4"),
        (r"conv_body\.(.*)", r"model.1.sub.2.\1"),
        (r"conv_up1\.(.*)", r"model.3.\1"),
        (r"conv_up2\.(.*)", r"model.6.\1"),
        (r"conv_hr\.(.*)", r"model.8.\1"),
        (r"conv_last\.(.*)", r"model.10.\1"),
    )


def esrgan(weights: Weights) -> Weights:
    return renamed(
        weights,
        (r"body\.(\d+)\.rdb(\d)\.(.*)", r"RRDB_trunk.\1.RDB\2.\3"),
        (r"conv_body\.(.*)", r"trunk_conv.\1"),
        (r"conv_up(\d)\.(.*)", r"upconv\1.\2"),
        (r"conv_hr\.(.*)", r"HRconv.\1"),
    )


def edsr_pytorch(weights: Weights) -> Weights:
    result = renamed(
        weights,
        (r"conv_first\.(.*)", r"head.0.\1"),
        (r"body\.(\d+)\.conv1\.(.*)", r"body.\1.body.0.\2"),
        (r"body\.(\d+)\.conv2\.(.*)", r"body.\1.body.2.\2"),
        (r"conv_after_body\.(.*)", r"body.2.\1"),
        (r"upsample\.(.*)", r"tail.0.\1"),
        (r"conv_last\.(.*)", r"tail.1.\1"),
    )
    return {**result, "sub_mean.weight": torch.eye(3).view(3, 3, 1, 1), "add_mean.bias": torch.zeros(3)}


def rcan_pytorch(weights: Weights) -> Weights:
    return renamed(
        weights,
        (r"conv_first\.(.*)", r"head.0.\1"),
        (r"body\.(\d+)\.residual_group\.(\d+)\.rcab\.([02])\.(.*)", r"body.\1.body.\2.body.\3.\4"),
        (
            r"body\.(\d+)\.residual_group\.(\d+)\.rcab\.3\.attention\.1\.(.*)",
            r"body.\1.body.\2.body.3.conv_du.0.\3",
        ),
        (
            r"body\.(\d+)\.residual_group\.(\d+)\.rcab\.3\.attention\.3\.(.*)",
            r"body.\1.body.\2.body.3.conv_du.2.\3",
        ),
        (r"body\.(\d+)\.conv\.(.*)", r"body.\1.body.3.\2"),
        (r"conv_after_body\.(.*)", r"body.2.\1"),
        (r"upsample\.(.*)", r"tail.0.\1"),
        (r"conv_last\.(.*)", r"tail.1.\1"),
    )


def old_msrresnet(weights: Weights) -> Weights:
    return renamed(weights, (r"body\.(.*)", r"recon_trunk.\1"), (r"conv_hr\.(.*)", r"HRconv.\1"))


def vdsr_pytorch(weights: Weights) -> Weights:
    last = max(int(name.split(".")[1]) for name in weights)
    result = {}
    for name, tensor in weights.items():
        number = int(name.split(".")[1])
        if number == 0:
            result["input.weight"] = tensor
        elif number == last:
            result["output.weight"] = tensor
        else:
            result[f"residual_layer.{number // 2 - 1}.conv.weight"] = tensor
    return result


def same(weights: Weights) -> Weights:
    return weights


CASES: dict[str, tuple[Callable[[], torch.nn.Module], Callable[[Weights], Weights], str]] = {
    "BasicSR RRDB": (lambda: RRDBNet(blocks=2, channels=8, growth=4), same, "rrdb"),
    "BasicSR RRDB x2": (lambda: RRDBNet(blocks=2, channels=8, growth=4, scale=2), same, "rrdb"),
    "ESRGAN": (lambda: RRDBNet(blocks=2, channels=8, growth=4), esrgan, "rrdb"),
    "ESRGAN of 2018": (lambda: RRDBNet(blocks=2, channels=8, growth=4), old_esrgan, "rrdb"),
    "BasicSR SRVGG": (lambda: NETWORKS["srvgg-16"](blocks=3, channels=8, scale=2), same, "srvgg-16"),
    "BasicSR EDSR": (lambda: EDSR(blocks=2, channels=8), same, "edsr"),
    "BasicSR EDSR x3": (lambda: EDSR(blocks=2, channels=8, scale=3), same, "edsr"),
    "EDSR-PyTorch": (lambda: EDSR(blocks=2, channels=8), edsr_pytorch, "edsr"),
    "BasicSR RCAN": (lambda: RCAN(groups=2, blocks=3, channels=16, reduction=4), same, "rcan"),
    "RCAN": (lambda: RCAN(groups=2, blocks=3, channels=16, reduction=4), rcan_pytorch, "rcan"),
    "BasicSR MSRResNet": (lambda: MSRResNet(blocks=2, channels=8), same, "msrresnet"),
    "old MSRResNet": (lambda: MSRResNet(blocks=2, channels=8, scale=2), old_msrresnet, "msrresnet"),
    "pytorch-vdsr": (VDSR, vdsr_pytorch, "vdsr"),
    "SRCNN": (NETWORKS["srcnn-915-rgb"], same, "srcnn-915-rgb"),
    "SRResNet": (NETWORKS["srresnet"], same, "srresnet"),
    "EnhanceNet": (NETWORKS["enhancenet"], same, "enhancenet"),
    "ZSSR": (NETWORKS["zssr"], same, "zssr"),
    "DPED": (NETWORKS["dped"], same, "dped"),
    "DSGAN": (NETWORKS["dsgan"], same, "dsgan"),
}


@pytest.mark.parametrize("layout", CASES)
def test_every_layout_becomes_our_network(layout: str, tmp_path: Path) -> None:
    build, rename, architecture = CASES[layout]
    torch.manual_seed(3)
    network = build().eval()
    with torch.no_grad():
        for parameter in network.parameters():
            parameter.add_(torch.randn_like(parameter) * 0.01)
    file = tmp_path / "theirs.pth"
    torch.save(rename(dict(network.state_dict())), file)
    loaded = load_network(file)
    assert loaded.spec.architecture == architecture
    lr = torch.rand(1, 3, 8, 8)
    with torch.no_grad():
        expected = network(lr)
        assert torch.equal(loaded.network(lr), expected)
    assert loaded.spec.scale == expected.shape[-1] // 8


def tiny() -> torch.nn.Module:
    torch.manual_seed(0)
    return NETWORKS["srvgg-16"](blocks=1, channels=4, scale=2)


@pytest.mark.parametrize(
    "wrap",
    [
        lambda w: {"params": w},
        lambda w: {"params": {k: v * 0 for k, v in w.items()}, "params_ema": w},
        lambda w: {"state_dict": {f"module.{k}": v for k, v in w.items()}, "epoch": 3},
        lambda w: {"state_dict": {f"generator.{k}": v for k, v in w.items()}},
        lambda w: {f"module._orig_mod.{k}": v for k, v in w.items()},
        lambda w: {"model": w, "optimizer": {"lr": 0.1}, "step": 5},
    ],
)
@pytest.mark.parametrize("legacy", [False, True])
def test_wrappers_are_taken_off_and_averaged_weights_preferred(
    wrap: Callable[[Weights], object], legacy: bool, tmp_path: Path
) -> None:
    weights = dict(tiny().state_dict())
    torch.save(wrap(weights), tmp_path / "theirs.pth", _use_new_zipfile_serialization=not legacy)
    loaded = load_network(tmp_path / "theirs.pth").network.state_dict()
    assert all(torch.equal(loaded[name], tensor) for name, tensor in weights.items())


def test_safetensors_of_others_and_half_precision(tmp_path: Path) -> None:
    weights = {name: tensor.half() for name, tensor in tiny().state_dict().items()}
    save_file(weights, tmp_path / "theirs.safetensors")
    loaded = load_network(tmp_path / "theirs.safetensors").network.state_dict()
    assert all(tensor.dtype == torch.float32 for tensor in loaded.values())
    assert torch.equal(loaded["body.0.weight"], weights["body.0.weight"].float())


class Payload:
    def __reduce__(self) -> tuple[object, tuple[str]]:
        import os

        return os.system, ("touch /tmp/wildsr-was-here",)


@pytest.mark.parametrize("legacy", [False, True])
def test_a_pickle_payload_is_never_run(tmp_path: Path, legacy: bool) -> None:
    marker = Path("/tmp/wildsr-was-here")
    marker.unlink(missing_ok=True)
    torch.save({"params": {"a": Payload()}}, tmp_path / "evil.pth", _use_new_zipfile_serialization=not legacy)
    with pytest.raises(ModelError):
        load_network(tmp_path / "evil.pth")
    (tmp_path / "plain.pth").write_bytes(pickle.dumps(Payload()))
    with pytest.raises(ModelError):
        load_network(tmp_path / "plain.pth")
    assert not marker.exists()


@pytest.mark.parametrize("content", [b"", b"junk", b"PK\x03\x04junk", b"\xff" * 100])
@pytest.mark.parametrize("suffix", [".pth", ".safetensors"])
def test_damaged_files_are_named(tmp_path: Path, content: bytes, suffix: str) -> None:
    path = tmp_path / f"bad{suffix}"
    path.write_bytes(content)
    with pytest.raises(ModelError, match="bad"):
        load_network(path)


def test_weights_of_no_known_network_are_named(tmp_path: Path) -> None:
    torch.save({"what.weight": torch.zeros(3)}, tmp_path / "a.pth")
    with pytest.raises(ModelError, match="of no network that wildsr knows"):
        load_network(tmp_path / "a.pth")
    torch.save([1, 2], tmp_path / "b.pth")
    with pytest.raises(ModelError, match="holds no table of weights, but a list"):
        load_network(tmp_path / "b.pth")
    torch.save({"a": 1}, tmp_path / "c.pth")
    with pytest.raises(ModelError, match="holds no tensors"):
        load_network(tmp_path / "c.pth")
    with pytest.raises(ModelError, match="there are no weights at nowhere"):
        load_network("nowhere")
    (tmp_path / "d.txt").write_text("x")
    with pytest.raises(ModelError, match="has none of the endings"):
        load_network(tmp_path / "d.txt")
    (tmp_path / "e.onnx").write_text("x")
    with pytest.raises(ModelError, match="has none of the endings") as caught:
        load_network(tmp_path / "e.onnx")
    assert caught.value.hint is not None
    assert "model.safetensors beside it" in caught.value.hint


def test_giant_shapes_in_a_header_are_refused(tmp_path: Path) -> None:
    spec = ModelSpec(id="x", architecture="srvgg-16", arguments={"channels": 1024, "blocks": 900})
    save_file(
        {"body.0.weight": torch.zeros(1)}, tmp_path / "m.safetensors", metadata={"wildsr": spec.to_json()}
    )
    with pytest.raises(ModelError, match="doesn't fit the network"):
        load_network(tmp_path / "m.safetensors")


def test_non_finite_weights_are_refused(tmp_path: Path) -> None:
    network = tiny()
    network.body[0].weight.data[0] = float("nan")
    save_model(
        tmp_path / "m.safetensors",
        network,
        ModelSpec(id="x", architecture="srvgg-16", arguments={"blocks": 1, "channels": 4, "scale": 2}),
    )
    with pytest.raises(ModelError, match=r"body\.0\.weight has values that are not finite"):
        load_network(tmp_path / "m.safetensors")


def test_a_x4_network_starts_from_a_x2_one(tmp_path: Path) -> None:
    torch.manual_seed(0)
    small = EDSR(blocks=2, channels=8, scale=2)
    save_model(
        tmp_path / "m.safetensors",
        small,
        ModelSpec(id="x", architecture="edsr", arguments={"blocks": 2, "channels": 8, "scale": 2}),
    )
    large = EDSR(blocks=2, channels=8, scale=4)
    missing = load_weights(large, tmp_path / "m.safetensors")
    assert set(missing) == {"upsample.2.weight", "upsample.2.bias"}
    assert torch.equal(large.body[1].conv2.weight, small.body[1].conv2.weight)
    with pytest.raises(ModelError, match="has other weights than the network"):
        load_weights(NETWORKS["srvgg-16"](), tmp_path / "m.safetensors")


def model(folder: Path, seed: int) -> Path:
    torch.manual_seed(seed)
    network = NETWORKS["zssr"](depth=3, channels=4)
    spec = ModelSpec(
        id=folder.name, architecture="zssr", arguments={"depth": 3, "channels": 4}, halo=seed + 5
    )
    folder.mkdir()
    save_model(folder / "model.safetensors", network, spec)
    return folder


@pytest.mark.parametrize("alpha", [0.0, 1.0])
def test_interpolation_at_its_ends_is_exact(alpha: float, tmp_path: Path) -> None:
    one, other = (
        dict(load_network(model(tmp_path / name, seed)).network.state_dict())
        for seed, name in enumerate("ab")
    )
    blended = interpolate(one, other, alpha)
    assert all(torch.equal(blended[name], (other if alpha else one)[name]) for name in one)


def test_interpolation_between_and_as_a_model(tmp_path: Path) -> None:
    first, second = model(tmp_path / "psnr", 1), model(tmp_path / "gan", 2)
    run = interpolate_models(first, second, alpha=0.8, folder=tmp_path / "out")
    loaded = load_network(run)
    weights = [dict(load_network(folder).network.state_dict()) for folder in (first, second)]
    for name, tensor in loaded.network.state_dict().items():
        assert torch.allclose(tensor, 0.2 * weights[0][name] + 0.8 * weights[1][name], atol=1e-6)
    assert loaded.spec.id == "psnr+gan@0.8"
    assert loaded.spec.halo == 7
    assert load_model(run).spec == loaded.spec


def test_only_the_same_networks_are_blended(tmp_path: Path) -> None:
    first = model(tmp_path / "a", 1)
    save_model(
        tmp_path / "b.safetensors",
        tiny(),
        ModelSpec(id="b", architecture="srvgg-16", arguments={"blocks": 1, "channels": 4, "scale": 2}),
    )
    with pytest.raises(ModelError, match="is a `zssr`"):
        interpolate_models(first, tmp_path / "b.safetensors", alpha=0.5, folder=tmp_path / "out")
    with pytest.raises(ModelError, match=r"alpha is 1\.5"):
        interpolate({}, {}, 1.5)
    with pytest.raises(ModelError, match="only two models of the same network"):
        interpolate({"a": torch.zeros(1)}, {"b": torch.zeros(1)}, 0.5)
