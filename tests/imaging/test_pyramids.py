"""Pyramids: read back by other programs, seams exact, whole or absent, and nothing that isn't theirs replaced."""

import itertools
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from xml.etree import ElementTree

import numpy as np
import pytest
import tifffile
from PIL import Image

from tests.imaging import spaces
from tests.imaging.make import exif_block
from wildsr import imaging
from wildsr.errors import OutputError
from wildsr.files import remove_stale_temporaries
from wildsr.imaging import Depth, Frame, Metadata, WriteOptions
from wildsr.imaging.frame import Rows

HEIGHT, WIDTH = 700, 610
PYRAMID = WriteOptions(pyramid=True)


def pixels(channels: int = 3, depth: int = 8) -> Rows:
    dice = np.random.default_rng(channels)
    y, x = np.mgrid[:HEIGHT, :WIDTH]
    waves = np.stack([np.sin(x / (30 + n)) * np.cos(y / (23 + n)) for n in range(channels)], axis=2)
    top = (1 << depth) - 1
    unit = np.clip(0.5 + 0.4 * waves + dice.normal(0, 0.02, waves.shape), 0, 1)
    return np.rint(unit * top).astype(np.uint8 if depth == 8 else np.uint16)


def bands(whole: Rows) -> Iterator[Rows]:
    for top in range(0, HEIGHT, 90):
        yield whole[top : top + 90]


def frame(channels: int = 3, depth: Depth = 8, metadata: Metadata | None = None) -> Frame:
    return Frame(width=WIDTH, height=HEIGHT, channels=channels, depth=depth, metadata=metadata or Metadata())


def halved(whole: np.ndarray) -> np.ndarray:
    """Means of four pixels, colours weighted by how opaque they are."""
    height, width = whole.shape[0] // 2 * 2, whole.shape[1] // 2 * 2
    values = whole[:height, :width].astype(float)
    weights = np.ones_like(values)
    if values.shape[2] == 4:
        weights[..., :3] = values[..., 3:]
    blocks = [
        one.reshape(height // 2, 2, width // 2, 2, -1).sum(axis=(1, 3)) for one in (values * weights, weights)
    ]
    return blocks[0] / blocks[1]


@pytest.mark.parametrize(("channels", "depth"), [(3, 8), (1, 16), (4, 8)])
def test_a_tiffs_levels_are_the_picture_and_its_halves(channels: int, depth: Depth, tmp_path: Path) -> None:
    whole = pixels(channels, depth)
    metadata = Metadata(icc=spaces.P3 if channels > 1 else None, exif=exif_block(), xmp=None)
    report = imaging.write_rows(
        bands(whole), frame(channels, depth, metadata), tmp_path / "a.tif", options=PYRAMID
    )
    assert report.bytes == (tmp_path / "a.tif").stat().st_size
    assert [path.name for path in tmp_path.iterdir()] == ["a.tif"]
    with tifffile.TiffFile(tmp_path / "a.tif") as file:
        levels = file.series[0].levels
        shapes = [level.shape[:2] for level in levels]
        assert shapes == [(700, 610), (350, 305), (175, 152)]
        assert all(page.is_tiled and page.tile[:2] == (256, 256) for page in file.pages)
        made = [level.asarray().reshape(*level.shape[:2], channels) for level in levels]
        tags = file.pages[0].tags
        assert "wildsr" in tags["Software"].value
        assert ("InterColorProfile" in tags) == (channels > 1)
    np.testing.assert_array_equal(made[0], whole)
    for above, below in itertools.pairwise(made):
        assert np.abs(halved(above)[: below.shape[0], : below.shape[1]] - below).max() <= 1
    again = imaging.open_source(tmp_path / "a.tif")
    np.testing.assert_array_equal(again.samples, whole)
    assert again.metadata.exif
    assert again.metadata.icc == metadata.icc
    assert not [note for note in again.notes if "page" in note]


@pytest.mark.parametrize(
    ("further", "note"),
    [
        ([(1, 32, 40), (1, 16, 20)], ()),
        ([(1, 32, 40), (1, 15, 19)], ()),
        ([(1, 32, 40), (0, 64, 80)], ("only the first of 3 pages was read",)),
        ([(0, 32, 40)], ("only the first of 2 pages was read",)),
        ([(1, 40, 40)], ("only the first of 2 pages was read",)),
    ],
)
def test_of_pages_only_the_picture_in_smaller_sizes_is_no_loss(
    further: list[tuple[int, int, int]], note: tuple[str, ...], tmp_path: Path
) -> None:
    with tifffile.TiffWriter(tmp_path / "a.tif") as file:
        for kind, height, width in [(0, 64, 80), *further]:
            file.write(
                np.full((height, width, 3), 90, np.uint8), subfiletype=kind, photometric="rgb", metadata=None
            )
    assert imaging.open_source(tmp_path / "a.tif").notes == note


def stitched(dzi: Path, level: int, size: tuple[int, int]) -> np.ndarray:
    """Put a level's tiles together by the format's own rule, each overlap from both of its tiles alike."""
    root = ElementTree.parse(dzi).getroot()
    side, overlap, ending = int(root.get("TileSize", 0)), int(root.get("Overlap", 0)), root.get("Format")
    canvas = np.full((size[1], size[0], 4), -1, int)
    for top, left in itertools.product(range(0, size[1], side), range(0, size[0], side)):
        path = dzi.with_name(f"{dzi.stem}_files") / str(level) / f"{left // side}_{top // side}.{ending}"
        with Image.open(path) as tile:
            assert tile.info.get("icc_profile")
            values = np.asarray(tile.convert("RGBA")).astype(int)
        y, x = max(0, top - overlap), max(0, left - overlap)
        assert values.shape[0] == min(size[1], top + side + overlap) - y
        assert values.shape[1] == min(size[0], left + side + overlap) - x
        region = canvas[y : y + values.shape[0], x : x + values.shape[1]]
        known = region >= 0
        if ending == "png":
            np.testing.assert_array_equal(region[known], values[known])
        region[...] = values
    return canvas


@pytest.mark.parametrize("channels", [3, 4])
def test_deep_zooms_tiles_are_the_picture(channels: int, tmp_path: Path) -> None:
    whole = pixels(channels)
    metadata = Metadata(icc=spaces.P3, exif=exif_block())
    report = imaging.write_rows(bands(whole), frame(channels, metadata=metadata), tmp_path / "a.b.dzi")
    assert sorted(path.name for path in tmp_path.iterdir()) == ["a.b.dzi", "a.b_files"]
    assert report.bytes == sum(path.stat().st_size for path in tmp_path.rglob("*.*") if path.is_file())
    assert report.dropped == ("EXIF",)
    size = ElementTree.parse(tmp_path / "a.b.dzi").getroot()[0]
    assert (size.get("Width"), size.get("Height")) == ("610", "700")
    levels = sorted(int(path.name) for path in (tmp_path / "a.b_files").iterdir())
    assert levels == list(range(11))  # from 1×1 to 700 ≤ 2¹⁰
    made = stitched(tmp_path / "a.b.dzi", 10, (610, 700))
    np.testing.assert_array_equal(made[..., :channels], whole)
    half = stitched(tmp_path / "a.b.dzi", 9, (305, 350))
    assert np.abs(halved(made) - half).max() <= 1


def test_a_quality_makes_jpeg_tiles_without_transparency(tmp_path: Path) -> None:
    options = WriteOptions(quality=85, background=(1.0, 1.0, 1.0))
    metadata = Metadata(icc=spaces.P3)
    report = imaging.write_rows(
        bands(pixels(4)), frame(4, metadata=metadata), tmp_path / "a.dzi", options=options
    )
    assert report.dropped == ("transparency (blended onto white)",)
    made = stitched(tmp_path / "a.dzi", 10, (610, 700))[..., :3]
    opacity = pixels(4)[..., 3:] / 255
    assert np.abs(made - (pixels(4)[..., :3] * opacity + 255 * (1 - opacity))).mean() < 4
    with pytest.raises(OutputError, match="can't hold transparency"):
        imaging.write_rows(bands(pixels(4)), frame(4), tmp_path / "b.dzi", options=WriteOptions(quality=85))


def test_16_bits_become_8_and_it_is_said(tmp_path: Path) -> None:
    metadata = Metadata(icc=spaces.P3)
    report = imaging.write_rows(bands(pixels(3, 16)), frame(3, 16, metadata), tmp_path / "a.dzi")
    assert report.dropped == ("16-bit depth (8 bits kept)",)
    made = stitched(tmp_path / "a.dzi", 10, (610, 700))[..., :3]
    assert np.abs(made - pixels(3, 16) / 257).max() <= 0.51


@pytest.mark.parametrize("name", ["a.dzi", "a.tif"])
def test_what_the_rows_raise_leaves_what_was_there(name: str, tmp_path: Path) -> None:
    imaging.write_rows(bands(pixels()), frame(), tmp_path / name, options=PYRAMID)
    before = {path: path.read_bytes() for path in tmp_path.rglob("*.*") if path.is_file()}

    def failing() -> Iterator[Rows]:
        yield from itertools.islice(bands(pixels()), 5)
        raise KeyError("bug")

    with pytest.raises(KeyError, match="bug"):
        imaging.write_rows(failing(), frame(), tmp_path / name, options=PYRAMID)
    assert {path: path.read_bytes() for path in tmp_path.rglob("*.*") if path.is_file()} == before
    fresh = tmp_path / "fresh"
    fresh.mkdir()
    with pytest.raises(KeyError, match="bug"):
        imaging.write_rows(failing(), frame(), fresh / name, options=PYRAMID)
    with pytest.raises(OutputError, match="only 90 rows"):
        imaging.write_rows(itertools.islice(bands(pixels()), 1), frame(), fresh / name, options=PYRAMID)
    assert list(fresh.iterdir()) == []


def test_a_second_pyramid_replaces_the_first_whole_and_only_when_asked(tmp_path: Path) -> None:
    imaging.write_rows(bands(pixels()), frame(), tmp_path / "a.dzi")
    old = (tmp_path / "a_files" / "10" / "0_0.png").read_bytes()
    small = Frame(width=WIDTH, height=90, channels=3)
    once = WriteOptions(overwrite=False)
    with pytest.raises(OutputError, match=r"a\.dzi: the file exists"):
        imaging.write_rows(itertools.islice(bands(pixels()), 1), small, tmp_path / "a.dzi", options=once)
    (tmp_path / "a.dzi").rename(tmp_path / "elsewhere")
    with pytest.raises(OutputError, match="a_files: the file exists"):
        imaging.write_rows(itertools.islice(bands(pixels()), 1), small, tmp_path / "a.dzi", options=once)
    assert (tmp_path / "a_files" / "10" / "0_0.png").read_bytes() == old
    imaging.write_rows(itertools.islice(bands(255 - pixels()), 1), small, tmp_path / "a.dzi")
    assert (tmp_path / "a_files" / "10" / "0_0.png").read_bytes() != old
    assert not (tmp_path / "a_files" / "10" / "0_2.png").exists()
    assert sorted(path.name for path in tmp_path.iterdir()) == ["a.dzi", "a_files", "elsewhere"]


def test_a_folder_that_is_something_else_stays(tmp_path: Path) -> None:
    (tmp_path / "a_files").mkdir()
    (tmp_path / "a_files" / "letter.txt").write_text("dear")
    with pytest.raises(OutputError, match="is something else and stays"):
        imaging.write_rows(bands(pixels()), frame(), tmp_path / "a.dzi")
    (tmp_path / "b_files").write_text("a file")
    with pytest.raises(OutputError, match="is something else and stays"):
        imaging.write_rows(bands(pixels()), frame(), tmp_path / "b.dzi")
    assert (tmp_path / "a_files" / "letter.txt").read_text() == "dear"
    assert sorted(path.name for path in tmp_path.iterdir()) == ["a_files", "b_files"]


def test_other_formats_hold_no_pyramid(tmp_path: Path) -> None:
    for name in ("a.png", "a.jpg", "a.webp", "a.avif"):
        with pytest.raises(OutputError, match="can't hold a pyramid") as caught:
            imaging.write_rows(bands(pixels()), frame(), tmp_path / name, options=PYRAMID)
        assert ".tif" in str(caught.value.hint)
    assert list(tmp_path.iterdir()) == []


@pytest.mark.skipif(sys.platform == "win32", reason="needs resource limits")
@pytest.mark.parametrize("name", ["a.dzi", "a.tif"])
def test_a_limit_of_the_system_is_named_and_a_killed_writer_is_swept_up_after(
    name: str, tmp_path: Path
) -> None:
    code = f"""
import os, resource, signal, sys
import numpy as np
from wildsr import imaging
from wildsr.errors import OutputError
from wildsr.imaging import Frame, WriteOptions
signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
dice = np.random.default_rng(0)
def rows(die):
    for _ in range(6):
        yield dice.integers(0, 256, (200, 900, 3), dtype=np.uint8)
    if die:
        os.kill(os.getpid(), signal.SIGKILL)
frame, options = Frame(width=900, height=1200, channels=3), WriteOptions(pyramid=True)
resource.setrlimit(resource.RLIMIT_FSIZE, (100_000, resource.RLIM_INFINITY))
try:
    imaging.write_rows(rows(False), frame, {name!r}, options=options)
except OutputError as error:
    print(type(error).__name__, error, os.listdir("."))
resource.setrlimit(resource.RLIMIT_FSIZE, (resource.RLIM_INFINITY, resource.RLIM_INFINITY))
imaging.write_rows(rows(True), frame, {name!r}, options=options)
"""
    done = subprocess.run(
        [sys.executable, "-c", code], cwd=tmp_path, capture_output=True, text=True, timeout=120, check=False
    )
    assert done.returncode == -9, done.stderr
    assert done.stdout.startswith(f"OutputError can't write {name}: the file is larger than"), done.stdout
    assert done.stdout.strip().endswith("[]")
    left = list(tmp_path.iterdir())
    assert len(left) == 1
    assert left[0].name.startswith(".wildsr-tmp-")
    assert remove_stale_temporaries(tmp_path) == left
    assert list(tmp_path.iterdir()) == []
