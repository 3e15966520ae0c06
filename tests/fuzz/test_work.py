"""The oracle itself: it must see too much work and too much memory, and nothing else."""

import sys
import threading

import numpy as np
import pytest

from tests.fuzz.work import Counter, TooMuchWork, bounded, peak_kilobytes
from wildsr.imaging.metadata.ifd import reader
from wildsr.models import ModelSpec

DESCRIPTION = b'{"id":"a","architecture":"rrdb"}'


def describe(data: bytes) -> None:
    ModelSpec.from_json(data.decode())


def test_lines_of_our_code_are_counted_and_the_same_every_time() -> None:
    counts = []
    for _ in range(2):
        with Counter(10_000) as counter:
            describe(DESCRIPTION)
        counts.append(counter.lines)
    assert counts[0] == counts[1]
    assert 5 < counts[0] < 1000


def test_lines_of_others_are_not() -> None:
    with Counter(10_000) as counter:
        assert sum(number for number in range(5000)) == 12497500
    assert counter.lines == 0


def test_other_threads_count() -> None:
    with Counter(10_000) as counter:
        worker = threading.Thread(target=describe, args=(DESCRIPTION,))
        worker.start()
        worker.join()
    assert counter.lines > 5


def test_work_stops_at_the_limit() -> None:
    with pytest.raises(TooMuchWork), Counter(3):
        describe(DESCRIPTION)


def test_a_tracer_that_was_there_comes_back() -> None:
    before = sys.gettrace()
    with pytest.raises(TooMuchWork), Counter(0):
        describe(DESCRIPTION)
    assert sys.gettrace() is before


def test_a_target_that_runs_too_many_lines_is_a_finding() -> None:
    def repeat(data: bytes) -> None:
        for _ in range(len(data)):
            describe(DESCRIPTION)

    bounded(repeat, lines=1000, lines_per_byte=100)(b"abc")
    with pytest.raises(AssertionError, match="3 bytes took more than 13 lines"):
        bounded(repeat, lines=10, lines_per_byte=1)(b"abc")


@pytest.mark.skipif(not peak_kilobytes(reset=True), reason="the system doesn't tell a process's peak")
def test_a_target_that_takes_too_much_memory_is_a_finding() -> None:
    def hold(data: bytes) -> None:
        np.ones(len(data) << 20, np.uint8)

    bounded(hold, lines=10, lines_per_byte=1, megabytes=64)(b"abcd")
    with pytest.raises(AssertionError, match=r"1600 bytes took 1[56].. MB"):
        bounded(hold, lines=10, lines_per_byte=1, megabytes=64)(bytes(1600))


def test_what_only_the_first_call_takes_is_no_finding() -> None:
    calls = []

    def load(data: bytes) -> None:
        calls.append(data)
        for _ in range(100 if len(calls) == 1 else 1):
            reader(data)(0, 1)

    bounded(load, lines=50, lines_per_byte=0)(b"II")
    assert len(calls) == 2
