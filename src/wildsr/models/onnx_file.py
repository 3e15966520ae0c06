"""ONNX files: what people bring is checked before anything runs, and carries its ModelSpec."""

from pathlib import Path

import onnx
from google.protobuf.message import DecodeError
from onnx import helper, shape_inference

from wildsr.errors import ModelError
from wildsr.models.spec import METADATA_KEY, ModelSpec

MAX_BYTES = 1_000_000_000
_MAX_NODES = 50_000
_PROBE = 48
_DOMAINS = {"", "ai.onnx"}


def read_onnx(path: Path) -> ModelSpec:
    """Check an ONNX file and return its ModelSpec, found by its shapes where the file has none.

    Raises:
        ModelError: If it isn't a super-resolution network wildsr can run.
    """
    return inspect_onnx(load_checked(path), id=path.stem, source=path.name)


def load_checked(path: Path) -> onnx.ModelProto:
    """Load an ONNX file within limits; weights outside the file, foreign operators and absurd sizes are refused."""
    if path.stat().st_size > MAX_BYTES:
        raise ModelError(f"{path} has {path.stat().st_size} bytes; at most {MAX_BYTES} are allowed")
    try:
        model = onnx.load_model_from_string(path.read_bytes())
    except DecodeError as error:
        raise ModelError(f"{path} is no ONNX file", hint="it may be cut short or damaged") from error
    graph = model.graph
    if len(graph.node) > _MAX_NODES or not graph.node:
        raise ModelError(f"{path} has {len(graph.node)} operations; from 1 to {_MAX_NODES} are allowed")
    for tensor in graph.initializer:
        if tensor.data_location == onnx.TensorProto.EXTERNAL:
            raise ModelError(f"{path} keeps weights in another file", hint="save it as one file (onnx.save)")
    foreign = {f"{node.domain}.{node.op_type}" for node in graph.node if node.domain not in _DOMAINS}
    if foreign:
        raise ModelError(f"{path} uses operators of its own: {', '.join(sorted(foreign)[:5])}")
    return model


def inspect_onnx(model: onnx.ModelProto, *, id: str, source: str) -> ModelSpec:  # noqa: A002, the spec's own name
    """Return the ModelSpec inside a model, or one found by its shapes."""
    for entry in model.metadata_props:
        if entry.key == METADATA_KEY:
            return ModelSpec.from_json(entry.value)
    return discovered_spec(model, id=id, source=source)


def discovered_spec(model: onnx.ModelProto, *, id: str, source: str) -> ModelSpec:  # noqa: A002, the spec's own name
    """Find scale by inferring the shape of the result for a small picture.

    Raises:
        ModelError: If input and output aren't N×3×h×w, or the enlargement isn't a whole number.
    """
    constants = {tensor.name for tensor in model.graph.initializer}
    inputs = [value for value in model.graph.input if value.name not in constants]
    if len(inputs) != 1 or len(model.graph.output) != 1:
        raise ModelError(
            f"the network has {len(inputs)} inputs and {len(model.graph.output)} outputs; one of each is needed"
        )
    shape = _result_shape(model, inputs[0].name)
    scale = shape[2] // _PROBE if len(shape) == 4 else 0
    if len(shape) != 4 or shape[1] != 3 or scale < 1 or shape[2:] != (_PROBE * scale, _PROBE * scale):
        raise ModelError(
            f"a picture of 1×3×{_PROBE}×{_PROBE} becomes {'×'.join(map(str, shape)) or 'something unknown'}; "
            "3 channels enlarged by a whole number are needed"
        )
    return ModelSpec(id=id, architecture="graph", scale=scale, source=source, halo=48, halo_exact=64)


def embed_spec(model: onnx.ModelProto, spec: ModelSpec) -> onnx.ModelProto:
    """Write a ModelSpec into a model's metadata (in place) and return it."""
    del model.metadata_props[:]
    helper.set_model_props(model, {METADATA_KEY: spec.to_json()})
    return model


def _result_shape(model: onnx.ModelProto, picture: str) -> tuple[int, ...]:
    """Shape of the result for a picture of 48×48, by inference only; nothing is allocated."""
    small = helper.make_tensor_value_info(picture, onnx.TensorProto.FLOAT, (1, 3, _PROBE, _PROBE))
    outputs = [
        helper.make_tensor_value_info(value.name, onnx.TensorProto.FLOAT, None)
        for value in model.graph.output
    ]
    graph = helper.make_graph(
        list(model.graph.node), "probe", [small], outputs, list(model.graph.initializer)
    )
    probe = helper.make_model(graph, opset_imports=list(model.opset_import), ir_version=model.ir_version)
    try:
        inferred = shape_inference.infer_shapes(probe, strict_mode=True, data_prop=True)
    except Exception as error:  # the checker's errors share no base class
        raise ModelError(
            f"the network's shapes don't fit together: {str(error).splitlines()[0][:200]}"
        ) from error
    return tuple(dimension.dim_value for dimension in inferred.graph.output[0].type.tensor_type.shape.dim)
