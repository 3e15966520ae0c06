"""What the verbs of `wildsr batch` share: options, progress, the last word."""

import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from importlib.util import find_spec
from typing import TYPE_CHECKING, Annotated

import typer

from wildsr.cli.console import data, progress_bar, say
from wildsr.errors import UsageError
from wildsr.files import shown

if TYPE_CHECKING:
    from wildsr.batch import Record

Source = Annotated[
    str,
    typer.Argument(
        metavar="INPUT",
        help="Folder or URL of pictures (file, s3, gs, …), or a list of them (.parquet, .csv).",
    ),
]
Target = Annotated[str, typer.Argument(metavar="OUTPUT", help="Folder or URL for results and manifest.")]
Address = Annotated[
    str | None,
    typer.Option(
        help="Ray cluster: auto, ray://host:port, host:port; without one, workers on this machine.",
        show_default=False,
    ),
]
Workers = Annotated[
    int | None, typer.Option(min=1, help="Processes; as many as cores allow by default.", show_default=False)
]
Threads = Annotated[int, typer.Option(min=1, help="CPU threads of a worker.")]
Retry = Annotated[bool, typer.Option("--retry", help="Try pictures again that an earlier run left out.")]
Overwrite = Annotated[
    bool, typer.Option("--overwrite", help="Replace what other settings, or others, have left there.")
]
DryRun = Annotated[bool, typer.Option("--dry-run", help="Say what there is to do, and stop.")]


@contextmanager
def needing(extra: str, verb: str) -> Iterator[None]:
    """Turn the absence of a package into a hint at what to install."""
    try:
        if find_spec("ray") is None:  # what runs it is imported when a cluster starts
            raise ModuleNotFoundError(name="ray")
        yield
    except ModuleNotFoundError as error:
        raise UsageError(
            f"wildsr batch{verb} needs the package {error.name}; it is not installed",
            hint=f'pip install "wildsr[{extra}]"',
        ) from error


@contextmanager
def watching(total: int) -> "Iterator[Callable[[Record, int, int], None]]":
    """A bar on stderr, and what moves it on with each record."""
    begun, megapixels, bad = time.monotonic(), 0.0, 0
    with progress_bar(quiet=False) as bar:
        task = bar.add_task("starting", total=total)

        def watch(record: "Record", done: int, total: int) -> None:
            nonlocal megapixels, bad
            megapixels += record.width * record.height / 1e6
            bad += record.status != "done"
            rate = megapixels / max(time.monotonic() - begun, 1e-3)
            bar.update(task, completed=done, description=f"{rate:.2f} MP/s, {bad} failed")

        yield watch


def tell_left_out(problems: Sequence[str]) -> None:
    """Say what could not be looked at."""
    for one in problems:
        say(f"left out: {one}")


def tell_bad(records: "Sequence[Record]") -> bool:
    """Name the pictures that gave nothing, with the reason; True where there are some."""
    bad = [one for one in records if one.status != "done"]
    for one in bad:
        say(f"{one.status}: {shown(one.source)}: {shown(one.reason)}")
    return bool(bad)


def tell_manifest(target: str) -> None:
    """Print where the manifest is."""
    from wildsr.batch import MANIFEST

    data(f"{target.rstrip('/')}/{MANIFEST}")
