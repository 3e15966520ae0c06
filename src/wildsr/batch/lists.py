"""Pictures named one by one, in a Parquet or CSV file: column `source`, and `target` where names are wanted."""

import csv
import io
import posixpath
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, replace
from pathlib import Path, PurePosixPath
from typing import Final

import pyarrow as pa
import pyarrow.parquet as pq

from wildsr.batch.manifest import FOLDER
from wildsr.batch.places import Place, place_of
from wildsr.errors import InputError, UsageError
from wildsr.files import shown
from wildsr.files.extensions import WRITABLE_EXTENSIONS
from wildsr.files.places import places

ENDINGS: Final = (".parquet", ".csv")
_COLUMNS: Final = ("source", "target")
_ASKING: Final = 16
"""Sources whose version is asked for at a time."""


@dataclass(frozen=True, kw_only=True)
class Entry:
    """A row of a list."""

    source: str
    """Below the list's folder, or a whole path or URL."""

    relative: PurePosixPath
    """Names the result where the list doesn't."""

    target: str = ""
    """Below the output; empty where the list says nothing."""

    version: str = ""
    """Of the content, as the store says; empty where there is no such file."""


def is_list(url: str) -> bool:
    """Whether a name is that of a list; a folder of this machine is none, whatever its name."""
    if not url.lower().endswith(ENDINGS):
        return False
    local = place_of(url).local
    return local is None or not local.is_dir()


def read_list(url: str) -> tuple[Place, list[Entry]]:
    """Return the list's folder and its rows.

    Args:
        url: Of a Parquet or CSV file.

    Raises:
        InputError: There is no such file, it is of another kind or broken, has no `source`, or no row.
        UsageError: A row that can't be used, two of one source, or two of one target.
    """
    where = place_of(url)
    folder, name = Place(url=posixpath.dirname(where.url)), posixpath.basename(where.url)
    if not folder.exists(name):
        raise InputError(f"there is no {shown(url)}", hint="the URL of a folder or of a list is wanted")
    content = folder.read(name)
    rows = _from_parquet(url, content) if url.lower().endswith(".parquet") else _from_csv(url, content)
    if not rows:
        raise InputError(f"{shown(url)} has no rows", hint="each row names a picture, in its column source")
    entries = [_entry(folder, number, *row) for number, row in enumerate(rows, 1)]
    _refuse_twice("source", [one.source for one in entries])
    named = [one.target for one in entries if one.target]
    _refuse_twice("target", named, places([Path("/", one) for one in named]))
    with ThreadPoolExecutor(_ASKING) as pool:
        versions = list(pool.map(folder.version, [one.source for one in entries]))
    return folder, [replace(one, version=version) for one, version in zip(entries, versions, strict=True)]


def _from_parquet(url: str, content: bytes) -> list[tuple[str | None, str | None]]:
    try:
        file = pq.ParquetFile(io.BytesIO(content))
        names = file.schema_arrow.names
        table = file.read(columns=[one for one in _COLUMNS if one in names])
    except (pa.ArrowException, OSError) as error:
        raise InputError(
            f"{shown(url)} can't be read as Parquet: {str(error).splitlines()[0]}", hint="write it again"
        ) from error
    _need_source(url, names)
    for one in table.column_names:
        if not pa.types.is_string(table.schema.field(one).type):
            raise InputError(
                f"the column {one} of {shown(url)} holds {table.schema.field(one).type}; text is wanted",
                hint="write paths or URLs",
            )
    sources = table["source"].to_pylist()
    targets = table["target"].to_pylist() if "target" in names else [None] * len(sources)
    return list(zip(sources, targets, strict=True))


def _from_csv(url: str, content: bytes) -> list[tuple[str | None, str | None]]:
    try:
        lines = csv.DictReader(io.StringIO(content.decode("utf-8-sig"), newline=""), strict=True)
        names = lines.fieldnames or []
        rows = [(row.get("source"), row.get("target")) for row in lines]
    except (csv.Error, UnicodeDecodeError) as error:
        raise InputError(
            f"{shown(url)} can't be read as CSV: {error}", hint="write it as UTF-8, with commas"
        ) from error
    _need_source(url, names)
    return rows


def _need_source(url: str, names: Sequence[str]) -> None:
    if "source" not in names:
        raise InputError(
            f"{shown(url)} has no column source; it has {shown(', '.join(names)) or 'none'}",
            hint="name the column of paths or URLs source, in the first line of a CSV file",
        )


def _entry(folder: Place, number: int, source: str | None, target: str | None) -> Entry:
    if not source or "\0" in source:
        raise UsageError(f"row {number} of the list names no picture: its source is empty or has a NUL in it")
    located = _located(folder, number, source)
    named = located.partition("://")[2] if "://" in located else located
    return Entry(
        source=located,
        relative=PurePosixPath(named.lstrip("/")),
        target=_checked(number, target) if target else "",
    )


def _located(folder: Place, number: int, source: str) -> str:
    """Return a source below the list's folder as it is, any other as a whole path or URL."""
    if "://" in source:
        return source
    here = folder.local
    if here is not None:
        path = posixpath.normpath(posixpath.join(here.as_posix(), source))
        return path.removeprefix(f"{here.as_posix().rstrip('/')}/")
    if source.startswith("/"):
        return f"file://{posixpath.normpath(source)}"
    scheme, _, root = folder.url.partition("://")
    path = posixpath.normpath(posixpath.join(root, source))
    if path.split("/")[0] != root.split("/")[0]:
        raise UsageError(f"row {number} of the list leads out of its store: {shown(source)}")
    below = path.removeprefix(f"{root}/")
    return below if below != path else f"{scheme}://{path}"


def _checked(number: int, target: str) -> str:
    path = PurePosixPath(target.replace("\\", "/"))
    if path.is_absolute() or ".." in path.parts or "\0" in target or "://" in target:
        raise UsageError(
            f"row {number} of the list has the target {shown(target)}; only names below the output are possible"
        )
    if FOLDER in path.parts:
        raise UsageError(f"row {number} of the list has a target in {FOLDER}, where the manifest is")
    if path.suffix[1:].lower() not in WRITABLE_EXTENSIONS:
        raise UsageError(
            f"row {number} of the list has the target {shown(target)}; "
            f"its extension must be one of {', '.join(WRITABLE_EXTENSIONS)}"
        )
    return path.as_posix()


def _refuse_twice(column: str, values: Sequence[str], same: Sequence[str] | None = None) -> None:
    """Refuse two rows of one value; `same` has one text for all spellings of one value."""
    first: dict[str, int] = {}
    for number, one in enumerate(same or values):
        other = first.setdefault(one, number)
        if other != number:
            raise UsageError(
                f"two rows of the list have the {column} {shown(values[number])}",
                hint="the manifest has a line for each source"
                if column == "source"
                else "give each picture a target of its own",
            )
