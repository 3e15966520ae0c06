"""The graph of the compact network, built from its weights without torch.

The same network as `wildsr.networks.compact`, whose tensors it takes by their names.
"""

from collections.abc import Mapping
from itertools import product
from typing import TypeAlias

import numpy as np
import onnx
from numpy.typing import NDArray

from wildsr.errors import ModelError
from wildsr.models.graph_builder import NETWORK_INPUTS, NETWORK_OUTPUTS, GraphBuilder

_SLOPE = 0.1
_OPSET = 17

Floating: TypeAlias = NDArray[np.floating]
Weights: TypeAlias = Mapping[str, Floating]


def compact_shapes(*, blocks: int, channels: int, scale: int) -> dict[str, tuple[int, ...]]:
    """Names and shapes of the tensors of a compact network of this size."""
    layers = {"head": (channels, 3), "tail": (3 * scale * scale, channels), "blend": (3, 3)}
    for block in range(blocks):
        layers[f"body.{block}.first"] = layers[f"body.{block}.second"] = (channels, channels)
    shapes: dict[str, tuple[int, ...]] = {}
    for name, (out, into) in layers.items():
        shapes |= {f"{name}.weight": (out, into, 3, 3), f"{name}.bias": (out,)}
    return shapes


def compact_graph(weights: Weights, *, blocks: int, channels: int, scale: int) -> onnx.ModelProto:
    """Build the graph: LR RGB in [0, 1], N×3×h×w of any size, to SR RGB.

    Args:
        weights: The network's tensors, of any floating-point type.
        blocks: Residual pairs.
        channels: Width.
        scale: SR pixels per LR pixel along one side.

    Raises:
        ModelError: The weights are not those of such a network; says which differ.
    """
    wanted = compact_shapes(blocks=blocks, channels=channels, scale=scale)
    given = {name: array.shape for name, array in weights.items()}
    if given != wanted:
        wrong = sorted(name for name in wanted.keys() | given.keys() if given.get(name) != wanted.get(name))
        raise ModelError(
            f"the weights are not those of a compact network of {blocks} blocks and {channels} channels at ×{scale}: "
            f"{', '.join(wrong[:3])}{' …' if len(wrong) > 3 else ''} differ"
        )
    writer = GraphBuilder()

    def conv(name: str, x: str) -> str:
        parts = [writer.constant(weights[f"{name}.{kind}"]) for kind in ("weight", "bias")]
        return writer.node("Conv", [x, *parts], pads=[1, 1, 1, 1])

    def leaky(x: str) -> str:
        return writer.node("LeakyRelu", [x], alpha=_SLOPE)

    x = leaky(conv("head", "lr"))
    for block in range(blocks):
        x = writer.node("Add", [conv(f"body.{block}.second", leaky(conv(f"body.{block}.first", x))), x])
    # Enlarging comes last: the sum and the blend at SR size would move sixteen times as many numbers through memory.
    repeated = writer.node("Conv", ["lr", writer.constant(_repeated(scale))])
    small = writer.node("Add", [conv("tail", x), repeated])
    parts = _before_shuffling(weights["blend.weight"], scale), np.repeat(weights["blend.bias"], scale * scale)
    blended = writer.node("Conv", [small, *(writer.constant(part) for part in parts)], pads=[1, 1, 1, 1])
    writer.output(writer.node("DepthToSpace", [blended], blocksize=scale, mode="CRD"), "sr")
    return writer.model(
        "network", NETWORK_INPUTS, NETWORK_OUTPUTS, opset=_OPSET, ir_version=8, producer="wildsr"
    )


def _repeated(scale: int) -> Floating:
    """Weights (3·s²×3×1×1) that repeat a pixel s² times, which pixel shuffle makes a square of."""
    return np.repeat(np.eye(3, dtype=np.float32), scale * scale, axis=0)[:, :, None, None]


def _before_shuffling(kernel: Floating, scale: int) -> Floating:
    """The 3×3 convolution before a pixel shuffle that does what the given one does after it, border included.

    Args:
        kernel: 3×3×3×3 (out, in, rows, columns).
        scale: s of the pixel shuffle.

    Returns:
        3·s²×3·s²×3×3, each value of the kernel s² times.
    """
    wide = np.zeros((3, scale, scale, 3, scale, scale, 3, 3), np.float32)
    for row, column, down, right in product(range(scale), range(scale), range(3), range(3)):
        # SR pixel (row, column) of a block looks at this one, of the same block or a neighbour
        (block_down, inner_row), (block_right, inner_column) = (
            divmod(at + step - 1, scale) for at, step in ((row, down), (column, right))
        )
        place = wide[:, row, column, :, inner_row, inner_column, block_down + 1, block_right + 1]
        place += kernel[:, :, down, right]
    return wide.reshape(3 * scale * scale, 3 * scale * scale, 3, 3)
