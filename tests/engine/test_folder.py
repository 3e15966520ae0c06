"""`upscale_folder`: what the command does, in Python; resume, cancel, progress and smaller tiles included."""

import errno
import json
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from numpy.typing import NDArray

from tests.e2e.conftest import files, photo, pixels
from wildsr.engine import BatchProgress, Settings, Size, Upscaler, upscale_folder
from wildsr.engine.backends.openvino import OpenVINOBackend
from wildsr.errors import InputError, NoSpaceError, OutOfMemoryError, OutputError, UsageError
from wildsr.files import JOURNAL_NAME, AtomicFile, output_error
from wildsr.imaging import FloatArray, WriteOptions
from wildsr.models import Model

PLAIN = Settings(precision="fp32", color_fix=False, threads=1)
COUNT = 5


@pytest.fixture
def here(tmp_path: Path) -> Path:
    """A folder `in` with a few pictures."""
    for number in range(COUNT):
        photo(tmp_path / "in" / f"{number}.png", seed=number, size=(30 + number, 20))
    return tmp_path


def lines(out: Path) -> list[dict[str, object]]:
    return [json.loads(line) for line in (out / JOURNAL_NAME).read_text().splitlines()]


def test_all_pictures_are_made_and_a_second_call_makes_none(here: Path, compact: Model) -> None:
    batch = upscale_folder(here / "in", here / "out", model=compact, settings=PLAIN)
    assert not (here / "out").exists(), "nothing is done before it is iterated"
    outcomes = list(batch)
    assert [one.status for one in outcomes] == ["done"] * COUNT
    assert [one.target for one in outcomes] == [here / "out" / f"{number}_x4.png" for number in range(COUNT)]
    assert all(one.report is not None and one.report.target == one.target for one in outcomes)
    before = files(here / "out")
    again = list(upscale_folder(str(here / "in"), str(here / "out"), model=compact, settings=PLAIN))
    assert [(one.status, one.report) for one in again] == [("skipped", None)] * COUNT
    assert files(here / "out") == before


@pytest.mark.parametrize("after", range(COUNT))
def test_a_batch_broken_off_goes_on_to_the_same_bytes(here: Path, compact: Model, after: int) -> None:
    list(upscale_folder(here / "in", here / "whole", model=compact, settings=PLAIN))
    for number, _ in enumerate(upscale_folder(here / "in", here / "out", model=compact, settings=PLAIN)):
        if number == after:
            break
    rest = list(upscale_folder(here / "in", here / "out", model=compact, settings=PLAIN))
    # the one just handed out is journaled before it is handed out
    assert [one.status for one in rest].count("skipped") == after + 1
    assert files(here / "out") == files(here / "whole")


@pytest.mark.parametrize("calls", [0, 1, 3, 4, 7])
def test_cancel_leaves_nothing_half_made(here: Path, compact: Model, calls: int) -> None:
    list(upscale_folder(here / "in", here / "whole", model=compact, settings=PLAIN))
    asked = iter(range(1000))
    cancelled = list(
        upscale_folder(
            here / "in",
            here / "out",
            model=compact,
            settings=PLAIN,
            cancel=lambda: next(asked) >= calls,
        )
    )
    assert len(cancelled) < COUNT
    assert set(files(here / "out")) == {one.target.name for one in cancelled if one.target}
    rest = list(upscale_folder(here / "in", here / "out", model=compact, settings=PLAIN))
    assert [one.status for one in rest].count("skipped") == len(cancelled)
    assert files(here / "out") == files(here / "whole")


def test_progress_counts_pictures_and_tiles(here: Path, compact: Model) -> None:
    seen = list[BatchProgress]()
    settings = replace(PLAIN, tile=24)
    outcomes = list(
        upscale_folder(here / "in", here / "out", model=compact, settings=settings, progress=seen.append)
    )
    for number, outcome in enumerate(outcomes):
        assert outcome.report is not None
        mine = [one for one in seen if one.source == outcome.source]
        tiles = [(one.tiles_done, one.tiles) for one in mine if one.tiles is not None]
        count = outcome.report.plan.tiles
        assert tiles == [(done, count) for done in range(1, count + 1)]
        assert (mine[0].tiles_done, mine[0].tiles) == (0, None)
        assert {(one.pictures_done, one.pictures) for one in mine} == {(number, COUNT)}


def test_a_bad_picture_and_a_missing_one_are_outcomes(here: Path, compact: Model) -> None:
    (here / "in" / "2.png").write_bytes(b"\x89PNG\r\n\x1a\n")
    outcomes = list(
        upscale_folder([here / "in", here / "gone.png"], here / "out", model=compact, settings=PLAIN)
    )
    failed = {one.source.name: (one.target, one.reason) for one in outcomes if one.status == "failed"}
    assert failed["gone.png"] == (None, "does not exist")
    assert failed["2.png"][0] == here / "out" / "2_x4.png"
    assert [one.status for one in outcomes].count("done") == COUNT - 1


def test_names_follow_size_suffix_and_extension(here: Path, compact: Model) -> None:
    def names(**given: object) -> set[str]:
        batch = upscale_folder(here / "in", here / "out", model=compact, settings=PLAIN, **given)  # type: ignore[arg-type]
        return {job.target.name for job in batch.outputs.jobs}

    assert "0_x2.5.png" in names(size=Size(scale=2.5))
    assert "0_w70.png" in names(size=Size(width=70))
    assert "0_max70.webp" in names(size=Size(max_side=70), extension="webp")
    assert "0-big.png" in names(suffix="-big")


def test_existing_files_are_kept_unless_told_otherwise(here: Path, compact: Model) -> None:
    (here / "out").mkdir()
    (here / "out" / "1_x4.png").write_bytes(b"mine")
    # WriteOptions says yes by default; a folder's journey asks for a yes of its own
    kept = list(
        upscale_folder(here / "in", here / "out", model=compact, settings=PLAIN, options=WriteOptions())
    )
    assert [one.source.name for one in kept if one.status == "failed"] == ["1.png"]
    assert (here / "out" / "1_x4.png").read_bytes() == b"mine"
    replaced = list(upscale_folder(here / "in", here / "out", model=compact, settings=PLAIN, overwrite=True))
    assert [one.status for one in replaced].count("done") == 1
    assert pixels(here / "out" / "1_x4.png").shape == (80, 124, 3)
    single = upscale_folder(here / "in" / "0.png", here / "out" / "1_x4.png", model=compact, settings=PLAIN)
    assert not single.journaled
    with pytest.raises(OutputError, match="1 of 1 result exists already"):
        list(single)


def test_other_settings_are_refused_before_anything_is_written(here: Path, compact: Model) -> None:
    list(upscale_folder(here / "in", here / "out", model=compact, settings=PLAIN))
    before = files(here / "out")
    with pytest.raises(UsageError, match=r"strength was 1\.0, now 0\.5"):
        list(upscale_folder(here / "in", here / "out", model=compact, settings=replace(PLAIN, strength=0.5)))
    assert files(here / "out") == before


def test_an_upscaler_is_shared_and_brings_its_settings(here: Path, compact: Model) -> None:
    upscaler = Upscaler(compact, PLAIN)
    batch = upscale_folder(here / "in", here / "out", model=upscaler)
    assert batch.upscaler is upscaler
    assert [one.status for one in batch] == ["done"] * COUNT
    with pytest.raises(UsageError, match="it has its own"):
        upscale_folder(here / "in", here / "out", model=upscaler, settings=PLAIN)


def test_nothing_to_do_is_said_before_the_model_is_looked_for(here: Path) -> None:
    with pytest.raises(InputError, match="no picture"):
        upscale_folder(here / "empty-name.png", here / "out", model="no such model")


def test_comparisons_are_made_beside_results_and_not_taken_for_photos(here: Path, compact: Model) -> None:
    def run(out: Path | None) -> list[tuple[str, str | None]]:
        made = upscale_folder(here / "in", out, model=compact, settings=PLAIN, compare=True)
        return [(one.status, one.comparison.name if one.comparison else None) for one in made]

    assert run(None) == [("done", f"{number}_x4_compare.png") for number in range(COUNT)]
    assert run(None) == [("skipped", None)] * COUNT


def test_estimates_say_what_each_takes_and_write_nothing(here: Path, compact: Model) -> None:
    (here / "in" / "2.png").write_bytes(b"")
    estimates = list(upscale_folder(here / "in", here / "out", model=compact, settings=PLAIN).estimates())
    assert [one.plan and (one.plan.width, one.plan.height) for one in estimates] == [
        (4 * (30 + number), 80) if number != 2 else None for number in range(COUNT)
    ]
    assert "empty" in str(estimates[2].reason)
    assert all(one.seconds is None or one.seconds > 0 for one in estimates)
    assert not (here / "out").exists()


class TestMemoryRunsOut:
    """A machine on which tiles of more than `room` LR pixels don't fit."""

    room = 40_000

    @pytest.fixture(autouse=True)
    def small_machine(self, monkeypatch: pytest.MonkeyPatch) -> None:
        run = OpenVINOBackend.run

        def limited(backend: OpenVINOBackend, tile: FloatArray) -> FloatArray:
            if tile.shape[2] * tile.shape[3] > self.room:
                raise OutOfMemoryError("no")
            return run(backend, tile)

        monkeypatch.setattr(OpenVINOBackend, "run", limited)

    @pytest.fixture
    def large(self, tmp_path: Path) -> Path:
        for number in range(3):
            photo(tmp_path / "in" / f"{number}.png", seed=number, size=(260, 240 + number))
        return tmp_path

    def test_the_change_is_journaled_and_the_rest_begins_with_it(self, large: Path, compact: Model) -> None:
        upscaler = Upscaler(compact, PLAIN, tile_pixels=80_000)
        outcomes = list(upscale_folder(large / "in", large / "out", model=upscaler))
        assert [one.report and one.report.plan.tile_pixels for one in outcomes] == [40_000] * 3
        assert upscaler.tile_pixels == 80_000, "what threads share is not changed"
        journal = lines(large / "out")
        assert journal[0]["settings"]["tile_pixels"] == 80_000  # type: ignore[index]
        assert [line["changed_settings"] for line in journal if "changed_settings" in line] == [
            {"tile_pixels": 40_000}
        ]

    @pytest.mark.parametrize("after", [0, 1])
    def test_a_resumed_batch_gives_the_same_bytes_even_with_more_memory(
        self, large: Path, compact: Model, after: int, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        def batch(out: str) -> list[NDArray[np.uint8]]:
            upscaler = Upscaler(compact, PLAIN, tile_pixels=80_000)
            made = []
            for number, outcome in enumerate(upscale_folder(large / "in", large / out, model=upscaler)):
                made.append(outcome)
                if out == "out" and number == after and outcome.status == "done":
                    break
            return [pixels(one.target) for one in made if one.target]

        batch("whole")
        batch("out")
        monkeypatch.setattr(TestMemoryRunsOut, "room", 1 << 40)
        upscaler = Upscaler(compact, PLAIN, tile_pixels=80_000)
        list(upscale_folder(large / "in", large / "out", model=upscaler))
        assert files(large / "out") == files(large / "whole")

    @pytest.mark.parametrize("value", [-4, 0, True, "many", 1.5])
    def test_a_change_that_cannot_be_is_named(self, large: Path, compact: Model, value: object) -> None:
        upscaler = Upscaler(compact, PLAIN, tile_pixels=80_000)
        list(upscale_folder(large / "in", large / "out", model=upscaler))
        with (large / "out" / JOURNAL_NAME).open("a") as journal:
            journal.write(json.dumps({"changed_settings": {"tile_pixels": value}}) + "\n")
        with pytest.raises(OutputError, match="tile_pixels"):
            list(upscale_folder(large / "in", large / "out", model=upscaler))

    def test_a_picture_in_memory_is_made_too(self, compact: Model) -> None:
        from wildsr.imaging import Picture

        upscaler = Upscaler(compact, PLAIN, tile_pixels=80_000)
        rgb = np.random.default_rng(0).random((300, 200, 3), np.float32)
        assert upscaler(Picture(rgb=rgb)).rgb.shape == (1200, 800, 3)
        assert upscaler.tile_pixels == 80_000


def test_a_full_disk_ends_the_batch_at_the_first_picture_it_stops(
    here: Path, compact: Model, monkeypatch: pytest.MonkeyPatch
) -> None:
    computed: list[int] = []
    real = OpenVINOBackend.run

    def counted(self: OpenVINOBackend, tile: FloatArray) -> FloatArray:
        computed.append(tile.shape[3])
        return real(self, tile)

    def full(self: AtomicFile, data: bytes) -> int:
        raise output_error(OSError(errno.ENOSPC, "No space left on device"), Path("out/a.png"))

    monkeypatch.setattr(OpenVINOBackend, "run", counted)
    monkeypatch.setattr(AtomicFile, "write", full)
    outcomes = []
    with pytest.raises(NoSpaceError, match="the disk is full") as caught:
        outcomes.extend(upscale_folder(here / "in", here / "out", model=compact, settings=PLAIN))
    assert "what is done stays done" in str(caught.value.hint)
    assert outcomes == []
    assert len(computed) == 1  # each of these pictures is one tile
    assert not files(here / "out")
    monkeypatch.undo()
    again = list(upscale_folder(here / "in", here / "out", model=compact, settings=PLAIN))
    assert [one.status for one in again] == ["done"] * COUNT


def test_a_folder_of_deep_zoom_is_gone_on_with(here: Path, compact: Model) -> None:
    def run() -> list[str]:
        made = upscale_folder(here / "in", here / "out", model=compact, settings=PLAIN, extension="dzi")
        return [one.status for one in made]

    assert run() == ["done"] * COUNT
    before = files(here / "out")
    assert "3_x4_files/8/0_0.png" in {
        path.relative_to(here / "out").as_posix() for path in (here / "out").rglob("*.png")
    }
    assert run() == ["skipped"] * COUNT
    (here / "out" / "3_x4.dzi").unlink()
    again = list(upscale_folder(here / "in", here / "out", model=compact, settings=PLAIN, extension="dzi"))
    assert [one.status for one in again].count("skipped") == COUNT - 1
    failed = next(one for one in again if one.status == "failed")
    assert "3_x4_files: the file exists" in str(failed.reason)
    last = upscale_folder(
        here / "in", here / "out", model=compact, settings=PLAIN, extension="dzi", overwrite=True
    )
    assert sorted(one.status for one in last) == ["done", *["skipped"] * (COUNT - 1)]
    assert {name: size for name, size in files(here / "out").items() if "dzi" in str(name)} == {
        name: size for name, size in before.items() if "dzi" in str(name)
    }
    with pytest.raises(UsageError, match="--compare looks into the result"):
        upscale_folder(
            here / "in", here / "new", model=compact, settings=PLAIN, extension="dzi", compare=True
        )


def test_a_pyramid_is_another_setting(here: Path, compact: Model) -> None:
    def run(*, pyramid: bool) -> list[str]:
        options = WriteOptions(pyramid=pyramid)
        made = upscale_folder(
            here / "in", here / "out", model=compact, settings=PLAIN, extension="tif", options=options
        )
        return [one.status for one in made]

    assert run(pyramid=True) == ["done"] * COUNT
    assert run(pyramid=True) == ["skipped"] * COUNT
    with pytest.raises(UsageError, match="pyramid"):
        run(pyramid=False)
