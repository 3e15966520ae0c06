"""Rows in one thread, the encoder in another: order, bounds, and whose exception comes out."""

import threading
from collections.abc import Iterator

import pytest

from wildsr.imaging.encoder_thread import Pipe, pump


def read_all(pipe: Pipe, size: int = 7) -> bytes:
    return b"".join(bytes(piece) for piece in iter(lambda: pipe.read(size), None))


@pytest.mark.parametrize("size", [1, 7, 4096])
def test_bytes_arrive_in_order_and_empty_chunks_are_no_end(size: int) -> None:
    chunks = [b"one ", b"", b"two ", b"", b"", b"three"]
    got: list[bytes] = []
    pump(chunks, lambda pipe: got.append(read_all(pipe, size)))
    assert got == [b"one two three"]


def test_the_producer_is_never_more_than_a_few_chunks_ahead() -> None:
    made, taken, ahead = [0], [0], [0]

    def chunks() -> Iterator[bytes]:
        for _ in range(200):
            made[0] += 1
            ahead[0] = max(ahead[0], made[0] - taken[0])
            yield b"x"

    def consume(pipe: Pipe) -> None:
        while pipe.read(1):
            taken[0] += 1

    pump(chunks(), consume)
    assert taken == [200]
    assert ahead[0] <= 4 + 2  # the queue, the one being made, and the one between


def test_an_encoder_that_stops_reading_lets_the_rows_be_made_to_their_end() -> None:
    made: list[int] = []

    def chunks() -> Iterator[bytes]:
        for n in range(50):
            made.append(n)
            yield b"row"

    pump(chunks(), lambda pipe: None)
    assert made == list(range(50))


def test_what_making_rows_raises_comes_through_even_when_the_encoder_fails_too() -> None:
    def chunks() -> Iterator[bytes]:
        yield b"row"
        raise KeyboardInterrupt

    def consume(pipe: Pipe) -> None:
        read_all(pipe)
        raise ValueError("half a picture")

    before = threading.active_count()
    with pytest.raises(KeyboardInterrupt):
        pump(chunks(), consume)
    assert threading.active_count() == before


def test_what_the_encoder_raises_ends_the_rows() -> None:
    made: list[int] = []

    def chunks() -> Iterator[bytes]:
        for n in range(1_000_000):
            made.append(n)
            yield b"row"

    def consume(pipe: Pipe) -> None:
        pipe.read(1)
        raise OSError("disk full")

    with pytest.raises(OSError, match="disk full"):
        pump(chunks(), consume)
    assert len(made) < 1_000_000
