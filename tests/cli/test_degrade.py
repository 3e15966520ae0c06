"""`wildsr degrade`: aligned pairs, the same bytes for the same seed, every step in the manifest, bad input named."""

import hashlib
import json
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

import wildsr.data.pairs
from tests.cli.invoke import invoke
from tests.degradation.pictures import scene
from tests.degradation.test_profile import white
from wildsr.data import Manifest
from wildsr.degradation import Profile, kernels
from wildsr.degradation.noise_pool import detrended
from wildsr.imaging import resize_uint8


def levels(path: Path) -> np.ndarray:
    with Image.open(path) as image:
        return np.asarray(image)


def everything(folder: Path) -> dict[str, bytes]:
    return {
        path.relative_to(folder).as_posix(): path.read_bytes() for path in folder.rglob("*") if path.is_file()
    }


def manifest(folder: Path) -> list[dict[str, object]]:
    return [json.loads(line) for line in (folder / "manifest.jsonl").read_text().splitlines()]


@pytest.fixture
def camera() -> Profile:
    pool = [kernels.gaussian(17, (v, 2 * v), 0.5, scale=4) for v in (1.0, 3.0)]
    return Profile(kernels=np.stack(pool).astype(np.float32), noise=white(3, 64))


@pytest.fixture
def here(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, camera: Profile) -> Path:
    monkeypatch.chdir(tmp_path)
    (tmp_path / "hr" / "sub").mkdir(parents=True)
    for name, size in (("a.png", (98, 131)), ("b.jpg", (120, 96)), ("sub/c.png", (64, 64))):
        picture = np.rint(scene(*size, seed=len(name)) * 255).astype(np.uint8)
        Image.fromarray(picture).save(tmp_path / "hr" / name, quality=95)
    camera.save(tmp_path / "cam.profile")
    return tmp_path


def test_pairs_and_their_bytes(here: Path) -> None:
    done = invoke("degrade", "hr", "--profile", "cam.profile", "-o", "pairs", "-r")
    assert done.code == 0, done.err
    assert done.out == "pairs\n"
    assert set(everything(here / "pairs")) == {
        *(f"{side}/{name}" for side in ("LR", "HR") for name in ("a.png", "b.png", "sub/c.png")),
        "manifest.jsonl",
    }
    for name, size in (("a.png", (96, 128)), ("b.png", (120, 96)), ("sub/c.png", (64, 64))):
        assert levels(here / "pairs" / "HR" / name).shape == (*size, 3)
        assert levels(here / "pairs" / "LR" / name).shape == (size[0] // 4, size[1] // 4, 3)
    assert np.array_equal(levels(here / "pairs" / "HR" / "a.png"), levels(here / "hr" / "a.png")[:96, :128])
    invoke("degrade", "hr", "--profile", "cam.profile", "-o", "again", "-r")
    assert everything(here / "again") == everything(here / "pairs")
    invoke("degrade", "hr", "--profile", "cam.profile", "-o", "other", "-r", "--seed", "1")
    assert everything(here / "other")["LR/a.png"] != everything(here / "pairs")["LR/a.png"]
    assert everything(here / "other")["HR/a.png"] == everything(here / "pairs")["HR/a.png"]


def test_a_pair_does_not_depend_on_the_others(here: Path) -> None:
    invoke("degrade", "hr", "--profile", "cam.profile", "-o", "pairs", "-r")
    invoke("degrade", "hr/b.jpg", "--profile", "cam.profile", "-o", "alone")
    assert (here / "alone/LR/b.png").read_bytes() == (here / "pairs/LR/b.png").read_bytes()


def test_the_manifest_tells_how_to_make_the_lr_again(here: Path, camera: Profile) -> None:
    """Algorithm 1 by hand, from the manifest, the profile and the HR alone."""
    from scipy.ndimage import correlate

    invoke("degrade", "hr/a.png", "--profile", "cam.profile", "-o", "pairs", "--clean-up", "--seed", "3")
    top, line = manifest(here / "pairs")
    assert top["degradation"] == "realsr"
    assert (top["scale"], top["seed"], top["clean_up"]) == (4, 3, True)
    assert (top["profile"], top["profile_sha256"]) == ("cam.profile", camera.fingerprint)
    assert (line["name"], line["source"], line["hr"], line["lr"]) == ("a.png", "a.png", [48, 64], [12, 16])
    assert line["source_sha256"] == hashlib.sha256((here / "hr" / "a.png").read_bytes()).hexdigest()
    clean, blur, noise = line["steps"]  # type: ignore[misc]
    assert clean == {"operation": "clean up", "method": "bicubic", "scale": 2, "from": [96, 128]}
    hr = resize_uint8(levels(here / "hr" / "a.png")[:96, :128], scale=0.5)
    assert np.array_equal(hr, levels(here / "pairs" / "HR" / "a.png"))
    kernel = camera.kernels[blur["kernel"]].astype(np.float64)
    blurred = [correlate(hr[..., c] / 255, kernel, mode="reflect")[::4, ::4] for c in range(3)]
    ((row, column),) = noise["drawn"][0]["crops"]
    patch = camera.noise[noise["drawn"][0]["patch"]][:, row : row + 12, column : column + 16]
    expected = np.rint(np.clip(np.stack(blurred, 2) + detrended(patch).transpose(1, 2, 0), 0, 1) * 255)
    lr = levels(here / "pairs" / "LR" / "a.png").astype(float)
    assert np.abs(lr - expected).max() <= 1
    assert np.mean(lr == expected) > 0.99
    assert hashlib.sha256(levels(here / "pairs/LR/a.png").tobytes()).hexdigest() == line["lr_pixels_sha256"]


@pytest.mark.parametrize("preset", ["bicubic", "samsung_generic", "bsrgan", "real_esrgan"])
def test_presets_and_scales(here: Path, preset: str) -> None:
    for folder in ("one", "two"):
        done = invoke("degrade", "hr/b.jpg", "--preset", preset, "-s", "2", "-o", folder, "--json")
        assert done.code == 0, done.err
        assert done.json["pairs"] == 1
        assert done.json["degradation"] == preset
    assert levels(here / "one/LR/b.png").shape == (60, 48, 3)
    assert everything(here / "one") == everything(here / "two")


def test_bad_files_are_named_and_the_rest_is_done(here: Path) -> None:
    (here / "hr" / "broken.png").write_bytes((here / "hr" / "a.png").read_bytes()[:3000])
    (here / "hr" / "empty.jpg").write_bytes(b"")
    (here / "hr" / "notes.txt").write_text("no picture")
    Image.fromarray(np.zeros((20, 200, 3), np.uint8)).save(here / "hr" / "tiny.png")
    Image.fromarray(np.full((64, 64), 77, np.uint8)).save(here / "hr" / "gray.png")
    Image.fromarray(np.full((64, 64, 4), 77, np.uint8)).save(here / "hr" / "alpha.png")
    done = invoke("degrade", "hr", "--profile", "cam.profile", "-o", "pairs")
    assert done.code == 1
    for name in ("broken.png", "empty.jpg", "notes.txt", "tiny.png"):
        assert name in done.err
    assert "fewer than 32 pixels" in done.err
    names = {"a.png", "b.png", "gray.png", "alpha.png"}
    assert {line["name"] for line in manifest(here / "pairs")[1:]} == names
    assert {path.name for path in (here / "pairs" / "HR").iterdir()} == names
    assert levels(here / "pairs" / "LR" / "gray.png").shape == (16, 16, 3)
    strict = invoke(
        "degrade", "hr/gray.png", "hr/a.png", "--preset", "bicubic", "-o", "x", "-s", "8", "--clean-up"
    )
    assert strict.code == 1
    assert "none of the pictures" in strict.err


def test_existing_pairs_are_kept_unless_asked(here: Path) -> None:
    arguments = ("degrade", "hr", "--profile", "cam.profile", "-o", "pairs")
    assert invoke(*arguments).code == 0
    before = everything(here / "pairs")
    refused = invoke(*arguments, "--seed", "5", "--clean-up")
    assert refused.code == 2
    assert "made with other settings: clean_up was false, now true; seed was 0, now 5" in refused.err
    assert "--overwrite" in refused.err
    anew = invoke(*arguments, "--no-resume")
    assert anew.code == 1
    assert "exist already: pairs/manifest.jsonl, pairs/HR/a.png" in anew.err
    assert everything(here / "pairs") == before
    assert invoke(*arguments, "--seed", "5", "--overwrite").code == 0
    other = everything(here / "pairs")
    assert set(other) == set(before)
    assert all(other[name] != before[name] for name in before if not name.startswith("HR/"))
    assert invoke(*arguments, "--no-resume", "--overwrite").code == 0
    assert everything(here / "pairs") == before
    (here / "kept" / "LR").mkdir(parents=True)
    (here / "kept" / "LR" / "a.png").write_bytes(b"mine")
    assert invoke("degrade", "hr", "--profile", "cam.profile", "-o", "kept").code == 1
    assert everything(here / "kept") == {"LR/a.png": b"mine"}


def test_the_output_inside_the_input_is_not_taken_for_input(here: Path) -> None:
    assert invoke("degrade", "hr", "--preset", "bicubic", "-o", "hr/pairs", "-r").code == 0
    assert invoke("degrade", "hr", "--preset", "bicubic", "-o", "hr/pairs", "-r", "--overwrite").code == 0
    assert len(manifest(here / "hr" / "pairs")) == 4


@pytest.mark.parametrize(
    ("arguments", "code", "message"),
    [
        (["hr", "-o", "x"], 2, "neither a profile nor a preset"),
        (["hr", "--preset", "bicubic"], 2, "no folder given"),
        (["hr", "--preset", "bicubik", "-o", "x"], 2, "no degradation `bicubik`"),
        (["hr", "--preset", "realsr", "-o", "x"], 2, "needs a profile"),
        (["hr", "--preset", "bsrgan", "--profile", "cam.profile", "-o", "x"], 2, "doesn't use a profile"),
        (["hr", "--profile", "cam.profile", "-s", "2", "-o", "x"], 2, "for scale 4, not 2"),
        (["hr", "--preset", "bicubic", "-s", "9", "-o", "x"], 2, "from 1 to 8"),
        (["hr", "--preset", "bicubic", "-s", "0", "-o", "x"], 2, "from 1 to 8"),
        (["hr", "--preset", "", "-o", "x"], 2, "no degradation ``"),
        (["hr", "--preset", "Real-ESRGAM", "-o", "x"], 2, "did you mean real_esrgan"),
        (["hr", "--preset", "bicubic", "-o", ""], 2, "the output name is empty"),
        (["hr", "--profile", "hr/a.png", "-o", "x"], 1, "a.png"),
        (["hr", "--profile", "no.profile", "-o", "x"], 1, "is missing"),
        (["nothing", "--preset", "bicubic", "-o", "x"], 1, "nothing"),
        (["--preset", "bicubic", "-o", "x"], 2, "hint: wildsr degrade photos/"),
        (["hr", "--preset", "bicubic", "--seed", "-1", "-o", "x"], 2, "--seed"),
        (["hr", "--preset", "bicubic", "-o", "cam.profile"], 1, "cam.profile"),
    ],
)
def test_mistakes_are_named(here: Path, arguments: list[str], code: int, message: str) -> None:
    (here / "hr" / "a.jpg").write_bytes((here / "hr" / "b.jpg").read_bytes())
    if "can't have" not in message:
        (here / "hr" / "a.jpg").unlink()
    done = invoke("degrade", *arguments)
    assert done.code == code
    assert message in done.err
    assert not (here / "x").exists()


def test_pairs_never_replace_what_they_are_made_of(here: Path) -> None:
    assert invoke("degrade", "hr", "--preset", "bicubic", "-s", "1", "-o", "pairs").code == 0
    before = everything(here / "pairs")
    for side in ("LR", "HR"):
        for given in (f"pairs/{side}", f"pairs/{side}/a.png"):
            done = invoke("degrade", given, "--preset", "bicubic", "-o", "pairs", "--overwrite")
            assert done.code == 2
            assert "would replace the input" in done.err
            assert "--suffix" not in done.err  # of upscale
    assert everything(here / "pairs") == before


def test_pairs_in_the_input_folder_are_not_made_into_pairs(here: Path) -> None:
    words = ("degrade", "hr", "--preset", "bicubic", "-o", "hr", "-r")
    assert invoke(*words).code == 0
    before = everything(here / "hr")
    again = invoke(*words, "--json")
    assert (again.json["pairs"], again.json["already_done"]) == (0, 3)
    assert invoke(*words, "--no-resume", "--overwrite").code == 0
    assert everything(here / "hr") == before


def test_nothing_made_leaves_nothing(here: Path) -> None:
    (here / "bad.png").write_bytes(b"no picture")
    done = invoke("degrade", "bad.png", "--preset", "bicubic", "-o", "x")
    assert done.code == 1
    assert "none of the pictures" in done.err
    assert not (here / "x").exists()


PROGRAM = """\
import signal
from wildsr.cli import main
signal.signal(signal.SIGINT, signal.default_int_handler)  # shells start what runs in the background without it
main()
"""
PROFILED = ("degrade", "hr", "--profile", "cam.profile", "-r", "-o")


def interrupted(here: Path, monkeypatch: pytest.MonkeyPatch, *, after: int, words: tuple[str, ...]) -> None:
    """Run until `after` pictures are written, then die between that file and what follows it."""
    written = []

    def write(*arguments: object, **options: object) -> None:
        if len(written) == after:
            raise RuntimeError("killed")
        real(*arguments, **options)  # type: ignore[arg-type]
        written.append(arguments)

    with monkeypatch.context() as patch:
        real = wildsr.data.pairs.write
        patch.setattr(wildsr.data.pairs, "write", write)
        with pytest.raises(RuntimeError, match="killed"):
            invoke(*words)


@pytest.mark.parametrize("after", [0, 1, 2, 3, 5])
def test_an_interrupted_run_goes_on(here: Path, monkeypatch: pytest.MonkeyPatch, after: int) -> None:
    assert invoke(*PROFILED, "whole").code == 0
    interrupted(here, monkeypatch, after=after, words=(*PROFILED, "pairs"))
    assert len(everything(here / "pairs")) == after + 1
    done = invoke(*PROFILED, "pairs", "--json")
    assert done.code == 0, done.err
    assert (done.json["pairs"], done.json["already_done"]) == (3 - after // 2, after // 2)
    assert everything(here / "pairs") == everything(here / "whole")


def test_a_finished_run_does_nothing_more(here: Path) -> None:
    invoke(*PROFILED, "pairs")
    before = {path: path.stat().st_mtime_ns for path in (here / "pairs").rglob("*")}
    (here / "cam.profile").rename(here / "renamed.profile")  # what it holds counts, not its name
    done = invoke("degrade", "hr", "--profile", "renamed.profile", "-r", "-o", "pairs")
    assert done.code == 0
    assert "0 pairs by" in done.err
    assert "3 already done" in done.err
    assert {path: path.stat().st_mtime_ns for path in (here / "pairs").rglob("*")} == before


def test_what_is_missing_or_new_or_changed_is_made(here: Path) -> None:
    invoke(*PROFILED, "pairs")
    before = everything(here / "pairs")
    (here / "pairs/LR/a.png").unlink()
    (here / "hr/b.jpg").replace(here / "hr/0.jpg")
    picture = np.rint(scene(64, 96, seed=9) * 255).astype(np.uint8)
    Image.fromarray(picture).save(here / "hr" / "sub" / "c.png")
    done = invoke(*PROFILED, "pairs", "--json")
    assert (done.json["pairs"], done.json["already_done"]) == (3, 0)
    after = everything(here / "pairs")
    assert [line["name"] for line in manifest(here / "pairs")[1:]] == ["0.png", "a.png", "b.png", "sub/c.png"]
    assert levels(here / "pairs/HR/sub/c.png").shape == (64, 96, 3)
    assert {name for name in before if after[name] == before[name]} == {
        f"{side}/{name}" for side in ("HR", "LR") for name in ("a.png", "b.png")
    }


def test_files_that_are_not_ours_are_kept_and_named(here: Path) -> None:
    invoke(*PROFILED, "pairs")
    Image.new("RGB", (24, 32)).save(here / "pairs/LR/a.png")
    (here / "hr/new.png").write_bytes((here / "hr/a.png").read_bytes())
    (here / "pairs/HR/new.png").write_bytes(b"mine")
    before = everything(here / "pairs")
    done = invoke(*PROFILED, "pairs")
    assert done.code == 1
    for name in ("pairs/LR/a.png", "pairs/HR/new.png"):
        assert f"{name} exists and was not made by this run, or was changed" in done.err
    assert everything(here / "pairs") == before
    assert invoke(*PROFILED, "pairs", "--overwrite").code == 0
    invoke(*PROFILED, "whole")
    assert everything(here / "pairs") == everything(here / "whole")


@pytest.mark.parametrize(
    ("damage", "code"),
    [
        (lambda text: text[:-40], 0),  # a torn line: the pair is made again, and is the same
        (lambda text: text[:30], 0),
        (lambda _: b"", 0),
        (lambda text: text + b"[1]\nnull\n{}\n\xff\n" + b"[" * 100_000 + b"\n", 0),
        (lambda text: text.replace(b'"name": "a.png"', b'"name": "../../a.png"'), 0),
        (lambda text: text.replace(b'"wildsr_pairs": 1', b'"wildsr_pairs": 2'), 1),
        (lambda _: b"somebody else's\n", 1),
        (lambda _: b"somebody else's", 1),
        (lambda _: b"\0" * 1000, 1),
    ],
)
def test_damaged_manifests(here: Path, damage: Callable[[bytes], bytes], code: int) -> None:
    invoke(*PROFILED, "pairs")
    before = everything(here / "pairs")
    path = here / "pairs" / "manifest.jsonl"
    path.write_bytes(damage(path.read_bytes()))
    damaged = path.read_bytes()
    done = invoke(*PROFILED, "pairs")
    assert done.code == code, done.err
    if code:
        assert "no manifest of this version" in done.err
        assert path.read_bytes() == damaged
        assert invoke(*PROFILED, "pairs", "--overwrite").code == 0
    assert everything(here / "pairs") == before


def test_two_runs_do_not_share_a_folder(here: Path) -> None:
    (here / "pairs").mkdir()
    with Manifest.open(here / "pairs", {"wildsr_pairs": 1}):
        done = invoke(*PROFILED, "pairs")
    assert done.code == 1
    assert "another run is using pairs/manifest.jsonl" in done.err


@pytest.mark.skipif(sys.platform == "win32", reason="needs SIGKILL")
@pytest.mark.parametrize("ending", ["SIGKILL", "SIGINT"])
def test_kills_change_nothing(here: Path, ending: str) -> None:
    for number in range(8):
        picture = np.rint(scene(400, 400 + 8 * number, seed=number) * 255).astype(np.uint8)
        Image.fromarray(picture).save(here / "hr" / f"{number}.png")
    assert invoke(*PROFILED, "whole").code == 0
    words = [sys.executable, "-c", PROGRAM, *PROFILED, "pairs"]
    for least in (1, 5):
        with subprocess.Popen(words, cwd=here, stderr=subprocess.PIPE) as run:
            while run.poll() is None and len(list((here / "pairs").rglob("*.png"))) < 2 * least:
                time.sleep(0.005)
            run.send_signal(signal.Signals[ending])
            _, said = run.communicate(timeout=60)
        made, wanted = (len(list((here / name).rglob("*.png"))) for name in ("pairs", "whole"))
        if (
            ending == "SIGINT" and made < wanted
        ):  # a signal after all the work may meet a program that is gone
            assert run.returncode == 130
            assert b"goes on where it stopped" in said
    assert invoke(*PROFILED, "pairs").code == 0
    assert everything(here / "pairs") == everything(here / "whole")


def test_photos_that_would_share_a_name_keep_their_extension(here: Path) -> None:
    (here / "hr" / "A.JPG").write_bytes((here / "hr" / "b.jpg").read_bytes())
    done = invoke("degrade", "hr", "--profile", "cam.profile", "-o", "pairs", "--json")
    assert done.code == 0, done.err
    assert sorted(path.name for path in (here / "pairs" / "LR").iterdir()) == [
        "A_JPG.png",
        "a_png.png",
        "b.png",
    ]
    assert "2 pairs would share a name and keep the extension in it: A_JPG.png, a_png.png" in done.err
