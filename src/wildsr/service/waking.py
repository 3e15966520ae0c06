"""Wakes workers when there is something to do. A wake that is lost costs a second: the jobs table is the truth."""

import time
from pathlib import Path
from typing import Final, Protocol

from wildsr.errors import OutputError, UsageError

_WAKE: Final = b"wake"
_POLL: Final = 0.05
_ENOUGH: Final = 64


class _Storage(Protocol):
    def enqueue(self, data: bytes) -> None: ...

    def dequeue(self) -> bytes | None: ...

    def queue_size(self) -> int: ...


class Waker:
    """A line of wakes between processes, in huey's storage.

    Args:
        folder: Where the SQLite file is kept.
        redis: URL of a Redis to use instead.

    Raises:
        UsageError: The `redis` package is missing, or the URL is none.
        OutputError: Redis can't be reached.
    """

    def __init__(self, folder: Path, redis: str | None = None) -> None:
        self._waits = redis is not None
        self._storage = _sqlite(folder / "wakes.sqlite") if redis is None else _redis(redis)

    def wake(self) -> None:
        """Let a worker look for a job."""
        if self._storage.queue_size() < _ENOUGH:
            self._storage.enqueue(_WAKE)

    def wait(self, seconds: float) -> None:
        """Return when there is a wake, or after some seconds."""
        end = time.monotonic() + seconds
        while self._storage.dequeue() is None and time.monotonic() < end:
            if not self._waits:
                time.sleep(_POLL)


def _sqlite(path: Path) -> _Storage:
    from huey.storage import SqliteStorage

    storage: _Storage = SqliteStorage("wildsr", filename=str(path), fsync=False, timeout=30)
    return storage


def _redis(url: str) -> _Storage:
    from huey.exceptions import ConfigurationError

    try:
        from huey.storage import RedisStorage
        from redis.exceptions import RedisError

        storage: _Storage = RedisStorage("wildsr", url=url, read_timeout=1)
        storage.queue_size()
    except (ModuleNotFoundError, ConfigurationError) as error:
        raise UsageError(
            "--redis needs the package redis, which is not installed", hint="pip install redis"
        ) from error
    except ValueError as error:
        raise UsageError(f"--redis: {error}", hint="redis://host:6379/0") from error
    except RedisError as error:
        raise OutputError(f"can't reach Redis: {error}", hint="is it running there?") from error
    return storage
