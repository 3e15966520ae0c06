"""`wildsr profile` from the outside."""

import re
import shutil
from pathlib import Path

import numpy as np
import pytest

from tests.cli.invoke import invoke
from tests.estimation.pictures import gaussian
from tests.estimation.test_profiling import bad_photos, shot
from wildsr.degradation import KernelNote, Meta, PhotoNote, Profile, Rejected
from wildsr.imaging import Picture, write


@pytest.fixture(scope="module")
def home(tmp_path_factory: pytest.TempPathFactory) -> Path:
    home = tmp_path_factory.mktemp("cameras")
    for camera, kernel, sigma in (("a", gaussian(3.0, 1.2, 0.6), 2.0), ("b", gaussian(6.0, 5.0, 0), 6.0)):
        (home / camera).mkdir()
        for seed in range(2):
            write(Picture(rgb=shot(seed, kernel, sigma)), home / camera / f"shot{seed}.png")
        (home / camera / "film.mp4").write_bytes(b"\0\0\0\x18ftypmp42")
        (home / camera / "notes.txt").write_text("junk")
        done = invoke(
            "profile", home / camera, "-o", home / f"{camera}.profile", "--method", "spectrum", "-j", "1"
        )
        assert done.code == 0, done.err
        assert "2 files are no photos" in done.err
        assert "2 kernels" in done.out
    return home


def test_the_profile_is_there_and_nothing_else(home: Path) -> None:
    assert sorted(path.name for path in home.iterdir()) == ["a", "a.profile", "b", "b.profile"]
    assert len(Profile.load(home / "a.profile").kernels) == 2


def test_show_and_its_page(home: Path, tmp_path: Path) -> None:
    done = invoke("profile", "show", home / "a.profile", "--html", tmp_path / "report.html")
    assert done.code == 0
    assert re.search(r"2 kernels, \d+ noise patches, confidence \d+%", done.out)
    assert "note: only 2" not in done.out
    assert (tmp_path / "report.html").read_text(encoding="utf-8").startswith("<!doctype html>")
    again = invoke("profile", "show", home / "a.profile", "--html", tmp_path / "report.html")
    assert again.code == 1
    assert "report.html" in again.err
    numbers = invoke("profile", "show", home / "a.profile", "--json").json
    assert numbers["kernels"] == 2
    assert numbers["noise"] == pytest.approx(2, rel=0.2)


def test_compare_tells_cameras_apart(home: Path) -> None:
    done = invoke("profile", "compare", home / "a.profile", home / "b.profile")
    assert done.code == 0
    assert "a.profile" in done.out.splitlines()[0]
    numbers = invoke("profile", "compare", home / "a.profile", home / "b.profile", "--json").json
    assert numbers["blur_ratio"] > 1.2  # type: ignore[operator]
    assert numbers["noise_ratio"] > 2  # type: ignore[operator]
    same = invoke("profile", "compare", home / "a.profile", home / "a.profile", "--json").json
    assert same["kernel_overlap"] == pytest.approx(1, abs=1e-3)


def test_merge(home: Path, tmp_path: Path) -> None:
    done = invoke("profile", "merge", home / "a.profile", home / "b.profile", "-o", tmp_path / "c.profile")
    assert done.code == 0
    assert "4 kernels" in done.out
    assert len(Profile.load(tmp_path / "c.profile").kernels) == 4


def test_a_run_says_json_and_repeats_itself(home: Path, tmp_path: Path) -> None:
    words = ("profile", home / "a", "-o", tmp_path / "a.profile", "--method", "spectrum", "-j", "1", "--json")
    done = invoke(*words)
    assert done.json["kernels"] == 2
    assert (tmp_path / "a.profile").read_bytes() == (home / "a.profile").read_bytes()
    refused = invoke(*words)
    assert refused.code == 1
    assert "--overwrite" in refused.err
    assert invoke(*words, "--overwrite").code == 0


def test_nothing_to_learn_from(tmp_path: Path) -> None:
    bad_photos(tmp_path)
    (tmp_path / "noise.png").unlink()
    done = invoke("profile", tmp_path, "-o", tmp_path / "x.profile", "--method", "spectrum", "-j", "1")
    assert done.code == 1
    assert "no photo gave a kernel or noise" in done.err
    assert not (tmp_path / "x.profile").exists()


@pytest.mark.parametrize(
    ("words", "code", "told"),
    [
        (["profile"], 2, "wildsr profile my-photos/"),
        (["profile", "{home}/a"], 2, "-o cam.profile"),
        (["profile", "{home}/a", "-o", "{home}/a"], 2, "is a folder"),
        (["profile", "{home}/a", "-o", "{home}/none/x.profile"], 1, "there is no folder"),
        (["profile", "{home}/a", "-o", "{tmp}/x.profile", "--method", "magic"], 2, "kernelgan"),
        (["profile", "{home}/a", "-o", "{tmp}/x.profile", "--max-photos", "0"], 2, "at least 1"),
        (
            ["profile", "{home}/a", "-o", "{tmp}/x.profile", "--method", "kernelgam"],
            2,
            "did you mean kernelgan?",
        ),
        (["profile", "{home}/a", "-o", "{tmp}/x.profile", "-j", "0"], 2, "at least 1"),
        (["profile", "{home}/a", "-o", "{tmp}/x.profile", "--time-budget", "soon"], 2, "not a time"),
        (["profile", "{home}/a", "-o", "{tmp}/x.profile", "--time-budget", "-5m"], 2, "not a time"),
        (["profile", "{home}/a", "-o", "{tmp}/x.profile", "--time-budget", "0"], 2, "above 0"),
        (["profile", "{home}/a", "-o", "{tmp}/" + 300 * "x"], 2, "longer than 240 bytes"),
        (["profile", "{home}/a", "-o", "{tmp}/x.profile", "--html", "{tmp}/" + 300 * "x"], 2, "longer than"),
        (
            ["profile", "{home}/a", "-o", "{tmp}/x.profile", "--html", "{tmp}/none/x.html"],
            1,
            "there is no folder",
        ),
        (["profile", "{home}/a", "-o", "{tmp}/x.profile", "--html", "{tmp}"], 2, "is a folder"),
        (["profile", "{home}/a", "-o", "{tmp}/x.profile", "--html", "{tmp}/x.profile"], 2, "both name"),
        (["profile", "{home}/a", "-o", "{tmp}/x.profile", "--html", "{home}/b.profile"], 1, "exists"),
        (["profile", "shwo", "{home}/a.profile"], 2, "did you mean show"),
        (["profile", "show", "{home}/a.profile", "-o", "{tmp}/x.profile"], 2, "--html names the page"),
        (["profile", "{home}/none", "-o", "{tmp}/x.profile"], 1, "does not exist"),
        (["profile", "show"], 2, "takes one profile"),
        (["profile", "show", "{home}/a/notes.txt"], 1, "profile"),
        (["profile", "compare", "{home}/a.profile"], 2, "takes two"),
        (["profile", "merge", "{home}/a.profile", "-o", "{tmp}/x.profile"], 2, "two profiles or more"),
    ],
)
def test_mistakes_are_named(home: Path, tmp_path: Path, words: list[str], code: int, told: str) -> None:
    done = invoke(*(word.format(home=home, tmp=tmp_path) for word in words))
    assert done.code == code
    assert told in done.err
    assert not (tmp_path / "x.profile").exists()


@pytest.mark.parametrize(
    "words",
    [
        ["profile", "{photo}", "-o", "{photo}"],
        ["profile", "{folder}", "-o", "{photo}"],
        ["profile", "{folder}", "-o", "{link}"],
        ["profile", "{folder}", "-o", "{folder}/new.profile", "--html", "{photo}"],
        ["profile", "show", "{profile}", "--html", "{profile}"],
        ["profile", "compare", "{profile}", "{other}", "--html", "{other}"],
        ["profile", "merge", "{profile}", "{other}", "-o", "{folder}/new.profile", "--html", "{other}"],
    ],
)
def test_what_is_read_is_never_written_over(home: Path, tmp_path: Path, words: list[str]) -> None:
    """Not even with --overwrite."""
    names = {
        "folder": tmp_path,
        "photo": "shot.png",
        "link": "link.png",
        "profile": "one.profile",
        "other": "b.profile",
    }
    places = {key: tmp_path / name for key, name in names.items()}
    shutil.copy(home / "a" / "shot0.png", places["photo"])
    places["link"].hardlink_to(places["photo"])
    shutil.copy(home / "a.profile", places["profile"])
    shutil.copy(home / "b.profile", places["other"])
    before = {path.name: path.read_bytes() for path in tmp_path.iterdir()}
    done = invoke(*(word.format(**places) for word in words), "--overwrite")
    assert done.code == 2
    assert "would be replaced" in done.err
    assert {path.name: path.read_bytes() for path in tmp_path.iterdir()} == before


def test_merge_says_json_and_writes_a_page(home: Path, tmp_path: Path) -> None:
    words = (
        "profile",
        "merge",
        home / "a.profile",
        home / "b.profile",
        "-o",
        tmp_path / "c.profile",
        "--json",
    )
    done = invoke(*words, "--html", tmp_path / "c.html")
    assert done.json["kernels"] == 4
    assert "c.profile" in (tmp_path / "c.html").read_text(encoding="utf-8")
    # into one of its own, when asked: all of it is in the result
    assert (
        invoke(
            "profile", "merge", home / "b.profile", tmp_path / "c.profile", "-o", tmp_path / "c.profile"
        ).code
        == 1
    )
    assert invoke(*words, "--overwrite").code == 0


def test_the_notes_of_a_stranger_reach_neither_terminal_nor_page(home: Path, tmp_path: Path) -> None:
    bad = "\x1b]0;mine\x07 \ud800 \udcff\nnext"
    meta = Meta(
        kernels=tuple(KernelNote(photo=bad) for _ in range(2)),
        photos=(PhotoNote(photo=bad, camera=bad),),
        rejected=(Rejected(kind="photo", photo=bad, reason=bad),),
        remarks=(bad,),
        settings={"method": bad},
        wildsr=bad,
    )
    Profile(kernels=Profile.load(home / "a.profile").kernels, meta=meta).save(tmp_path / "x.profile")
    done = invoke("profile", "show", tmp_path / "x.profile", "--html", tmp_path / "x.html")
    assert done.code == 0
    assert "\x1b" not in done.out
    assert "\\x1b]0;mine" in done.out
    assert "\x1b" not in (tmp_path / "x.html").read_text(encoding="utf-8")
    assert invoke("profile", "show", tmp_path / "x.profile", "--json").json["remarks"] == [bad]
    assert invoke("profile", "compare", tmp_path / "x.profile", home / "a.profile").code == 0


def test_rejected_photos_are_named(home: Path, tmp_path: Path) -> None:
    shutil.copy(home / "a" / "shot0.png", tmp_path)
    (tmp_path / "empty.jpg").write_bytes(b"")
    (tmp_path / "gone.jpg").symlink_to("nothing")
    done = invoke("profile", tmp_path, "-o", tmp_path / "x.profile", "--method", "spectrum", "-j", "1")
    assert done.code == 0
    assert "rejected: 1 × photo: empty.jpg is empty (empty.jpg)" in done.out
    assert "rejected: 1 × photo: it is a link to nothing (gone.jpg)" in done.out


def test_one_photo_is_enough_and_said(home: Path, tmp_path: Path) -> None:
    done = invoke("profile", home / "a" / "shot0.png", "-o", tmp_path / "x.profile", "--method", "spectrum")
    assert done.code == 0
    assert "there was one photo" in done.out
    assert np.isfinite(Profile.load(tmp_path / "x.profile").kernels).all()
