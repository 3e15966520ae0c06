"""Folders of results become what raters see."""

import io
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

pytest.importorskip("sqlalchemy", reason="the study extra isn't installed")

from tests.evaluation.pictures import fill, save, scene
from wildsr.errors import InputError, UsageError
from wildsr.study.stimuli import find_material


def decoded(png: bytes) -> np.ndarray:
    return np.asarray(Image.open(io.BytesIO(png)))


def test_results_and_reference_show_the_same_place_pixel_for_pixel(tmp_path: Path) -> None:
    plain = np.full((160, 240, 3), 0.5, np.float32)
    other = plain.copy()
    other[96:128, 160:192] = 1.0
    for name, rgb in (("hr", plain), ("one", plain), ("two", other)):
        save(tmp_path / name / "a.png", rgb)
    material = find_material([tmp_path / "one", tmp_path / "two"], hr=tmp_path / "hr")
    shown = {one.method: one for one in material.stimuli(64)}
    assert list(shown) == ["one", "two", None]
    assert {(one.width, one.height) for one in shown.values()} == {(64, 64)}
    assert (decoded(shown["one"].png) == 128).all()
    assert (decoded(shown["two"].png) == 255).all(axis=2).sum() == 32 * 32
    assert decoded(shown[None].png).shape == (64, 64, 3)


def test_small_pictures_are_shown_whole_and_exactly(tmp_path: Path) -> None:
    for number, name in enumerate(("one", "two")):
        fill(tmp_path / name, ["a.png", "b.png"], sigma=float(number))
    material = find_material([tmp_path / "one", tmp_path / "two"])
    assert material.pictures == ("a.png", "b.png")
    assert not material.references
    shown = [one for one in material.stimuli(512) if one.method == "one"]
    for number, one in enumerate(shown):
        assert (decoded(one.png) == np.rint(scene(24, 32, seed=number) * 255)).all()


def test_sixteen_bits_and_gray_can_be_shown(tmp_path: Path) -> None:
    rgb = scene(24, 32)
    save(tmp_path / "one" / "a.png", rgb, depth=16)
    gray = np.repeat(rgb[..., :1], 3, axis=2)
    save(tmp_path / "two" / "a.png", gray, gray=True)
    shown = {
        one.method: decoded(one.png)
        for one in find_material([tmp_path / "one", tmp_path / "two"]).stimuli(64)
    }
    assert np.abs(shown["one"] / 255 - rgb).max() < 0.51 / 255
    assert np.abs(shown["two"] / 255 - gray).max() < 0.51 / 255


def test_names_are_matched_as_in_evaluate(tmp_path: Path) -> None:
    fill(tmp_path / "hr", ["a.png", "b.png"])
    fill(tmp_path / "one", ["a_x4.png", "b_x4.png"])
    material = find_material([tmp_path / "one"], hr=tmp_path / "hr")
    assert {name: path.name for name, path in material.methods["one"].items()} == {
        "a.png": "a_x4.png",
        "b.png": "b_x4.png",
    }


def test_what_does_not_fit_is_named(tmp_path: Path) -> None:
    fill(tmp_path / "hr", ["a.png", "b.png"])
    fill(tmp_path / "one", ["a.png"])
    fill(tmp_path / "big", ["a.png", "b.png"], scale=2)
    fill(tmp_path / "other" / "hr", ["a.png", "b.png"])
    with pytest.raises(InputError, match=r"b\.png has no counterpart in one"):
        find_material([tmp_path / "one"], hr=tmp_path / "hr")
    with pytest.raises(InputError, match=r"a\.png has several sizes: big 64×48, the ground truth 32×24"):
        find_material([tmp_path / "big"], hr=tmp_path / "hr")
    with pytest.raises(InputError, match="is no folder"):
        find_material([tmp_path / "nowhere"])
    with pytest.raises(UsageError, match="two methods would be called hr"):
        find_material([tmp_path / "hr", tmp_path / "other" / "hr"])
    with pytest.raises(UsageError, match="needs folders"):
        find_material([])


def test_a_damaged_picture_is_named(tmp_path: Path) -> None:
    fill(tmp_path / "one", ["a.png"])
    (tmp_path / "one" / "b.png").write_bytes(b"\x89PNG\r\n\x1a\n" + bytes(40))
    with pytest.raises(InputError, match=r"b\.png"):
        find_material([tmp_path / "one"])
