"""What can run a network, and how one is chosen.

A new backend: a class with the members of `Backend` in a file of its own, and one line in `open_backend`.
"""

from wildsr.engine.backends.protocol import Backend, BackendName, Device, Precision, PrecisionChoice
from wildsr.models import Model

__all__ = [
    "Backend",
    "BackendName",
    "Device",
    "Precision",
    "PrecisionChoice",
    "open_backend",
    "resolve_precision",
]


def resolve_precision(choice: PrecisionChoice, backend: BackendName) -> tuple[Precision, str | None]:
    """Say which precision will run, with a note for the user where it isn't the one asked for."""
    if backend == "onnxruntime":
        note = "ONNX Runtime runs in fp32" if choice == "bf16" else None
        return "fp32", note
    from wildsr.engine.backends.openvino import has_native_bf16

    if choice == "fp32":
        return "fp32", None
    if has_native_bf16():
        return "bf16", None
    note = "this CPU has no native bf16: running in fp32" if choice == "bf16" else None
    return "fp32", note


def open_backend(
    model: Model, *, backend: BackendName, device: Device, precision: Precision, threads: int | None
) -> Backend:
    """Compile a model.

    Raises:
        UsageError: If the backend isn't installed or can't use the device.
        BackendError: If it can't compile the model.
    """
    if backend == "onnxruntime" or device != "cpu":
        from wildsr.engine.backends.onnxruntime import ONNXRuntimeBackend

        return ONNXRuntimeBackend(model, device=device, threads=threads)
    from wildsr.engine.backends.openvino import OpenVINOBackend

    return OpenVINOBackend(model, precision=precision, threads=threads)
