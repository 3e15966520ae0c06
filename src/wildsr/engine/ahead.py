"""One step ahead: what is needed next is made in a thread while the caller works on the last."""

from collections import deque
from collections.abc import Callable, Generator, Iterable
from concurrent.futures import Future, ThreadPoolExecutor
from typing import TypeVar

Item = TypeVar("Item")
Made = TypeVar("Made")


def one_ahead(
    items: Iterable[Item], make: Callable[[Item], Made], *, worth: Callable[[Made], bool]
) -> Generator[Made]:
    """Yield what `make` gives for each item, in order; the next is made while the caller works on one.

    All are made in one thread of its own, one after another, at most one ahead of the caller. The thread ends with
    the iteration: closing it, or an exception of `make`, waits for what is being made and makes nothing more.

    Args:
        items: What is made from.
        make: Makes one.
        worth: Whether making things like this one ahead is worth that wait.
    """
    with ThreadPoolExecutor(1, thread_name_prefix="wildsr-network") as pool:
        coming, most = deque[Future[Made]](), 0
        try:
            for item in items:
                coming.append(pool.submit(make, item))
                while len(coming) > most:
                    made = coming.popleft().result()
                    most = 1 if worth(made) else 0
                    yield made
                    del made  # not held while the next is waited for
            while coming:
                yield coming.popleft().result()
        finally:
            pool.shutdown(wait=False, cancel_futures=True)
