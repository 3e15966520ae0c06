"""Post-training quantisation to int8 (NNCF), calibrated on real photos and judged against fp32 on others."""

import sys
import tempfile
import time
from collections.abc import Callable, Sequence
from contextlib import redirect_stdout
from pathlib import Path
from typing import Final

import numpy as np
import onnx
from numpy.typing import NDArray

from wildsr.engine.backends import Backend, open_backend, resolve
from wildsr.errors import AssetError, UsageError
from wildsr.files import counted
from wildsr.files.digest import sha256_of
from wildsr.imaging import FloatArray, open_source
from wildsr.machine import processor
from wildsr.metrics import lpips
from wildsr.models import Model
from wildsr.models.graph import split_before_upscaling
from wildsr.models.quantised import FORMAT, LEAST_AGREEMENT, MOST_LPIPS, Record, keep, quantised
from wildsr.models.runtimes import nncf, openvino

SIDE: Final = 128
"""Of the crops that ranges are learnt from, in LR pixels."""

CROPS: Final = 48
_JUDGED: Final = 8
_ROUNDS: Final = 3
_ENDS: Final = 2
"""Convolutions at each end left in fp32 where all in int8 fall below the bar: they see and make the picture."""

_OUTLIERS: Final = 1e-4
"""Share of a crop's activations that may lie beyond its range. A layer's range is the widest of all crops; the mean
over crops, NNCF's own, cuts off what is bright in a few: with wild-compact 27 dB instead of 61."""

Say = Callable[[str], None]


def quantise(model: Model, photos: Sequence[Path], *, say: Say) -> Record:
    """Make, judge and keep the int8 form of a model.

    Only what works at LR size is quantised; the few layers after the enlargement of an ESRGAN stay in fp32.

    Args:
        model: The model; of one with two ends, where its dial is.
        photos: Real photos like those it will upscale; the last quarter judges, the others calibrate.
        say: Takes messages.

    Returns:
        What was measured; it is stored with the model.

    Raises:
        UsageError: NNCF is not installed, or no photo is large enough.
        InputError: A photo can't be read.
        AssetError: The cache can't be written.
    """
    crops = _crops(photos)
    judged = crops[-min(_JUDGED, max(1, len(crops) // 4)) :]
    calibrating = crops[: -len(judged)] or crops
    graph = model.graph()
    split = split_before_upscaling(graph)
    body = split.body if split else graph
    best = open_backend(model, resolve("openvino"))
    exact = best if best.precision == "fp32" else open_backend(model, resolve("openvino", precision="fp32"))
    kept: tuple[str, ...] = ()
    while True:
        say(
            f"{model.spec.id}: learning ranges from {counted(len(calibrating), 'crop')} of "
            f"{counted(len(photos), 'photo')}"
        )
        record = _attempt(model, body, calibrating, judged, kept=kept, best=best, exact=exact)
        say(
            f"agreement {record.agreement:.1f} dB, LPIPS "
            f"{'not measured' if record.lpips is None else f'{record.lpips:.4f}'}, {record.speed:.2f} times as fast"
        )
        close = record.agreement >= LEAST_AGREEMENT and (record.lpips is None or record.lpips <= MOST_LPIPS)
        if close or kept:
            return record
        kept = _ends(body)
        say(f"below the bar: once more, with {', '.join(kept)} in fp32")


def _attempt(
    model: Model,
    body: onnx.ModelProto,
    calibrating: Sequence[FloatArray],
    judged: Sequence[FloatArray],
    *,
    kept: tuple[str, ...],
    best: Backend,
    exact: Backend,
) -> Record:
    graph, weights = _quantised(_named(body), calibrating, kept)
    with tempfile.TemporaryDirectory() as folder:
        paths = Path(folder) / "q.xml", Path(folder) / "q.bin"
        for path, content in zip(paths, (graph, weights), strict=True):
            path.write_bytes(content)
        digests = [sha256_of(path) for path in paths]
    record = Record(
        format=FORMAT,
        graph_sha256=digests[0],
        weights_sha256=digests[1],
        agreement=0.0,
        lpips=None,
        speed=0.0,
        processor=processor(),
        kept=kept,
    )
    keep(model, graph, weights, record)
    backend = open_backend(model, resolve("openvino", precision="int8", models=(model,)))
    ours, truth = ([np.clip(one.run(crop), 0, 1) for crop in judged] for one in (backend, exact))
    error = float(np.mean([np.mean((a - b) ** 2) for a, b in zip(ours, truth, strict=True)]))
    measured = Record(
        format=FORMAT,
        graph_sha256=digests[0],
        weights_sha256=digests[1],
        agreement=-10 * float(np.log10(max(error, 1e-12))),
        lpips=_lpips(ours, truth),
        speed=_seconds(best, judged[0]) / _seconds(backend, judged[0]),
        processor=processor(),
        kept=kept,
    )
    keep(model, graph, weights, measured)
    assert quantised(model) is not None, "what was just written is read"
    return measured


def _quantised(
    body: onnx.ModelProto, crops: Sequence[FloatArray], kept: tuple[str, ...]
) -> tuple[bytes, bytes]:
    """Quantise a graph; return OpenVINO's files of it."""
    tool, runtime = nncf(), openvino()
    ranges = tool.quantization.range_estimator
    low, high = (
        ranges.StatisticsCollectorParameters(
            statistics_type=ranges.StatisticsType.QUANTILE,
            aggregator_type=of_all,
            quantile_outlier_prob=_OUTLIERS,
        )
        for of_all in (ranges.AggregatorType.MIN, ranges.AggregatorType.MAX)
    )
    core = runtime.Core()
    with redirect_stdout(sys.stderr):  # its progress bars; stdout is data
        made = tool.quantize(
            core.read_model(body.SerializeToString()),
            tool.Dataset(list(crops)),
            preset=tool.QuantizationPreset.MIXED,
            subset_size=len(crops),
            ignored_scope=tool.IgnoredScope(names=[*_sums(body), *kept], validate=False),
            advanced_parameters=tool.AdvancedQuantizationParameters(
                activations_range_estimator_params=ranges.RangeEstimatorParameters(min=low, max=high)
            ),
        )
    with tempfile.TemporaryDirectory() as folder:
        target = Path(folder) / "q.xml"
        runtime.save_model(made, str(target), compress_to_fp16=False)
        return target.read_bytes(), target.with_suffix(".bin").read_bytes()


def _named(body: onnx.ModelProto) -> onnx.ModelProto:
    """The graph with a name for each operation, by which some can be left in fp32."""
    named = onnx.ModelProto()
    named.CopyFrom(body)
    for node in named.graph.node:
        node.name = node.output[0]
    return named


def _sums(body: onnx.ModelProto) -> tuple[str, ...]:
    """What adds to a residual network's trunk, left in fp32: rounded after each block, its errors add up."""
    return tuple(node.output[0] for node in body.graph.node if node.op_type in ("Add", "Mul"))


def _ends(body: onnx.ModelProto) -> tuple[str, ...]:
    # OpenVINO parts a convolution from its bias, and gives the rest of the name to the sum of both
    convolutions = [f"{node.output[0]}/WithoutBiases" for node in body.graph.node if node.op_type == "Conv"]
    return tuple(dict.fromkeys((*convolutions[:_ENDS], *convolutions[-_ENDS:])))


def _crops(photos: Sequence[Path]) -> list[FloatArray]:
    """Crops from the middle outwards, in turn from each photo, as 1×3×h×w."""
    sources = [open_source(path) for path in photos]
    large = [source for source in sources if min(source.height, source.width) >= SIDE // 2]
    if not large:
        raise UsageError(
            f"none of the {counted(len(photos), 'photo')} has {SIDE // 2} pixels a side",
            hint="name a folder of ordinary photos, like those you want to upscale",
        )
    each = max(1, CROPS // len(large))
    crops = []
    for source in large[:CROPS]:
        height, width = min(SIDE, source.height), min(SIDE, source.width)
        for number in range(each):
            share = (number + 0.5) / each
            top, left = round(share * (source.height - height)), round((1 - share) * (source.width - width))
            rgb = source.rgb(top, top + height, left, left + width)
            crops.append(np.ascontiguousarray(rgb.transpose(2, 0, 1)[None]))
    return crops


def _lpips(ours: Sequence[FloatArray], truth: Sequence[FloatArray]) -> float | None:
    """Largest LPIPS between results; None where its parameters can't be had."""
    try:
        return max(float(lpips(_levels(a), _levels(b))) for a, b in zip(ours, truth, strict=True))
    except AssetError:
        return None


def _levels(picture: FloatArray) -> NDArray[np.uint8]:
    levels: NDArray[np.uint8] = np.rint(picture[0].transpose(1, 2, 0) * 255).astype(np.uint8)
    return levels


def _seconds(backend: Backend, tile: FloatArray) -> float:
    times = []
    for _ in range(_ROUNDS):
        start = time.perf_counter()
        backend.run(tile)
        times.append(time.perf_counter() - start)
    return min(times)
