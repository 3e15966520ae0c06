"""What can run a network, and how one is chosen.

A new backend: a file with a class that has the members of `Backend` and its `Runtime`, and a line in `RUNTIMES`.
"""

from collections.abc import Sequence
from dataclasses import replace
from typing import Final, get_args

from wildsr.engine.backends.onnxruntime import ONNX_RUNTIME
from wildsr.engine.backends.openvino import OPENVINO
from wildsr.engine.backends.protocol import Backend, Execution, Precision, PrecisionChoice, Runtime
from wildsr.errors import UsageError
from wildsr.models import Model
from wildsr.models.quantised import quantised
from wildsr.models.tuned import tuned

__all__ = [
    "BACKENDS",
    "DEVICES",
    "PRECISIONS",
    "RUNTIMES",
    "Backend",
    "Execution",
    "Precision",
    "PrecisionChoice",
    "Runtime",
    "open_backend",
    "resolve",
]

RUNTIMES: Final[dict[str, Runtime]] = {
    one.name: one
    for one in (
        OPENVINO,
        ONNX_RUNTIME,
    )
}
"""The first that can use a device is what `auto` takes."""

BACKENDS: Final = ("auto", *RUNTIMES)
DEVICES: Final = tuple(dict.fromkeys(device for one in RUNTIMES.values() for device in one.devices))
PRECISIONS: Final[tuple[PrecisionChoice, ...]] = get_args(PrecisionChoice)


def resolve(
    backend: str = "auto",
    *,
    device: str = "cpu",
    precision: PrecisionChoice = "auto",
    threads: int | None = None,
    models: Sequence[Model] = (),
) -> Execution:
    """Say what will run.

    Args:
        backend: A name in `RUNTIMES`, or `auto`.
        device: One of `DEVICES`.
        precision: `auto` takes int8 where every model has an int8 form that passes the bar on this machine, else the
            best this machine is fast in; what it is not fast in runs as fp32. Where backend and precision are both
            `auto`, what `wildsr bench --tune` found for a single model comes before that.
        threads: CPU threads; None uses all cores.
        models: What will run.

    Raises:
        UsageError: If the backend can't use the device, or int8 is asked for and a model has no int8 form.
    """
    able = [one for one in RUNTIMES.values() if device in one.devices and backend in ("auto", one.name)]
    if not able:
        allowed = [one.name for one in RUNTIMES.values() if device in one.devices]
        raise UsageError(
            f"the {backend} backend can't use {device}; {' and '.join(allowed)} can",
            hint=f"choose --backend {allowed[0]}, or --device {RUNTIMES[backend].devices[0]}",
        )
    runtime = able[0]
    if precision == "int8" or (precision == "auto" and device == "cpu" and runtime.quantises):
        whole = _in_int8(models, asked=precision == "int8", backend=backend)
        if whole is not None:
            return Execution(backend=whole, device=device, precision="int8", threads=threads)
    fast = runtime.precisions() if device == "cpu" else ("fp32",)
    if (found := _as_tuned(backend, device, precision, models)) is not None:
        return replace(found, threads=threads or found.threads)
    chosen: Precision = fast[0] if precision == "auto" else precision if precision in fast else "fp32"
    lost = precision not in ("auto", chosen)
    note = f"{runtime.name} has no fast {precision} on this machine: running in {chosen}" if lost else None
    return Execution(backend=runtime.name, device=device, precision=chosen, threads=threads, note=note)


def _in_int8(models: Sequence[Model], *, asked: bool, backend: str) -> str | None:
    """Return the runtime that runs these models in int8; None where they should not.

    Raises:
        UsageError: It was asked for, and can't be.
    """
    records = {model.spec.id: quantised(model) for model in models}
    if not asked:
        passing = [record for record in records.values() if record is not None and record.passes]
        return OPENVINO.name if records and len(passing) == len(records) else None
    if backend not in ("auto", OPENVINO.name):
        raise UsageError(f"the {backend} backend doesn't run int8", hint=f"choose --backend {OPENVINO.name}")
    lacking = [name for name, record in records.items() if record is None]
    if lacking:
        raise UsageError(
            f"{' and '.join(lacking)} has no int8 form on this machine",
            hint=f"make one from your photos: wildsr models quantise {lacking[0]} PHOTOS",
        )
    return OPENVINO.name


def _as_tuned(
    backend: str, device: str, precision: PrecisionChoice, models: Sequence[Model]
) -> Execution | None:
    """What `wildsr bench --tune` found for a single model, where all is left to `auto`."""
    if (backend, device, precision) != ("auto", "cpu", "auto") or len(models) != 1:
        return None
    found = tuned(models[0])
    runtime = None if found is None else RUNTIMES.get(found.backend)
    if found is None or runtime is None or found.precision not in runtime.precisions():
        return None
    kind: Precision = next(one for one in runtime.precisions() if one == found.precision)
    return Execution(backend=found.backend, device=device, precision=kind, threads=found.threads)


def open_backend(model: Model, execution: Execution) -> Backend:
    """Compile a model.

    Raises:
        UsageError: If the backend isn't installed or has no driver for the device.
        BackendError: If it can't compile the model.
    """
    return RUNTIMES[execution.backend].open(model, execution)
