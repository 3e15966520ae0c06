"""Rows in one thread, the encoder in another: order, bounds, and whose exception comes out."""

import threading

import pytest

from wildsr.imaging.encoder_thread import EncoderThread, Read


def read_all(read: Read, size: int = 7) -> bytes:
    return b"".join(bytes(piece) for piece in iter(lambda: read(size), None))


@pytest.mark.parametrize("size", [1, 7, 4096])
def test_bytes_arrive_in_order_and_empty_chunks_are_no_end(size: int) -> None:
    got: list[bytes] = []
    with EncoderThread(lambda read: got.append(read_all(read, size))) as thread:
        for chunk in (b"one ", b"", b"two ", b"", b"", b"three"):
            thread.put(chunk)
    assert got == [b"one two three"]


def test_the_producer_is_never_more_than_a_few_chunks_ahead() -> None:
    taken, ahead = [0], [0]

    def consume(read: Read) -> None:
        while read(1):
            taken[0] += 1

    with EncoderThread(consume) as thread:
        for made in range(1, 201):
            thread.put(b"x")
            ahead[0] = max(ahead[0], made - taken[0])
    assert taken == [200]
    assert ahead[0] <= 4 + 1  # the queue, and the one being read


def test_an_encoder_that_stops_reading_lets_the_rows_be_made_to_their_end() -> None:
    made = 0
    with EncoderThread(lambda read: None) as thread:
        for _ in range(50):
            thread.put(b"row")
            made += 1
    assert made == 50


def test_what_making_rows_raises_comes_through_even_when_the_encoder_fails_too() -> None:
    def consume(read: Read) -> None:
        read_all(read)
        raise ValueError("half a picture")

    before = threading.active_count()

    def produce() -> None:
        with EncoderThread(consume) as thread:
            thread.put(b"row")
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        produce()
    assert threading.active_count() == before


def test_what_the_encoder_raises_ends_the_rows() -> None:
    def consume(read: Read) -> None:
        read(1)
        raise OSError("disk full")

    def produce() -> None:
        with EncoderThread(consume) as thread:
            while True:  # for ever, were the failure not raised by `put`
                thread.put(b"row")

    with pytest.raises(OSError, match="disk full"):
        produce()
