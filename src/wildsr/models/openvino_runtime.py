"""OpenVINO, imported in this one place: without its telemetry, with bounded caches, never in a forked child."""

import importlib
import os
import sys
from types import ModuleType
from typing import Final

from wildsr.errors import ForkError

KEPT_KERNELS: Final = "32"
"""Compiled kernels OpenVINO and oneDNN each keep for shapes seen. By default they keep 5000 and 1024 and a batch of
pictures of all sizes grows by a third of a MB a picture even with a tiny network; 32 cover the layers of one network
at one size (with none kept, RRDB-23 takes 1.5 s longer at each new size, with 32 nothing)."""
_TELEMETRY: Final = "openvino_telemetry"

_loaded: tuple[ModuleType, int] | None = None


def openvino() -> ModuleType:
    """Return OpenVINO.

    Raises:
        ForkError: In a child that was forked after OpenVINO had started its threads.
    """
    global _loaded  # noqa: PLW0603 -- which process loaded it is a fact of the process
    if _loaded is None:
        # oneDNN has no other switch; it reads this once, when the first kernel of the process is made.
        os.environ.setdefault("ONEDNN_PRIMITIVE_CACHE_CAPACITY", KEPT_KERNELS)
        _loaded = _imported(), os.getpid()
    module, process = _loaded
    if process != os.getpid():
        raise ForkError("OpenVINO")
    return module


def _imported() -> ModuleType:
    """Import OpenVINO while its telemetry package can't be: it then takes the stub it ships for that case.

    The import would else send a usage event with a persistent client id, and write the id into the home folder.
    """
    held = sys.modules.get(_TELEMETRY)
    sys.modules[_TELEMETRY] = None  # type: ignore[assignment]  # how Python marks a module that must not be found
    try:
        return importlib.import_module("openvino")
    finally:
        if held is None:
            del sys.modules[_TELEMETRY]
        else:
            sys.modules[_TELEMETRY] = held
