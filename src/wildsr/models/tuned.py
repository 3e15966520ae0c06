"""What `wildsr bench --tune` found to be fastest for a kind of network on this machine."""

import hashlib
import importlib.metadata
import json
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Final

from pydantic import TypeAdapter, ValidationError

from wildsr.assets import cache_dir
from wildsr.assets.files import cache_file
from wildsr.files.opening import read_bytes
from wildsr.machine import cores, processor
from wildsr.models.loading import Model

_FORMAT: Final = 1
_RUNTIMES: Final = ("openvino", "onnxruntime", "onnxruntime-gpu")


@dataclass(frozen=True, kw_only=True)
class Tuned:
    """The fastest way to run a kind of network, and where that holds."""

    backend: str
    """Runtime."""

    precision: str
    """Precision."""

    threads: int
    """CPU threads."""

    tile_pixels: int
    """LR pixels of a tile beyond which nothing is gained, its overlap counted."""

    seconds_per_megapixel: float
    """Of the photo, overlap counted."""

    machine: str
    """Processor, cores and versions of the runtimes; elsewhere it doesn't count."""

    format: int = _FORMAT
    """Version of this record."""


def this_machine() -> str:
    """Return what decides whether a measurement still holds."""
    versions = []
    for package in _RUNTIMES:
        try:
            versions.append(f"{package} {importlib.metadata.version(package)}")
        except importlib.metadata.PackageNotFoundError:
            continue
    return "; ".join([processor(), f"{cores()} cores", *versions])


def tuning_file(model: Model) -> Path:
    """Where the record lies: one for all models of the same network, as weights don't change speed."""
    spec = model.spec
    kind: list[object] = [spec.architecture, sorted(spec.arguments.items()), spec.scale, spec.halo]
    if spec.architecture == "graph":
        kind.append(model.sha256)
    digest = hashlib.sha256(json.dumps(kind).encode()).hexdigest()
    return cache_dir() / "tuning" / f"{digest[:24]}.json"


def tuned(model: Model) -> Tuned | None:
    """Return what was found for this kind of network on this machine; None where nothing was, or it no longer holds."""
    try:
        record = TypeAdapter(Tuned).validate_json(read_bytes(tuning_file(model), most=1_000_000), strict=True)
    except (OSError, ValidationError):
        return None
    sane = record.format == _FORMAT and record.threads >= 1 and record.tile_pixels >= 1
    return record if sane and record.machine == this_machine() else None


def tuned_tile(model: Model, backend: str) -> int | None:
    """Return the tile that was found for this backend, in LR pixels; None where nothing was."""
    found = tuned(model)
    return found.tile_pixels if found is not None and found.backend == backend else None


def remember(model: Model, record: Tuned) -> Path:
    """Store what was found.

    Raises:
        AssetError: The cache can't be written.
    """
    path = tuning_file(model)
    with cache_file(path) as file:
        file.write(json.dumps(asdict(record), indent=2).encode())
    return path
