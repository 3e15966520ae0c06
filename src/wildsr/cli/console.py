"""How commands speak: data to stdout, talk to stderr."""

import json
import sys
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import TypeAlias

from rich.console import Console
from rich.progress import (
    BarColumn,
    MofNCompleteColumn,
    Progress,
    TextColumn,
    TimeElapsedColumn,
    TimeRemainingColumn,
)

from wildsr.cli.streams import write_data
from wildsr.errors import WildsrError, printable
from wildsr.files import shown

Json: TypeAlias = str | int | float | bool | list["Json"] | dict[str, "Json"] | None


def talk() -> Console:
    """Return a console on stderr, where there is one; NO_COLOR is respected."""
    return Console(stderr=True, highlight=False, soft_wrap=True)


def say(message: str) -> None:
    """Tell the user something."""
    talk().print(message, markup=False)


def complain(error: WildsrError) -> None:
    """Print an error: what was given and allowed, a blank line, the next step."""
    console = talk()
    console.print("[bold red]error[/]:", end=" ")
    console.print(str(error), markup=False)
    if error.hint:
        console.print()
        console.print("[bold cyan]hint[/]:", end=" ")
        console.print(error.hint, markup=False)


def data(text: str) -> None:
    """Print data: for a program names as they are on disk, for a person without what would act on the terminal."""
    write_data((printable(text, keep="\n\t") if _is_watched() else text) + "\n")


def data_name(path: Path) -> None:
    """Print a file's name."""
    data(shown(path) if _is_watched() else str(path))


def _is_watched() -> bool:
    """Whether a person reads stdout on a terminal."""
    return sys.stdout is not None and sys.stdout.isatty()


def data_json(value: Mapping[str, Json]) -> None:
    """Print one JSON object; characters that aren't valid text are escaped."""
    data(json.dumps(value, indent=2, ensure_ascii=True, allow_nan=False))


@contextmanager
def progress_bar(*, quiet: bool) -> Iterator[Progress]:
    """A progress display with ETA on stderr; invisible where nobody watches."""
    bar = Progress(
        TextColumn("{task.description}", markup=False),
        BarColumn(),
        MofNCompleteColumn(),
        TimeElapsedColumn(),
        TextColumn("left"),
        TimeRemainingColumn(),
        console=talk(),
        disable=quiet or sys.stderr is None or not sys.stderr.isatty(),
        transient=True,
    )
    with bar:
        yield bar


def size_text(count: float) -> str:
    """Bytes as a person reads them."""
    for unit in ("B", "kB", "MB", "GB"):
        if count < 1000 or unit == "GB":
            return f"{count:.0f} {unit}" if unit in ("B", "kB") else f"{count:.1f} {unit}"
        count /= 1000
    raise AssertionError("the last unit returns")


def time_text(seconds: float) -> str:
    """Seconds as a person reads them."""
    if seconds < 100:
        return f"{seconds:.1f} s" if seconds < 10 else f"{seconds:.0f} s"
    minutes, rest = divmod(round(seconds), 60)
    return f"{minutes} min {rest:02d} s" if minutes < 60 else f"{minutes // 60} h {minutes % 60:02d} min"
