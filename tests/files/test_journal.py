"""The batch journal: resume by content and settings, never a wrong skip, never a foreign file replaced."""

import json
import multiprocessing
import os
import subprocess
import sys
import threading
from pathlib import Path

import pytest

from wildsr.errors import InputError, OutputError, UsageError
from wildsr.files import JOURNAL_NAME, Failure, Job, Journal, Settings, recorded_settings

SETTINGS: Settings = {
    "precision": "fp32",
    "tile": 512,
    "strength": 1.0,
    "fix": True,
    "threads": 2,
    "fuse": None,
}


class Batch:
    """A folder of pictures and its output folder, worked on by copying."""

    def __init__(self, folder: Path, count: int = 4) -> None:
        self.out = folder / "out"
        self.out.mkdir()
        self.path = self.out / JOURNAL_NAME
        self.jobs = []
        for number in range(count):
            source = folder / f"{number}.jpg"
            source.write_bytes(f"picture {number}".encode())
            self.jobs.append(Job(source=source, target=self.out / f"{number}_x4.png"))

    def work(self, journal: Journal, job: Job) -> None:
        journal.begin(job)
        job.target.write_bytes(b"result of " + job.source.read_bytes())
        journal.done(job, seconds=0.5)

    def run(
        self, *, settings: Settings = SETTINGS, resume: bool = True, overwrite: bool = False
    ) -> list[str]:
        """Do what is left, and return the names of the pictures worked on."""
        with Journal.open(self.path, settings, resume=resume) as journal:
            pending = journal.pending(self.jobs, overwrite=overwrite)
            for job in pending.run:
                self.work(journal, job)
            return [job.source.name for job in pending.run]


@pytest.fixture
def batch(tmp_path: Path) -> Batch:
    return Batch(tmp_path)


def test_does_each_picture_once(batch: Batch) -> None:
    assert batch.run() == ["0.jpg", "1.jpg", "2.jpg", "3.jpg"]
    assert batch.run() == []
    with Journal.open(batch.path, SETTINGS) as journal:
        assert journal.pending(batch.jobs).skipped == tuple(batch.jobs)
        assert journal.pending(batch.jobs, verify=True).skipped == tuple(batch.jobs)


def test_the_file_is_lines_of_json_that_people_can_read(batch: Batch) -> None:
    batch.run()
    lines = [json.loads(line) for line in batch.path.read_text().splitlines()]
    assert lines[0] == {"wildsr_journal": 1, "settings": SETTINGS}
    assert [line["status"] for line in lines[1:3]] == ["begun", "done"]
    assert lines[2]["source_path"] == str(batch.jobs[0].source)
    assert lines[2]["target_path"] == "0_x4.png"
    assert lines[2]["seconds"] == 0.5
    # sha256 of b"picture 0": printf 'picture 0' | sha256sum
    assert lines[2]["source"]["sha256"] == "b6864edf273b0d661bfc9b47fff2a0f5e2e9e6d7bb76c8e0fa871eb76b14b23d"


def test_a_changed_picture_is_done_again(batch: Batch) -> None:
    batch.run()
    batch.jobs[1].source.write_bytes(b"picture X")  # the same size
    assert batch.run() == ["1.jpg"]
    assert batch.jobs[1].target.read_bytes() == b"result of picture X"
    assert batch.run() == []


def test_a_change_that_hides_its_time_and_size_is_seen(batch: Batch) -> None:
    batch.run()
    source = batch.jobs[1].source
    before = source.stat()
    source.write_bytes(b"picture X")
    os.utime(source, ns=(before.st_atime_ns, before.st_mtime_ns))
    assert batch.run() == ["1.jpg"]


def test_a_touched_or_copied_picture_is_not(batch: Batch, tmp_path: Path) -> None:
    batch.run()
    os.utime(batch.jobs[0].source, (1, 1))
    copy = tmp_path / "copy"
    copy.write_bytes(batch.jobs[1].source.read_bytes())
    copy.replace(batch.jobs[1].source)
    assert batch.run() == []


def test_a_removed_result_is_made_again(batch: Batch) -> None:
    batch.run()
    batch.jobs[2].target.unlink()
    assert batch.run() == ["2.jpg"]


def test_a_folder_moved_with_its_results_goes_on(batch: Batch, tmp_path: Path) -> None:
    batch.run()
    moved = tmp_path / "moved"
    batch.out.rename(moved)
    jobs = [Job(source=job.source, target=moved / job.target.name) for job in batch.jobs]
    with Journal.open(moved / JOURNAL_NAME, SETTINGS) as journal:
        assert journal.pending(jobs).skipped == tuple(jobs)


def test_a_file_that_is_not_ours_is_never_replaced_unasked(batch: Batch) -> None:
    batch.jobs[0].target.write_bytes(b"somebody's own")
    assert batch.run() == ["1.jpg", "2.jpg", "3.jpg"]
    with Journal.open(batch.path, SETTINGS) as journal:
        pending = journal.pending(batch.jobs)
        assert [one.source for one in pending.refused] == [batch.jobs[0].source]
        assert "was not made by this batch" in pending.refused[0].reason
        assert [one.source for one in journal.summary().failed] == [batch.jobs[0].source]
    assert batch.jobs[0].target.read_bytes() == b"somebody's own"
    assert batch.run(overwrite=True) == ["0.jpg"]


@pytest.mark.parametrize("edit", [b"result of picture 0 retouched", b"result of picture X"])
def test_a_result_changed_since_is_kept_and_named(batch: Batch, edit: bytes) -> None:
    batch.run()
    batch.jobs[0].target.write_bytes(edit)
    with Journal.open(batch.path, SETTINGS) as journal:
        pending = journal.pending(batch.jobs)
    assert [job.source.name for job in pending.skipped] == ["1.jpg", "2.jpg", "3.jpg"]
    assert "was changed after it was made" in pending.refused[0].reason
    batch.jobs[0].source.write_bytes(b"new picture")
    assert batch.run() == []
    assert batch.jobs[0].target.read_bytes() == edit


def test_what_may_be_replaced_is_said(batch: Batch) -> None:
    batch.run()
    batch.jobs[0].source.write_bytes(b"new")
    batch.jobs[1].target.unlink()
    with Journal.open(batch.path, SETTINGS) as journal:
        pending = journal.pending(batch.jobs)
    assert [job.source.name for job in pending.run] == ["0.jpg", "1.jpg"]
    assert pending.replacing == {batch.jobs[0].target}


def test_a_killed_item_is_done_again_and_last(batch: Batch) -> None:
    with Journal.open(batch.path, SETTINGS) as journal:
        journal.begin(batch.jobs[0])
        batch.jobs[0].target.write_bytes(b"whole, but its done line was never written")
        journal.begin(batch.jobs[1])
    assert batch.run() == ["2.jpg", "3.jpg", "0.jpg", "1.jpg"]
    assert batch.jobs[0].target.read_bytes() == b"result of picture 0"


def test_failures_are_kept_with_their_reasons_and_tried_again(batch: Batch) -> None:
    batch.run()
    batch.jobs[1].source.write_bytes(b"broken")
    with Journal.open(batch.path, SETTINGS) as journal:
        for job in journal.pending(batch.jobs).run:
            journal.begin(job)
            journal.failed(job, "the picture is truncated", seconds=0.1)
        summary = journal.summary()
    assert (summary.done, summary.skipped) == (0, 3)
    assert summary.failed == (Failure(source=batch.jobs[1].source, reason="the picture is truncated"),)
    assert summary.seconds > 0
    assert "truncated" in batch.path.read_text()
    # The older result is still ours, so the next try may replace it.
    assert batch.run() == ["1.jpg"]
    assert batch.jobs[1].target.read_bytes() == b"result of broken"


def test_a_vanished_picture_is_named(batch: Batch) -> None:
    batch.jobs[1].source.unlink()
    with Journal.open(batch.path, SETTINGS) as journal:
        (job,) = [one for one in journal.pending(batch.jobs).run if one.source.name == "1.jpg"]
        with pytest.raises(InputError, match=r"1\.jpg: does not exist any more") as caught:
            journal.begin(job)
        journal.failed(job, str(caught.value))
        assert len(journal.summary().failed) == 1


def test_a_picture_that_changes_while_it_is_worked_on_is_done_again(batch: Batch) -> None:
    with Journal.open(batch.path, SETTINGS) as journal:
        journal.begin(batch.jobs[0])
        batch.jobs[0].target.write_bytes(b"result of the first version")
        batch.jobs[0].source.write_bytes(b"second version")
        journal.done(batch.jobs[0], seconds=1)
    assert "0.jpg" in batch.run()


def test_a_vanished_result_is_an_error(batch: Batch) -> None:
    with Journal.open(batch.path, SETTINGS) as journal:
        journal.begin(batch.jobs[0])
        with pytest.raises(OutputError, match="has vanished"):
            journal.done(batch.jobs[0], seconds=1)


def test_other_settings_are_refused_and_listed(batch: Batch) -> None:
    batch.run()
    other = {**SETTINGS, "tile": 256, "fix": 1, "precision": "bf16"}
    del other["threads"]
    with pytest.raises(UsageError) as caught:
        batch.run(settings=other)
    assert 'fix was true, now 1; precision was "fp32", now "bf16"' in str(caught.value)
    assert "threads was 2, now not set; tile was 512, now 256" in str(caught.value)
    assert "strength" not in str(caught.value)
    assert "--no-resume" in str(caught.value.hint)
    assert batch.run(settings={**SETTINGS, "strength": 1}) == []  # one number, whether 1 or 1.0
    assert recorded_settings(batch.path) == SETTINGS
    assert recorded_settings(batch.out / "none") is None


def test_no_resume_sets_the_old_journal_aside_and_keeps_the_results(batch: Batch) -> None:
    batch.run()
    old = batch.path.read_bytes()
    other = {**SETTINGS, "tile": 256}
    assert batch.run(settings=other, resume=False) == []
    assert (batch.out / ".wildsr-journal.1.jsonl").read_bytes() == old
    assert batch.run(settings=other, resume=False, overwrite=True) == ["0.jpg", "1.jpg", "2.jpg", "3.jpg"]
    assert (batch.out / ".wildsr-journal.2.jsonl").exists()
    assert batch.run(settings=other) == []


def test_a_second_run_is_kept_out_and_a_dead_one_leaves_no_lock(batch: Batch) -> None:
    script = (
        "import sys; from pathlib import Path; from wildsr.files import Journal\n"
        "journal = Journal.open(Path(sys.argv[1]), {}); print('open', flush=True); sys.stdin.read()"
    )
    command = [sys.executable, "-c", script, str(batch.path)]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE) as holder:
        assert holder.stdout is not None
        assert holder.stdout.readline() == b"open\n"
        for resume in (True, False):
            with pytest.raises(OutputError, match="another run is using"):
                Journal.open(batch.path, {}, resume=resume)
        holder.kill()
        holder.wait()
    Journal.open(batch.path, {}).close()


def test_within_one_process_too(batch: Batch) -> None:
    with Journal.open(batch.path, SETTINGS), pytest.raises(OutputError, match="another run"):
        Journal.open(batch.path, SETTINGS)
    Journal.open(batch.path, SETTINGS).close()


def test_threads_share_one_journal(tmp_path: Path) -> None:
    batch = Batch(tmp_path, count=40)
    with Journal.open(batch.path, SETTINGS) as journal:
        workers = [
            threading.Thread(
                target=lambda part: [batch.work(journal, job) for job in part], args=(batch.jobs[n::4],)
            )
            for n in range(4)
        ]
        for worker in workers:
            worker.start()
        for worker in workers:
            worker.join()
        assert journal.summary().done == 40
    with Journal.open(batch.path, SETTINGS) as journal:
        assert journal.damaged == 0
        assert len(journal.pending(batch.jobs).skipped) == 40


def test_every_torn_end_is_survived(batch: Batch) -> None:
    """A machine that loses power may keep any prefix: finished items stay and no other is skipped."""
    batch.run()
    whole = batch.path.read_bytes()
    for length in range(0, len(whole), 7):
        batch.path.write_bytes(whole[:length])
        recorded = whole[:length].count(b'"status":"done","source"')
        begun = whole[:length].count(b'"status":"begun","source"')
        with Journal.open(batch.path, SETTINGS) as journal:
            pending = journal.pending(batch.jobs)
            assert journal.damaged == 0
        kept = batch.path.read_bytes()
        assert kept.endswith(b"\n")
        if length < whole.index(b"\n") + 1:
            assert pending.skipped == ()
        else:
            assert whole.startswith(kept)
            lines = whole[:length].splitlines(keepends=True)
            finished = [line for line in lines if line.endswith(b"\n") and b'"status":"done"' in line]
            assert len(pending.skipped) == len(finished)
            assert recorded >= len(finished) >= recorded - 1
            assert begun >= len(pending.skipped)


def test_a_full_disk_is_named_and_the_journal_stays_whole(small_disk: Path) -> None:
    source = small_disk / "a.jpg"
    source.write_bytes(b"picture")
    path = small_disk / JOURNAL_NAME
    job = Job(source=source, target=small_disk / "a_x4.png")
    with Journal.open(path, SETTINGS) as journal:
        filler = small_disk / "filler"
        with filler.open("wb", buffering=0) as file, pytest.raises(OSError, match="No space"):  # noqa: PT012
            while True:
                file.write(bytes(4096))
        with pytest.raises(OutputError, match="the disk is full"):  # noqa: PT012
            for _ in range(100):
                journal.begin(job)
        filler.unlink()
        journal.begin(job)
        job.target.write_bytes(b"result")
        journal.done(job, seconds=1)
    with Journal.open(path, SETTINGS) as journal:
        assert journal.damaged == 0
        assert journal.pending([job]).skipped == (job,)


def test_a_read_only_folder_is_named(read_only_disk: Path) -> None:
    with pytest.raises(OutputError, match="read-only"):
        Journal.open(read_only_disk / JOURNAL_NAME, SETTINGS)


def test_a_journal_never_writes_through_links_or_into_pipes(batch: Batch, tmp_path: Path) -> None:
    victim = tmp_path / "victim"
    victim.write_bytes(b"precious")
    batch.path.symlink_to(victim)
    with pytest.raises(OutputError, match="is a link"):
        batch.run()
    assert victim.read_bytes() == b"precious"
    batch.path.unlink()
    os.mkfifo(batch.path)
    with pytest.raises(OutputError, match="no ordinary file"):
        batch.run()
    batch.path.unlink()
    batch.path.mkdir()
    with pytest.raises(OutputError):
        batch.run()


def test_targets_outside_the_folder_are_refused(batch: Batch, tmp_path: Path) -> None:
    stray = Job(source=batch.jobs[0].source, target=tmp_path / "a_x4.png")
    with Journal.open(batch.path, SETTINGS) as journal, pytest.raises(OutputError, match="outside"):
        journal.pending([stray])


@pytest.mark.skipif(sys.platform != "linux", reason="needs a file system that takes any bytes as a name")
def test_names_of_any_bytes(tmp_path: Path) -> None:
    batch = Batch(tmp_path, count=0)
    for name in (b"caf\xe9", "写真📷".encode(), b"new\nline", b'quote"\\', b"..."):
        source = tmp_path / os.fsdecode(name)
        source.write_bytes(name)
        batch.jobs.append(Job(source=source, target=batch.out / os.fsdecode(name + b"_x4.png")))
    assert len(batch.run()) == 5
    assert batch.run() == []


def test_relative_paths_and_another_current_folder(batch: Batch, monkeypatch: pytest.MonkeyPatch) -> None:
    batch.run()
    monkeypatch.chdir(batch.out.parent)
    jobs = [Job(source=Path(j.source.name), target=Path("out") / j.target.name) for j in batch.jobs]
    with Journal.open(Path("out") / JOURNAL_NAME, SETTINGS) as journal:
        assert len(journal.pending(jobs).skipped) == 4


def test_runs_that_start_together_never_share(tmp_path: Path) -> None:
    """Of many that open at once, with and without resume, one at a time holds the file at the path."""
    path = tmp_path / JOURNAL_NAME
    context = multiprocessing.get_context("spawn")
    with context.Pool(3) as pool:
        results = pool.starmap(_open_many, [(path, seed) for seed in range(3)])
    assert sum(results) > 0
    assert not (tmp_path / "clash").exists()


def _open_many(path: Path, seed: int) -> int:
    held = 0
    for number in range(60):
        try:
            journal = Journal.open(path, {}, resume=(number + seed) % 3 != 0)
        except OutputError:
            continue
        marker = path.with_name("held")
        try:
            marker.touch(exist_ok=False)
        except FileExistsError:
            path.with_name("clash").touch()
        held += 1
        marker.unlink(missing_ok=True)
        journal.close()
    return held
