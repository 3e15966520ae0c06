"""Refuse hostile or unusable ONNX graphs by reading them; nothing they describe is allocated."""

import math
from collections.abc import Iterator
from pathlib import Path

import onnx
from onnx import TensorProto, helper, shape_inference

from wildsr.errors import ModelError
from wildsr.files import shown
from wildsr.files.opening import read_bytes
from wildsr.models.spec import printable

MAX_BYTES = 1_000_000_000
MAX_NODES = 5_000
"""RRDB-23 has 1,200 and RCAN 2,400; a compiler takes minutes for ten thousand, and more than in proportion."""
MAX_ELEMENTS_PER_PIXEL = 1 << 16
"""Numbers in one tensor per LR pixel; RRDB has 1,024, the widest nets people use some 10,000."""

MAX_WINDOW = 4096
"""Largest kernel, stride, dilation and padding: larger ones only burn time."""

_WINDOWS = {"kernel_shape", "strides", "dilations", "pads", "output_padding"}
_OLDEST_OPSET = 7
_DOMAINS = {"", "ai.onnx"}
_CONTROL = {"If", "Loop", "Scan", "SequenceMap"}
_RANDOM = {"Bernoulli", "Multinomial", "RandomNormal", "RandomNormalLike", "RandomUniform"}
_RANDOM |= {"RandomUniformLike"}
_MAKERS = {"ConstantOfShape", "Expand", "Tile", "Range", "Pad", "Resize", "Upsample", "OneHot", "EyeLike"}
"""Operations whose output can be as large as they like: its shape must be known beforehand."""

_SMALL = 64  # constants up to this size can decide shapes (scales, axes); larger ones are weights
_BITS: dict[int, int] = {
    TensorProto.FLOAT16: 16,
    TensorProto.BFLOAT16: 16,
    TensorProto.BOOL: 8,
    TensorProto.INT8: 8,
}
_BITS |= {TensorProto.UINT8: 8, TensorProto.INT16: 16, TensorProto.UINT16: 16, TensorProto.DOUBLE: 64}
_BITS |= {TensorProto.FLOAT: 32, TensorProto.INT32: 32, TensorProto.UINT32: 32}
_BITS |= {TensorProto.INT64: 64, TensorProto.UINT64: 64}

Shape = tuple[int, ...]


def parse(path: Path) -> onnx.ModelProto:
    """Parse an ONNX file and check its structure; see `check_structure`.

    Raises:
        ModelError: Unreadable, too large, no ONNX file, or refused.
    """
    try:
        model = onnx.load_model_from_string(read_bytes(path, most=MAX_BYTES))
    except OSError as error:
        raise ModelError(f"{shown(path)} can't be read: {error.strerror}") from error
    except Exception as error:  # protobuf's errors
        raise ModelError(f"{shown(path)} is no ONNX file", hint="it may be cut short or damaged") from error
    try:
        check_structure(model)
    except ModelError as error:
        raise ModelError(f"{shown(path)}: {error}", hint=error.hint) from error
    return model


def check_structure(model: onnx.ModelProto) -> None:
    """Refuse what a super-resolution network has no business with.

    That is: weights in other files, foreign operators, functions, control flow, chance (two runs must agree),
    tensors that claim another size than they have, and absurd numbers of nodes.

    Raises:
        ModelError: With what was found.
    """
    graph = model.graph
    if not 1 <= len(graph.node) <= MAX_NODES:
        raise ModelError(f"the graph has {len(graph.node)} operations; from 1 to {MAX_NODES} are allowed")
    if model.functions:
        raise ModelError("the graph defines functions of its own", hint="inline them (onnx.inliner)")
    if not all(isinstance(text, str) for text in _texts(model)):  # protobuf gives bytes for what is no UTF-8
        raise ModelError("the graph has names that are no text", hint="the file may be damaged")
    if graph.sparse_initializer:
        raise ModelError("the graph has sparse weights, which aren't supported")
    for node in graph.node:
        if node.domain not in _DOMAINS:
            raise ModelError(f"the graph uses a foreign operator, {node.domain}.{node.op_type}"[:200])
        if not node.op_type.isidentifier():
            raise ModelError(f"the graph uses an operator called {node.op_type[:60]!a}")
        if node.op_type in _CONTROL:
            raise ModelError(f"the graph has control flow ({node.op_type}), which isn't supported")
        if node.op_type in _RANDOM:
            raise ModelError(f"the graph is random ({node.op_type}); two runs must agree")
    for tensor in _tensors(graph):
        _check_tensor(tensor)
    _check_opset(model)
    _check_order(graph)


def _texts(model: onnx.ModelProto) -> Iterator[object]:
    """Yield every name in a model, and what it says about itself."""
    graph = model.graph
    yield from (graph.name, *(one.domain for one in model.opset_import))
    for entry in model.metadata_props:
        yield from (entry.key, entry.value)
    for node in graph.node:
        yield from (node.name, node.op_type, node.domain, *node.input, *node.output)
        yield from (attribute.name for attribute in node.attribute)
    yield from (value.name for value in (*graph.input, *graph.output, *graph.value_info))
    yield from (tensor.name for tensor in _tensors(graph))


def inferred_shapes(model: onnx.ModelProto, height: int, width: int) -> dict[str, Shape]:
    """Shape of each tensor for one LR picture, by inference only; weights take part by their shape alone.

    Tensors whose shape can't be inferred are left out.

    Raises:
        ModelError: Shapes that don't fit together, or tensors too large for a picture of this size.
    """
    graph = model.graph
    picture = helper.make_tensor_value_info(
        picture_input(model).name, picture_input(model).type.tensor_type.elem_type, (1, 3, height, width)
    )
    small = [tensor for tensor in graph.initializer if math.prod(tensor.dims) <= _SMALL]
    large = [
        helper.make_tensor_value_info(tensor.name, tensor.data_type, tuple(tensor.dims))
        for tensor in graph.initializer
        if math.prod(tensor.dims) > _SMALL
    ]
    outputs = [
        helper.make_tensor_value_info(value.name, value.type.tensor_type.elem_type, None)
        for value in graph.output
    ]
    probe = helper.make_model(
        helper.make_graph(list(graph.node), "probe", [picture, *large], outputs, small),
        opset_imports=list(model.opset_import),
        ir_version=model.ir_version,
    )
    try:
        inferred = shape_inference.infer_shapes(probe, strict_mode=True, data_prop=True).graph
    except Exception as error:  # the checker's errors share no base class
        told = str(error).strip().splitlines() or [type(error).__name__]
        raise ModelError(f"the network's shapes don't fit together: {printable(told[0][:200])}") from error
    shapes: dict[str, Shape] = {}
    for value in [*inferred.value_info, *inferred.output]:
        sides = value.type.tensor_type.shape.dim
        if value.type.tensor_type.HasField("shape") and all(side.HasField("dim_value") for side in sides):
            shapes[value.name] = tuple(side.dim_value for side in sides)
    _check_sizes(model, shapes, height * width)
    _check_channels(model, {**shapes, picture.name: (1, 3, height, width)})
    return shapes


def picture_input(model: onnx.ModelProto) -> onnx.ValueInfoProto:
    """Return the input that takes the picture.

    Raises:
        ModelError: Not one input and one output of floats.
    """
    constants = {tensor.name for tensor in model.graph.initializer}
    inputs = [value for value in model.graph.input if value.name not in constants]
    if len(inputs) != 1 or len(model.graph.output) != 1:
        raise ModelError(
            f"the network has {len(inputs)} inputs and {len(model.graph.output)} outputs; one of each is needed"
        )
    for value in (inputs[0], model.graph.output[0]):
        kind = value.type.tensor_type.elem_type
        if kind not in (TensorProto.FLOAT, TensorProto.FLOAT16):
            named = TensorProto.DataType.Name(kind) if kind in TensorProto.DataType.values() else "unknown"
            raise ModelError(f"the network takes or gives {named.lower()}; floats are needed")
    picture: onnx.ValueInfoProto = inputs[0]
    sides = picture.type.tensor_type.shape.dim
    fixed = [side.dim_value if side.HasField("dim_value") else None for side in sides]
    if len(sides) not in (0, 4) or (
        fixed[:1] not in ([], [None], [1]) or fixed[1:2] not in ([], [None], [3])
    ):
        shown = "×".join("?" if side is None else str(side) for side in fixed)
        raise ModelError(f"the network takes {shown}; one picture of three channels, 1×3×h×w, is needed")
    return picture


def _check_sizes(model: onnx.ModelProto, shapes: dict[str, Shape], pixels: int) -> None:
    for node in model.graph.node:
        for name in node.output:
            if name not in shapes:
                if name and node.op_type in _MAKERS:
                    raise ModelError(f"what {node.op_type} makes has a size that can't be known beforehand")
            elif math.prod(shapes[name]) > MAX_ELEMENTS_PER_PIXEL * pixels:
                raise ModelError(
                    f"{node.op_type} makes a tensor of {'×'.join(map(str, shapes[name]))} for a picture of "
                    f"{pixels} pixels; at most {MAX_ELEMENTS_PER_PIXEL} numbers a pixel are allowed"
                )


def _check_channels(model: onnx.ModelProto, shapes: dict[str, Shape]) -> None:
    """Refuse convolutions of other channels than they get; shape inference lets them pass."""
    weights = {tensor.name: tuple(tensor.dims) for tensor in model.graph.initializer}
    for node in model.graph.node:
        if node.op_type != "Conv" or len(node.input) < 2:
            continue
        given, kernel = shapes.get(node.input[0], ()), weights.get(node.input[1], ())
        groups = next((attribute.i for attribute in node.attribute if attribute.name == "group"), 1)
        if len(given) == len(kernel) == 4 and given[1] != kernel[1] * groups:
            raise ModelError(
                f"the network's shapes don't fit together: a convolution of {kernel[1] * groups} channels "
                f"gets {given[1]}"
            )


def _check_opset(model: onnx.ModelProto) -> None:
    versions = [entry.version for entry in model.opset_import if entry.domain in _DOMAINS]
    newest = onnx.defs.onnx_opset_version()
    if len(versions) != 1 or not _OLDEST_OPSET <= versions[0] <= newest:
        raise ModelError(
            f"the graph is written in opset {', '.join(map(str, versions)) or 'none'}; "
            f"from {_OLDEST_OPSET} to {newest} are read",
            hint="export it again with opset 17",
        )


def _check_order(graph: onnx.GraphProto) -> None:
    """Refuse names made twice and nodes that use what no node before them makes (so also cycles)."""
    weights = [tensor.name for tensor in graph.initializer]
    made = {"", *weights, *(value.name for value in graph.input)}
    if len(set(weights)) < len(weights):
        raise ModelError("the graph has two weights of one name")
    for node in graph.node:
        missing = next((name for name in node.input if name not in made), None)
        if missing is not None:
            raise ModelError(f"{node.op_type} uses {missing[:60]!a}, which no operation before it makes")
        for name in node.output:
            if name and name in made:
                raise ModelError(f"{node.op_type} makes {name[:60]!a} a second time")
            made.add(name)
        for attribute in node.attribute:
            if attribute.name in _WINDOWS and any(abs(side) > MAX_WINDOW for side in attribute.ints):
                raise ModelError(
                    f"{node.op_type} has {attribute.name} of {list(attribute.ints)[:8]}; "
                    f"at most {MAX_WINDOW} is allowed"
                )
    for value in graph.output:
        if value.name not in made:
            raise ModelError(f"nothing makes the result {value.name[:60]!a}")


def _tensors(graph: onnx.GraphProto) -> Iterator[TensorProto]:
    yield from graph.initializer
    for node in graph.node:
        for attribute in node.attribute:
            if attribute.HasField("t"):
                yield attribute.t
            yield from attribute.tensors
            if attribute.HasField("g") or attribute.graphs:
                raise ModelError(f"{node.op_type} holds a graph of its own, which isn't supported")
            if attribute.HasField("sparse_tensor") or attribute.sparse_tensors:
                raise ModelError("the graph has sparse weights, which aren't supported")


def _check_tensor(tensor: TensorProto) -> None:
    """Refuse a tensor whose numbers are elsewhere, or fewer or more than it says."""
    name = ascii(tensor.name[:60])
    if tensor.data_location == TensorProto.EXTERNAL or tensor.external_data:
        raise ModelError(f"the weights {name} are in another file", hint="save it as one file (onnx.save)")
    if any(side < 0 for side in tensor.dims) or len(tensor.dims) > 8:
        raise ModelError(f"the weights {name} have impossible dimensions")
    bits = _BITS.get(tensor.data_type)
    if bits is None:
        raise ModelError(f"the weights {name} are of type {tensor.data_type}, which isn't supported")
    count = math.prod(tensor.dims)
    if tensor.HasField("raw_data"):
        held = len(tensor.raw_data) * 8 // bits
    else:
        held = max(
            len(field)
            for field in (
                tensor.float_data,
                tensor.int32_data,
                tensor.int64_data,
                tensor.double_data,
                tensor.uint64_data,
            )
        )
    if held != count:
        raise ModelError(f"the weights {name} claim {count} numbers and hold {held}")
