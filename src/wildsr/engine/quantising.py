"""Post-training quantisation to int8 (NNCF), calibrated on real photos and judged against fp32 on others."""

import hashlib
import math
import sys
import tempfile
import time
from collections.abc import Callable, Sequence
from contextlib import redirect_stdout
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Final

import numpy as np
import onnx
from numpy.typing import NDArray

from wildsr.engine.backends import Backend, open_backend, resolve
from wildsr.engine.quantised_blocks import (
    Block,
    blocks_of,
    centred,
    error_of,
    exact_again,
    exact_sums,
    most_harmful,
    sums_of,
)
from wildsr.errors import AssetError, UsageError
from wildsr.files import counted
from wildsr.imaging import FloatArray, open_source
from wildsr.machine import processor
from wildsr.metrics import lpips
from wildsr.models import Model
from wildsr.models.graph import split_before_upscaling
from wildsr.models.quantised import FORMAT, Record, keep, quantised
from wildsr.models.runtimes import nncf, openvino

if TYPE_CHECKING:
    import openvino as ov

SIDE: Final = 128
"""Of the crops that ranges are learnt from, in LR pixels."""

CROPS: Final = 48
_JUDGED: Final = 8
_ROUNDS: Final = 3
_SHARES: Final = (1 / 12, 1 / 6, 1 / 3, 1 / 2)
"""Of the blocks, that are left in higher precision where all in int8 fall below the bar; the most harmful ones."""

_SEARCHED: Final = (3, 64)
"""Calibrating crops, and their side in LR pixels, on which it is found out which blocks those are."""

_BEARABLE: Final = 1.25
"""How much larger the squared error may be with sums in int8: it saves a compact network a fifth of its time at hardly
more error; over the 69 blocks of an ESRGAN it adds up."""

_CENTRED: Final = 6
"""Calibrating crops by which the result is made right on average."""

_OUTLIERS: Final = 2e-4
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
    say(
        f"{model.spec.id}: learning ranges from {counted(len(calibrating), 'crop')} of "
        f"{counted(len(photos), 'photo')}"
    )
    body = _named(body)
    exact_body = openvino().Core().read_model(body.SerializeToString())
    sums = sums_of(body)
    rounded = exact_sums(_quantised(body, calibrating), sums, shared=False)
    count, side = _SEARCHED
    small = [np.ascontiguousarray(crop[..., :side, :side]) for crop in calibrating[:count]]

    def attempt(made: "ov.Model", kept: tuple[str, ...]) -> Record:
        made = centred(made, exact_body, calibrating[:_CENTRED])
        return _attempt(model, made, kept=kept, judged=judged, best=best, exact=exact)

    apart = exact_sums(rounded, sums, shared=True)
    errors = [error_of(made, exact_body, small) for made in (rounded, apart)]
    ways = [(rounded, ()), (apart, sums)] if errors[0] <= _BEARABLE * errors[1] else [(apart, sums)]
    if not sums:
        ways = ways[:1]
    for whole, untouched in ways:
        say("all in int8" if whole is rounded else "all but sums in int8")
        record = _searched(whole, exact_body, blocks_of(body), small, untouched, attempt, say)
        if record.close:
            break
    return record


def _searched(
    whole: "ov.Model",
    exact: "ov.Model",
    blocks: Sequence[Block],
    crops: Sequence[FloatArray],
    untouched: tuple[str, ...],
    attempt: Callable[["ov.Model", tuple[str, ...]], Record],
    say: Say,
) -> Record:
    """Keep more and more blocks exact until the result is close enough."""
    record = attempt(whole, untouched)
    say(_in_words(record))
    ranked: list[Block] = []
    for share in _SHARES:
        if record.close:
            break
        if not ranked:
            say(f"below the bar: finding out which of {len(blocks)} blocks are to blame")
            ranked = most_harmful(whole, exact, blocks, crops)
        chosen = ranked[: math.ceil(share * len(ranked))]
        kept = tuple(name for block in chosen for name in block)
        record = attempt(exact_again(whole, exact, kept), untouched + kept)
        say(f"{len(chosen)} of {len(ranked)} blocks in higher precision: {_in_words(record)}")
    return record


def _in_words(record: Record) -> str:
    far = "not measured"
    if record.lpips is not None and record.worst_lpips is not None:
        far = f"{record.lpips:.4f} (at most {record.worst_lpips:.4f})"
    return f"agreement {record.agreement:.1f} dB, LPIPS {far}, {record.speed:.2f} times as fast"


def _attempt(
    model: Model,
    made: "ov.Model",
    *,
    kept: tuple[str, ...],
    judged: Sequence[FloatArray],
    best: Backend,
    exact: Backend,
) -> Record:
    """Keep one int8 form, and measure it."""
    graph, weights = _files_of(made)
    record = Record(
        format=FORMAT,
        graph_sha256=hashlib.sha256(graph).hexdigest(),
        weights_sha256=hashlib.sha256(weights).hexdigest(),
        agreement=0.0,
        lpips=None,
        worst_lpips=None,
        speed=0.0,
        processor=processor(),
        kept=kept,
    )
    keep(model, graph, weights, record)
    backend = open_backend(model, resolve("openvino", precision="int8", models=(model,)))
    ours, truth = ([np.clip(one.run(crop), 0, 1) for crop in judged] for one in (backend, exact))
    error = float(np.mean([np.mean((a - b) ** 2) for a, b in zip(ours, truth, strict=True)]))
    apart = _lpips(ours, truth)
    measured = replace(
        record,
        agreement=-10 * float(np.log10(max(error, 1e-12))),
        lpips=None if apart is None else float(np.mean(apart)),
        worst_lpips=None if apart is None else max(apart),
        speed=_seconds(best, judged[0]) / _seconds(backend, judged[0]),
    )
    keep(model, graph, weights, measured)
    assert quantised(model) is not None, "what was just written is read"
    return measured


def _files_of(made: "ov.Model") -> tuple[bytes, bytes]:
    """OpenVINO's two files of a graph."""
    with tempfile.TemporaryDirectory() as folder:
        target = Path(folder) / "q.xml"
        openvino().save_model(made, str(target), compress_to_fp16=False)
        return target.read_bytes(), target.with_suffix(".bin").read_bytes()


def _quantised(body: onnx.ModelProto, crops: Sequence[FloatArray]) -> "ov.Model":
    """Quantise all of a graph."""
    tool = nncf()
    ranges = tool.quantization.range_estimator
    low, high = (
        ranges.StatisticsCollectorParameters(
            statistics_type=ranges.StatisticsType.QUANTILE,
            aggregator_type=of_all,
            quantile_outlier_prob=_OUTLIERS,
        )
        for of_all in (ranges.AggregatorType.MIN, ranges.AggregatorType.MAX)
    )
    with redirect_stdout(sys.stderr):  # its progress bars; stdout is data
        return tool.quantize(
            openvino().Core().read_model(body.SerializeToString()),
            tool.Dataset(list(crops)),
            preset=tool.QuantizationPreset.MIXED,
            subset_size=len(crops),
            advanced_parameters=tool.AdvancedQuantizationParameters(
                activations_range_estimator_params=ranges.RangeEstimatorParameters(min=low, max=high)
            ),
        )


def _named(body: onnx.ModelProto) -> onnx.ModelProto:
    """The graph with a name for each operation, by which some can be left in fp32."""
    named = onnx.ModelProto()
    named.CopyFrom(body)
    for node in named.graph.node:
        node.name = node.output[0]
    return named


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


def _lpips(ours: Sequence[FloatArray], truth: Sequence[FloatArray]) -> list[float] | None:
    """LPIPS between results, of each crop; None where its parameters can't be had."""
    try:
        return [float(lpips(_levels(a), _levels(b))) for a, b in zip(ours, truth, strict=True)]
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
