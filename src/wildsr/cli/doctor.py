"""`wildsr doctor`: what this machine has, and what that means."""

import importlib.metadata
import os
import platform
import shutil
from typing import Annotated

import typer

from wildsr.assets import cache_dir
from wildsr.cli.console import Json, data, data_json, size_text
from wildsr.engine.backends.openvino import has_native_bf16
from wildsr.machine import cores, free_memory, processor
from wildsr.models import CATALOG, is_cached
from wildsr.models.runtimes import onnxruntime
from wildsr.version import __version__


def doctor(json: Annotated[bool, typer.Option("--json", help="Print one JSON object.")] = False) -> None:
    """Show versions, processor, memory, backends and cached models."""
    facts = _facts()
    if json:
        data_json(facts)
        return
    for name, value in facts.items():
        data(
            f"{name.replace('_', ' '):<20} {', '.join(map(str, value)) if isinstance(value, list) else value}"
        )
    if not facts["native_bf16"]:
        data("\nThis CPU has no native bf16: networks run in fp32, about half as fast as on one that has it.")


def _facts() -> dict[str, Json]:
    cache = cache_dir()
    existing = next(folder for folder in (cache, *cache.parents) if os.path.exists(folder))  # noqa: PTH110 -- False for a path too long
    return {
        "wildsr": __version__,
        "python": platform.python_version(),
        "system": platform.platform(),
        "processor": processor(),
        "cores": cores(),
        "native_bf16": has_native_bf16(),
        "memory_available": size_text(free_memory()),
        "openvino": _installed("openvino"),
        "onnxruntime": _installed("onnxruntime") or _installed("onnxruntime-gpu") or "not installed",
        "onnxruntime_devices": list[Json](_providers()),
        "torch": _installed("torch") or "not installed (only training needs it)",
        "libvips": _libvips(),
        "heic": _installed("pi-heif") or "not installed (pip install 'wildsr[heic]')",
        "cache": str(cache),
        "cache_free": size_text(shutil.disk_usage(existing).free),
        "cached_models": [name for name, entry in CATALOG.items() if entry.assets and is_cached(name)],
        "comes_with_wildsr": [name for name, entry in CATALOG.items() if entry.folder and is_cached(name)],
    }


def _installed(package: str) -> str | None:
    try:
        return importlib.metadata.version(package)
    except importlib.metadata.PackageNotFoundError:
        return None


def _providers() -> list[str]:
    runtime = onnxruntime()
    if runtime is None:
        return []
    return [name.removesuffix("ExecutionProvider") for name in runtime.get_available_providers()]


def _libvips() -> str:
    import pyvips

    return ".".join(str(pyvips.version(part)) for part in range(3))
