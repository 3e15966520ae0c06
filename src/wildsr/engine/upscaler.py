"""Super-resolve pictures: in memory, or from file to file without ever holding the result."""

import math
import time
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path
from typing import TypeAlias, TypeVar

import numpy as np

from wildsr.engine import memory
from wildsr.engine.backends import Backend, Precision, open_backend, resolve_precision
from wildsr.engine.compose import EnsembleBackend, FusedBackend
from wildsr.engine.guards import GuardedBackend
from wildsr.engine.plan import Plan, Shape, halo_of, make_plan
from wildsr.engine.render import Tally
from wildsr.engine.report import Report
from wildsr.engine.rows import IntRows, Work, result_rows
from wildsr.engine.settings import Settings, Size
from wildsr.errors import LimitError, OutOfMemoryError
from wildsr.imaging import (
    FloatArray,
    Frame,
    Limits,
    Picture,
    Source,
    WriteOptions,
    chosen_format,
    open_source,
    write_rows,
)
from wildsr.models import DEFAULT_MODEL, Model, ModelSpec, load_model

Progress: TypeAlias = Callable[[int, int], None]
"""Called with (tiles done, tiles in all)."""
Result = TypeVar("Result")

MAX_MEMORY_PIXELS = 100_000_000
"""Pixels of a result `Upscaler(picture)` holds in memory (12 bytes each); `upscale_file` streams larger ones."""
_LUMA_SAMPLES = 4_000_000


class Upscaler:
    """A model made ready to run; call it with a `Picture`.

    Args:
        model: Name in the catalog, a model file, or the folder of a training run; fetched once where needed.
        settings: Everything that changes the pixels.
        fuse_with: A second model for `settings.fusion`; `model` is y_R, this one y_S.
        offline: True never fetches; None follows the environment.
        tile_pixels: LR pixels a tile may have; by default what `settings.max_memory` allows.

    Raises:
        AssetError: If the weights can't be had.
        ModelError: If the model file can't be used.
        BackendError: If the model can't be compiled.

    Example:
        >>> upscaler = wildsr.Upscaler("realsr-df2k-jpeg")
        >>> wildsr.write(upscaler(wildsr.read("photo.jpg")), "photo_x4.png")
    """

    def __init__(
        self,
        model: str | Path | Model = DEFAULT_MODEL,
        settings: Settings | None = None,
        *,
        fuse_with: str | Path | Model | None = None,
        offline: bool | None = None,
        tile_pixels: int | None = None,
    ) -> None:
        self.settings = settings or Settings()
        self.model = model if isinstance(model, Model) else load_model(model, offline=offline)
        self.precision, self.precision_note = resolve_precision(
            self.settings.precision, self.settings.backend if self.settings.device == "cpu" else "onnxruntime"
        )
        self._guards: list[GuardedBackend] = []
        self._main = self._open(self.model)
        self._fused: FusedBackend | None = None
        self.second: Model | None = None
        if fuse_with is not None:
            self.second = (
                fuse_with if isinstance(fuse_with, Model) else load_model(fuse_with, offline=offline)
            )
            self._fused = FusedBackend(self._main, self._open(self.second), self.settings.fusion)
        widest = self._fused or self._main
        self.tile_pixels = tile_pixels or memory.tile_pixels(self.settings.max_memory, widest.bytes_per_pixel)
        """LR pixels a tile may have; halves for good when memory runs out."""

    @property
    def halo(self) -> int:
        """LR pixels each tile sees beyond its own part."""
        return halo_of(self._needs(), self.settings)

    @property
    def threads(self) -> int:
        """CPU threads the network runs on."""
        return self._main.threads

    @property
    def scale(self) -> int:
        """The model's own enlargement."""
        return self.model.spec.scale

    def __call__(
        self, picture: Picture, size: Size | None = None, *, progress: Progress | None = None
    ) -> Picture:
        """Return the super-resolved picture with profile, metadata and depth of the original.

        Raises:
            LimitError: If the result is too large to hold; use `upscale_file`.
        """
        source = Source.from_picture(replace(picture, depth=16))
        plan = self.plan(source, size)
        if plan.height * plan.width > MAX_MEMORY_PIXELS:
            raise LimitError(
                f"the result would have {plan.width}×{plan.height} pixels; "
                f"{MAX_MEMORY_PIXELS // 1_000_000} MP is the most made in memory",
                hint="use wildsr.upscale_file, which streams from file to file",
            )

        def attempt() -> IntRows:
            plan = self.plan(source, size)
            return np.concatenate(list(self._rows(source, plan, _tally(plan, progress))))

        rgb, alpha = _floats(self._with_less_memory(attempt))
        return picture.with_pixels(rgb, alpha)

    def plan(self, source: Source, size: Size | None = None) -> Plan:
        """Say what super-resolving a picture will take; see `plan_shape`."""
        shape = Shape(source.height, source.width, source.channels, source.depth)
        return self._plan(shape, size, self._backend_for(source))

    def plan_shape(self, shape: Shape, size: Size | None = None) -> Plan:
        """Say what super-resolving a picture of this shape will take.

        Raises:
            UsageError: If the size or the tile can't be used.
            LimitError: If the result is beyond what wildsr makes.
        """
        return self._plan(shape, size, self._fused or self._main)

    def _plan(self, shape: Shape, size: Size | None, backend: Backend) -> Plan:
        return make_plan(
            shape,
            size or Size(),
            self.settings,
            self._needs(),
            bytes_per_pixel=backend.bytes_per_pixel,
            tile_pixels=self.tile_pixels,
        )

    def upscale_file(
        self,
        source_path: str | Path,
        target: str | Path,
        size: Size | None = None,
        *,
        limits: Limits | None = None,
        options: WriteOptions | None = None,
        progress: Progress | None = None,
    ) -> Report:
        """Super-resolve a file into a file; memory follows the plan, not the picture.

        Raises:
            InputError: If the photo can't be read.
            OutputError: If the result can't be written; nothing is left behind.
        """
        start = time.perf_counter()
        return self.upscale_source(
            open_source(source_path, limits=limits),
            target,
            size,
            source_path=Path(source_path),
            options=options,
            progress=progress,
            start=start,
        )

    def upscale_source(
        self,
        source: Source,
        target: str | Path,
        size: Size | None = None,
        *,
        source_path: Path,
        options: WriteOptions | None = None,
        progress: Progress | None = None,
        start: float | None = None,
    ) -> Report:
        """Super-resolve a decoded picture into a file; see `upscale_file`."""
        start = time.perf_counter() if start is None else start
        options = options or WriteOptions()
        if options.model is None:
            options = replace(options, model=self.model.spec.id)
        form = chosen_format(Path(target), options)

        def attempt() -> Report:
            for guard in self._guards:
                guard.redone.clear()
            plan = self.plan(source, size).into(form)
            tally = _tally(plan, progress)
            frame = Frame(
                width=plan.width,
                height=plan.height,
                channels=source.channels,
                depth=source.depth,
                metadata=source.metadata,
            )
            written = write_rows(self._rows(source, plan, tally), frame, target, options=options)
            return Report(
                source=source_path,
                target=Path(target),
                plan=plan,
                seconds=time.perf_counter() - start,
                inference_seconds=tally.inference_seconds,
                bytes=written.bytes,
                drift_before=float(np.mean(tally.drift_before)),
                drift_after=float(np.mean(tally.drift_after)),
                redone=tuple(reason for guard in self._guards for reason in guard.redone),
                fused=self._backend_for(source) is not self._main,
                dropped=written.dropped,
                notes=source.notes,
            )

        return self._with_less_memory(attempt)

    def seconds_per_pixel(self) -> float:
        """Measure the network on a small tile: seconds per LR pixel (an upper bound, larger tiles do better)."""
        tile = np.linspace(0, 1, 3 * 96 * 96, dtype=np.float32).reshape(1, 3, 96, 96)
        backend = self._fused or self._main
        backend.run(tile)
        start = time.perf_counter()
        backend.run(tile)
        return (time.perf_counter() - start) / 96**2

    def _rows(self, source: Source, plan: Plan, tally: Tally) -> Iterator[IntRows]:
        return result_rows(
            Work(
                source=source,
                plan=plan,
                backend=self._backend_for(source),
                settings=self.settings,
                multiple=self._needs().multiple,
                tally=tally,
            )
        )

    def _open(self, model: Model) -> Backend:
        """Compile a model, wrapped in the checks of every tile and, where asked, the self-ensemble."""

        def compiled(precision: Precision) -> Backend:
            return open_backend(
                model,
                backend=self.settings.backend,
                device=self.settings.device,
                precision=precision,
                threads=self.settings.threads,
            )

        guard = GuardedBackend(compiled(self.precision), lambda: compiled("fp32"))
        self._guards.append(guard)
        return EnsembleBackend(guard) if self.settings.ensemble else guard

    def _needs(self) -> ModelSpec:
        """What tiles must respect: of two fused models the stricter in each point."""
        spec = self.model.spec
        if self.second is None:
            return spec
        other = self.second.spec
        order = ("exact", "approximate", "whole")
        return replace(
            spec,
            halo=max(spec.halo, other.halo),
            halo_exact=max(spec.halo_exact, other.halo_exact),
            multiple=math.lcm(spec.multiple, other.multiple),
            tiling=max(spec.tiling, other.tiling, key=order.index),
        )

    def _backend_for(self, source: Source) -> Backend:
        """The backend the luminance rule chooses: decided once per picture, on the LR input, never per tile."""
        if self._fused is None:
            return self._main
        return self._fused if self.settings.fusion.applies(median_luma(source)) else self._main

    def _with_less_memory(self, attempt: Callable[[], Result]) -> Result:
        """Run; when memory runs out, halve the tiles and run again from the start."""
        while True:
            try:
                return attempt()
            except OutOfMemoryError:
                if self.settings.tile or self.tile_pixels <= memory.SMALLEST_TILE:
                    raise
                self.tile_pixels = max(memory.SMALLEST_TILE, self.tile_pixels // 2)


def upscale_file(
    source: str | Path,
    target: str | Path,
    *,
    model: str | Path = DEFAULT_MODEL,
    settings: Settings | None = None,
    size: Size | None = None,
    limits: Limits | None = None,
    options: WriteOptions | None = None,
) -> Report:
    """Super-resolve one file into another; for many files make one `Upscaler` and use its `upscale_file`."""
    return Upscaler(model, settings).upscale_file(source, target, size, limits=limits, options=options)


def median_luma(source: Source) -> float:
    """Median full-range BT.601 luma of a picture, on 0–255."""
    step = max(1, math.isqrt(source.height * source.width // _LUMA_SAMPLES))
    samples = source.samples[::step, ::step].astype(np.float32)
    colour = (
        samples[..., :1] if source.gray else samples[..., :3] @ np.array([0.299, 0.587, 0.114], np.float32)
    )
    return float(np.median(colour)) / (1 if source.samples.dtype == np.uint8 else 257)


def _tally(plan: Plan, progress: Progress | None) -> Tally:
    if progress is None:
        return Tally()
    return Tally(on_tile=lambda done: progress(done, plan.tiles))


def _floats(rows: IntRows) -> tuple[FloatArray, FloatArray | None]:
    """Split integer rows (1 to 4 channels) into float rgb and alpha."""
    pixels = rows.astype(np.float32) / np.float32(np.iinfo(rows.dtype).max)
    channels = pixels.shape[2]
    alpha = np.ascontiguousarray(pixels[..., -1]) if channels in (2, 4) else None
    rgb = pixels[..., :3] if channels >= 3 else np.repeat(pixels[..., :1], 3, axis=2)
    return np.ascontiguousarray(rgb), alpha
