"""OpenVINO on the CPU: bf16 where the processor has it, fp32 elsewhere. The default backend."""

import os
import re
from pathlib import Path

import onnx
import openvino as ov

from wildsr.engine.backends.protocol import Precision
from wildsr.engine.backends.strips import run_in_strips
from wildsr.errors import BackendError, OutOfMemoryError
from wildsr.imaging import FloatArray
from wildsr.models import Model
from wildsr.models.graph import bytes_per_pixel, split_before_upscaling

_BF16_FLAGS = re.compile(r"\b(avx512_bf16|amx_bf16)\b")
_NO_MEMORY = re.compile(r"alloc|out of memory|not enough memory", re.IGNORECASE)
_KEPT_KERNELS = "32"
"""Compiled kernels OpenVINO and oneDNN each keep for shapes seen. By default they keep 5000 and 1024 and a batch of
pictures of all sizes grows by a third of a MB a picture even with a tiny network; 32 cover the layers of one network
at one size (with none kept, RRDB-23 takes 1.5 s longer at each new size, with 32 nothing)."""
_BASE_BYTES_PER_PIXEL = 64 * 4 + 8 * 16 * 3 * 4
"""Features handed from body to tail, and the SR tile with its copies while it is checked and blended."""


def has_native_bf16() -> bool:
    """Whether this CPU multiplies bf16 natively (emulated bf16 is slower than fp32)."""
    cpuinfo = Path("/proc/cpuinfo")
    if cpuinfo.is_file():
        return bool(_BF16_FLAGS.search(cpuinfo.read_text(errors="replace")))
    return "BF16" in ov.Core().get_property("CPU", "OPTIMIZATION_CAPABILITIES")


class OpenVINOBackend:
    """A model compiled by OpenVINO for tiles of any size.

    Args:
        model: Model to run.
        precision: `bf16` or `fp32`.
        threads: Threads to use; None leaves the choice to OpenVINO (all cores).
    """

    def __init__(self, model: Model, *, precision: Precision = "fp32", threads: int | None = None) -> None:
        self.scale = model.spec.scale
        self.precision: Precision = precision
        graph = onnx.load(str(model.onnx_path))
        split = split_before_upscaling(graph)
        memory = bytes_per_pixel(split.body if split else graph)
        self.bytes_per_pixel = (memory // 2 if precision == "bf16" else memory) + _BASE_BYTES_PER_PIXEL
        # oneDNN has no other switch; it reads this once, when the first kernel of the process is made.
        os.environ.setdefault("ONEDNN_PRIMITIVE_CACHE_CAPACITY", _KEPT_KERNELS)
        core = ov.Core()
        config = {
            "PERFORMANCE_HINT": "LATENCY",
            "INFERENCE_PRECISION_HINT": _HINTS[precision],
            "CPU_RUNTIME_CACHE_CAPACITY": _KEPT_KERNELS,
        }
        if threads is not None:
            config["INFERENCE_NUM_THREADS"] = str(threads)
        try:
            body = _compile(core, split.body if split else graph, config)
            self._tail = _compile(core, split.tail, config).create_infer_request() if split else None
        except (
            RuntimeError,
            UnicodeDecodeError,
        ) as error:  # the latter when a damaged name is in its message
            raise BackendError(
                f"OpenVINO can't compile the model {model.spec.id}: {_first_line(error)}"
            ) from error
        self._body = body.create_infer_request()
        self.threads = int(body.get_property("INFERENCE_NUM_THREADS"))
        self._halo = split.halo if split else 0

    def run(self, tile: FloatArray) -> FloatArray:
        """Super-resolve a tile; see `Backend.run`."""
        features = _infer(self._body, tile)
        tail = self._tail
        if tail is None:
            return features
        return run_in_strips(features, lambda strip: _infer(tail, strip), halo=self._halo, scale=self.scale)


_HINTS: dict[Precision, str] = {"fp32": "f32", "bf16": "bf16"}


def _compile(core: ov.Core, graph: onnx.ModelProto, config: dict[str, str]) -> ov.CompiledModel:
    network = core.read_model(graph.SerializeToString())
    return core.compile_model(network, "CPU", config)


def _infer(request: ov.InferRequest, tile: FloatArray) -> FloatArray:
    try:
        request.infer({0: tile}, share_inputs=True)
        # Copied: the request keeps its output buffer and writes the next tile into it.
        result: FloatArray = request.get_output_tensor().data.copy()
    except MemoryError as error:
        raise OutOfMemoryError(
            f"a tile of {tile.shape[2]}×{tile.shape[3]} LR pixels doesn't fit in memory"
        ) from error
    except (RuntimeError, UnicodeDecodeError) as error:
        if _NO_MEMORY.search(str(error)):
            raise OutOfMemoryError(
                f"a tile of {tile.shape[2]}×{tile.shape[3]} LR pixels doesn't fit in memory"
            ) from error
        raise BackendError(
            f"OpenVINO failed on a tile of {tile.shape[2]}×{tile.shape[3]}: {_first_line(error)}"
        ) from error
    return result


def _first_line(error: Exception) -> str:
    return str(error).strip().splitlines()[-1] if str(error).strip() else type(error).__name__
