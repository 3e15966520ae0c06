"""What `wildsr adapt` takes from a camera's photos and from the start before it trains."""

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest

from tests.estimation.test_edges import photos as taken
from wildsr.recipes import adapt, adapt_camera
from wildsr.recipes.adapt_camera import AdaptOptions

Say = Callable[[str], None]


@pytest.mark.parametrize(
    ("start", "preset"),
    [
        ("crisp", "adapt-crisp"),
        ("realesrgan-x4plus", "adapt-crisp"),
        ("balanced", "adapt-balanced"),
        ("faithful", "adapt-faithful"),
        ("realsr-df2k", "adapt-faithful"),
        ("wild-compact", "adapt"),
        ("runs/mine", "adapt"),
    ],
)
def test_a_start_that_draws_hard_edges_learns_from_itself(start: str, preset: str) -> None:
    found = adapt_camera._preset(AdaptOptions(start=start))
    assert found == adapt.PRESETS[preset]
    assert bool(found.self_distillation) == (preset in {"adapt-crisp", "adapt-balanced"})


@pytest.mark.parametrize(
    ("found", "share", "word"),
    [
        (None, 0.7, "too few clear edges"),
        (-0.01, 0.0, "the camera leaves no halos"),
        (0.01, 0.0, "the camera leaves no halos"),
        (0.02, 0.35, "2.0% of their height: 35% of the LR is sharpened"),
        (0.2, 0.7, "20.0% of their height: 70% of the LR is sharpened"),
    ],
)
def test_how_much_is_sharpened_goes_by_the_halos_of_the_photos(
    found: float | None, share: float, word: str, said: Say, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(adapt_camera, "overshoot", lambda edges: found)
    asked = replace(adapt.PRESETS["adapt-faithful"].data, sharpened=0.7)
    data = adapt_camera._like_the_camera([Path("a.jpg")], asked, said)
    assert data == replace(asked, sharpened=data.sharpened)
    assert data.sharpened == pytest.approx(share)
    assert word in said.lines[0]  # type: ignore[attr-defined]


@pytest.mark.parametrize(
    ("found", "blur", "word"),
    [
        (None, (0.0, 1.8), "too few edges between colours to tell"),
        (0.4, (0.0, 0.0), "as sharp as brightness"),
        (2.0, (0.0, 2.4), "blurred more than brightness, by 2.0 pixels"),
    ],
)
def test_how_much_colour_is_blurred_goes_by_the_photos(
    found: float | None, blur: tuple[float, float], word: str, said: Say, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(adapt_camera, "colour_blur", lambda edges: found)
    asked = replace(adapt.PRESETS["adapt"].data, colour_blur=(0.0, 1.8))
    data = adapt_camera._like_the_camera([Path("a.jpg")], asked, said)
    assert data == replace(asked, colour_blur=blur)
    assert word in said.lines[-1]  # type: ignore[attr-defined]
    none = replace(asked, colour_blur=(0.0, 0.0))
    assert adapt_camera._like_the_camera([Path("a.jpg")], none, said) == none


def test_photos_with_halos_and_blurred_colour_are_seen_to_have_them(tmp_path: Path, said: Say) -> None:
    asked = adapt.PRESETS["adapt"].data
    plain, camera = (
        adapt_camera._like_the_camera(paths, asked, said)
        for paths in (taken(tmp_path / "lens", 0.0), taken(tmp_path / "camera", 0.6, colour=1.5))
    )
    assert plain.sharpened == 0
    assert plain.colour_blur == (0.0, 0.0)
    assert camera.sharpened == asked.sharpened
    assert camera.colour_blur == (0.0, pytest.approx(asked.colour_blur[1], rel=0.15))
