"""One `Upscaler` shared by threads gives each its own picture; one carried into a forked child says so."""

import multiprocessing
import os
import sys
import threading
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import numpy as np
import pytest

from tests.engine.test_upscaler import photo
from wildsr.engine import Settings, Upscaler
from wildsr.errors import ForkError
from wildsr.imaging import FloatArray, Picture, read, write
from wildsr.machine import cores
from wildsr.models import Model

THREADS = 4


@pytest.mark.parametrize("backend", ["openvino", "onnxruntime"])
@pytest.mark.parametrize("color_fix", [True, False], ids=["colour fix", "plain"])
@pytest.mark.parametrize("calls", [25, pytest.param(200, marks=pytest.mark.slow)])
@pytest.mark.parametrize("network", ["compact", "rrdb"])
def test_four_threads_get_what_one_gets(
    backend: str, color_fix: bool, calls: int, network: str, request: pytest.FixtureRequest
) -> None:
    if backend == "onnxruntime":
        pytest.importorskip("onnxruntime")
    model: Model = request.getfixturevalue(network)
    settings = Settings(backend=backend, color_fix=color_fix, precision="fp32", threads=1)
    upscaler = Upscaler(model, settings)
    pictures = [Picture(rgb=photo(24, 24, seed=seed)) for seed in range(12)]
    expected = [upscaler(picture).rgb for picture in pictures]
    start = threading.Barrier(THREADS)

    def work(thread: int) -> list[int]:
        wrong = []
        start.wait()
        for call in range(calls):
            index = (call * (thread + 1) + thread) % len(pictures)
            if not np.array_equal(upscaler(pictures[index]).rgb, expected[index]):
                wrong.append(call)
        return wrong

    with ThreadPoolExecutor(THREADS) as pool:
        wrong = list(pool.map(work, range(THREADS)))
    assert wrong == [[]] * THREADS


def test_requests_are_taken_by_one_and_given_back(compact: Model) -> None:
    upscaler = Upscaler(compact, Settings(precision="fp32", threads=1))
    picture = Picture(rgb=photo(16, 16))
    with ThreadPoolExecutor(THREADS) as pool:
        list(pool.map(lambda _: upscaler(picture), range(40)))
    body = upscaler._network.widest._body  # type: ignore[attr-defined]
    assert 1 <= len(body._idle) <= THREADS, "as many as were ever in use at once, and none lost"


@pytest.mark.parametrize("threads", [1, 2, 1000])
def test_calls_at_once_get_cores_that_one_leaves_idle(compact: Model, threads: int) -> None:
    upscaler = Upscaler(compact, Settings(precision="fp32", threads=threads))
    graph = upscaler._network.widest._body._graph  # type: ignore[attr-defined]
    assert int(graph.get_property("NUM_STREAMS")) == max(1, min(cores() // threads, 4))
    assert upscaler.threads == min(threads, cores()), "of one call"


def test_what_is_told_of_one_picture_is_not_told_of_another(compact: Model, tmp_path: Path) -> None:
    """Guards and tallies belong to one call, so reports of pictures made side by side don't mix."""
    upscaler = Upscaler(compact, Settings(precision="fp32", threads=1))
    for index in range(6):
        write(Picture(rgb=photo(20 + index, 20, seed=index)), tmp_path / f"{index}.png")

    def make(index: int) -> tuple[float, int]:
        report = upscaler.upscale_file(tmp_path / f"{index}.png", tmp_path / f"{os.urandom(8).hex()}.png")
        return report.drift_before, report.plan.height

    alone = [make(index) for index in range(6)]
    with ThreadPoolExecutor(THREADS) as pool:
        assert list(pool.map(make, range(6))) == alone


FORKS = [
    pytest.param(lambda upscaler, picture, path: upscaler(picture), id="an upscaler of the parent"),
    pytest.param(lambda upscaler, picture, path: Upscaler(upscaler.model), id="one of its own"),
    pytest.param(lambda upscaler, picture, path: read(path), id="reading"),
    pytest.param(lambda upscaler, picture, path: write(picture, f"{path}.webp"), id="writing"),
]


def in_child(action: Callable[[], object], outcome: "multiprocessing.Queue[str]") -> None:
    try:
        action()
        outcome.put("worked")
    except ForkError as error:
        outcome.put(f"named: {error} / {error.hint}")


@pytest.mark.skipif(sys.platform != "linux", reason="forks as Linux does")
@pytest.mark.filterwarnings("ignore::DeprecationWarning")  # newer Pythons warn of what is tested here
@pytest.mark.parametrize("action", FORKS)
def test_a_forked_child_works_or_is_told(
    action: Callable[[Upscaler, Picture, Path], object], compact: Model, tmp_path: Path
) -> None:
    picture = Picture(rgb=photo(24, 24))
    write(picture, tmp_path / "a.png")
    upscaler = Upscaler(compact, Settings(precision="fp32"))
    upscaler(read(tmp_path / "a.png"))  # every library has started its threads
    context = multiprocessing.get_context("fork")
    outcome: multiprocessing.Queue[str] = context.Queue()
    child = context.Process(
        target=in_child, args=(lambda: action(upscaler, picture, tmp_path / "a.png"), outcome)
    )
    child.start()
    child.join(60)
    hung = child.is_alive()
    if hung:
        child.kill()
        child.join()
    assert not hung
    told = outcome.get(timeout=10)
    assert told == "worked" or ("forked" in told and 'get_context("spawn")' in told)


def test_the_result_is_an_array_of_its_own(compact: Model) -> None:
    """What a call returned is not what the next writes into."""
    upscaler = Upscaler(compact, Settings(precision="fp32", color_fix=False, threads=1))
    first: FloatArray = upscaler(Picture(rgb=photo(24, 24, seed=1))).rgb
    kept = first.copy()
    upscaler(Picture(rgb=photo(24, 24, seed=2)))
    np.testing.assert_array_equal(first, kept)
