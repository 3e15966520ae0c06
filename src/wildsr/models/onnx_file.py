"""ONNX files: what people bring is checked before anything runs, and carries its ModelSpec."""

from dataclasses import replace
from pathlib import Path

import onnx
from onnx import TensorProto, helper

from wildsr.errors import ModelError
from wildsr.files import shown
from wildsr.models.onnx_checks import inferred_shapes, parse, picture_input
from wildsr.models.reach import reach_of
from wildsr.models.spec import METADATA_KEY, ModelSpec, printable

_PROBE = 64
_MULTIPLES = (1, 2, 4, 8, 16, 32, 64)
_LARGEST_EXACT_RADIUS = 64
_DEEP_HALO, _DEEP_HALO_EXACT = 48, 64  # measured for RRDB, the deepest of the common nets


def stored_spec(path: Path) -> ModelSpec:
    """Return the ModelSpec inside a file of our own making, without checking its graph.

    Raises:
        ModelError: There is none, or it can't be used.
    """
    for entry in onnx.load(str(path)).metadata_props:
        if entry.key == METADATA_KEY:
            return ModelSpec.from_json(entry.value)
    raise ModelError(f"{shown(path)} doesn't describe itself")


def load_checked(path: Path) -> onnx.ModelProto:
    """Load an ONNX file within limits; whatever `onnx_checks` names is refused."""
    return parse(path)


def inspect_onnx(model: onnx.ModelProto, *, id: str, source: str) -> ModelSpec:  # noqa: A002, the spec's own name
    """Return the ModelSpec inside a model, or one found by its shapes.

    Raises:
        ModelError: The description can't be used, or the graph does something else than it says.
    """
    for entry in model.metadata_props:
        if entry.key == METADATA_KEY:
            spec = ModelSpec.from_json(entry.value)
            if not _enlarges(model, spec.scale, spec.multiple):
                raise ModelError(
                    f"the model says it enlarges ×{spec.scale} pictures whose sides are multiples of "
                    f"{spec.multiple}, and doesn't"
                )
            return spec
    return discovered_spec(model, id=id, source=source)


def discovered_spec(model: onnx.ModelProto, *, id: str, source: str) -> ModelSpec:  # noqa: A002, the spec's own name
    """Find scale, size multiple, overlap and tiling by reading the graph.

    Raises:
        ModelError: If input and output aren't N×3×h×w, or the enlargement isn't a whole number.
    """
    shape = _result(model, _PROBE, _PROBE)
    scale = shape[2] // _PROBE if len(shape) == 4 else 0
    if len(shape) != 4 or shape[1] != 3 or scale < 1 or shape[2:] != (_PROBE * scale, _PROBE * scale):
        raise ModelError(
            f"a picture of 1×3×{_PROBE}×{_PROBE} becomes {'×'.join(map(str, shape)) or 'something unknown'}; "
            "3 channels enlarged by a whole number are needed"
        )
    multiple = next((m for m in _MULTIPLES if _enlarges(model, scale, m)), None)
    if multiple is None:
        raise ModelError(
            "the network takes pictures of one size only",
            hint="export it again with dynamic height and width",
        )
    spec = ModelSpec(
        id=printable(id), architecture="graph", scale=scale, multiple=multiple, source=printable(source)
    )
    reach = reach_of(model)
    if reach.radius is None or reach.radius > _LARGEST_EXACT_RADIUS:
        return replace(
            spec, tiling=reach.tiling, halo=_round_up(_DEEP_HALO, multiple), halo_exact=_DEEP_HALO_EXACT
        )
    exact = _round_up(_halo_for(reach.radius), multiple)
    return replace(spec, halo=min(exact, _round_up(_DEEP_HALO, multiple)), halo_exact=exact)


def _halo_for(radius: int) -> int:
    """Smallest overlap whose cross-fade (a sixth of it, at most 8 LR pixels) leaves `radius` pixels of context."""
    return next(halo for halo in range(radius, radius + 9) if halo - min(8, halo // 6) >= radius)


def _round_up(halo: int, multiple: int) -> int:
    return -(-halo // multiple) * multiple


def embed_spec(model: onnx.ModelProto, spec: ModelSpec) -> onnx.ModelProto:
    """Write a ModelSpec into a model's metadata (in place) and return it."""
    del model.metadata_props[:]
    helper.set_model_props(model, {METADATA_KEY: spec.to_json()})
    return model


def is_ready(model: onnx.ModelProto) -> bool:
    """Whether a model takes and gives N×3×h×w float32 of any size, without help."""
    graph_input, graph_output = picture_input(model), model.graph.output[0]
    sides = [side for value in (graph_input, graph_output) for side in value.type.tensor_type.shape.dim[2:]]
    kinds = {value.type.tensor_type.elem_type for value in (graph_input, graph_output)}
    return kinds == {TensorProto.FLOAT} and not any(side.HasField("dim_value") for side in sides)


def made_ready(model: onnx.ModelProto) -> onnx.ModelProto:
    """Return the model with float32 ends (a half-precision net gets casts) and free height and width."""
    ready = onnx.ModelProto()
    ready.CopyFrom(model)
    graph, taken, given = ready.graph, picture_input(ready), ready.graph.output[0]
    ends = [("lr_float32", taken, True), ("sr_float32", given, False)]
    for name, value, is_input in ends:
        half = value.type.tensor_type.elem_type == TensorProto.FLOAT16
        symbols: list[str | int | None] = ["n", 3, "h", "w"] if is_input else ["n", 3, "sh", "sw"]
        free = helper.make_tensor_value_info(name if half else value.name, TensorProto.FLOAT, symbols)
        if half and is_input:
            graph.node.insert(0, helper.make_node("Cast", [name], [value.name], to=TensorProto.FLOAT16))
        elif half:
            graph.node.append(helper.make_node("Cast", [value.name], [name], to=TensorProto.FLOAT))
        value.CopyFrom(free)
    del graph.value_info[:]
    return ready


def _enlarges(model: onnx.ModelProto, scale: int, multiple: int) -> bool:
    """Whether pictures whose sides are odd multiples of `multiple` come back `scale` times as large."""
    high = -(-_PROBE // multiple // 2) * 2 + 1
    height, width = high * multiple, (high + 2) * multiple
    return _result(model, height, width)[1:] == (3, height * scale, width * scale)


def _result(model: onnx.ModelProto, height: int, width: int) -> tuple[int, ...]:
    """Shape of the result for one picture; empty where it can't be inferred."""
    return inferred_shapes(model, height, width).get(model.graph.output[0].name, ())
