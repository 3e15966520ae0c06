"""ncnn layers that resize, move, cut and join blobs."""

import numpy as np

from wildsr.models.ncnn.builder import NcnnGraph
from wildsr.models.ncnn.param import Layer
from wildsr.models.ncnn.weights import WeightReader

_REST = -233
_END = 2**31 - 1
_PERMUTATIONS = ([0, 1, 2, 3], [0, 1, 3, 2], [0, 2, 1, 3], [0, 2, 3, 1], [0, 3, 1, 2], [0, 3, 2, 1])


def split(layer: Layer, graph: NcnnGraph, weights: WeightReader) -> None:
    """Split: the same blob under several names."""
    for blob in layer.outputs:
        graph.name(layer.inputs[0], blob)


def same(layer: Layer, graph: NcnnGraph, weights: WeightReader) -> None:
    """Layers that do nothing when a network runs."""
    graph.name(layer.inputs[0], layer.outputs[0])


def concat(layer: Layer, graph: NcnnGraph, weights: WeightReader) -> None:
    """Concat along channels, rows or columns."""
    axis = layer.integer(0, 0, low=-3, high=2)
    graph.name(graph.node("Concat", list(layer.inputs), axis=1 + axis % 3), layer.outputs[0])


def cut(layer: Layer, graph: NcnnGraph, weights: WeightReader) -> None:
    """Slice: parts along channels, rows or columns; the last may be what is left, or all of one size."""
    axis = 1 + layer.integer(1, 0, low=-3, high=2) % 3
    sizes = [int(size) for size in layer.lists.get(0, ())]
    if len(sizes) != len(layer.outputs) or layer.lists.get(2):
        raise layer.wrong(f"cuts into {len(sizes)} parts and has {len(layer.outputs)} outputs")
    if all(size == _REST for size in sizes):
        parts = graph.nodes("Split", [layer.inputs[0]], len(sizes), axis=axis)
        for part, blob in zip(parts, layer.outputs, strict=True):
            graph.name(part, blob)
        return
    start = 0
    for index, (size, blob) in enumerate(zip(sizes, layer.outputs, strict=True)):
        if size < 1 and not (size == _REST and index == len(sizes) - 1):
            raise layer.wrong(f"cuts off {size}; only the last part can be what is left")
        stop = _END if size == _REST else start + size
        graph.name(_slice(graph, layer.inputs[0], [start], [stop], [axis]), blob)
        start = stop


def crop(layer: Layer, graph: NcnnGraph, weights: WeightReader) -> None:
    """Crop by offsets from the edges, or by starts and ends along axes; fixed sizes are refused."""
    if len(layer.inputs) > 1:
        raise layer.wrong("takes its size from another blob, which isn't supported")
    starts, ends, axes = (layer.lists.get(key, ()) for key in (9, 10, 11))
    if starts:
        axes = axes or tuple(range(len(starts)))
        if not len(starts) == len(ends) == len(axes) <= 3 or any(not -3 <= axis <= 2 for axis in axes):
            raise layer.wrong(f"has {len(starts)} starts, {len(ends)} ends and {len(axes)} axes")
        stops = [_END if end == _REST else int(end) for end in ends]
        begins = [0 if start == _REST else int(start) for start in starts]
        where = [1 + int(axis) % 3 for axis in axes]
        graph.name(_slice(graph, layer.inputs[0], begins, stops, where), layer.outputs[0])
        return
    begins, stops = [], []
    for first, size, last in ((2, 5, 8), (1, 4, 7), (0, 3, 6)):  # channels, rows, columns
        begins.append(layer.integer(first, 0, high=1 << 16))
        length = layer.integer(size, 0, low=_REST, high=1 << 16)
        behind = layer.integer(last, 0, high=1 << 16)
        if length != _REST and (length < 1 or size != 5):
            raise layer.wrong(
                f"cuts out {length} rows or columns; a fixed size doesn't fit pictures of any size"
            )
        stops.append(begins[-1] + length if length != _REST else -behind if behind else _END)
    graph.name(_slice(graph, layer.inputs[0], begins, stops, [1, 2, 3]), layer.outputs[0])


def interp(layer: Layer, graph: NcnnGraph, weights: WeightReader) -> None:
    """Interp: nearest, bilinear or bicubic (a = −.75, not antialiased) resizing by factors."""
    kind = layer.integer(0, 0, low=1, high=3)
    if layer.number(3, 0) or layer.number(4, 0) or layer.number(5, 0) or len(layer.inputs) > 1:
        raise layer.wrong("resizes to a fixed size; only factors work for pictures of any size")
    high, wide = layer.number(1, 1.0), layer.number(2, 1.0)
    if not (1 / 16 <= high <= 16 and 1 / 16 <= wide <= 16):
        raise layer.wrong(f"resizes by {high:g} and {wide:g}; factors from 1/16 to 16 are allowed")
    inputs = [layer.inputs[0], "", graph.constant(np.array([1, 1, high, wide], np.float32))]
    where = "align_corners" if layer.integer(6, 0, high=1) else "half_pixel"
    if kind == 1:
        result = graph.node(
            "Resize",
            inputs,
            mode="nearest",
            coordinate_transformation_mode="asymmetric",
            nearest_mode="floor",
        )
    elif kind == 2:
        result = graph.node("Resize", inputs, mode="linear", coordinate_transformation_mode=where)
    else:
        result = graph.node(
            "Resize", inputs, mode="cubic", cubic_coeff_a=-0.75, coordinate_transformation_mode=where
        )
    graph.name(result, layer.outputs[0])


def pixel_shuffle(layer: Layer, graph: NcnnGraph, weights: WeightReader) -> None:
    """PixelShuffle."""
    mode = "DCR" if layer.integer(1, 0, high=1) else "CRD"
    factor = layer.integer(0, 1, low=1, high=16)
    graph.name(graph.node("DepthToSpace", [layer.inputs[0]], blocksize=factor, mode=mode), layer.outputs[0])


def reorg(layer: Layer, graph: NcnnGraph, weights: WeightReader) -> None:
    """Reorg: pixel unshuffle, the place within the block slowest (mode 1) or fastest (mode 0)."""
    factor = layer.integer(0, 1, low=1, high=16)
    result = graph.node("SpaceToDepth", [layer.inputs[0]], blocksize=factor)
    if not layer.integer(1, 0, high=1):
        result = _regroup(graph, result, factor * factor)
    graph.name(result, layer.outputs[0])


def shuffle_channel(layer: Layer, graph: NcnnGraph, weights: WeightReader) -> None:
    """ShuffleChannel: channels g·n + i become i·groups + g."""
    groups = layer.integer(0, 1, low=1, high=1 << 10)
    reverse = layer.integer(1, 0, high=1)
    graph.name(_regroup(graph, layer.inputs[0], groups, reverse=bool(reverse)), layer.outputs[0])


def padding(layer: Layer, graph: NcnnGraph, weights: WeightReader) -> None:
    """Padding of rows and columns: constant (also one per channel), repeated or mirrored."""
    top, bottom, left, right = (layer.integer(key, 0, high=1024) for key in range(4))
    if layer.number(7, 0) or layer.number(8, 0):
        raise layer.wrong("pads channels, which isn't supported")
    mode = ("constant", "edge", "reflect")[layer.integer(4, 0, high=2)]
    pads = graph.integers(0, 0, top, left, 0, 0, bottom, right)
    per_channel = layer.integer(6, 0, high=1 << 14)
    x = layer.inputs[0]
    if per_channel and mode == "constant":
        value = graph.constant(weights.plain(layer, per_channel).reshape(1, per_channel, 1, 1))
        framed = graph.node("Pad", [graph.node("Sub", [x, value]), pads, graph.scalar(0.0)])
        result = graph.node("Add", [framed, value])
    elif mode == "constant":
        result = graph.node("Pad", [x, pads, graph.scalar(layer.number(5, 0.0))])
    else:
        result = graph.node("Pad", [x, pads], mode=mode)
    graph.name(result, layer.outputs[0])


def pooling(layer: Layer, graph: NcnnGraph, weights: WeightReader) -> None:
    """Pooling: global, or windows; where windows reach beyond the edge, only what is inside counts."""
    average = layer.integer(0, 0, high=1) == 1
    if layer.integer(4, 0, high=1):
        result = graph.node("GlobalAveragePool" if average else "GlobalMaxPool", [layer.inputs[0]])
        graph.name(graph.mark_vector(result), layer.outputs[0])
        return
    if layer.number(7, 0) or layer.integer(5, 0, high=3) > 1 or layer.number(6, 0):
        raise layer.wrong("is adaptive, pads to the same size, or counts the padding; none is supported")
    kernel, stride = layer.integer(1, 1, low=1, high=255), layer.integer(2, 1, low=1, high=64)
    left = layer.integer(3, 0, high=127)
    top, right = layer.integer(13, left, high=127), layer.integer(14, left, high=127)
    result = graph.node(
        "AveragePool" if average else "MaxPool",
        [layer.inputs[0]],
        kernel_shape=[layer.integer(11, kernel, low=1, high=255), kernel],
        strides=[layer.integer(12, stride, low=1, high=64), stride],
        pads=[top, left, layer.integer(15, top, high=127), right],
        ceil_mode=int(layer.integer(5, 0, high=3) == 0),
    )
    graph.name(result, layer.outputs[0])


def permute(layer: Layer, graph: NcnnGraph, weights: WeightReader) -> None:
    """Permute channels, rows and columns."""
    order = layer.integer(0, 0, high=5)
    if graph.is_vector(layer.inputs[0]):
        raise layer.wrong("turns one number per channel, which isn't supported")
    graph.name(graph.node("Transpose", [layer.inputs[0]], perm=_PERMUTATIONS[order]), layer.outputs[0])


def reshape(layer: Layer, graph: NcnnGraph, weights: WeightReader) -> None:
    """Reshape, Flatten, ExpandDims and Squeeze of one number per channel, where nothing moves."""
    sides = [layer.number(key, _REST) for key in (0, 1, 2)]
    stays = {
        "Reshape": sides[:2] == [1, 1] or sides[1:] == [_REST, _REST],
        "ExpandDims": sides == [1, 1, _REST] or layer.lists.get(3) in ((1, 2), (-2, -1)),
    }
    if not graph.is_vector(layer.inputs[0]) or not stays.get(layer.kind, True):
        raise layer.wrong("gives a blob another shape; a list of one number per channel may become C×1×1")
    graph.name(layer.inputs[0], layer.outputs[0])


def _slice(graph: NcnnGraph, x: str, starts: list[int], ends: list[int], axes: list[int]) -> str:
    return graph.node("Slice", [x, *(graph.integers(*numbers) for numbers in (starts, ends, axes))])


def _regroup(graph: NcnnGraph, x: str, groups: int, *, reverse: bool = False) -> str:
    """Channels in `groups` groups, transposed: g·n + i → i·groups + g."""
    size = graph.node("Shape", [x], start=2)
    first = graph.integers(0, -1, groups) if reverse else graph.integers(0, groups, -1)
    apart = graph.node("Reshape", [x, graph.node("Concat", [first, size], axis=0)])
    turned = graph.node("Transpose", [apart], perm=[0, 2, 1, 3, 4])
    return graph.node("Reshape", [turned, graph.node("Concat", [graph.integers(0, -1), size], axis=0)])
