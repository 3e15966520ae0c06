"""`wildsr degrade`: aligned pairs, the same bytes for the same seed, every step in the manifest, bad input named."""

import hashlib
import json
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from tests.cli.invoke import invoke
from tests.degradation.pictures import scene
from tests.degradation.test_profile import white
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
    refused = invoke(*arguments, "--seed", "5")
    assert refused.code == 1
    assert "exist already" in refused.err
    assert "--overwrite" in refused.err
    assert everything(here / "pairs") == before
    assert invoke(*arguments, "--seed", "5", "--overwrite").code == 0
    assert everything(here / "pairs") != before
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
        (["hr", "--profile", "hr/a.png", "-o", "x"], 1, "a.png"),
        (["hr", "--profile", "no.profile", "-o", "x"], 1, "is missing"),
        (["nothing", "--preset", "bicubic", "-o", "x"], 1, "nothing"),
        (["--preset", "bicubic", "-o", "x"], 2, "no input given"),
        (["hr", "--preset", "bicubic", "--seed", "-1", "-o", "x"], 2, "--seed"),
        (["hr/a.png", "hr/a.jpg", "--preset", "bicubic", "-o", "x"], 2, "can't have one result"),
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
