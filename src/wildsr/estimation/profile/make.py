"""A profile from a list of photos: in parallel, resumable, within a time budget, the same whenever it is made."""

import hashlib
import os
import threading
import time
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import FIRST_COMPLETED, Future, ProcessPoolExecutor, wait
from concurrent.futures.process import BrokenProcessPool
from contextlib import contextmanager, suppress
from dataclasses import asdict, dataclass, field
from multiprocessing import get_context, parent_process
from pathlib import Path
from typing import Final

import numpy as np

from wildsr.degradation import Profile
from wildsr.degradation.profile_notes import Rejected, Setting
from wildsr.errors import ProfileError, UsageError
from wildsr.estimation.profile.aggregate import Context, pool
from wildsr.estimation.profile.photo import Examined, PhotoSettings, examine_photo
from wildsr.files import atomic_write, make_folder, remove_stale_temporaries
from wildsr.imaging import FloatArray
from wildsr.version import __version__

_STATE_FORMAT: Final = 2
_THREADS: Final = ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS")

Progress = Callable[[int, int, Path], None]
"""(photos done, photos in all, the one just done)."""


@dataclass(frozen=True, kw_only=True)
class ProfileSettings:
    """How a profile is made."""

    photo: PhotoSettings = field(default_factory=PhotoSettings)
    """How each photo is examined."""

    max_photos: int | None = None
    """Look at no more than this many, evenly over the list."""

    time_budget: float | None = None
    """Seconds after which no further photo is begun."""

    jobs: int = 1
    """Photos examined at the same time; 1 works in this process."""

    def __post_init__(self) -> None:
        if self.max_photos is not None and self.max_photos < 1:
            raise UsageError(
                f"--max-photos {self.max_photos}: at least 1 photo is needed", hint="leave it out to take all"
            )
        if self.time_budget is not None and not self.time_budget > 0:
            raise UsageError(
                f"a time budget of {self.time_budget:g} s; it must be above 0", hint="for example 10m"
            )
        if self.jobs < 1:
            raise UsageError(
                f"--jobs {self.jobs}: at least 1 is needed", hint="leave it out to use every core"
            )


def make_profile(
    photos: Sequence[Path],
    settings: ProfileSettings,
    *,
    state: Path | None = None,
    problems: Sequence[Rejected] = (),
    progress: Progress | None = None,
) -> Profile:
    """Examine photos and pool what they give.

    The result depends on the photos, their order and the settings, not on `jobs` or on interruptions; with a time
    budget it depends on how far it got.

    Args:
        photos: Files of one camera.
        settings: How.
        state: Folder where each photo's part is kept until `forget` is called, which happens here when the photos give
            nothing; what is there is not done again.
        problems: What was turned down before (files that could not be looked at).
        progress: Called after each photo.

    Raises:
        ProfileError: No photo gave anything that can be trusted, or a process that examined photos was killed.
        OutputError: The state can't be written.
    """
    chosen = _evenly(photos, settings.max_photos)
    if state is not None:
        make_folder(state)
    work = _Work(settings=settings, state=state)
    found: dict[int, Examined] = {}
    started = time.monotonic()
    runner = _in_processes if settings.jobs > 1 and len(chosen) > 1 else _in_turn
    for index, one in runner(work, chosen, started):
        found[index] = one
        if progress is not None:
            progress(len(found), len(chosen), chosen[index])
    unseen = len(chosen) - len(found)
    remarks = (
        (f"{unseen} of {len(chosen)} photos were not looked at: the time was used up",) if unseen else ()
    )
    described: dict[str, Setting] = {
        "method": settings.photo.method,
        "seeds": ",".join(map(str, settings.photo.seeds)),
        "photos_given": len(photos),
        "photos_examined": len(found),
    }
    examined = [found[index] for index in sorted(found)]
    if problems:
        examined.append(Examined(note=None, noise=_no_noise(settings), rejected=tuple(problems)))
    try:
        return pool(examined, Context(settings=described, remarks=remarks))
    except ProfileError:
        if state is not None:
            forget(state)  # these photos give nothing, however often they are looked at
        raise


def forget(state: Path) -> None:
    """Remove the parts of a finished run, and their folder if nothing else is in it."""
    for part in state.glob("part-*.npz"):
        part.unlink(missing_ok=True)
    remove_stale_temporaries(state)  # of a killed run
    with suppress(OSError):
        state.rmdir()


@dataclass(frozen=True, kw_only=True)
class _Work:
    """What every process needs to know."""

    settings: ProfileSettings
    state: Path | None

    def do(self, photo: Path) -> Examined:
        """Examine a photo, or read what an earlier run found."""
        part = None if self.state is None else self.state / f"part-{self._key(photo)}.npz"
        if part is not None and part.exists():
            with suppress(Exception):  # a damaged part is made again
                return Examined.load(part)
        result = examine_photo(photo, self.settings.photo)
        if part is not None:
            with atomic_write(part) as temporary:
                result.save(temporary)
        return result

    def _key(self, photo: Path) -> str:
        """Another for every state of the file, every setting and every version."""
        try:
            status = photo.stat()
            version = (status.st_size, status.st_mtime_ns)
        except OSError:
            version = (0, 0)
        text = repr((_STATE_FORMAT, __version__, str(photo.absolute()), version, asdict(self.settings.photo)))
        return hashlib.sha256(text.encode("utf-8", "surrogateescape")).hexdigest()[:32]


def _in_turn(work: _Work, photos: Sequence[Path], started: float) -> Iterator[tuple[int, Examined]]:
    for index, photo in enumerate(photos):
        if index and _is_over(work.settings, started):
            return
        yield index, work.do(photo)


def _in_processes(work: _Work, photos: Sequence[Path], started: float) -> Iterator[tuple[int, Examined]]:
    """Several photos at a time, each process with one thread: the matrices are too small to share."""
    jobs = min(work.settings.jobs, len(photos))
    processes = ProcessPoolExecutor(jobs, mp_context=get_context("spawn"), initializer=_end_with_parent)
    with _one_thread(), processes as workers:
        waiting: dict[Future[Examined], int] = {}
        following = 0
        try:
            while True:
                while following < len(photos) and len(waiting) < jobs:
                    if following >= jobs and _is_over(work.settings, started):
                        break
                    waiting[workers.submit(work.do, photos[following])] = following
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
    """Make this process end when the one that started it is killed; it would wait for work forever."""
    parent = parent_process()
    if parent is not None:

        def watch() -> None:
            parent.join()
            os._exit(1)

        threading.Thread(target=watch, daemon=True).start()


def _is_over(settings: ProfileSettings, started: float) -> bool:
    return settings.time_budget is not None and time.monotonic() - started >= settings.time_budget


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


def _evenly(photos: Sequence[Path], most: int | None) -> list[Path]:
    if most is None or len(photos) <= most:
        return list(photos)
    return [photos[index * len(photos) // most] for index in range(most)]


def _no_noise(settings: ProfileSettings) -> FloatArray:
    return np.zeros((0, 3, settings.photo.patch, settings.photo.patch), np.float32)
