"""Balanced random orders: who judges which pictures, in which round, in which places."""

from collections.abc import Sequence

import numpy as np


def williams_square(count: int) -> list[tuple[int, ...]]:
    """Return orders of 0…count−1 in which every item stands in every place, and behind every other, equally often.

    Williams (Australian Journal of Scientific Research, 1949): `count` orders for an even number of items, twice as
    many for an odd one.
    """
    first = [0] + [(step + 1) // 2 if step % 2 else count - step // 2 for step in range(1, count)]
    square = [tuple((item + shift) % count for item in first) for shift in range(count)]
    return square if count % 2 == 0 else [*square, *(row[::-1] for row in square)]


def picture_share(count: int, share: int | None, number: int, *, seed: int) -> list[int]:
    """Return which of `count` pictures the rater with a number judges.

    Raters go round a shuffled ring of pictures, so that the numbers of raters of two pictures differ by at most 1.
    """
    if share is None or share == count:
        return list(range(count))
    ring = np.random.default_rng((seed, count)).permutation(count)
    return sorted(int(ring[(number * share + step) % count]) for step in range(share))


def blocks(
    pictures: Sequence[int], units: int, rounds: int, number: int, rng: np.random.Generator
) -> list[tuple[int, int]]:
    """Return (picture, unit) pairs: in each round every picture once, with a unit that differs from round to round.

    The unit of a picture moves on by one from round to round and from rater to rater (a cyclic Latin square), so
    that over `units` raters every unit of every picture comes in every round once.
    """
    order: list[tuple[int, int]] = []
    for turn in range(rounds):
        shuffled = [int(one) for one in rng.permutation(pictures)]
        if order and len(shuffled) > 1 and shuffled[0] == order[-1][0]:
            shuffled[0], shuffled[-1] = shuffled[-1], shuffled[0]
        order += [(picture, (picture + turn + number) % units) for picture in shuffled]
    return order


def apart(first: int, total: int, rng: np.random.Generator) -> float:
    """Return a place between two of `total` trials, a third of them or more behind the first."""
    return float(rng.integers(min(first + max(total // 3, 1), total - 1), total)) + 0.5
