"""Pages stand alone, and nothing that comes out of a file becomes HTML."""

import base64
import io
import re
from html.parser import HTMLParser

import numpy as np
import pytest
from PIL import Image

from wildsr.report.page import (
    bar,
    cards,
    definitions,
    figure,
    folded,
    gallery,
    notes,
    page,
    plain,
    plots,
    row,
    table,
)
from wildsr.report.pictures import jpeg_uri, png_picture, thumbnail

VOID = {"meta", "img"}


class Checker(HTMLParser):
    """Refuses unbalanced tags; keeps text and classes."""

    def __init__(self) -> None:
        super().__init__()
        self.open: list[str] = []
        self.text: list[str] = []
        self.classes: set[str] = set()

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.classes |= set(dict(attrs).get("class", "").split())  # type: ignore[union-attr]
        if tag not in VOID:
            self.open.append(tag)

    def handle_endtag(self, tag: str) -> None:
        assert self.open.pop() == tag

    def handle_data(self, data: str) -> None:
        self.text.append(data)


def everything() -> str:
    return page(
        "<t> \udcff",
        [
            cards([("kernels", "3")]),
            notes("Note", ["<first>", "second"]),
            row([figure("picture", "caption")]),
            gallery(["one", "two"]),
            plots([("caption", "<svg></svg>"), ("left out", "")]),
            table(("name", "value", "why"), [("a", "1", "x")], words=frozenset((2,))),
            folded("more & more", "body"),
            definitions({"term <": "text"}),
            bar(0.256),
            "",
        ],
    )


def test_a_page_is_whole_and_escaped() -> None:
    made = everything()
    checker = Checker()
    checker.feed(made)
    assert checker.open == []
    made.encode("utf-8")
    assert {"<first>", "second", "more & more", "term <", "picture", "caption"} <= set(checker.text)
    assert "left out" not in made
    assert "width:26%" in made
    assert "http" not in made


def test_every_class_has_a_style() -> None:
    checker = Checker()
    checker.feed(everything())
    style = re.search(r"<style>(.*)</style>", everything(), re.DOTALL)
    assert style is not None
    assert {one for one in checker.classes if not re.search(rf"\.{one}\b", style[1])} == set()


def test_nothing_is_made_of_nothing() -> None:
    assert notes("Note", []) == ""
    assert plots([("caption", "")]) == ""


def test_names_of_files_are_printable() -> None:
    assert plain("a<\x1b\udcff&.jpg") == "a&lt;\\x1b\\xff&amp;.jpg"


def test_pngs_are_exact_and_enlarged_by_whole_pixels() -> None:
    rgb = np.random.default_rng(0).integers(0, 256, (3, 5, 3), dtype=np.uint8)
    element = png_picture(rgb, zoom=4, alt="k")
    assert 'width="20" height="12"' in element
    found = re.search(r'src="data:image/png;base64,([^"]*)"', element)
    assert found is not None
    read = np.asarray(Image.open(io.BytesIO(base64.b64decode(found[1]))))
    np.testing.assert_array_equal(read, rgb.repeat(4, 0).repeat(4, 1))


@pytest.mark.parametrize("kind", [np.uint8, np.float32])
def test_jpegs_keep_the_colours_of_single_pixels(kind: type) -> None:
    rgb = np.full((16, 16, 3), 0.5, np.float32)
    rgb[:, ::2] = (0.9, 0.2, 0.2)
    given = np.rint(rgb * 255).astype(np.uint8) if kind is np.uint8 else rgb
    head, data = jpeg_uri(given).split(",")
    assert head == "data:image/jpeg;base64"
    read = np.asarray(Image.open(io.BytesIO(base64.b64decode(data)))) / 255
    assert np.abs(read - rgb).mean() < 0.03  # with averaged chroma 0.11


def test_thumbnails_have_at_most_180_pixels_a_side() -> None:
    assert thumbnail(np.zeros((400, 1000, 3), np.uint8)).shape == (72, 180, 3)
    small = np.full((20, 9, 3), 255, np.uint8)
    np.testing.assert_allclose(thumbnail(small), np.ones((20, 9, 3)), atol=1e-6)
