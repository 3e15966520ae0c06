"""The graph of the compact network, built from its weights without torch.

The same network as `wildsr.networks.compact`, whose tensors it takes by their names.
"""

from collections.abc import Mapping

import numpy as np
import onnx
from numpy.typing import NDArray

from wildsr.errors import ModelError
from wildsr.models.graph_builder import NETWORK_INPUTS, NETWORK_OUTPUTS, GraphBuilder

_SLOPE = 0.1
_OPSET = 17

Weights = Mapping[str, NDArray[np.floating]]


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
    residual = writer.node("DepthToSpace", [conv("tail", x)], blocksize=scale, mode="CRD")
    sides = writer.constant(np.array([1, 1, scale, scale], np.float32))
    enlarged = writer.node(
        "Resize",
        ["lr", "", sides],
        mode="nearest",
        coordinate_transformation_mode="asymmetric",
        nearest_mode="floor",
    )
    writer.output(conv("blend", writer.node("Add", [residual, enlarged])), "sr")
    return writer.model(
        "network", NETWORK_INPUTS, NETWORK_OUTPUTS, opset=_OPSET, ir_version=8, producer="wildsr"
    )
