"""Super-resolve pictures: in memory, or from file to file without ever holding the result."""

import copy
import time
from collections.abc import Callable
from contextlib import closing
from dataclasses import replace
from pathlib import Path
from typing import TypeAlias

import numpy as np

from wildsr.engine import memory
from wildsr.engine.backends import Precision
from wildsr.engine.colour_fix import draws_back
from wildsr.engine.network import Chosen, PictureNetwork, Working, open_network
from wildsr.engine.plan import Plan, Shape, halo_of, make_plan
from wildsr.engine.render import Tally
from wildsr.engine.report import Report
from wildsr.engine.rows import Work, float_rows, frame_of, integer_rows, split_planes
from wildsr.engine.settings import Settings, Size
from wildsr.errors import LimitError, OutOfMemoryError, UsageError
from wildsr.imaging import (
    Format,
    Limits,
    Picture,
    Source,
    WriteOptions,
    chosen_format,
    open_source,
    write_rows,
)
from wildsr.models import COMPACT_MODEL, FusionRule, Model, load_model
from wildsr.models.tuned import tuned_tile

Progress: TypeAlias = Callable[[int, int], None]
"""Called with (tiles done, tiles in all)."""

MAX_MEMORY_PIXELS = 100_000_000
"""Pixels of a result `Upscaler(picture)` holds in memory (12 bytes each); `upscale_file` streams larger ones."""


class Upscaler:
    """A model made ready to run; call it with a `Picture`. Threads may share one.

    Args:
        model: Name in the catalog, a model file, or the folder of a training run; fetched once where needed. None
            takes wild-compact, which comes with wildsr.
        settings: Everything that changes the pixels.
        fuse_with: A second model for `settings.fusion`; `model` is y_R, this one y_S. A fused model has its own.
        offline: True never fetches; None follows the environment.
        tile_pixels: LR pixels a tile may have; by default what `settings.max_memory` allows.
        network: What runs instead of the model's graph: a method that makes a network for each picture.

    Raises:
        AssetError: If the weights can't be had.
        ModelError: If the model file can't be used.
        BackendError: If the model can't be compiled.

    Examples:
        >>> upscaler = wildsr.Upscaler("realsr-df2k-jpeg")
        >>> picture = wildsr.read("photo.jpg")
        >>> enlarged = upscaler(picture)
        >>> enlarged.width == 4 * picture.width
        True
    """

    def __init__(
        self,
        model: str | Path | Model | None = None,
        settings: Settings | None = None,
        *,
        fuse_with: str | Path | Model | None = None,
        offline: bool | None = None,
        tile_pixels: int | None = None,
        network: PictureNetwork | None = None,
    ) -> None:
        self.settings = settings or Settings()
        loaded = _loaded(model or COMPACT_MODEL, offline)
        dial = self.settings.sharpness
        self.model = loaded if dial is None else loaded.at(dial)
        if fuse_with is not None and self.model.second is not None:
            raise UsageError(
                f"{self.model.spec.id} is two models fused already; a third can't be fused with them",
                hint="leave out --fuse-with, or name two single models",
            )
        self.second = self.model.second
        """The model `model` is fused with."""
        if fuse_with is not None:
            self.second = _loaded(fuse_with, offline)
        specs = [one.spec for one in (self.model, self.second) if one is not None]
        self.settings = replace(self.settings, color_fix=draws_back(self.settings.color_fix, *specs))
        self.rule = self.settings.fusion or self.model.rule or FusionRule()
        """When and how the two models are fused, where there are two."""
        self._network = network or open_network(self.model, self.second, self.rule, self.settings)
        self.execution = self._network.execution
        """What really runs the network."""
        self.tile_pixels = tile_pixels or memory.tile_pixels(
            self.settings.max_memory,
            self._network.widest.bytes_per_pixel,
            tuned=None if self.second else tuned_tile(self.model, self.execution.backend),
        )
        """LR pixels a tile may have, unless memory runs out."""

    @property
    def precision(self) -> Precision:
        """Precision the network runs in."""
        return self.execution.precision

    @property
    def rule_in_words(self) -> str | None:
        """α, β and γ of the fusion; None where one model runs."""
        rule = self.rule
        return None if self.second is None else f"{rule.alpha:g} {rule.beta:g} {rule.gamma:g}"

    @property
    def halo(self) -> int:
        """LR pixels each tile sees beyond its own part."""
        return halo_of(self._network.spec, self.settings)

    @property
    def threads(self) -> int:
        """CPU threads the network runs on."""
        return self._network.threads

    @property
    def scale(self) -> int:
        """The model's own enlargement."""
        return self.model.spec.scale

    def __call__(
        self, picture: Picture, size: Size | None = None, *, progress: Progress | None = None
    ) -> Picture:
        """Return the super-resolved picture, unrounded, with metadata and depth of the original.

        Raises:
            LimitError: If the result is too large to hold; use `upscale_file`.
        """
        source = Source.from_picture(picture)
        chosen = self._network.choose(source)
        tile_pixels = self.tile_pixels
        while True:
            plan = self.plan(source, size, tile_pixels=tile_pixels)
            if plan.height * plan.width > MAX_MEMORY_PIXELS:
                raise LimitError(
                    f"the result would have {plan.width}×{plan.height} pixels; "
                    f"{MAX_MEMORY_PIXELS // 1_000_000} MP is the most made in memory",
                    hint="use wildsr.upscale_file, which streams from file to file",
                )
            work = self._work(source, plan, chosen, _tally(plan, progress))
            pixels, top = np.empty((plan.height, plan.width, source.channels), np.float32), 0
            try:
                with closing(float_rows(work)) as rows:
                    for band in rows:
                        pixels[top : (top := top + len(band))] = band
            except OutOfMemoryError as error:
                tile_pixels = self._fewer_pixels(tile_pixels, error)
                continue
            return picture.with_pixels(*split_planes(pixels))

    def plan(self, source: Source, size: Size | None = None, *, tile_pixels: int | None = None) -> Plan:
        """Say what super-resolving a picture will take; see `plan_shape`."""
        shape = Shape(source.height, source.width, source.channels, source.depth)
        return self.plan_shape(shape, size, tile_pixels=tile_pixels)

    def plan_shape(self, shape: Shape, size: Size | None = None, *, tile_pixels: int | None = None) -> Plan:
        """Say what super-resolving a picture of this shape will take, with both models where two are fused.

        Raises:
            UsageError: If the size or the tile can't be used.
            LimitError: If the result is beyond what wildsr makes.
        """
        return make_plan(
            shape,
            size or Size(),
            self.settings,
            self._network.spec,
            bytes_per_pixel=self._network.widest.bytes_per_pixel,
            tile_pixels=tile_pixels or self.tile_pixels,
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
        tile_pixels: int | None = None,
    ) -> Report:
        """Super-resolve a decoded picture into a file; see `upscale_file`.

        When memory runs out the picture is made anew with smaller tiles; `Report.plan.tile_pixels` says with which.
        """
        start = time.perf_counter() if start is None else start
        source, options, form = self.settled(source, target, options)
        tile_pixels = tile_pixels or self.tile_pixels
        while True:
            plan = self.plan(source, size, tile_pixels=tile_pixels).into(form)
            chosen, tally = self._network.choose(source, _working(plan, progress)), _tally(plan, progress)
            rows = integer_rows(self._work(source, plan, chosen, tally))
            try:
                written = write_rows(rows, frame_of(source, plan), target, options=options)
            except OutOfMemoryError as error:
                tile_pixels = self._fewer_pixels(tile_pixels, error)
                continue
            return Report(
                source=source_path,
                target=Path(target),
                plan=plan,
                seconds=time.perf_counter() - start,
                inference_seconds=tally.inference_seconds,
                bytes=written.bytes,
                drift_before=float(np.mean(tally.drift_before)),
                drift_after=float(np.mean(tally.drift_after)),
                redone=chosen.redone,
                fused=chosen.fused,
                dropped=written.dropped,
                notes=(*source.notes, *chosen.notes, *written.notes),
            )

    def settled(
        self, source: Source, target: str | Path, options: WriteOptions | None
    ) -> tuple[Source, WriteOptions, Format]:
        """Return the picture, the options and the format that a result of this name is really made with."""
        options = options or WriteOptions()
        if options.model is None:
            options = replace(options, model=self.model.spec.id)
        form = chosen_format(Path(target), options)
        return (source.without_alpha() if not form.alpha and source.opaque else source), options, form

    def work(self, source: Source, plan: Plan) -> Work:
        """Return all that making a plan's rows takes, for `strip_of` and `joined_rows`."""
        return self._work(source, plan, self._network.choose(source), Tally())

    def with_strength(self, strength: float) -> "Upscaler":
        """Return the same model, compiled once, at another strength (see `Settings.strength`)."""
        other = copy.copy(self)
        other.settings = replace(self.settings, strength=strength)
        return other

    def seconds_per_pixel(self) -> float:
        """Measure the network on a small tile: seconds per LR pixel (an upper bound, larger tiles do better)."""
        tile = np.linspace(0, 1, 3 * 96 * 96, dtype=np.float32).reshape(1, 3, 96, 96)
        backend = self._network.widest
        backend.run(tile)
        start = time.perf_counter()
        backend.run(tile)
        return (time.perf_counter() - start) / 96**2

    def _work(self, source: Source, plan: Plan, chosen: Chosen, tally: Tally) -> Work:
        return Work(
            source=source,
            plan=plan,
            backend=chosen.backend,
            settings=self.settings,
            multiple=self._network.spec.multiple,
            tally=tally,
        )

    def _fewer_pixels(self, tile_pixels: int, error: OutOfMemoryError) -> int:
        """Return a smaller tile to try again with; raise `error` where the user chose the tile, or it is small."""
        if self.settings.tile:
            raise error
        return memory.fewer_pixels(tile_pixels, error)


def upscale_file(
    source: str | Path,
    target: str | Path,
    *,
    model: str | Path | None = None,
    settings: Settings | None = None,
    size: Size | None = None,
    limits: Limits | None = None,
    options: WriteOptions | None = None,
) -> Report:
    """Super-resolve one file into another; for many files use `upscale_folder`.

    Memory follows the plan, not the picture: results of any size are made tile by tile and written row by row.

    Args:
        source: The picture.
        target: The result, in the format of its extension; it appears whole or not at all.
        model: Name in the catalog, model file, or folder of a training run; by default what `Upscaler` takes.
        settings: Everything that changes the pixels.
        size: How large the result is; the model's own scale by default.
        limits: What is refused as input.
        options: How the result is written.

    Returns:
        Sizes, times, and what is worth saying about the picture.

    Raises:
        InputError: The picture can't be read.
        OutputError: The result can't be written; nothing is left behind.
        AssetError, ModelError, BackendError: The model can't be had, used or compiled.

    Examples:
        >>> size = wildsr.Size(max_side=200)
        >>> report = wildsr.upscale_file("photo.jpg", "photo_200.png", model="realsr-df2k-jpeg", size=size)
        >>> max(report.plan.width, report.plan.height)
        200
    """
    return Upscaler(model, settings).upscale_file(source, target, size, limits=limits, options=options)


def _loaded(model: str | Path | Model, offline: bool | None) -> Model:
    return model if isinstance(model, Model) else load_model(model, offline=offline)


def _tally(plan: Plan, progress: Progress | None) -> Tally:
    if progress is None:
        return Tally()
    return Tally(on_tile=lambda done: progress(done, plan.tiles))


def _working(plan: Plan, progress: Progress | None) -> Working | None:
    """What is called while a picture's network is chosen: no tile is done yet."""
    return None if progress is None else lambda: progress(0, plan.tiles)
