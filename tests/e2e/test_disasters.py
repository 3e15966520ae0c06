"""Disks that are full, closed or read-only, sources that vanish: named, exit code 1, nothing half-written."""

import ctypes
import json
import os
import shutil
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.e2e.conftest import Run, files, photo
from tests.files.conftest import read_only_disk, small_disk
from wildsr.engine import Outcome, Upscaler, upscale_folder

__all__ = ["read_only_disk", "small_disk"]
pytestmark = pytest.mark.e2e
linux = pytest.mark.skipif(sys.platform != "linux", reason="takes capabilities away as Linux does")


def without_superpowers() -> None:
    """Make permissions count for this process and what it starts, even if it is the superuser's."""
    if os.geteuid() == 0:
        prctl, drop_from_bounding_set = ctypes.CDLL(None).prctl, 24
        for capability in (1, 2):  # CAP_DAC_OVERRIDE, CAP_DAC_READ_SEARCH
            prctl(drop_from_bounding_set, capability, 0, 0, 0)


@pytest.fixture
def closed(tmp_path: Path) -> Iterator[Path]:
    """A folder nobody may look into, with a picture in it."""
    folder = photo(tmp_path / "closed" / "a.png").parent
    folder.chmod(0)
    yield folder
    folder.chmod(0o755)


def test_full_disk(run: Run, tmp_path: Path, tiny: Path, small_disk: Path) -> None:
    for seed in range(4):
        photo(tmp_path / "in" / f"{seed}.png", seed=seed, size=(40 if seed != 1 else 70, 24))
    done = run("upscale", "in", "-o", small_disk / "out", "-m", tiny, "-f", "tiff", "--json")
    assert done.returncode == 1
    assert b"no space left" in done.stderr.lower() or b"disk is full" in done.stderr
    account = json.loads(done.stdout)
    whole = {Path(one["target"]).name for one in account["results"]}
    assert set(files(small_disk / "out")) == whole  # nothing half-written, no temporary
    assert "1_x4.tiff" not in whole
    reasons = [one["reason"] for one in account["failed"]]
    assert reasons or account["stopped"]

    # what is done stays done: with room again, only the rest is made
    moved = shutil.copytree(small_disk / "out", tmp_path / "moved")
    resumed = run("upscale", "in", "-o", moved, "-m", tiny, "-f", "tiff", "--overwrite")
    assert resumed.returncode == 0, resumed.stderr
    assert run("upscale", "in", "-o", "undisturbed", "-m", tiny, "-f", "tiff").returncode == 0
    assert files(moved) == files(tmp_path / "undisturbed")


def test_read_only_disk(run: Run, tmp_path: Path, tiny: Path, read_only_disk: Path) -> None:
    photo(tmp_path / "in" / "a.png")
    batch = run("upscale", "in", "-o", read_only_disk, "-m", tiny)
    assert batch.returncode == 1
    assert b"read-only" in batch.stderr
    assert b"hint: " in batch.stderr
    single = run("upscale", "in/a.png", "-o", read_only_disk / "a.png", "-m", tiny)
    assert single.returncode == 1
    assert b"read-only" in single.stderr
    assert list(files(read_only_disk)) == ["old.png"]
    assert batch.stdout == single.stdout == b""


@linux
def test_folders_without_permission(run: Run, tmp_path: Path, tiny: Path, closed: Path) -> None:
    photo(tmp_path / "in" / "a.png")
    photo(tmp_path / "in" / "locked.png").chmod(0)
    unreadable = run("upscale", "closed", "in", "-o", "out", "-m", tiny, prepare=without_superpowers)
    assert unreadable.returncode == 1
    assert b"failed: closed: can't be read: permission denied" in unreadable.stderr
    assert b"failed: in/locked.png: " in unreadable.stderr
    assert list(files(tmp_path / "out")) == ["a_x4.png"]
    for output in ("closed", "closed/below", "closed/a_x4.png"):
        unwritable = run("upscale", "in/a.png", "-o", output, "-m", tiny, prepare=without_superpowers)
        assert unwritable.returncode == 1, output
        assert b"permission denied" in unwritable.stderr, output
        assert unwritable.stdout == b""
    weights = run("upscale", "in/a.png", "-m", "closed/tiny.onnx", prepare=without_superpowers)
    assert weights.returncode == 1
    assert b"error: " in weights.stderr
    assert b"Traceback" not in weights.stderr


def test_a_photo_that_vanishes_while_the_batch_runs(tmp_path: Path, tiny: Path) -> None:
    photos = [photo(tmp_path / "in" / f"{seed}.png", seed=seed) for seed in range(4)]
    outcomes = list[Outcome]()
    for outcome in upscale_folder(tmp_path / "in", tmp_path / "out", model=tiny, suffix=""):
        if outcome.source == photos[0]:
            photos[2].unlink()
        outcomes.append(outcome)
    assert [outcome.source for outcome in outcomes if outcome.status == "failed"] == [photos[2]]
    assert "2.png" in str(outcomes[2].reason)
    assert sorted(files(tmp_path / "out")) == ["0.png", "1.png", "3.png"]


def test_a_fault_nobody_foresaw_costs_one_photo(
    tmp_path: Path, tiny: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for seed in range(3):
        photo(tmp_path / "in" / f"{seed}.png", seed=seed)
    upscaler = Upscaler(tiny)
    real, faults = upscaler.upscale_source, iter([ZeroDivisionError("no"), MemoryError(), None])

    def faulty(*arguments: object, **named: object) -> object:
        fault = next(faults)
        if fault is not None:
            raise fault
        return real(*arguments, **named)  # type: ignore[arg-type]

    monkeypatch.setattr(upscaler, "upscale_source", faulty)
    outcomes = list(upscale_folder(tmp_path / "in", tmp_path / "out", model=upscaler, suffix=""))
    assert [outcome.reason for outcome in outcomes] == [
        "unexpected ZeroDivisionError: no",
        "memory ran out",
        None,
    ]
    assert list(files(tmp_path / "out")) == ["2.png"]


def test_links_in_a_circle(run: Run, tmp_path: Path, tiny: Path) -> None:
    photo(tmp_path / "in" / "a.png")
    (tmp_path / "in" / "again").symlink_to(tmp_path / "in", target_is_directory=True)
    (tmp_path / "in" / "me").symlink_to("me")
    (tmp_path / "in" / "me.png").symlink_to("me.png")
    done = run("upscale", "in", "-r", "-o", "out", "-m", tiny)
    assert done.returncode == 1
    assert b"failed: in/me.png: " in done.stderr
    assert list(files(tmp_path / "out")) == ["a_x4.png"]


def test_hostile_journals(run: Run, tmp_path: Path, tiny: Path) -> None:
    photo(tmp_path / "in" / "a.png")
    precious = photo(tmp_path / "precious.png", seed=5)
    before = precious.read_bytes()
    for number, content in enumerate(
        [
            b"\x89PNG\r\n\x1a\n" + bytes(500),
            b"{" * 100_000,
            b'{"wildsr_journal":1,"settings":{"threads":-4}}\n',
            b'{"wildsr_journal":1,"settings":{"threads":99999999999999999999}}\n',
            b'{"wildsr_journal":9,"settings":{}}\n',
        ]
    ):
        out = tmp_path / f"out{number}"
        out.mkdir()
        (out / ".wildsr-journal.jsonl").write_bytes(content)
        done = run("upscale", "in", "-o", out, "-m", tiny)
        assert done.returncode in (1, 2), content[:60]
        assert b"error: " in done.stderr
        assert b"Traceback" not in done.stderr, done.stderr
        assert (out / ".wildsr-journal.jsonl").read_bytes() == content
        assert files(out) == {}
    out = tmp_path / "link"
    out.mkdir()
    (out / ".wildsr-journal.jsonl").symlink_to(precious)
    done = run("upscale", "in", "-o", out, "-m", tiny)
    assert done.returncode == 1
    assert precious.read_bytes() == before
