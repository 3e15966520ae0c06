"""The progress of `wildsr upscale` on stderr."""

from pathlib import Path
from types import TracebackType

from wildsr.cli.console import progress_bar
from wildsr.engine import BatchProgress
from wildsr.files import shown


class BatchBar:
    """Bars for downloads, for photos and for the tiles of the one at work; a context manager."""

    def __init__(self, *, quiet: bool) -> None:
        self._opened = progress_bar(quiet=quiet)

    def __enter__(self) -> "BatchBar":
        self._bar = self._opened.__enter__()
        self._fetch = self._bar.add_task("fetching weights (kB)", total=None, visible=False)
        self._photos = self._bar.add_task("photos", total=None, visible=False)
        self._tiles = self._bar.add_task("tiles", total=None, visible=False)
        self._source: Path | None = None
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._opened.__exit__(kind, error, trace)

    def fetching(self, done: int, total: int) -> None:
        """Show how much of a download is done."""
        self._bar.update(self._fetch, completed=done // 1000, total=total // 1000, visible=done < total)

    def show(self, at: BatchProgress) -> None:
        """Move the bars."""
        if at.source != self._source:
            self._source = at.source
            self._bar.update(
                self._photos, completed=at.pictures_done, total=at.pictures, visible=at.pictures > 1
            )
            self._bar.reset(self._tiles, total=None, description=shown(at.source.name), visible=True)
        self._bar.update(self._tiles, completed=at.tiles_done, total=at.tiles)
