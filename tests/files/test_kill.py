"""SIGKILL at random points: a resumed batch ends with exactly the files of an undisturbed one."""

import random
import subprocess
import sys
import time
from pathlib import Path

import pytest

from wildsr.files import JOURNAL_NAME, Job, Journal, remove_stale_temporaries

PICTURES = 120

BATCH = """
import hashlib, sys
from pathlib import Path
from wildsr.files import JOURNAL_NAME, Journal, atomic_write, find_pictures, plan_outputs
from wildsr.files import remove_stale_temporaries

folder, out = Path(sys.argv[1]), Path(sys.argv[2])
plan = plan_outputs(find_pictures([folder]).pictures, out)
remove_stale_temporaries(out)
with Journal.open(out / JOURNAL_NAME, {"tile": 512}) as journal:
    pending = journal.pending(plan.jobs)
    assert not pending.refused, pending.refused
    print(len(pending.skipped), flush=True)
    for job in pending.run:
        journal.begin(job)
        with atomic_write(job.target, overwrite=job.target in pending.replacing) as temporary:
            temporary.write_bytes(hashlib.sha256(job.source.read_bytes()).digest() * 2000)
        journal.done(job, seconds=0.0)
"""


def run_batch(folder: Path, out: Path, *, kill_after: float | None = None) -> int:
    """Run the batch, perhaps kill it after so many seconds of work, and return how many it skipped."""
    command = [sys.executable, "-c", BATCH, str(folder), str(out)]
    with subprocess.Popen(command, stdout=subprocess.PIPE) as process:
        assert process.stdout is not None
        skipped = process.stdout.readline()
        if kill_after is None:
            assert process.wait() == 0
        else:
            time.sleep(kill_after)
            process.kill()
            process.wait()
    return int(skipped or -1)


@pytest.mark.skipif(sys.platform == "win32", reason="needs SIGKILL")
def test_twenty_kills_lose_nothing(tmp_path: Path) -> None:
    folder, out, undisturbed = tmp_path / "in", tmp_path / "out", tmp_path / "undisturbed"
    for place in (folder, out, undisturbed):
        place.mkdir()
    for number in range(PICTURES):
        (folder / f"{number}.png").write_bytes(b"\x89PNG\r\n\x1a\n" + random.Random(number).randbytes(3000))
    start = time.monotonic()
    run_batch(folder, undisturbed)
    longest = (time.monotonic() - start) / 8
    clock = random.Random(20)
    skipped = [run_batch(folder, out, kill_after=clock.uniform(0, longest)) for _ in range(20)]
    assert skipped == sorted(skipped)  # progress is never lost
    with Journal.open(out / JOURNAL_NAME, {"tile": 512}) as journal:
        assert journal.damaged == 0
    last = run_batch(folder, out)
    assert last < PICTURES or max(skipped) == PICTURES
    assert run_batch(folder, out) == PICTURES
    remove_stale_temporaries(out)
    results = {path.name: path.read_bytes() for path in out.iterdir() if path.name != JOURNAL_NAME}
    expected = {path.name: path.read_bytes() for path in undisturbed.iterdir() if path.name != JOURNAL_NAME}
    assert len(expected) == PICTURES
    assert results == expected


def test_a_begun_line_covers_a_result_whose_done_line_was_lost(tmp_path: Path) -> None:
    """The narrowest gap: renamed into place, then killed before the journal says so."""
    source, target = tmp_path / "a.png", tmp_path / "a_x4.png"
    source.write_bytes(b"picture")
    job = Job(source=source, target=target)
    with Journal.open(tmp_path / JOURNAL_NAME, {}) as journal:
        journal.begin(job)
    target.write_bytes(b"result")
    with Journal.open(tmp_path / JOURNAL_NAME, {}) as journal:
        pending = journal.pending([job])
    assert pending.run == (job,)
    assert pending.replacing == {target}
