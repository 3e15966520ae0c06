"""Asking a store again: networks and services fail for moments, runs of days must not."""

import time
from collections.abc import Callable
from typing import Final, TypeVar

from wildsr.errors import WildsrError

RETRIES: Final = 4
"""Times that a store which doesn't answer is asked again."""

_FIRST_WAIT: Final = 0.5
_T = TypeVar("_T")

_FINAL: Final = (
    WildsrError,
    FileExistsError,
    FileNotFoundError,
    IsADirectoryError,
    NotADirectoryError,
    PermissionError,
)
"""Answers that stay the same however often one asks."""


def patiently(ask: Callable[[], _T], *, sleep: Callable[[float], None] | None = None) -> _T:
    """Ask until there is an answer, after .5, 1, 2 and 4 seconds again.

    Raises:
        Exception: The last failure; or the first, where asking again can't help. Clients of stores raise classes of
            their own, so any may come.
    """
    wait = _FIRST_WAIT
    for _ in range(RETRIES):
        try:
            return ask()
        except _FINAL:
            raise
        except Exception:  # broad: see above
            (sleep or time.sleep)(wait)
            wait *= 2
    return ask()
