"""The manifest of a run: Parquet, a line a picture, written in parts so that a killed driver loses little."""

import io
import time
import uuid
from collections.abc import Iterable, Sequence
from dataclasses import asdict, dataclass, fields
from typing import Final, Literal

import pyarrow as pa
import pyarrow.parquet as pq

from wildsr.batch.places import Place
from wildsr.errors import UsageError
from wildsr.files import shown

FOLDER: Final = "_wildsr"
"""Inside the output."""

_PARTS: Final = "parts"
_WHOLE: Final = "manifest.parquet"
MANIFEST: Final = f"{FOLDER}/{_WHOLE}"

Status = Literal["done", "failed", "quarantined"]


@dataclass(frozen=True, kw_only=True)
class Record:
    """What became of a picture."""

    source: str
    """Below the input."""

    version: str
    """Of its content, as the store says."""

    target: str
    """Below the output."""

    status: Status
    """`failed`: a machine or a store let it down; `quarantined`: it can't be upscaled, and isn't tried again."""

    settings: str
    """Digest of the model and of everything that decides the result's bytes; before it, but for upscaling, the verb."""

    model: str
    width: int = 0
    """Of the picture."""

    height: int = 0
    result_width: int = 0
    result_height: int = 0
    sha256: str = ""
    """Of the result."""

    seconds: float = 0.0
    """Reading, computing, writing."""

    attempts: int = 1
    """How often it was begun: workers may die."""

    reason: str = ""

    found: str = ""
    """What was measured, as JSON."""


_TYPES: Final = {str: pa.string(), int: pa.int64(), float: pa.float64(), Status: pa.string()}
SCHEMA: Final = pa.schema([(one.name, _TYPES[one.type]) for one in fields(Record)])


def write_part(output: Place, records: Sequence[Record]) -> None:
    """Add records to the run's manifest."""
    if records:
        output.write(f"{FOLDER}/{_PARTS}/{time.time_ns():020d}-{uuid.uuid4().hex}.parquet", _parquet(records))


def write_whole(output: Place, records: Iterable[Record]) -> None:
    """Write all records as one file, in the order of their sources; its parts are removed.

    Those of pictures that this run had nothing to do with are kept.
    """
    parts = _part_names(output)
    every = read_all(output) | {one.source: one for one in records}
    output.write(MANIFEST, _parquet([every[source] for source in sorted(every)]))
    for name in parts:
        output.remove(name)


def read_all(output: Place) -> dict[str, Record]:
    """The latest record of each source.

    Parts that were cut short are left out: their pictures are done again.
    """
    names = [MANIFEST] if output.exists(MANIFEST) else []
    found: dict[str, Record] = {}
    for name in [*names, *_part_names(output)]:
        found |= {one.source: one for one in _records(output.read(name))}
    return found


def read_of(output: Place, verb: str) -> dict[str, Record]:
    """The same, for one verb.

    Raises:
        UsageError: Another verb has its manifest there: each would take the other's records for its own.
    """
    found = read_all(output)
    for one in found.values():
        maker = one.settings.partition("-")[0] if "-" in one.settings else "upscale"
        if maker != verb:
            raise UsageError(
                f"{shown(output.url)} has the manifest of wildsr batch {shown(maker)}",
                hint="choose another output",
            )
    return found


def _part_names(output: Place) -> list[str]:
    """Parts, the oldest first."""
    folder = f"{FOLDER}/{_PARTS}"
    if not output.exists(folder):
        return []
    return [f"{folder}/{one.path}" for one in Place(url=f"{output.url}/{folder}").stored()]


def _records(content: bytes) -> list[Record]:
    try:
        return [Record(**row) for row in pq.read_table(io.BytesIO(content)).to_pylist()]
    except (pa.ArrowInvalid, TypeError, OSError):
        return []


def _parquet(records: Sequence[Record]) -> bytes:
    buffer = io.BytesIO()
    pq.write_table(pa.Table.from_pylist([asdict(one) for one in records], schema=SCHEMA), buffer)
    return buffer.getvalue()
