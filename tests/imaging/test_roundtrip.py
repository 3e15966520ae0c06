"""What is written is read again: exactly where the format keeps every pixel."""

from pathlib import Path
from tempfile import TemporaryDirectory

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.imaging import spaces
from tests.imaging.make import exif_block
from wildsr import imaging
from wildsr.imaging import Metadata, Picture, Source, WriteOptions
from wildsr.imaging.metadata.budget import Budget
from wildsr.imaging.metadata.exif import edited
from wildsr.imaging.metadata.geometry import Change
from wildsr.imaging.metadata.ifd import (
    EXIF_IFD,
    GPS_IFD,
    Value,
    read_directory,
    read_start,
    reader,
)
from wildsr.version import __version__


@st.composite
def pictures(draw: st.DrawFn, depths: tuple[int, ...] = (8, 16)) -> Picture:
    """Pictures of any kind whose values their depth holds exactly."""
    depth = draw(st.sampled_from(depths))
    gray = draw(st.booleans())
    height, width = draw(st.integers(1, 40)), draw(st.integers(1, 40))
    rng = np.random.default_rng(draw(st.integers(0, 2**32 - 1)))
    top = (1 << depth) - 1
    samples = rng.integers(0, top + 1, (height, width, 1 if gray else 3))
    rgb = np.repeat(samples, 3, axis=2) if gray else samples
    alpha = rng.integers(0, top + 1, (height, width)) if draw(st.booleans()) else None
    profiles = [None, spaces.GRAY_22] if gray else [None, spaces.SRGB, spaces.P3, spaces.ADOBE]
    return Picture(
        rgb=(rgb / np.float32(top)).astype(np.float32),
        alpha=None if alpha is None else (alpha / np.float32(top)).astype(np.float32),
        metadata=Metadata(
            icc=draw(st.sampled_from(profiles)),
            exif=exif_block(draw(st.integers(1, 8)), prefix=False) if draw(st.booleans()) else None,
            xmp=b"<x:xmpmeta>kept</x:xmpmeta>" if draw(st.booleans()) else None,
            iptc=b"\x1c\x02\x05\x00\x04name" if draw(st.booleans()) else None,
        ),
        depth=depth,
        gray=gray,
    )


def assert_same(first: Picture, again: Picture) -> None:
    np.testing.assert_array_equal(again.rgb, first.rgb)
    assert (again.alpha is None) == (first.alpha is None)
    if first.alpha is not None and again.alpha is not None:
        np.testing.assert_array_equal(again.alpha, first.alpha)
    assert again.metadata.icc == first.metadata.icc
    assert (again.depth, again.gray) == (first.depth, first.gray)
    assert again.metadata.xmp == first.metadata.xmp
    software = f"wildsr {__version__}"
    assert again.notes == ()
    if first.metadata.exif:
        change = Change(before=None, after=(first.width, first.height))
        wanted, _ = edited(first.metadata.exif, change, resolution=None, software=software)
        assert again.metadata.exif is not None
        assert _tags(again.metadata.exif) == _tags(wanted)


def _tags(block: bytes) -> dict[int, Value]:
    """Return every tag's value but orientation, which TIFF keeps elsewhere; TIFF lays directories out anew."""
    read = reader(block)
    layout, offset = read_start(read)
    tree = read_directory(read, layout, offset, Budget(1 << 20), pointers=(EXIF_IFD, GPS_IFD))
    values = {tag: value for tag, value in tree.values.items() if tag != 0x0112}
    for number, child in tree.below.items():
        values |= {number << 16 | tag: value for tag, value in child.values.items()}
    return values


@settings(max_examples=120, deadline=None)
@given(picture=pictures(), ending=st.sampled_from(["png", "tif"]))
def test_png_and_tiff_give_back_every_picture(picture: Picture, ending: str) -> None:
    with TemporaryDirectory() as folder:
        path = Path(folder) / f"a.{ending}"
        report = imaging.write(picture, path)
        again = imaging.read(path)
    assert report.dropped == ()
    assert again.metadata.iptc == picture.metadata.iptc
    assert_same(picture, again)


@settings(max_examples=40, deadline=None)
@given(picture=pictures(depths=(8,)), ending=st.sampled_from(["webp", "avif"]))
def test_lossless_webp_and_avif_give_back_eight_bit_colour(picture: Picture, ending: str) -> None:
    with TemporaryDirectory() as folder:
        path = Path(folder) / f"a.{ending}"
        imaging.write(picture, path, options=WriteOptions(lossless=True))
        again = imaging.read(path)
    np.testing.assert_array_equal(again.rgb, picture.rgb)
    if picture.alpha is not None:
        assert again.alpha is not None
        np.testing.assert_array_equal(again.alpha, picture.alpha)
    if not picture.gray:
        assert again.metadata.icc == picture.metadata.icc
    assert again.metadata.xmp == picture.metadata.xmp


@settings(max_examples=60, deadline=None)
@given(picture=pictures())
def test_source_and_picture_are_the_same(picture: Picture) -> None:
    source = Source.from_picture(picture)
    assert_same_pixels = source.picture()
    np.testing.assert_array_equal(assert_same_pixels.rgb, picture.rgb)
    assert (source.samples.dtype, source.top) == (np.float32, 1)  # unrounded
    assert source.samples.shape[2] == (1 if picture.gray else 3) + (picture.alpha is not None)
    y, x = picture.height // 2, picture.width // 2
    np.testing.assert_array_equal(source.rgb(0, y + 1, x, picture.width), picture.rgb[: y + 1, x:])
    crop = source.alpha(0, y + 1, x, picture.width)
    assert (crop is None) == (picture.alpha is None)
    if crop is not None and picture.alpha is not None:
        np.testing.assert_array_equal(crop, picture.alpha[: y + 1, x:])


@pytest.mark.parametrize("depth", [8, 16])
def test_values_between_levels_round_to_nearest_and_clip(depth: int, tmp_path: Path) -> None:
    top = (1 << depth) - 1
    values = np.array([-0.5, 0.4 / top, 0.6 / top, 1 - 0.4 / top, 1.7], np.float32)
    rgb = np.repeat(values[None, :, None], 3, axis=2)
    imaging.write(Picture(rgb=rgb, depth=depth), tmp_path / "a.png")  # type: ignore[arg-type]
    got = imaging.open_source(tmp_path / "a.png").samples[0, :, 0]
    assert got.tolist() == [0, 0, 1, top, top]


@pytest.mark.parametrize(("bits", "form"), [(8, "png"), (16, "png"), (8, "avif"), (10, "avif"), (12, "avif")])
def test_asked_depth_is_written(bits: int, form: str, tmp_path: Path) -> None:
    rgb = np.repeat(np.linspace(0, 1, 64, dtype=np.float32)[None, :, None], 3, axis=2).repeat(8, axis=0)
    path = tmp_path / f"a.{form}"
    options = WriteOptions(depth=bits, lossless=True)  # type: ignore[arg-type]
    assert imaging.write(Picture(rgb=rgb, depth=16), path, options=options).dropped == ()
    assert imaging.probe(path).bits == bits
    again = imaging.read(path)
    assert np.abs(again.rgb - rgb).max() <= 0.51 / ((1 << bits) - 1)
    assert again.rgb.max() == 1.0
