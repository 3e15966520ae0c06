"""`wildsr batch`: verbs, and the command without one."""

import importlib.util
from pathlib import Path

import pytest

pytest.importorskip("ray", reason="needs the extra batch")

from tests.batch.conftest import make_photos, tiny_model
from tests.cli.invoke import invoke


@pytest.mark.parametrize("words", [("batch",), ("batch", "upscale")])
@pytest.mark.parametrize("options_first", [False, True])
def test_without_a_verb_pictures_are_upscaled(
    words: tuple[str, ...], options_first: bool, tmp_path: Path
) -> None:
    photos, model = make_photos(tmp_path / "photos", 2), tiny_model(tmp_path / "tiny.onnx")
    places, options = [photos, tmp_path / "out"], ["-m", model, "--dry-run"]
    done = invoke(*words, *(options + places if options_first else places + options))
    assert done.code == 0, done.err
    assert "2 pictures to do" in done.err


def test_verbs_come_first_and_the_mistyped_is_told(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    make_photos(Path("degrade"), 2)
    model = tiny_model(tmp_path / "tiny.onnx")
    assert "2 pictures to do" in invoke("batch", "./degrade", "out", "-m", model, "--dry-run").err
    wrong = invoke("batch", "upscal", "in", "out")
    assert wrong.code == 2
    assert "did you mean upscale" in wrong.err


def test_one_of_each_is_said_as_one(tmp_path: Path) -> None:
    model, photos = tiny_model(tmp_path / "tiny.onnx"), make_photos(tmp_path / "one", 1)
    told = invoke(
        "batch", str(photos), str(tmp_path / "out"), "-m", str(model), "--workers", "1", "--dry-run"
    ).err
    assert "1 picture to do" in told
    assert "1 worker of 1 thread\n" in told
    assert "with 1 worker as fast" in " ".join(told.split())
    assert "of 1 picture," in told


def test_without_ray_nothing_is_planned(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    real = importlib.util.find_spec
    monkeypatch.setattr(
        "wildsr.cli.batch_options.find_spec", lambda name: None if name == "ray" else real(name)
    )
    told = invoke("batch", str(tmp_path / "nothing"), str(tmp_path / "out"))
    assert told.code == 2
    assert "needs the package ray" in told.err
    assert 'pip install "wildsr[batch]"' in told.err
