"""What a format can't hold is changed by the rule, and named."""

from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from wildsr.errors import InputError, OutputError, UsageError
from wildsr.imaging import Picture, WriteOptions
from wildsr.imaging.background import background_named, colour_name
from wildsr.imaging.fitting import fit
from wildsr.imaging.formats import FORMATS, format_named
from wildsr.imaging.frame import Frame

RGB8 = Frame(width=2, height=1, channels=3)
RGBA8 = Frame(width=2, height=1, channels=4)
GRAY_ALPHA16 = Frame(width=2, height=1, channels=2, depth=16)
RGB16 = Frame(width=2, height=1, channels=3, depth=16)


def rows(*pixels: tuple[int, ...], depth: int = 8) -> np.ndarray:
    return np.array([pixels], np.uint8 if depth == 8 else np.uint16)


@pytest.mark.parametrize("name", FORMATS)
def test_what_fits_goes_through_as_it_is(name: str) -> None:
    fitted = fit(RGB8, FORMATS[name], WriteOptions())
    band = rows((1, 2, 3), (255, 0, 128))
    assert fitted.dropped == ()
    assert fitted.stored(band) is band
    assert (fitted.bits, fitted.frame) == (8, RGB8)


@pytest.mark.parametrize(
    ("name", "bits"), [("png", 16), ("tiff", 16), ("jpeg", 8), ("webp", 8), ("avif", 12)]
)
def test_the_most_bits_that_a_format_has_are_kept(name: str, bits: int) -> None:
    fitted = fit(RGB16, FORMATS[name], WriteOptions())
    assert fitted.bits == bits
    named = [] if bits == 16 else [f"16-bit depth ({bits} bits kept)"]
    assert list(fitted.dropped) == named


@given(st.integers(0, 65535))
def test_16_bits_become_8_by_the_nearest(value: int) -> None:
    fitted = fit(RGB16, FORMATS["jpeg"], WriteOptions())
    stored = fitted.stored(rows((value,) * 3, (value,) * 3, depth=16))
    assert stored.dtype == np.uint8
    assert abs(int(stored[0, 0, 0]) * 257 - value) <= 128


@given(st.integers(0, 255))
def test_8_bits_become_16_and_8_again(value: int) -> None:
    fitted = fit(RGB8, FORMATS["png"], WriteOptions(depth=16))
    wide = fitted.stored(rows((value,) * 3, (value,) * 3))
    assert wide.dtype == np.uint16
    assert int(wide[0, 0, 0]) == value * 257


@pytest.mark.parametrize("bits", [10, 12])
def test_the_high_bits_of_a_word_hold_the_rounded_value(bits: int) -> None:
    fitted = fit(RGB16, FORMATS["avif"], WriteOptions(depth=bits))  # type: ignore[arg-type]
    values = np.array([0, 1, 300, 32768, 65534, 65535], np.uint16)
    stored = fitted.stored(np.repeat(values[None, :, None], 3, axis=2))[0, :, 0]
    top = (1 << bits) - 1
    exact = np.floor(values.astype(np.float64) * top / 65535 + 0.5).astype(np.int64)
    np.testing.assert_array_equal(stored >> (16 - bits), exact)
    np.testing.assert_array_equal(stored & ((1 << (16 - bits)) - 1), 0)


def test_transparency_is_blended_onto_the_colour_and_named() -> None:
    fitted = fit(RGBA8, FORMATS["jpeg"], WriteOptions(background=(1.0, 0.0, 0.0)))
    stored = fitted.stored(rows((0, 100, 200, 0), (0, 100, 200, 51)))
    assert stored.tolist() == [[[255, 0, 0], [204, 20, 40]]]
    assert fitted.dropped == ("transparency (blended onto #ff0000)",)
    assert fitted.frame.channels == 3


def test_opaque_pixels_keep_every_level() -> None:
    fitted = fit(RGBA8, FORMATS["jpeg"], WriteOptions(background=(0.3, 0.6, 0.9)))
    levels = np.arange(256, dtype=np.uint8)
    band = np.stack([levels, levels[::-1], levels, np.full(256, 255, np.uint8)], axis=-1)[None]
    np.testing.assert_array_equal(fitted.stored(band), band[..., :3])


def test_gray_is_blended_onto_the_mean_of_the_colour() -> None:
    fitted = fit(GRAY_ALPHA16, FORMATS["jpeg"], WriteOptions(background=(1.0, 1.0, 0.4)))
    stored = fitted.stored(rows((0, 0), (65535, 65535), depth=16))
    assert stored.shape == (1, 2, 1)
    assert stored[0, :, 0].tolist() == [204, 255]
    assert fitted.dropped[0] == "16-bit depth (8 bits kept)"


def test_formats_with_transparency_keep_it() -> None:
    for name in ("png", "webp", "tiff", "avif"):
        fitted = fit(RGBA8, FORMATS[name], WriteOptions(background=(1.0, 1.0, 1.0)))
        assert fitted.background is None
        assert fitted.frame.channels == 4


@pytest.mark.parametrize(
    ("name", "found"),
    [
        ("jpg", "jpeg"),
        (".TIF", "tiff"),
        ("tiff", "tiff"),
        ("JPEG", "jpeg"),
        ("avif", "avif"),
        ("jpe", "jpeg"),
    ],
)
def test_formats_have_names_and_extensions(name: str, found: str) -> None:
    assert format_named(name).name == found


@pytest.mark.parametrize("name", ["", "gif", "bmp", "jp", "..png.", "png\0"])
def test_formats_that_are_not_written(name: str) -> None:
    with pytest.raises(OutputError, match="wildsr writes png, jpeg, webp, tiff, avif"):
        format_named(name)


@pytest.mark.parametrize(
    ("choice", "words"),
    [
        ({"quality": 0}, "quality is 0"),
        ({"quality": 101}, "quality is 101"),
        ({"compression": 10}, "compression is 10"),
        ({"depth": 9}, "depth is 9"),
        ({"background": (1.2, 0.0, 0.0)}, "background is"),
        ({"background": (float("nan"), 0.0, 0.0)}, "background is"),
    ],
)
def test_options_that_can_not_be(choice: dict[str, object], words: str) -> None:
    with pytest.raises(UsageError, match=words):
        WriteOptions(**choice)  # type: ignore[arg-type]


def test_colours_have_names() -> None:
    assert background_named("white") == (1, 1, 1)
    assert background_named(" #336699 ") == pytest.approx((0.2, 0.4, 0.6))
    assert background_named("rgb(0, 0, 51)") == pytest.approx((0, 0, 0.2))
    assert background_named("None") is None
    assert [colour_name(one) for one in ((1.0, 1.0, 1.0), (0.0, 0.0, 0.0), (0.2, 0.4, 0.6), None)] == [
        "white",
        "black",
        "#336699",
        "nothing",
    ]
    with pytest.raises(UsageError, match="background is 'puce-ish'"):
        background_named("puce-ish")


GOOD = Picture(rgb=np.full((4, 5, 3), 0.5, np.float32))


@pytest.mark.parametrize(
    ("rgb", "words"),
    [
        (np.zeros((4, 5), np.float32), "shape"),
        (np.zeros((4, 5, 4), np.float32), "must be H×W×3"),
        (np.zeros((0, 5, 3), np.float32), "at least one pixel"),
        (np.zeros((4, 5, 3)), "array of float64"),
        (np.zeros((4, 5, 3), np.uint8), "array of uint8"),
        (np.full((4, 5, 3), np.nan, np.float32), "not finite"),
        (np.full((4, 5, 3), np.inf, np.float32), "not finite"),
        (np.full((4, 5, 3), 200, np.float32), "from 200 to 200"),
        (np.full((4, 5, 3), -3, np.float32), "from -3 to -3"),
    ],
)
def test_arrays_that_are_no_picture(rgb: np.ndarray, words: str) -> None:
    with pytest.raises(InputError, match=words):
        Picture(rgb=rgb)


def test_alpha_and_depth_must_fit() -> None:
    with pytest.raises(InputError, match="it must be 4×5"):
        replace(GOOD, alpha=np.ones((5, 4), np.float32))
    with pytest.raises(UsageError, match="depth is 12"):
        replace(GOOD, depth=12)
    small = GOOD.with_pixels(np.zeros((2, 3, 3), np.float32), np.ones((2, 3), np.float32))
    assert (small.width, small.height, small.depth) == (3, 2, 8)
