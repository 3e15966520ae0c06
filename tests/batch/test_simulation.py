"""The simulation behind docs/scaling.md, against what can be worked out by hand."""

import math
from dataclasses import replace

import pytest

pytest.importorskip("simpy", reason="needs simpy, of the extra dev")

from benchmarks.simulate_batch import Assumptions, block_count, bottleneck, simulate

QUIET = Assumptions(
    photos=96, machines=1, cores=1, compute=10.0, spread=0.0, stragglers=0.0, listing=0.5, start=7.0,
    read=0.0, written=0.0, record=0.0,
)  # fmt: skip


def test_one_worker_takes_the_sum() -> None:
    given = replace(QUIET, read=3e6, written=5e6, stream=1e6, record=0.25)
    found = simulate(given)
    assert found.seconds == pytest.approx(96 * 0.5 + 7 + 96 * (3 + 10 + 5 + 0.25))
    assert found.working == pytest.approx(96 * 18)
    assert (found.lost, found.store) == (0, pytest.approx(96 * 8 / 2000 / found.seconds))


@pytest.mark.parametrize(("machines", "cores"), [(1, 8), (4, 2), (3, 4), (40, 5)])
def test_many_workers_take_their_rounds(machines: int, cores: int) -> None:
    given = replace(QUIET, machines=machines, cores=cores, blocks=24)
    rounds = math.ceil(24 / min(24, machines * cores))
    assert simulate(given).seconds == pytest.approx(48 + 7 + rounds * 4 * 10)


def test_a_slow_machine_is_waited_for() -> None:
    given = replace(QUIET, machines=2, blocks=2, stragglers=0.5, slowness=3.0)
    assert simulate(given).seconds == pytest.approx(48 + 7 + 48 * 10 * 3)


def test_the_store_s_rate_bounds_what_is_written() -> None:
    """96 results of 20 s through three transfers at a time: 32 rounds, whatever the workers."""
    given = replace(QUIET, compute=0.0, machines=4, cores=24, written=20e6, stream=1e6, streams=3, blocks=96)
    found = simulate(given)
    assert found.seconds == pytest.approx(48 + 7 + 96 / 3 * 20)
    assert found.store == pytest.approx(640 / found.seconds)
    assert "the store" in bottleneck(given, found)


def test_the_driver_s_rate_bounds_the_records() -> None:
    given = replace(QUIET, compute=0.0, machines=4, cores=24, record=5.0, blocks=96)
    found = simulate(given)
    assert found.seconds == pytest.approx(48 + 7 + 96 * 5)
    assert found.driver == pytest.approx((48 + 480) / found.seconds)
    assert "the driver" in bottleneck(given, found)


def test_blocks_that_are_lost_are_done_again_as_renewal_theory_says() -> None:
    """A block of T seconds that fails at rate λ and waits R for the next try takes (e^λT − 1)(1/λ + R) on average.

    What is lost is the time in which a machine was there and its block came to nothing.
    """
    rate, length, wait = 1 / 200, 100.0, 30.0
    given = replace(
        QUIET,
        photos=2000,
        blocks=2000,
        compute=length,
        start=0.0,
        listing=0.0,
        preemption=1 / rate,
        replacement=wait,
    )
    found = simulate(given)
    expected = (math.exp(rate * length) - 1) * (1 / rate + wait)
    assert found.seconds / 2000 == pytest.approx(expected, rel=0.06)
    assert found.working == pytest.approx(2000 * length)
    assert found.lost == pytest.approx(
        found.seconds - 2000 * length - wait * lost_times(found.seconds, rate, wait), rel=0.1
    )
    assert len(found.finished) == 2000


def lost_times(seconds: float, rate: float, wait: float) -> float:
    """How often a machine goes in that time: each life lasts 1/λ, then it is waited for."""
    return seconds / (1 / rate + wait)


def test_times_vary_about_what_was_measured_and_a_seed_gives_them_again() -> None:
    given = replace(QUIET, photos=20_000, cores=10, spread=0.5, blocks=500)
    found = simulate(given, seed=3)
    assert found.working == pytest.approx(20_000 * 10, rel=0.02)
    assert simulate(given, seed=3).finished == found.finished
    assert simulate(given, seed=4).seconds != found.seconds
    assert found.idle == pytest.approx(1 - found.working / (10 * found.seconds))


def test_blocks_are_those_of_the_engine() -> None:
    pytest.importorskip("fsspec", reason="needs the extra batch")
    from wildsr.batch import run

    cases = [(1, 64), (64, 64), (500, 2), (1000, 64), (10**5, 64), (10**6, 640), (10**6, 6400)]
    counts = [1, 64, 125, 250, 2000, 12_800, 62_500]
    assert [block_count(*one) for one in cases] == counts
    assert [run.block_count(tasks, min(tasks, workers)) for tasks, workers in cases] == counts
