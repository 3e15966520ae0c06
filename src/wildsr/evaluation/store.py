"""A content-addressed store of SR pictures and scores: a rerun computes only what is missing.

Everything is filed under a digest of what decides it (file contents, settings, the code that computes it), so
nothing is ever out of date; the folder `evaluation` of the cache may be deleted at any time.
"""

import hashlib
import importlib.util
import json
import math
from collections.abc import Iterator, Mapping
from contextlib import suppress
from dataclasses import dataclass, field
from functools import lru_cache
from importlib import metadata
from pathlib import Path
from typing import Final, TypeAlias

from wildsr.errors import InputError
from wildsr.files import atomic_write, make_folder, remove_stale_temporaries, sha256_of, shown

Setting: TypeAlias = str | int | float | bool | None

SCORING_CODE: Final = (
    "wildsr.machine",
    "wildsr.metrics",
    "wildsr.models",
    "wildsr.imaging",
    "wildsr.files",
    "wildsr.assets",
    "wildsr.evaluation.pixels",
    "wildsr.evaluation.scores",
)
"""Packages and modules whose code decides a score."""

RESOLVING_CODE: Final = (
    "wildsr.engine",
    "wildsr.models",
    "wildsr.imaging",
    "wildsr.files",
    "wildsr.assets",
    "wildsr.machine",
    "wildsr.evaluation.methods",
)
"""Packages and modules whose code decides the SR picture of a model or of bicubic enlargement."""

_LIBRARIES: Final = (
    "numpy",
    "onnx",
    "onnxruntime",
    "onnxruntime-gpu",
    "openvino",
    "pi-heif",
    "pillow",
    "pyvips",
    "pyvips-binary",
)


@dataclass(frozen=True, kw_only=True)
class Record:
    """What is kept of one piece of work."""

    numbers: Mapping[str, float] = field(default_factory=dict)
    """Results by name; +inf is allowed."""

    notes: tuple[str, ...] = ()
    """What a reader must know about them."""


class Store:
    """A folder of small records and of pictures, each under its key; safe for several threads and processes.

    Args:
        folder: Where; made when missing.
        reuse: False takes nothing that earlier runs left (it is replaced, not deleted).

    Raises:
        OutputError: The folder can't be made.
    """

    def __init__(self, folder: Path, *, reuse: bool = True) -> None:
        self.folder = folder
        self._reuse = reuse
        self._own: set[str] = set()
        make_folder(folder)
        for path in folder.iterdir():
            if path.is_dir():
                remove_stale_temporaries(path)

    def picture(self, key: str) -> Path:
        """Where the picture of a key is, or is to be written."""
        make_folder(self.folder / key[:2])
        return self.folder / key[:2] / f"{key}.png"

    def record(self, key: str) -> Record | None:
        """Return what is filed under a key; None where there is nothing that can be read."""
        if self._reuse or key in self._own:
            with suppress(OSError, ValueError, TypeError, AttributeError):
                found = json.loads(self._path(key).read_text(encoding="utf-8"))
                numbers = {str(name): float(value) for name, value in found["numbers"].items()}
                return Record(numbers=numbers, notes=tuple(str(note) for note in found["notes"]))
        return None

    def file(self, key: str, record: Record) -> None:
        """File a record under a key, in place of what was there.

        Raises:
            OutputError: The cache can't be written.
        """
        path = self._path(key)
        make_folder(path.parent)
        numbers = {name: "inf" if value == math.inf else value for name, value in record.numbers.items()}
        with atomic_write(path) as temporary:
            text = json.dumps({"numbers": numbers, "notes": record.notes}, allow_nan=False)
            temporary.write_text(text, encoding="utf-8")
        self._own.add(key)

    def _path(self, key: str) -> Path:
        return self.folder / key[:2] / f"{key}.json"


def key_of(parts: Mapping[str, Setting]) -> str:
    """Return the digest of settings, whatever their order."""
    return hashlib.sha256(json.dumps(dict(parts), sort_keys=True).encode()).hexdigest()


def content(path: Path) -> str:
    """Return the sha256 of a file.

    Raises:
        InputError: It can't be read.
    """
    try:
        return sha256_of(path)
    except OSError as error:
        raise InputError(f"can't read {shown(path.name)}: {error.strerror or error}") from error


@lru_cache(maxsize=8)
def code(*names: str) -> str:
    """Return the digest of packages, sub-packages and all, and of single modules.

    Results of other code are never taken for its own: every file counts, tables and data too.
    """
    digest = hashlib.sha256()
    for name in names:
        for place, file in code_files(name):
            digest.update(place.encode() + b"\0" + file.read_bytes() + b"\0")
    return digest.hexdigest()


def code_files(name: str) -> Iterator[tuple[str, Path]]:
    """Yield the files of a package or module in a fixed order, each with its place.

    Raises:
        ModuleNotFoundError: There is none of that name.
    """
    spec = importlib.util.find_spec(name)
    if spec is None or spec.origin is None:
        raise ModuleNotFoundError(f"no module named {name!r}", name=name)
    if spec.submodule_search_locations is None:
        yield name, Path(spec.origin)
        return
    folder = Path(spec.origin).parent
    for file in sorted(folder.rglob("*")):
        if file.is_file() and "__pycache__" not in file.parts:
            yield f"{name}/{file.relative_to(folder).as_posix()}", file


@lru_cache(maxsize=1)
def libraries() -> str:
    """Return the versions of the libraries that pixels and scores pass through."""
    found = {}
    for name in _LIBRARIES:
        with suppress(metadata.PackageNotFoundError):
            found[name] = metadata.version(name)
    return json.dumps(found, sort_keys=True)
