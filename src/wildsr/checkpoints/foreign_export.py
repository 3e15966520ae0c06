"""Weights in the layouts that other people's tools load: spandrel, and with it chaiNNer and ComfyUI.

They know a network by the names and shapes of its weights. RRDBNet and SRVGGNetCompact have those names here already.
The compact network is none they know, but SRVGGNetCompact can compute it exactly, at four times the work: its plain
convolutions carry the features of a residual pair beside those they change, and the picture beside both.
"""

import io
import math
from collections.abc import Mapping
from pathlib import Path
from typing import Final, Literal, TypeAlias

import torch
from safetensors.torch import save as save_safetensors
from torch import Tensor

from wildsr.errors import ModelError
from wildsr.files import atomic_write
from wildsr.models.spec import ModelSpec

WeightsFormat: TypeAlias = Literal["pth", "safetensors"]

_SLOPE: Final = 0.1
_RGB: Final = 3
_KNOWN: Final = "rrdb (ESRGAN), srvgg (Compact) and compact"


def export_weights(
    spec: ModelSpec, tensors: Mapping[str, Tensor], path: Path, *, form: WeightsFormat, half: bool
) -> str:
    """Write a network's weights as other tools load them.

    Args:
        spec: Names the network.
        tensors: Its weights under our names.
        path: File to write.
        form: `pth` (a pickle, weights under `params_ema`) or `safetensors`.
        half: Write half-precision numbers.

    Returns:
        The architecture that tools take the file for.

    Raises:
        ModelError: A network that those tools don't know.
        OutputError: The file can't be written.
    """
    called, weights = foreign_layout(spec, tensors)
    kind = torch.float16 if half else torch.float32
    ready = {name: tensor.detach().cpu().to(kind).contiguous() for name, tensor in weights.items()}
    if form == "safetensors":
        content = save_safetensors(ready)
    else:
        buffer = io.BytesIO()
        torch.save({"params_ema": ready}, buffer)
        content = buffer.getvalue()
    with atomic_write(path) as temporary:
        temporary.write_bytes(content)
    return called


def foreign_layout(spec: ModelSpec, tensors: Mapping[str, Tensor]) -> tuple[str, dict[str, Tensor]]:
    """Return the architecture's name in spandrel, and the weights by that architecture's names.

    Raises:
        ModelError: A network that spandrel doesn't know.
    """
    family = spec.architecture.partition("-")[0]
    if family == "rrdb":
        return "ESRGAN", dict(tensors)
    if family == "srvgg" and tensors.get("body.1.weight", torch.empty(0)).ndim == 1:
        return "Compact", dict(tensors)
    if family == "compact":
        return "Compact", compact_as_srvgg(tensors)
    raise ModelError(
        f"{spec.id} is a `{spec.architecture}`, which spandrel's tools don't know; they load {_KNOWN}",
        hint="export it with --to onnx, or --to ncnn",
    )


def compact_as_srvgg(tensors: Mapping[str, Tensor]) -> dict[str, Tensor]:
    """Weights of an SRVGGNetCompact that computes what a compact network computes, borders included.

    Its channels are the features x, the inner features h of a pair, and the picture; PReLU slopes of 1 let through what
    only is carried. The last filter at SR size becomes one at LR size, between the sub-pixels of neighbours.

    Args:
        tensors: Weights of `wildsr.networks.compact.Compact`.
    """
    channels = tensors["head.weight"].shape[0]
    scale = math.isqrt(tensors["tail.weight"].shape[0] // _RGB)
    blocks = sum(name.startswith("body.") and name.endswith("first.weight") for name in tensors)
    x, h = slice(0, channels), slice(channels, 2 * channels)
    width = max(2 * channels, _RGB * scale * scale) + _RGB
    picture = slice(width - _RGB, width)
    layers: list[tuple[Tensor, Tensor, Tensor]] = []  # weight, bias, slope

    def layer(inputs: int = width) -> tuple[Tensor, Tensor, Tensor]:
        made = torch.zeros(width, inputs, 3, 3), torch.zeros(width), torch.ones(width)
        layers.append(made)
        _carry(made[0], picture, slice(inputs - _RGB, inputs))
        return made

    weight, bias, slope = layer(_RGB)
    weight[x], bias[x], slope[x] = tensors["head.weight"].float(), tensors["head.bias"].float(), _SLOPE
    for block in range(blocks):
        weight, bias, slope = layer()
        _carry(weight, x, x)
        weight[h, x] = tensors[f"body.{block}.first.weight"].float()
        bias[h], slope[h] = tensors[f"body.{block}.first.bias"].float(), _SLOPE
        weight, bias, slope = layer()
        _carry(weight, x, x)
        weight[x, h] = tensors[f"body.{block}.second.weight"].float()
        bias[x] = tensors[f"body.{block}.second.bias"].float()
    sub_pixels = slice(0, _RGB * scale * scale)
    weight, bias, slope = layer()
    weight[sub_pixels, x] = tensors["tail.weight"].float()
    bias[sub_pixels] = tensors["tail.bias"].float()
    last = torch.zeros(_RGB * scale * scale, width, 3, 3)
    last[:, sub_pixels], last[:, picture] = _at_lr_size(tensors["blend.weight"].float(), scale)
    weights: dict[str, Tensor] = {}
    for number, (weight, bias, slope) in enumerate(layers):
        weights |= {
            f"body.{2 * number}.weight": weight,
            f"body.{2 * number}.bias": bias,
            f"body.{2 * number + 1}.weight": slope,
        }
    end = 2 * len(layers)
    weights[f"body.{end}.weight"] = last
    weights[f"body.{end}.bias"] = tensors["blend.bias"].float().repeat_interleave(scale * scale)
    return weights


def _carry(weight: Tensor, to: slice, source: slice) -> None:
    """Let channels through as they are."""
    for out, into in zip(
        range(*to.indices(weight.shape[0])), range(*source.indices(weight.shape[1])), strict=True
    ):
        weight[out, into, 1, 1] += 1


def _at_lr_size(blend: Tensor, scale: int) -> tuple[Tensor, Tensor]:
    """A 3×3 filter at SR size as filters at LR size: of sub-pixel channels, and of the picture.

    SRVGGNetCompact adds the nearest-enlarged picture to its result; the second filter makes up for it.
    """
    count = _RGB * scale * scale
    of_sub_pixels, of_picture = torch.zeros(count, count, 3, 3), torch.zeros(count, _RGB, 3, 3)
    places = [(row, column) for row in range(scale) for column in range(scale)]
    for channel in range(_RGB):
        for row, column in places:
            out = (channel * scale + row) * scale + column
            of_picture[out, channel, 1, 1] -= 1
            for dy in (-1, 0, 1):
                for dx in (-1, 0, 1):
                    up, sub_row = divmod(row + dy, scale)
                    left, sub_column = divmod(column + dx, scale)
                    for other in range(_RGB):
                        tap = blend[channel, other, dy + 1, dx + 1]
                        into = (other * scale + sub_row) * scale + sub_column
                        of_sub_pixels[out, into, up + 1, left + 1] += tap
                        of_picture[out, other, up + 1, left + 1] += tap
    return of_sub_pixels, of_picture
