"""Methods that produce SR pictures: a model, bicubic interpolation, or a folder of existing results."""

import time
from collections.abc import Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Protocol, TypeAlias

import numpy as np

from wildsr.engine import Settings, Size, Upscaler
from wildsr.engine.resume import journal_settings
from wildsr.errors import InputError, UsageError
from wildsr.evaluation.sets import TestPicture
from wildsr.evaluation.store import RESOLVING_CODE, Record, Setting, Store, code, content, key_of, libraries
from wildsr.files import counted, shown
from wildsr.imaging import Picture, WriteOptions, open_source, resize, resize_uint8, write
from wildsr.models import CATALOG, Model

Fact: TypeAlias = str | int | float | bool | None
BICUBIC = "bicubic"


@dataclass(frozen=True, kw_only=True)
class SrPicture:
    """One SR picture."""

    path: Path
    """The file."""

    seconds: float | None = None
    """Time it took to make when it was made (reading and writing included); None for a given result."""

    notes: tuple[str, ...] = ()
    """What a reader must know about it."""


class Method(Protocol):
    """Makes, or has, the SR picture of every picture of a set."""

    @property
    def name(self) -> str:
        """Name in tables."""

    def facts(self) -> Mapping[str, Fact]:
        """What the protocol says about it."""

    def make(self, picture: TestPicture) -> SrPicture:
        """Return the SR picture, from an earlier run where there is one."""


class Results:
    """Results that exist.

    Args:
        name: Name in tables.
        files: Name of a picture of the set → its SR file.
    """

    def __init__(self, name: str, files: Mapping[str, Path]) -> None:
        self.name = name
        self.files = files

    def facts(self) -> Mapping[str, Fact]:
        """Nothing is known but that the files were given."""
        return {"kind": "results"}

    def make(self, picture: TestPicture) -> SrPicture:
        """Return the file given for the picture."""
        return SrPicture(path=self.files[picture.name])


class BicubicEnlargement:
    """MATLAB's bicubic enlargement (a = −½, rounded after each pass): the usual baseline.

    On the 50 RealSR pairs it scores the same as Pillow's to 0.0005 dB.
    """

    name = BICUBIC

    def __init__(self, store: Store, *, scale: int) -> None:
        self._store = store
        self._scale = scale

    def facts(self) -> Mapping[str, Fact]:
        """Which of the many bicubics."""
        return {"kind": "interpolation", "resampling": "bicubic, a = -1/2 (MATLAB's)"}

    def make(self, picture: TestPicture) -> SrPicture:
        """Enlarge the LR picture."""
        lr = _lr(picture)
        key = key_of({"method": BICUBIC, "lr": content(lr), "scale": self._scale, **_code()})
        target = self._store.picture(key)
        kept = self._store.record(key)
        if kept is None or not target.is_file():
            start = time.perf_counter()
            write(_enlarged(lr, self._scale), target, options=WriteOptions(overwrite=True))
            kept = Record(numbers={"seconds": time.perf_counter() - start})
            self._store.file(key, kept)
        return SrPicture(path=target, seconds=kept.numbers["seconds"], notes=kept.notes)


class Network:
    """A model, run by the engine; compiled when the first picture needs it.

    Args:
        name: Name in tables.
        model: The model.
        settings: How it is run; `color_fix` changes results, so the protocol states it.
        store: Where results are kept.
        scale: Enlargement asked for; the model's own, or what the set needs.
    """

    def __init__(self, name: str, model: Model, settings: Settings, store: Store, *, scale: int) -> None:
        self.name = name
        self._model = model
        self._settings = settings
        self._store = store
        self._scale = scale
        self._opened: Upscaler | None = None

    def facts(self) -> Mapping[str, Fact]:
        """Model, precision and every setting that changes pixels."""
        upscaler = self._upscaler()
        spec = self._model.spec
        return {
            "kind": "model",
            "model": spec.id,
            "sha256": self._model.sha256,
            "scale": spec.scale,
            "licence": spec.licence,
            "backend": upscaler.execution.backend,
            "device": upscaler.execution.device,
            "precision": upscaler.precision,
            "threads": upscaler.threads,
            "color_fix": upscaler.settings.color_fix,
            "strength": self._settings.strength,
            "sharpness": upscaler.model.sharpness,
            "ensemble": self._settings.ensemble,
            "tiling": self._settings.tiling,
            **({} if upscaler.rule_in_words is None else {"fusion": upscaler.rule_in_words}),
        }

    def make(self, picture: TestPicture) -> SrPicture:
        """Super-resolve the LR picture."""
        lr = _lr(picture)
        upscaler, size = self._upscaler(), Size(scale=self._scale)
        source = open_source(lr)
        options = WriteOptions(overwrite=True)
        chosen = journal_settings(upscaler, size, options)
        # neither decides pixels: the tiles really used are in the key, and threads only the order of sums
        del chosen["threads"], chosen["tile_pixels"]
        tiles = [step.grid.tile_size for step in upscaler.plan(source, size).passes]
        key = key_of({**chosen, "lr": content(lr), "tiles": str(tiles), **_code()})
        target = self._store.picture(key)
        kept = self._store.record(key)
        if kept is None or not target.is_file():
            report = upscaler.upscale_source(source, target, size, source_path=lr, options=options)
            redone = (f"{counted(len(report.redone), 'tile')} redone in fp32",) if report.redone else ()
            numbers = {"seconds": report.seconds, "inference_seconds": report.inference_seconds}
            kept = Record(numbers=numbers, notes=redone)
            self._store.file(key, kept)
        return SrPicture(path=target, seconds=kept.numbers["seconds"], notes=kept.notes)

    def _upscaler(self) -> Upscaler:
        if self._opened is None:
            self._opened = Upscaler(self._model, self._settings)
        return self._opened


def method_name(model: str, taken: set[str]) -> str:
    """Return the name a model goes by in tables: the catalog's, or the last part of its path.

    Raises:
        UsageError: Another method already has it.
    """
    name = model if model in CATALOG or model == BICUBIC else Path(model).resolve().name
    if name in taken:
        raise UsageError(
            f"two methods are called {shown(name)}", hint="name each once; rename the file or folder of one"
        )
    return name


def _code() -> dict[str, Setting]:
    return {"code": code(*RESOLVING_CODE), "libraries": libraries()}


def _lr(picture: TestPicture) -> Path:
    if picture.lr is None:
        raise InputError(f"{shown(picture.name)} has no LR picture to enlarge")
    return picture.lr


def _enlarged(path: Path, scale: int) -> Picture:
    source = open_source(path)
    picture = replace(source.picture(), alpha=None)
    size = (scale * source.height, scale * source.width)
    if source.samples.dtype == np.uint8:
        colours = resize_uint8(
            source.samples[..., : 1 if source.gray else 3].astype(np.uint8, copy=False), size
        )
        rgb = np.repeat(colours, 3, axis=2) if source.gray else colours
        return picture.with_pixels(rgb.astype(np.float32) / np.float32(255), None)
    return picture.with_pixels(np.clip(resize(picture.rgb, size), 0, 1), None)
