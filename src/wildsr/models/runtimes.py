"""OpenVINO and ONNX Runtime, imported in this one place: without their telemetry, and never used in a forked child.

Both send usage events with a persistent id when they are merely imported, unless they are kept from it before.
"""

import importlib
import importlib.util
import logging
import os
import sys
from types import ModuleType
from typing import Final

from wildsr.errors import ForkError, UsageError

KEPT_KERNELS: Final = "32"
"""Compiled kernels OpenVINO and oneDNN each keep for shapes seen. By default they keep 5000 and 1024 and a batch of
pictures of all sizes grows by a third of a MB a picture even with a tiny network; 32 cover the layers of one network
at one size (with none kept, RRDB-23 takes 1.5 s longer at each new size, with 32 nothing)."""
_OPENVINO_TELEMETRY: Final = "openvino_telemetry"

_loaded: dict[str, tuple[ModuleType, int]] = {}


def openvino() -> ModuleType:
    """Return OpenVINO.

    Raises:
        ForkError: In a child that was forked after OpenVINO had started its threads.
    """
    if "openvino" not in _loaded:
        # oneDNN has no other switch; it reads this once, when the first kernel of the process is made.
        os.environ.setdefault("ONEDNN_PRIMITIVE_CACHE_CAPACITY", KEPT_KERNELS)
        _loaded["openvino"] = _imported_without(_OPENVINO_TELEMETRY), os.getpid()
    return _in_its_process("openvino", "OpenVINO")


def onnxruntime() -> ModuleType | None:
    """Return ONNX Runtime; None where it isn't installed.

    Raises:
        ForkError: In a child that was forked after ONNX Runtime was loaded.
    """
    if "onnxruntime" not in _loaded:
        if importlib.util.find_spec("onnxruntime") is None:
            return None
        os.environ["ORT_DISABLE_TELEMETRY"] = (
            "1"  # the documented switch; its API comes after the first event
        )
        module = importlib.import_module("onnxruntime")
        module.disable_telemetry_events()  # builds for Windows apps don't look at the variable
        _loaded["onnxruntime"] = module, os.getpid()
    return _in_its_process("onnxruntime", "ONNX Runtime")


def nncf() -> ModuleType:
    """Return NNCF, which quantises networks.

    Raises:
        UsageError: It isn't installed.
        ForkError: As `openvino`.
    """
    openvino()
    if "nncf" not in _loaded:
        if importlib.util.find_spec("nncf") is None:
            raise UsageError(
                "quantising needs the package nncf, which is not installed",
                hint="pip install 'wildsr[quantise]'",
            )
        module = _imported_without(_OPENVINO_TELEMETRY, "nncf")
        module.set_log_level(logging.ERROR)
        _loaded["nncf"] = module, os.getpid()
    return _in_its_process("nncf", "NNCF")


def _in_its_process(name: str, called: str) -> ModuleType:
    module, process = _loaded[name]
    if process != os.getpid():
        raise ForkError(called)
    return module


def _imported_without(telemetry: str, name: str = "openvino") -> ModuleType:
    """Import OpenVINO or NNCF while their telemetry package can't be: they then take the stub they ship for that case.

    The import would else send a usage event with a persistent client id, and write the id into the home folder.
    """
    held = sys.modules.get(telemetry)
    sys.modules[telemetry] = None  # type: ignore[assignment]  # how Python marks a module that must not be found
    try:
        return importlib.import_module(name)
    finally:
        if held is None:
            del sys.modules[telemetry]
        else:
            sys.modules[telemetry] = held
