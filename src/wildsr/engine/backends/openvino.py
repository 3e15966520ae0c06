"""OpenVINO: on the CPU bf16 where the processor has it, fp32 elsewhere. The default backend.

Its devices for Intel's GPUs and NPUs are offered too, and have not been tried on any.
"""

import functools
import re
from pathlib import Path
from typing import TYPE_CHECKING, Final

import onnx

from wildsr.engine.backends.protocol import Execution, Precision, Runtime
from wildsr.engine.backends.strips import run_in_strips
from wildsr.errors import BackendError, OutOfMemoryError, UsageError
from wildsr.imaging import FloatArray
from wildsr.machine import cores, processor_flags
from wildsr.models import Model
from wildsr.models.graph import bytes_per_pixel, split_before_upscaling
from wildsr.models.quantised import graph_file
from wildsr.models.runtimes import KEPT_KERNELS, openvino

if TYPE_CHECKING:
    from openvino import CompiledModel, InferRequest

_BF16_FLAGS = frozenset(("avx512_bf16", "amx_bf16"))
_NO_MEMORY = re.compile(r"alloc|out of memory|not enough memory", re.IGNORECASE)
_MOST_STREAMS = 4
_BASE_BYTES_PER_PIXEL = 64 * 4 + 8 * 16 * 3 * 4
"""Features handed from body to tail, and eight SR tiles: the runtime's and its copy, and what the tile before is made
of while it is finished beside the network."""


def has_native_bf16() -> bool:
    """Whether this CPU multiplies bf16 natively (emulated bf16 is slower than fp32)."""
    flags = processor_flags()
    if flags is not None:
        return not _BF16_FLAGS.isdisjoint(flags)
    return "BF16" in openvino().Core().get_property("CPU", "OPTIMIZATION_CAPABILITIES")


def _hint(precision: Precision) -> str:
    """What layers run in that aren't quantised: in an int8 form, those kept higher take bf16 where the CPU has it."""
    return "bf16" if precision == "bf16" or (precision == "int8" and has_native_bf16()) else "f32"


class OpenVINOBackend:
    """A model compiled by OpenVINO for tiles of any size.

    Args:
        model: Model to run.
        execution: Precision and number of threads.
    """

    def __init__(self, model: Model, execution: Execution) -> None:
        self.scale = model.spec.scale
        self.precision: Precision = execution.precision
        graph = model.graph()
        split = split_before_upscaling(graph)
        memory = bytes_per_pixel(split.body if split else graph)
        self.bytes_per_pixel = (memory // 2 if self.precision == "bf16" else memory) + _BASE_BYTES_PER_PIXEL
        config = {
            "PERFORMANCE_HINT": "LATENCY",
            "INFERENCE_PRECISION_HINT": _hint(self.precision),
        }
        device = _device(execution.device)
        if device == "CPU":
            config["CPU_RUNTIME_CACHE_CAPACITY"] = KEPT_KERNELS
        if execution.threads is not None and device == "CPU":
            config |= _streams(execution.threads)
        try:
            body = (
                _compiled_file(graph_file(model), config)
                if self.precision == "int8"
                else _compiled(split.body if split else graph, config, device)
            )
            tail = _compiled(split.tail, config, device) if split else None
        except (
            RuntimeError,
            UnicodeDecodeError,
        ) as error:  # the latter when a damaged name is in its message
            raise BackendError(
                f"OpenVINO can't compile the model {model.spec.id}: {_last_line(error)}"
            ) from error
        self.threads = _threads(body) if device == "CPU" else 1
        self._halo = split.halo if split else 0
        self._body = _Requests(body)
        self._tail = _Requests(tail) if tail is not None else None

    def run(self, tile: FloatArray) -> FloatArray:
        """Super-resolve a tile; see `Backend.run`."""
        openvino()  # refuses a forked child
        features = _infer(self._body, tile)
        if self._tail is None:
            return features
        infer_tail = functools.partial(_infer, self._tail)
        return run_in_strips(features, infer_tail, halo=self._halo, scale=self.scale)


class _Requests:
    """The infer requests of a compiled graph; each is one caller's from taking it to giving it back.

    A request holds its input and output, so two threads must never share one. Those of more callers than the graph has
    streams wait for one another.
    """

    def __init__(self, graph: "CompiledModel") -> None:
        self._graph = graph
        self._idle: list[InferRequest] = []

    def take(self) -> "InferRequest":
        try:
            return self._idle.pop()
        except IndexError:  # asked and answered in one step, as another thread may take the last in between
            return self._graph.create_infer_request()

    def give_back(self, request: "InferRequest") -> None:
        self._idle.append(request)


def _streams(threads: int) -> dict[str, str]:
    """Where a call leaves cores idle, as many calls at once as the cores bear; OpenVINO counts the threads of all."""
    streams = max(1, min(cores() // threads, _MOST_STREAMS))
    return {"NUM_STREAMS": str(streams), "INFERENCE_NUM_THREADS": str(streams * threads)}


def _threads(graph: "CompiledModel") -> int:
    """CPU threads of one call."""
    return int(graph.get_property("INFERENCE_NUM_THREADS")) // max(int(graph.get_property("NUM_STREAMS")), 1)


def _device(name: str) -> str:
    """OpenVINO's name of a device that is there.

    Raises:
        UsageError: It isn't.
    """
    called, there = name.upper(), openvino().Core().available_devices
    if not any(one.partition(".")[0] == called for one in there):
        raise UsageError(
            f"OpenVINO finds no {name} here; it has {', '.join(there).lower()}",
            hint="install the device's driver, or use --device cpu",
        )
    return called


def _compiled(graph: onnx.ModelProto, config: dict[str, str], device: str) -> "CompiledModel":
    core = openvino().Core()
    return core.compile_model(core.read_model(graph.SerializeToString()), device, config)


def _compiled_file(path: Path, config: dict[str, str]) -> "CompiledModel":
    core = openvino().Core()
    return core.compile_model(core.read_model(str(path)), "CPU", config)


def _infer(requests: _Requests, tile: FloatArray) -> FloatArray:
    try:
        request = requests.take()
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
            f"OpenVINO failed on a tile of {tile.shape[2]}×{tile.shape[3]}: {_last_line(error)}"
        ) from error
    requests.give_back(request)  # one that failed is dropped, with whatever it holds
    return result


def _last_line(error: Exception) -> str:
    return str(error).strip().splitlines()[-1] if str(error).strip() else type(error).__name__


def _precisions() -> tuple[Precision, ...]:
    return ("bf16", "fp32") if has_native_bf16() else ("fp32",)


OPENVINO: Final = Runtime(
    name="openvino",
    devices=("cpu", "gpu", "npu"),
    precisions=_precisions,
    open=OpenVINOBackend,
    quantises=True,
)
