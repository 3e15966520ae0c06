"""`wildsr upscale` as a person runs it: arguments, names, streams, exit codes."""

import json
import os
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

from tests.e2e.conftest import Run, files, photo, pixels

pytestmark = pytest.mark.e2e


def test_a_single_photo_is_made_once(run: Run, tmp_path: Path, tiny: Path) -> None:
    photo(tmp_path / "a.jpg", size=(30, 20))
    first = run("upscale", "a.jpg", "-m", tiny, NO_COLOR="1")
    assert (first.returncode, first.stdout) == (0, b"a_x4.png\n")
    assert pixels(tmp_path / "a_x4.png").shape == (80, 120, 3)
    assert b"\x1b" not in first.stderr
    assert sorted(files(tmp_path)) == ["a.jpg", "a_x4.png"]
    assert not (tmp_path / ".wildsr-journal.jsonl").exists()

    before = files(tmp_path)
    again = run("upscale", "a.jpg", "-m", tiny)
    assert (again.returncode, again.stdout) == (1, b"")
    assert b"exists already: a_x4.png" in again.stderr
    assert b"\n\nhint: --overwrite" in again.stderr
    assert files(tmp_path) == before

    assert run("upscale", "a.jpg", "-m", tiny, "--overwrite").returncode == 0
    assert files(tmp_path) == before  # the same command gives the same bytes


def test_names_of_any_characters(run: Run, tmp_path: Path, tiny: Path) -> None:
    names = ["東京 🌸.png", "a b.png", "new\nline.png", "-rf.png", "a[1].png", "100%.png", "esc\x1b[31m.png"]
    names.append(os.fsdecode(b"caf\xe9.png"))
    for seed, name in enumerate(names):
        photo(tmp_path / name, seed=seed)
    done = run("upscale", "-m", tiny, "-o", "out", "--json", "--", *names)
    assert done.returncode == 0, done.stderr
    account = json.loads(done.stdout)
    assert [one["source"] for one in account["results"]] == names
    expected = [f"{Path(name).stem}_x4.png" for name in names]
    assert sorted(os.fsencode(name) for name in files(tmp_path / "out")) == sorted(map(os.fsencode, expected))
    assert all(Path(tmp_path, one["target"]).is_file() for one in account["results"])
    assert b"\x1b" not in done.stderr  # a name must not speak to the terminal
    alone = run("upscale", "-m", tiny, "-o", "alone", "--", os.fsencode(names[-1]))
    assert alone.stdout == b"alone/caf\xe9_x4.png\n"


def test_folder_tree_and_junk(run: Run, tmp_path: Path, tiny: Path) -> None:
    photo(tmp_path / "in" / "a.png")
    photo(tmp_path / "in" / "sub" / "deep" / "a.png", seed=1)
    for junk in ("Thumbs.db", ".DS_Store", "notes.txt", "sub/._a.png", "clip.mp4"):
        (tmp_path / "in" / junk).write_bytes(b"junk")
    flat = run("upscale", "in", "-o", "flat", "-m", tiny)
    assert flat.returncode == 0
    assert list(files(tmp_path / "flat")) == ["a_x4.png"]
    assert b"4 other files are no pictures" in flat.stderr
    tree = run("upscale", "in", "-r", "-o", "tree", "-m", tiny)
    assert tree.returncode == 0
    assert sorted(files(tmp_path / "tree")) == ["a_x4.png", "sub/deep/a_x4.png"]
    glob = run("upscale", "in/**/*.png", "-o", "glob", "-m", tiny)
    assert sorted(files(tmp_path / "glob")) == ["a_x4.png", "sub/deep/a_x4.png"], glob.stderr


def test_one_bad_photo_does_not_stop_the_rest(run: Run, tmp_path: Path, tiny: Path) -> None:
    for seed in range(3):
        photo(tmp_path / "in" / f"{seed}.png", seed=seed)
    (tmp_path / "in" / "1.png").write_bytes((tmp_path / "in" / "1.png").read_bytes()[:300])
    done = run("upscale", "in", "gone.png", "-o", "out", "-m", tiny, "--json")
    assert done.returncode == 1
    account = json.loads(done.stdout)
    assert sorted(files(tmp_path / "out")) == ["0_x4.png", "2_x4.png"]
    assert [(one["source"], one["status"]) for one in account["failed"]] == [
        ("in/1.png", "failed"),
        ("gone.png", "failed"),
    ]
    assert "does not exist" in account["failed"][1]["reason"]
    assert b"failed: in/1.png: " in done.stderr
    assert b"2 done, 0 already done, 2 failed" in done.stderr

    photo(tmp_path / "in" / "1.png", seed=1)
    resumed = run("upscale", "in", "-o", "out", "-m", tiny, "--json")
    assert resumed.returncode == 0
    account = json.loads(resumed.stdout)
    assert [one["source"] for one in account["results"]] == ["in/1.png"]
    assert sorted(account["skipped"]) == ["out/0_x4.png", "out/2_x4.png"]


def test_a_resumed_run_with_other_settings_is_refused(run: Run, tmp_path: Path, tiny: Path) -> None:
    photo(tmp_path / "in" / "a.png")
    started = run("upscale", "in", "-o", "out", "-m", tiny, "--threads", "2", "--precision", "fp32")
    assert started.returncode == 0
    before = files(tmp_path / "out")
    other = run("upscale", "in", "-o", "out", "-m", tiny, "--threads", "1", "-t", "64", "--strength", "0.5")
    assert other.returncode == 2
    assert b"strength was 1.0, now 0.5; threads was 2, now 1; tile was 0, now 64" in other.stderr
    assert b"hint: " in other.stderr
    assert files(tmp_path / "out") == before
    afresh = run("upscale", "in", "-o", "out", "-m", tiny, "-t", "64", "--no-resume", "--overwrite")
    assert afresh.returncode == 0, afresh.stderr


def test_nothing_of_torch_is_loaded(
    run: Run, tmp_path: Path, tiny: Path, environment: dict[str, str]
) -> None:
    photo(tmp_path / "a.png")
    program = (
        "import sys\n"
        "import wildsr\n"
        "heavy = {'numpy', 'openvino', 'pyvips', 'PIL', 'onnx', 'torch', 'typer', 'rich'} & set(sys.modules)\n"
        "assert not heavy, f'import wildsr loads {heavy}'\n"
        f"sys.argv = ['wildsr', 'upscale', 'a.png', '-m', {str(tiny)!r}, '--compare']\n"
        "from wildsr.cli import main\n"
        "try:\n"
        "    main()\n"
        "except SystemExit as end:\n"
        "    assert end.code in (0, None), end.code\n"
        "assert 'openvino' in sys.modules\n"
        "torch = sorted(name for name in sys.modules if name.partition('.')[0] in ('torch', 'torchvision', 'scipy'))\n"
        "assert not torch, torch[:3]\n"
    )
    done = subprocess.run(
        [sys.executable, "-c", program],
        cwd=tmp_path,
        env=environment,
        capture_output=True,
        timeout=120,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    assert (tmp_path / "a_x4_compare.png").is_file()


def test_two_runs_give_the_same_bytes(run: Run, tmp_path: Path, tiny: Path) -> None:
    for seed in range(2):
        photo(tmp_path / "in" / f"{seed}.jpg", seed=seed, size=(90, 70))
    for out in ("one", "two"):
        done = run("upscale", "in", "-o", out, "-m", tiny, "-t", "48", "-f", "webp", "-s", "2.5")
        assert done.returncode == 0, done.stderr
    one, two = files(tmp_path / "one"), files(tmp_path / "two")
    assert one == two
    assert sorted(one) == ["0_x2.5.webp", "1_x2.5.webp"]
    assert {pixels(tmp_path / "one" / name).shape for name in one} == {(175, 225, 3)}


def test_before_and_after_pictures_are_no_photos(run: Run, tmp_path: Path, tiny: Path) -> None:
    photo(tmp_path / "in" / "a.png", size=(40, 30))
    first = run("upscale", "in", "-m", tiny, "--compare")
    assert first.returncode == 0
    assert sorted(files(tmp_path / "in")) == ["a.png", "a_x4.png", "a_x4_compare.png"]
    sheet = pixels(tmp_path / "in" / "a_x4_compare.png")
    result = pixels(tmp_path / "in" / "a_x4.png")
    assert sheet.shape == (120, 160 + 8 + 160, 3)
    np.testing.assert_array_equal(sheet[:, 168:], result)
    again = run("upscale", "in", "-m", tiny, "--compare")
    assert again.returncode == 0
    assert b"0 done, 1 already done, 0 failed" in again.stderr
    assert sorted(files(tmp_path / "in")) == ["a.png", "a_x4.png", "a_x4_compare.png"]


def test_no_model_at_hand_names_the_way_out(run: Run, tmp_path: Path) -> None:
    photo(tmp_path / "a.png")
    offline = run("upscale", "a.png", "-m", "realsr-df2k")
    assert offline.returncode == 1
    assert b"isn't in the cache" in offline.stderr
    assert b"\n\nhint: run once without --offline" in offline.stderr
    unknown = run("upscale", "a.png", "-m", "real-df2k-jpeg")
    assert unknown.returncode == 1
    assert b"did you mean realsr-df2k-jpeg" in unknown.stderr
    assert offline.stdout == unknown.stdout == b""
    assert sorted(files(tmp_path)) == ["a.png"]
