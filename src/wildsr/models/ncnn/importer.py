"""An ncnn model (`.param` and `.bin`) as ONNX."""

from dataclasses import replace
from pathlib import Path

import onnx

from wildsr.errors import ModelError
from wildsr.models.ncnn.builder import NcnnGraph
from wildsr.models.ncnn.layers import LAYERS
from wildsr.models.ncnn.param import Layer, read_param
from wildsr.models.ncnn.weights import WeightReader
from wildsr.models.onnx_checks import check_structure
from wildsr.models.onnx_file import discovered_spec, embed_spec
from wildsr.models.spec import ModelSpec

IMPORTER_VERSION = 2
"""Raised when the same files give another graph, so that cached conversions are made anew."""


def import_ncnn(
    param: Path, weights: Path, spec: ModelSpec | None = None
) -> tuple[onnx.ModelProto, ModelSpec]:
    """Convert an ncnn super-resolution network to ONNX with its ModelSpec inside.

    The network must take RGB in [0, 1] as one blob of 3 channels and give one such blob.

    Args:
        param: Text graph.
        weights: Weights that belong to it.
        spec: What is known of the model; otherwise its scale is found by its shapes.

    Raises:
        ModelError: If the files don't belong together, hold something unsupported, or aren't such a network.
    """
    layers = read_param(param)
    source, result = _ends(layers)
    graph, reader = NcnnGraph(), WeightReader(weights)
    graph.name("lr", source)
    for layer in layers:
        if layer.kind == "Input":
            continue
        emit = LAYERS.get(layer.kind)
        if emit is None:
            raise layer.wrong(f"layers of this type aren't supported; known are {', '.join(sorted(LAYERS))}")
        wrong_inputs = bool(layer.inputs) == (layer.kind == "MemoryData")
        if (
            wrong_inputs
            or not layer.outputs
            or (len(layer.outputs) > 1 and layer.kind not in ("Split", "Slice"))
        ):
            raise layer.wrong(f"has {len(layer.inputs)} inputs and {len(layer.outputs)} outputs")
        emit(replace(layer, inputs=tuple(map(graph.tensor, layer.inputs))), graph, reader)
    reader.finish()
    model = graph.finish(result)
    check_structure(model)  # a layer can become several operations
    found = spec or discovered_spec(model, id=param.stem, source=param.name)
    return embed_spec(model, found), found


def _ends(layers: list[Layer]) -> tuple[str, str]:
    """Names of the blob that goes in and the one that comes out."""
    inputs = [blob for layer in layers if layer.kind == "Input" for blob in layer.outputs]
    used = {blob for layer in layers for blob in layer.inputs}
    results = [blob for layer in layers for blob in layer.outputs if blob not in used]
    if len(inputs) != 1 or len(results) != 1:
        raise ModelError(
            f"the graph has {len(inputs)} inputs and {len(results)} results; "
            "a super-resolution network has one of each"
        )
    return inputs[0], results[0]
