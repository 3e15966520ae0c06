"""The network works on the next tile while the last is finished: no further ahead, and no longer than the picture."""

import threading
from itertools import product
from pathlib import Path

import numpy as np
import pytest

from tests.engine.test_upscaler import photo
from wildsr.engine import Settings, Upscaler
from wildsr.engine.ahead import one_ahead
from wildsr.engine.blend import bands
from wildsr.engine.render import TileRenderer
from wildsr.engine.rows import fade_of, float_rows
from wildsr.errors import BackendError
from wildsr.imaging import FloatArray, Picture, Source, write
from wildsr.models import Model


def helpers() -> list[str]:
    return [one.name for one in threading.enumerate() if one.name.startswith("wildsr-network")]


@pytest.mark.parametrize("count", [0, 1, 2, 7])
def test_things_come_in_order_made_one_ahead_in_another_thread(count: int) -> None:
    begun, threads, taken = list[int](), set[str](), list[int]()

    def make(item: int) -> int:
        begun.append(item)
        threads.add(threading.current_thread().name)
        return 10 * item

    for made in one_ahead(range(count), make, worth=lambda made: True):
        assert len(begun) <= len(taken) + 2
        taken.append(made)
    assert taken == [10 * item for item in range(count)]
    assert begun == list(range(count))
    assert threading.current_thread().name not in threads
    assert helpers() == []


def test_the_next_is_made_while_the_last_is_worked_on_where_that_is_worth_it() -> None:
    begun = [threading.Event() for _ in range(5)]

    def make(item: int) -> int:
        begun[item].set()
        return item

    for made in one_ahead(range(5), make, worth=lambda made: made == 1):
        if made == 1:  # the next two are handed in when the second is asked for
            assert not begun[2].wait(0.05)
        if made == 2:
            assert begun[3].wait(20)
        if made == 3:
            assert not begun[4].wait(0.05)


def test_an_error_comes_at_its_place_and_ends_the_thread() -> None:
    begun, taken = list[int](), list[int]()

    def make(item: int) -> int:
        begun.append(item)
        if item == 2:
            raise BackendError("the third")
        return item

    with pytest.raises(BackendError, match="the third"):
        taken.extend(one_ahead(range(9), make, worth=lambda made: True))
    assert taken == [0, 1]
    assert len(begun) <= 4
    assert helpers() == []


def test_closing_waits_for_what_is_being_made_and_makes_no_more() -> None:
    made, go = list[int](), threading.Event()

    def make(item: int) -> int:
        if item:
            assert go.wait(20)
        made.append(item)
        return item

    things = one_ahead(range(9), make, worth=lambda made: True)
    next(things)
    threading.Timer(0.05, go.set).start()
    things.close()
    assert made in ([0], [0, 1])
    assert helpers() == []


def test_tiles_are_those_of_one_thread_and_progress_is_told_in_the_callers(compact: Model) -> None:
    upscaler = Upscaler(compact, Settings(tile=40, precision="fp32", threads=1))
    picture = Picture(rgb=photo(90, 70), alpha=photo(90, 70)[..., 0])
    told = list[tuple[str, int]]()

    def progress(done: int, tiles: int) -> None:
        told.append((threading.current_thread().name, done))

    result = upscaler(picture, progress=progress)
    source = Source.from_picture(picture)
    plan = upscaler.plan(source)
    work = upscaler.work(source, plan)
    renderer = TileRenderer(source, work.backend, work.settings, work.multiple, work.tally, neutral=False)
    grid = plan.passes[0].grid
    order = product(grid.rows, grid.columns)
    rows = bands(
        grid,
        (renderer.finish(renderer.network(spans)) for spans in order),
        scale=4,
        channels=4,
        fade=fade_of(plan.halo),
        quantise=lambda block: np.clip(block, 0, 1),
    )
    np.testing.assert_array_equal(
        np.concatenate([result.rgb, result.alpha[..., None]], 2), np.concatenate(list(rows))
    )
    assert plan.tiles > 4
    assert told == [(threading.current_thread().name, number + 1) for number in range(plan.tiles)]
    assert work.tally.inference_seconds > 0
    assert helpers() == []


@pytest.mark.parametrize("error", [KeyboardInterrupt, BackendError])
def test_what_progress_raises_leaves_no_file_and_no_thread(
    error: type[BaseException], compact: Model, tmp_path: Path
) -> None:
    write(Picture(rgb=photo(90, 70)), tmp_path / "a.png")
    upscaler = Upscaler(compact, Settings(tile=40, precision="fp32", threads=1))

    def progress(done: int, tiles: int) -> None:
        if done == 2:
            raise error("enough")

    with pytest.raises(error, match="enough"):
        upscaler.upscale_file(tmp_path / "a.png", tmp_path / "b.png", progress=progress)
    assert [path.name for path in tmp_path.iterdir()] == ["a.png"]
    assert helpers() == []
    with pytest.raises(error, match="enough"):
        upscaler(Picture(rgb=photo(90, 70)), progress=progress)
    assert helpers() == []


def test_rows_that_are_not_asked_for_leave_no_thread(compact: Model) -> None:
    upscaler = Upscaler(compact, Settings(tile=40, precision="fp32", threads=1))
    source = Source.from_picture(Picture(rgb=photo(90, 70)))
    rows = float_rows(upscaler.work(source, upscaler.plan(source)))
    first: FloatArray = next(rows)
    assert first.shape[1:] == (280, 3)
    rows.close()
    assert helpers() == []
