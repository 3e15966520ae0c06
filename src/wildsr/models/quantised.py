"""Quantised forms of models, kept beside the converted ones: what runs in int8, and how it was found to compare."""

import hashlib
import json
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Final

from pydantic import TypeAdapter, ValidationError

from wildsr.assets import cache_dir
from wildsr.assets.files import cache_errors, cache_file
from wildsr.files.digest import sha256_of
from wildsr.files.opening import read_bytes
from wildsr.machine import processor
from wildsr.models.loading import Model

FORMAT: Final = 2
LEAST_AGREEMENT: Final = 38.0
MOST_LPIPS: Final = 0.005
WORST_LPIPS: Final = 0.01
LEAST_SPEED: Final = 1.1
"""The bar for `--precision auto`: decibels of agreement with fp32 and LPIPS from it over all judged crops, LPIPS of one
of them, and how much faster than the best other precision of this machine."""


@dataclass(frozen=True, kw_only=True)
class Record:
    """What was measured when a model was quantised, on photos it was not calibrated on."""

    format: int
    """Version of this record."""

    graph_sha256: str
    """Digest of the graph."""

    weights_sha256: str
    """Digest of its numbers."""

    agreement: float
    """PSNR in dB between int8 and fp32, of all judged crops together."""

    lpips: float | None
    """LPIPS between int8 and fp32, mean of all judged crops; None where its parameters could not be had."""

    worst_lpips: float | None
    """The largest of one crop."""

    speed: float
    """Seconds of the best other precision divided by those of int8."""

    processor: str
    """Where that was measured."""

    kept: tuple[str, ...]
    """Layers left in higher precision."""

    @property
    def close(self) -> bool:
        """Whether its results, as far as measured, are near enough to those of fp32."""
        return (
            self.agreement >= LEAST_AGREEMENT
            and (self.lpips is None or self.lpips <= MOST_LPIPS)
            and (self.worst_lpips is None or self.worst_lpips <= WORST_LPIPS)
        )

    @property
    def passes(self) -> bool:
        """Whether `--precision auto` may take it here."""
        measured = self.lpips is not None and self.processor == processor()
        return self.close and measured and self.speed >= LEAST_SPEED

    def shortcomings(self) -> list[str]:
        """What keeps it below the bar, in words."""
        found = []
        if self.processor != processor():
            found.append(f"it was measured on another processor ({self.processor})")
        if self.agreement < LEAST_AGREEMENT:
            found.append(f"agreement {self.agreement:.1f} dB is below {LEAST_AGREEMENT:g}")
        if self.lpips is None:
            found.append("LPIPS could not be measured")
        elif self.lpips > MOST_LPIPS:
            found.append(f"LPIPS differs by {self.lpips:.4f}, more than {MOST_LPIPS:g}")
        if self.worst_lpips is not None and self.worst_lpips > WORST_LPIPS:
            found.append(f"LPIPS of one crop differs by {self.worst_lpips:.4f}, more than {WORST_LPIPS:g}")
        if self.speed < LEAST_SPEED:
            found.append(f"it is {self.speed:.2f} times as fast, less than {LEAST_SPEED:g}")
        return found


def graph_file(model: Model) -> Path:
    """Where the quantised body of a model lies (OpenVINO's graph; its numbers beside it as `.bin`)."""
    return cache_dir() / "quantised" / f"{hashlib.sha256(model.sha256.encode()).hexdigest()[:24]}.xml"


def quantised(model: Model) -> Record | None:
    """Return what is known of a model's quantised form; None where there is none, or it is damaged."""
    path = graph_file(model)
    try:
        record = TypeAdapter(Record).validate_json(read_bytes(path.with_suffix(".json"), most=1_000_000))
        whole = (record.graph_sha256, record.weights_sha256) == (
            sha256_of(path),
            sha256_of(path.with_suffix(".bin")),
        )
    except (OSError, ValidationError):
        return None
    return record if whole and record.format == FORMAT else None


def keep(model: Model, graph: bytes, weights: bytes, record: Record) -> Path:
    """Store a quantised form; the record is written last, so that a half-written one counts for nothing.

    Raises:
        AssetError: The cache can't be written.
    """
    path = graph_file(model)
    remove(model)
    for target, content in ((path, graph), (path.with_suffix(".bin"), weights)):
        with cache_file(target) as file:
            file.write(content)
    with cache_file(path.with_suffix(".json")) as file:
        file.write(json.dumps(asdict(record), indent=2).encode())
    return path


def remove(model: Model) -> bool:
    """Delete a model's quantised form; return whether there was one.

    Raises:
        AssetError: The cache can't be written.
    """
    path = graph_file(model)
    there = path.with_suffix(".json").exists()
    with cache_errors(path.parent):
        for suffix in (".json", ".xml", ".bin"):
            path.with_suffix(suffix).unlink(missing_ok=True)
    return there
