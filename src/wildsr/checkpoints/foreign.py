"""Checkpoints of other trainers: unwrap, rename, recognise.

Known are the layouts of BasicSR and its family, the first ESRGAN releases, EDSR-PyTorch, RCAN, pytorch-vdsr and mmagic.
"""

import math
import re
from collections.abc import Mapping

import torch
from torch import Tensor

from wildsr.errors import ModelError
from wildsr.files import shown
from wildsr.models.spec import ModelSpec
from wildsr.networks import NETWORKS

_WRAPPERS = ("params_ema", "params", "state_dict", "model_state_dict", "generator", "model", "net", "g_ema")
"""Where trainers put the weights, the averaged ones first."""

_PREFIXES = ("module.", "_orig_mod.", "generator.", "netG.", "model.")
_Rules = tuple[tuple[str, str], ...]

_OLD_ESRGAN: _Rules = (
    (r"model\.0\.(weight|bias)", r"conv_first.\1"),
    (r"model\.1\.sub\.(\d+)\.RDB(\d)\.conv(\d)\.0\.(weight|bias)", r"body.\1.rdb\2.conv\3.\4"),
    (r"model\.1\.sub\.\d+\.(weight|bias)", r"conv_body.\1"),
    (r"model\.3\.(weight|bias)", r"conv_up1.\1"),
    (r"model\.6\.(weight|bias)", r"conv_up2.\1"),
    (r"model\.8\.(weight|bias)", r"conv_hr.\1"),
    (r"model\.10\.(weight|bias)", r"conv_last.\1"),
)
_ESRGAN: _Rules = (
    (r"RRDB_trunk\.(\d+)\.RDB(\d)\.(.+)", r"body.\1.rdb\2.\3"),
    (r"trunk_conv\.(.+)", r"conv_body.\1"),
    (r"upconv(\d)\.(.+)", r"conv_up\1.\2"),
    (r"HRconv\.(.+)", r"conv_hr.\1"),
)
_OLD_MSRRESNET: _Rules = ((r"recon_trunk\.(.+)", r"body.\1"), (r"HRconv\.(.+)", r"conv_hr.\1"))
_ENDS: _Rules = (
    (r"head\.0\.(.+)", r"conv_first.\1"),
    (r"tail\.0\.(.+)", r"upsample.\1"),
    (r"tail\.1\.(.+)", r"conv_last.\1"),
)
_RCAN: _Rules = (
    *_ENDS,
    (r"body\.(\d+)\.body\.(\d+)\.body\.([02])\.(.+)", r"body.\1.residual_group.\2.rcab.\3.\4"),
    (
        r"body\.(\d+)\.body\.(\d+)\.body\.3\.conv_du\.0\.(.+)",
        r"body.\1.residual_group.\2.rcab.3.attention.1.\3",
    ),
    (
        r"body\.(\d+)\.body\.(\d+)\.body\.3\.conv_du\.2\.(.+)",
        r"body.\1.residual_group.\2.rcab.3.attention.3.\3",
    ),
    (r"body\.(\d+)\.body\.\d+\.(weight|bias)", r"body.\1.conv.\2"),
    (r"body\.\d+\.(weight|bias)", r"conv_after_body.\1"),
)
_EDSR: _Rules = (
    *_ENDS,
    (r"body\.(\d+)\.body\.0\.(.+)", r"body.\1.conv1.\2"),
    (r"body\.(\d+)\.body\.2\.(.+)", r"body.\1.conv2.\2"),
    (r"body\.\d+\.(weight|bias)", r"conv_after_body.\1"),
)
_LAYOUTS: tuple[tuple[str, _Rules], ...] = (
    (r"model\.1\.sub\.0\.RDB1", _OLD_ESRGAN),
    (r"RRDB_trunk\.0\.", _ESRGAN),
    (r"recon_trunk\.0\.", _OLD_MSRRESNET),
    (r"body\.0\.body\.0\.body\.0\.", _RCAN),
    (r"body\.0\.body\.0\.weight", _EDSR),
)
"""(a key that only this layout has, how its names become ours)."""


def unwrap(content: object, source: str) -> dict[str, Tensor]:
    """Find the weights in what a file held, and strip the wrappers' prefixes from their names.

    Raises:
        ModelError: No table of tensors in it.
    """
    found = content
    for _ in range(3):
        if not isinstance(found, Mapping):
            break
        inner = next((found[key] for key in _WRAPPERS if isinstance(found.get(key), Mapping)), None)
        if inner is None:
            break
        found = inner
    if not isinstance(found, Mapping) or not found:
        raise ModelError(f"{shown(source)} holds no table of weights, but a {type(found).__name__}")
    tensors = {str(key): value for key, value in found.items() if isinstance(value, Tensor)}
    if not tensors:
        raise ModelError(f"{shown(source)} holds no tensors")
    for prefix in _PREFIXES:
        rest = {key.removeprefix(prefix): tensor for key, tensor in tensors.items()}
        if all(key.startswith(prefix) for key in tensors) and not _is_layer_list(prefix, rest):
            tensors = rest
    return {key: tensor for key, tensor in tensors.items() if not re.match(r"(sub|add)_mean\.", key)}


def renamed(tensors: Mapping[str, Tensor]) -> dict[str, Tensor]:
    """The same weights under our names."""
    if any(key.startswith("residual_layer.") for key in tensors):
        return _vdsr(tensors)
    for sign, rules in _LAYOUTS:
        if any(re.match(sign, key) for key in tensors):
            return {_rename(key, rules): tensor for key, tensor in tensors.items()}
    return dict(tensors)


def recognise(tensors: Mapping[str, Tensor], source: str) -> ModelSpec:
    """Tell which network weights are of, by names and shapes.

    Raises:
        ModelError: None of ours.
    """
    shapes = {key: tuple(tensor.shape) for key, tensor in tensors.items()}
    name, arguments = _guess(shapes)
    if name is not None:
        return ModelSpec(
            id=source,
            architecture=name,
            arguments=arguments,
            scale=int(arguments.get("scale", 1)),
            source=source,
        )
    for preset, constructor in NETWORKS.items():
        with torch.device("meta"):
            network = constructor()
        if {key: tuple(tensor.shape) for key, tensor in network.state_dict().items()} == shapes:
            scale = 1 if preset in ("dped", "dsgan") else 4
            return ModelSpec(id=source, architecture=preset, scale=scale, source=source)
    raise ModelError(
        f"{shown(source)}: these weights are of no network that wildsr knows "
        f"(first names: {shown(', '.join(list(shapes)[:4]))})",
        hint=f"known are {', '.join(NETWORKS)}",
    )


def _guess(shapes: Mapping[str, tuple[int, ...]]) -> tuple[str | None, dict[str, int | float | str | bool]]:
    """Families that come in many sizes."""
    first = shapes.get("conv_first.weight")
    if first and "body.0.rdb1.conv1.weight" in shapes:
        fold = math.isqrt(first[1] // 3)
        growth = shapes["body.0.rdb1.conv1.weight"][0]
        arguments = {
            "blocks": _count(shapes, "body"),
            "channels": first[0],
            "growth": growth,
            "scale": 4 // fold,
        }
        return "rrdb", dict(arguments)
    if first and "body.0.conv1.weight" in shapes and "upconv1.weight" in shapes:
        scale = 4 if "upconv2.weight" in shapes else 2
        return "msrresnet", {"blocks": _count(shapes, "body"), "channels": first[0], "scale": scale}
    if first and "upsample.0.weight" in shapes:
        return _shuffled(shapes, first[0])
    if "body.0.weight" in shapes and "body.1.weight" in shapes and len(shapes["body.1.weight"]) == 1:
        last = max(int(key.split(".")[1]) for key in shapes)
        scale = math.isqrt(shapes[f"body.{last}.weight"][0] // 3)
        return "srvgg-16", {"blocks": last // 2 - 1, "channels": shapes["body.0.weight"][0], "scale": scale}
    return None, {}


def _shuffled(
    shapes: Mapping[str, tuple[int, ...]], channels: int
) -> tuple[str | None, dict[str, int | float | str | bool]]:
    """EDSR and RCAN: the same ends."""
    ninefold = shapes["upsample.0.weight"][0] == 9 * channels
    scale = (
        3 if ninefold else 2 ** sum(key.startswith("upsample.") and key.endswith("weight") for key in shapes)
    )
    if "body.0.residual_group.0.rcab.0.weight" in shapes:
        blocks = _count(shapes, r"body\.0\.residual_group")
        reduction = channels // shapes["body.0.residual_group.0.rcab.3.attention.1.weight"][0]
        groups = _count(shapes, "body")
        return "rcan", {
            "groups": groups,
            "blocks": blocks,
            "channels": channels,
            "reduction": reduction,
            "scale": scale,
        }
    if "body.0.conv1.weight" in shapes:
        residual_scale = 0.1 if channels >= 256 else 1.0
        return "edsr", {
            "blocks": _count(shapes, "body"),
            "channels": channels,
            "residual_scale": residual_scale,
            "scale": scale,
        }
    return None, {}


def _count(shapes: Mapping[str, tuple[int, ...]], prefix: str) -> int:
    numbers = [int(match[1]) for key in shapes if (match := re.match(rf"{prefix}\.(\d+)\.", key))]
    return max(numbers) + 1


def _is_layer_list(prefix: str, rest: Mapping[str, Tensor]) -> bool:
    """The first ESRGAN's `model.0` is a layer, not a wrapper."""
    return prefix == "model." and any(key[0].isdigit() for key in rest)


def _rename(key: str, rules: _Rules) -> str:
    for pattern, replacement in rules:
        name, count = re.subn(f"^{pattern}$", replacement, key)
        if count:
            return name
    return key


def _vdsr(tensors: Mapping[str, Tensor]) -> dict[str, Tensor]:
    """pytorch-vdsr: `input`, `residual_layer.N.conv`, `output`."""
    layers = _count(dict.fromkeys(tensors, ()), "residual_layer")
    names = {"input.weight": "body.0.weight", "output.weight": f"body.{2 * layers + 2}.weight"}
    names |= {f"residual_layer.{n}.conv.weight": f"body.{2 * n + 2}.weight" for n in range(layers)}
    return {names.get(key, key): tensor for key, tensor in tensors.items()}
