"""ONNX Runtime: the second backend, for CUDA, DirectML and CoreML (extras `ort`, `gpu`) and for comparison."""

import functools
from typing import Final

from wildsr.engine.backends.protocol import Execution, Precision, Runtime
from wildsr.engine.backends.strips import run_in_strips
from wildsr.errors import BackendError, OutOfMemoryError, UsageError
from wildsr.imaging import FloatArray
from wildsr.machine import cores
from wildsr.models import Model
from wildsr.models.graph import bytes_per_pixel, split_before_upscaling
from wildsr.models.runtimes import onnxruntime

_PROVIDERS: Final = {
    "cpu": "CPUExecutionProvider",
    "cuda": "CUDAExecutionProvider",
    "directml": "DmlExecutionProvider",
    "coreml": "CoreMLExecutionProvider",
}


class ONNXRuntimeBackend:
    """A model run by ONNX Runtime in fp32.

    Args:
        model: Model to run.
        execution: Where to run it, and on how many threads.

    Raises:
        UsageError: If ONNX Runtime, or its provider for the device, isn't installed.
    """

    def __init__(self, model: Model, execution: Execution) -> None:
        ort = onnxruntime()
        if ort is None:
            raise UsageError(
                "the onnxruntime backend isn't installed",
                hint="pip install 'wildsr[ort]' (CPU, CoreML, DirectML) or 'wildsr[gpu]' (CUDA)",
            )
        provider = _PROVIDERS[execution.device]
        if provider not in ort.get_available_providers():
            raise UsageError(
                f"this ONNX Runtime can't use {execution.device}; "
                f"it has {', '.join(ort.get_available_providers())}",
                hint="pip install 'wildsr[gpu]' for CUDA (and remove onnxruntime), or use --device cpu",
            )
        options = ort.SessionOptions()
        options.log_severity_level = 3
        if execution.threads is not None:
            options.intra_op_num_threads = execution.threads
        self.scale = model.spec.scale
        self.precision: Precision = "fp32"
        graph = model.graph()
        split = split_before_upscaling(graph)
        self.bytes_per_pixel = bytes_per_pixel(split.body if split else graph) + 64 * 4 + 8 * 16 * 3 * 4
        self.threads = execution.threads or cores()
        self._halo = split.halo if split else 0
        parts = [split.body, split.tail] if split else [graph]
        try:
            self._sessions = [
                ort.InferenceSession(part.SerializeToString(), options, [provider]) for part in parts
            ]
        except Exception as error:  # ONNX Runtime's errors share no base class of their own
            raise BackendError(f"ONNX Runtime can't load the model {model.spec.id}: {error}") from error

    def run(self, tile: FloatArray) -> FloatArray:
        """Super-resolve a tile; see `Backend.run`."""
        onnxruntime()  # refuses a forked child
        features = self._infer(0, tile)
        if len(self._sessions) == 1:
            return features
        return run_in_strips(features, functools.partial(self._infer, 1), halo=self._halo, scale=self.scale)

    def _infer(self, part: int, tile: FloatArray) -> FloatArray:
        session = self._sessions[part]
        try:
            result: FloatArray = session.run(None, {session.get_inputs()[0].name: tile})[0]
        except Exception as error:  # ONNX Runtime's errors share no base class of their own
            size = f"a tile of {tile.shape[2]}×{tile.shape[3]} LR pixels"
            if "alloc" in str(error).lower():
                raise OutOfMemoryError(f"{size} doesn't fit in memory") from error
            raise BackendError(f"ONNX Runtime failed on {size}: {error}") from error
        return result


ONNX_RUNTIME: Final = Runtime(
    name="onnxruntime", devices=tuple(_PROVIDERS), precisions=lambda: ("fp32",), open=ONNXRuntimeBackend
)
