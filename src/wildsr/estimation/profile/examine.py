"""Photos examined in several processes, each photo's part kept in a file, so that an interrupted run can resume."""

import hashlib
import os
import threading
import time
from collections.abc import Iterator, Sequence
from concurrent.futures import FIRST_COMPLETED, Future, ProcessPoolExecutor, wait
from concurrent.futures.process import BrokenProcessPool
from contextlib import contextmanager, suppress
from dataclasses import asdict, dataclass
from multiprocessing import get_context, parent_process
from pathlib import Path
from typing import Final

from wildsr.errors import ProfileError
from wildsr.estimation.profile.photo import Examined, PhotoSettings, examine_photo
from wildsr.files import atomic_write, remove_stale_temporaries
from wildsr.version import __version__

_STATE_FORMAT: Final = 3
_THREADS: Final = ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS")


@dataclass(frozen=True, kw_only=True)
class Examination:
    """How photos are examined; sent to every process."""

    settings: PhotoSettings
    """Of each photo."""

    state: Path | None
    """Folder of the parts; None keeps none."""

    jobs: int
    """Photos examined at the same time; 1 works in this process."""

    time_budget: float | None
    """Seconds after which no further photo is begun."""

    def run(self, photos: Sequence[Path]) -> Iterator[tuple[int, Examined]]:
        """Yield (index, result) as photos are done; fewer than all where the time is up.

        Raises:
            ProfileError: A process was killed.
            OutputError: A part can't be written.
        """
        runner = _in_processes if self.jobs > 1 and len(photos) > 1 else _in_turn
        yield from runner(self, photos, time.monotonic())

    def is_over(self, started: float) -> bool:
        """Whether the time budget is used up."""
        return self.time_budget is not None and time.monotonic() - started >= self.time_budget

    def examine(self, photo: Path) -> Examined:
        """Examine a photo, or read what an earlier run found."""
        part = None if self.state is None else self.state / f"part-{self._key(photo)}.npz"
        if part is not None and part.exists():
            try:
                return Examined.load(part)
            except Examined.DAMAGED:
                pass  # it is made again
        result = examine_photo(photo, self.settings)
        if part is not None:
            with atomic_write(part) as temporary:
                result.save(temporary)
        return result

    def _key(self, photo: Path) -> str:
        """Differs for every state of the file, every setting and every version."""
        try:
            status = photo.stat()
            version = (status.st_size, status.st_mtime_ns)
        except OSError:
            version = (0, 0)
        text = repr((_STATE_FORMAT, __version__, str(photo.absolute()), version, asdict(self.settings)))
        return hashlib.sha256(text.encode("utf-8", "surrogateescape")).hexdigest()[:32]


def forget(state: Path) -> None:
    """Remove the parts of a finished run, and their folder if nothing else is in it."""
    for part in state.glob("part-*.npz"):
        part.unlink(missing_ok=True)
    remove_stale_temporaries(state)  # of a killed run
    with suppress(OSError):
        state.rmdir()


def _in_turn(work: Examination, photos: Sequence[Path], started: float) -> Iterator[tuple[int, Examined]]:
    for index, photo in enumerate(photos):
        if index and work.is_over(started):
            return
        yield index, work.examine(photo)


def _in_processes(
    work: Examination, photos: Sequence[Path], started: float
) -> Iterator[tuple[int, Examined]]:
    """Several photos at a time, each process with one thread: the matrices are too small to share."""
    jobs = min(work.jobs, len(photos))
    processes = ProcessPoolExecutor(jobs, mp_context=get_context("spawn"), initializer=_end_with_parent)
    with _one_thread(), processes as workers:
        waiting: dict[Future[Examined], int] = {}
        following = 0
        try:
            while True:
                while following < len(photos) and len(waiting) < jobs:
                    if following >= jobs and work.is_over(started):
                        break
                    waiting[workers.submit(work.examine, photos[following])] = following
                    following += 1
                if not waiting:
                    return
                for done in wait(waiting, return_when=FIRST_COMPLETED).done:
                    yield waiting.pop(done), done.result()
        except BrokenProcessPool as error:
            raise ProfileError(
                f"a process that examined photos was killed (by lack of memory?) with {jobs} at the same time",
                hint="run the same again, with --jobs 1: what was examined is kept",
            ) from error
        except BaseException:
            workers.shutdown(wait=False, cancel_futures=True)
            raise


def _end_with_parent() -> None:
    """Make this process end when its parent is killed; otherwise it would wait for work forever."""
    parent = parent_process()
    if parent is not None:

        def watch() -> None:
            parent.join()
            os._exit(1)

        threading.Thread(target=watch, daemon=True).start()


@contextmanager
def _one_thread() -> Iterator[None]:
    """Processes started inside compute with one thread each."""
    before = {name: os.environ.get(name) for name in _THREADS}
    os.environ.update(dict.fromkeys(_THREADS, "1"))
    try:
        yield
    finally:
        for name, value in before.items():
            if value is None:
                os.environ.pop(name, None)
            else:
                os.environ[name] = value
