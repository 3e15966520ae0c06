"""What is known about the service's models: whether they load, and how fast they are on this machine."""

from dataclasses import dataclass
from typing import Final

from sqlalchemy import delete, insert, select

from wildsr.engine import Upscaler
from wildsr.files.database import Database
from wildsr.service.tables import speeds

_ALL: Final = select(speeds)


@dataclass(frozen=True, kw_only=True)
class Speed:
    """A model as the workers found it."""

    loaded: bool
    """Whether it could be loaded."""

    scale: int | None
    """Its own enlargement."""

    seconds_per_megapixel: float | None
    """Time for a million pixels of the photo, an upper bound."""

    error: str | None
    """Why it could not be loaded."""


def note_loaded(database: Database, model: str, upscaler: Upscaler) -> None:
    """Measure a model and keep that."""
    _note(
        database,
        {
            "model": model,
            "scale": upscaler.scale,
            "seconds_per_pixel": upscaler.seconds_per_pixel(),
            "loaded": True,
        },
    )


def note_failed(database: Database, model: str, reason: str) -> None:
    """Keep why a model could not be loaded."""
    _note(database, {"model": model, "loaded": False, "error": reason[:500]})


def known_speeds(database: Database) -> dict[str, Speed]:
    """Return what is known, by model."""
    with database.read() as connection:
        rows = connection.execute(_ALL).all()
    return {
        str(row.model): Speed(
            loaded=bool(row.loaded),
            scale=row.scale,
            seconds_per_megapixel=None if row.seconds_per_pixel is None else 1e6 * row.seconds_per_pixel,
            error=row.error,
        )
        for row in rows
    }


def _note(database: Database, values: dict[str, str | int | float | bool]) -> None:
    with database.write() as connection:
        connection.execute(delete(speeds).where(speeds.c.model == values["model"]))
        connection.execute(insert(speeds), [values])
