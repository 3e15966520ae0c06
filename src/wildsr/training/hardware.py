"""What this machine computes with: detected, never assumed."""

import os
from dataclasses import dataclass
from typing import Literal, TypeAlias

import torch

from wildsr.errors import TrainingError, UsageError
from wildsr.machine import processor
from wildsr.training.settings import RunSettings

Precision: TypeAlias = Literal["bf16-mixed", "32-true"]


def cpu_has_bf16() -> bool:
    """Whether the CPU multiplies bf16 natively (AVX-512 BF16 or AMX); elsewhere it is emulated, slower than fp32."""
    checks = (
        getattr(torch.cpu, "_is_avx512_bf16_supported", None),
        getattr(torch.cpu, "_is_amx_tile_supported", None),
    )
    return any(bool(check()) for check in checks if check is not None)


def chosen_device(settings: RunSettings) -> str:
    """`cpu` or `cuda`.

    Raises:
        TrainingError: CUDA was asked for and is not there.
    """
    available = torch.cuda.is_available()
    if settings.device == "cuda" and not available:
        raise TrainingError(
            "device cuda was asked for, and torch sees no GPU",
            hint="use --set run.device=cpu, or install a CUDA build of torch",
        )
    return "cuda" if available and settings.device != "cpu" else "cpu"


def chosen_precision(settings: RunSettings, device: str) -> Precision:
    """`bf16-mixed` or `32-true`, in lightning-fabric's words."""
    if settings.precision != "auto":
        return "bf16-mixed" if settings.precision == "bf16" else "32-true"
    native = torch.cuda.is_bf16_supported(including_emulation=False) if device == "cuda" else cpu_has_bf16()
    return "bf16-mixed" if native else "32-true"


@dataclass(frozen=True, kw_only=True)
class Processes:
    """Those of a training."""

    devices: int
    """On each machine."""

    machines: int
    """How many."""

    started: bool
    """By torchrun, so that none is left to start."""


def chosen_processes(settings: RunSettings) -> Processes:
    """Return the processes that torchrun has started, where it runs the program, else those of the settings.

    Raises:
        UsageError: Settings and torchrun differ, or its machines have different numbers of processes.
    """
    if not torch.distributed.is_available() or not torch.distributed.is_torchelastic_launched():
        return Processes(devices=settings.devices, machines=1, started=False)
    here, world = int(os.environ["LOCAL_WORLD_SIZE"]), int(os.environ["WORLD_SIZE"])
    if settings.devices not in (1, here):
        raise UsageError(
            f"run.devices is {settings.devices}, and torchrun has started {here} processes on this machine",
            hint="leave run.devices out: torchrun says how many",
        )
    if world % here:
        raise UsageError(
            f"torchrun has started {here} processes on this machine, {world} in all; every machine needs as many",
            hint="give all machines the same --nproc-per-node",
        )
    return Processes(devices=here, machines=world // here, started=True)


def is_first_process() -> bool:
    """Whether this process is the one of torchrun's that talks; True without torchrun."""
    return os.environ.get("RANK", "0") == "0" or not torch.distributed.is_torchelastic_launched()


def device_name() -> str:
    """Name of the CPU, or of the GPU where there is one."""
    return torch.cuda.get_device_name() if torch.cuda.is_available() else processor()
