"""Edges of photos: a camera that sharpens is told from one that doesn't, and its blur of colour is measured."""

from pathlib import Path

import numpy as np
import pytest
import torch
from PIL import Image, ImageDraw

from wildsr.degradation import correlate, kernels
from wildsr.degradation.colour import ColourBlur
from wildsr.degradation.sharpening import sharpened
from wildsr.estimation.colour import colour_blur
from wildsr.estimation.edges import find_edges
from wildsr.estimation.halos import overshoot


def scene(seed: int) -> Image.Image:
    """Large plates of one colour each, at any angle."""
    rng = np.random.default_rng(seed)
    picture = Image.new("RGB", (1200, 1200), (128, 128, 128))
    for _ in range(14):
        middle, sides, angle = rng.uniform(0, 1200, 2), rng.uniform(200, 600, 2), rng.uniform(0, np.pi)
        turn = np.array([[np.cos(angle), -np.sin(angle)], [np.sin(angle), np.cos(angle)]])
        corners = np.array([[-1, -1], [-1, 1], [1, 1], [1, -1]]) * sides / 2 @ turn + middle
        colour = tuple(int(level) for level in rng.integers(40, 215, 3))
        ImageDraw.Draw(picture).polygon([tuple(corner) for corner in corners.tolist()], fill=colour)
    return picture.resize((400, 400), Image.Resampling.BOX)


def photos(
    folder: Path,
    amount: float,
    radius: float = 2.0,
    *,
    sigma: float = 1.0,
    noise: float = 2.0,
    colour: float = 0.0,
) -> list[Path]:
    """Three scenes through a lens, with noise, sharpened or not, colour blurred more or not."""
    folder.mkdir()
    kernel = kernels.gaussian(13, (sigma**2, sigma**2), 0.0, scale=1).astype(np.float32)
    paths = []
    for seed in range(3):
        levels = np.asarray(scene(seed), np.float32)
        blurred = correlate(torch.from_numpy(levels.transpose(2, 0, 1) / 255)[None], kernel)
        blurred = blurred + torch.from_numpy(
            np.random.default_rng(seed).normal(0, noise / 255, blurred.shape).astype(np.float32)
        )
        taken = sharpened(blurred, amount, radius) if amount else blurred
        if colour:
            taken = ColourBlur(sigma=(colour, colour))(taken, np.random.default_rng(seed))
        paths.append(folder / f"{seed}.png")
        pixels = (taken[0].permute(1, 2, 0).numpy() * 255).round().clip(0, 255).astype(np.uint8)
        Image.fromarray(pixels).save(paths[-1])
    return paths


def measured(paths: list[Path]) -> float:
    found = overshoot(find_edges(paths))
    assert found is not None
    return found


def test_sharpening_is_seen_and_a_lens_is_not(tmp_path: Path) -> None:
    plain = measured(photos(tmp_path / "plain", 0))
    softer = measured(photos(tmp_path / "soft", 0, sigma=1.6, noise=0))
    some, more = (measured(photos(tmp_path / f"{amount}", amount)) for amount in (0.4, 0.8))
    assert -0.03 < plain < 0.01
    assert -0.03 < softer < 0.01
    assert 0.03 < some < more < 0.4


def test_the_brightness_of_the_sides_doesnt_matter(tmp_path: Path) -> None:
    paths = photos(tmp_path / "a", 0.6)
    negative = []
    for path in paths:
        negative.append(path.with_name(f"n{path.name}"))
        Image.fromarray(255 - np.asarray(Image.open(path))).save(negative[-1])
    assert measured(negative) == pytest.approx(measured(paths), abs=0.02)


def test_without_edges_nothing_is_said(tmp_path: Path) -> None:
    rng = np.random.default_rng(0)
    for name, picture in {
        "flat": np.full((200, 200, 3), 120, np.uint8),
        "noise": rng.integers(0, 256, (200, 200, 3), dtype=np.uint8),
        "thin": rng.integers(0, 256, (200, 12, 3), dtype=np.uint8),
    }.items():
        Image.fromarray(picture).save(tmp_path / f"{name}.png")
    (tmp_path / "torn.png").write_bytes(b"\x89PNG\r\n")
    for paths in (sorted(tmp_path.iterdir()), []):
        edges = find_edges(paths)
        assert overshoot(edges) is None
        assert colour_blur(edges) is None


def test_what_cant_be_read_is_left_out(tmp_path: Path) -> None:
    paths = photos(tmp_path / "a", 0.6)
    torn = tmp_path / "torn.jpg"
    torn.write_bytes(b"\xff\xd8\xff")
    assert measured([torn, *paths]) == measured(paths)


@pytest.mark.parametrize("amount", [0.0, 0.5])
@pytest.mark.parametrize("sigma", [0.0, 0.8, 1.6, 2.4])
def test_the_blur_of_colour_is_found(sigma: float, amount: float, tmp_path: Path) -> None:
    found = colour_blur(find_edges(photos(tmp_path / "a", amount, colour=sigma)))
    assert found == pytest.approx(sigma, rel=0.1, abs=0.2)


def test_gray_photos_say_nothing_about_colour(tmp_path: Path) -> None:
    paths = photos(tmp_path / "a", 0)
    for path in paths:
        Image.open(path).convert("L").convert("RGB").save(path)
    edges = find_edges(paths)
    assert overshoot(edges) is not None
    assert colour_blur(edges) is None
