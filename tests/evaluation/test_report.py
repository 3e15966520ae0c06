import base64
import io
import re
from html.parser import HTMLParser
from pathlib import Path

import numpy as np
from PIL import Image

from tests.evaluation.pictures import noisy, save, scene
from tests.evaluation.test_results import evaluation
from wildsr.evaluation import Evaluation, Measures, Store, existing_results, html_report, judge
from wildsr.evaluation.crops import comparisons
from wildsr.evaluation.plots import perception_distortion, strips
from wildsr.metrics import METRICS

VOID = {"meta", "img", "br", "circle", "path"}


class Checker(HTMLParser):
    """Counts tags, refuses unbalanced ones, and keeps every address."""

    def __init__(self) -> None:
        super().__init__()
        self.open: list[str] = []
        self.seen: list[str] = []
        self.addresses: list[str] = []
        self.text: list[str] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.seen.append(tag)
        self.addresses += [
            value or "" for name, value in attrs if name in ("src", "href", "srcset", "action")
        ]
        if tag not in VOID:
            self.open.append(tag)

    def handle_startendtag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.seen.append(tag)

    def handle_endtag(self, tag: str) -> None:
        assert self.open.pop() == tag

    def handle_data(self, data: str) -> None:
        self.text.append(data)


def judged(tmp_path: Path, names: list[str], *, methods: tuple[str, ...] = ("weak", "strong")) -> Evaluation:
    for number, name in enumerate(names):
        rgb = scene(120, 160, seed=number)
        save(tmp_path / "hr" / name, rgb)
        for strength, method in enumerate(methods):
            damaged = rgb.copy()
            # the stronger, the brighter a square at (40, 80)
            damaged[40:64, 80:104] = np.clip(rgb[40:64, 80:104] + 0.3 * strength, 0, 1)
            save(tmp_path / method / name, noisy(damaged, 3 + 3 * strength))
    test_set, found = existing_results([tmp_path / one for one in methods], hr=tmp_path / "hr")
    return judge(test_set, found, Measures(metrics=("psnr", "ssim", "piqe")), store=Store(tmp_path / "store"))


def checked(page: str) -> Checker:
    checker = Checker()
    checker.feed(page)
    assert checker.open == []
    return checker


def test_page_is_whole_and_stands_alone(tmp_path: Path) -> None:
    page = html_report(judged(tmp_path, ["a.png", "b.png"]))
    checker = checked(page)
    assert all(address.startswith("data:image/jpeg;base64,") for address in checker.addresses)
    assert "http" not in page.replace("http-equiv", "")
    assert str(tmp_path) not in page
    assert checker.seen.count("svg") == 1 + 3  # piqe against psnr, and a strip a metric
    assert checker.seen.count("details") == 3
    # 2 pictures × (whole, two methods, ground truth)
    assert checker.seen.count("img") == 8
    for heading in ("Result", "Side by side", "Every picture", "Protocol"):
        assert heading in checker.text


def test_names_are_escaped(tmp_path: Path) -> None:
    page = html_report(judged(tmp_path, ["<b>&.png"], methods=("<i>x", "y")))
    checker = checked(page)
    assert "<b>&.png" in checker.text
    assert "&lt;i&gt;x" in page
    assert "<i>x" not in page


def test_crops_are_where_methods_differ(tmp_path: Path) -> None:
    found = comparisons(judged(tmp_path, ["a.png"]))
    left, top, width, height = found[0].frame
    assert left <= 80 / 1.6 + 1e-6
    assert left + width >= 104 / 1.6 - 1e-6
    assert top <= 40 / 1.2 + 1e-6
    assert top + height >= 64 / 1.2 - 1e-6
    assert list(found[0].methods) == ["weak", "strong"]
    piece = Image.open(io.BytesIO(base64.b64decode(found[0].methods["strong"].split(",")[1])))
    assert piece.size == (96, 96)


def test_one_method_and_no_reference(tmp_path: Path) -> None:
    save(tmp_path / "sr" / "a.png", scene(120, 160))
    test_set, methods = existing_results([tmp_path / "sr"])
    found = judge(test_set, methods, Measures(metrics=("piqe",)), store=Store(tmp_path / "store"))
    checker = checked(html_report(found))
    assert checker.seen.count("svg") == 1
    assert checker.seen.count("img") == 2


def test_tiny_pictures_and_failures_still_make_a_page(tmp_path: Path) -> None:
    save(tmp_path / "hr" / "a.png", scene(3, 2))
    save(tmp_path / "sr" / "a.png", scene(3, 2))
    test_set, methods = existing_results([tmp_path / "sr"], hr=tmp_path / "hr")
    found = judge(test_set, methods, Measures(metrics=("psnr", "ssim")), store=Store(tmp_path / "store"))
    checker = checked(html_report(found))
    text = " ".join(checker.text)
    assert "infinite (identical pictures)" in text
    assert "2×3 pixels are too few" in text


def test_plots_place_what_they_say() -> None:
    found = evaluation(
        {
            "low": {"psnr": [20.0, 22.0], "lpips": [0.5, 0.4]},
            "high": {"psnr": [28.0, 30.0], "lpips": [0.2, 0.1]},
        }
    )
    plot = perception_distortion(found, "psnr", "lpips")
    dots = re.findall(r'class="dot" cx="([\d.]+)" cy="([\d.]+)"', plot)
    (x_low, y_low), (x_high, y_high) = [(float(x), float(y)) for x, y in dots]
    assert x_high > x_low  # higher PSNR to the right
    assert y_high < y_low  # lower LPIPS up (SVG counts downwards)
    strip = strips(found, "lpips")
    assert len(re.findall(r"M[\d.]+ [\d.]+h0", strip)) == 4
    assert METRICS["psnr_y"].heading == "PSNR-Y ↑"
    assert METRICS["lpips"].heading == "LPIPS ↓"


def test_plots_of_equal_or_missing_values() -> None:
    same = evaluation({"m": {"psnr": [20.0, 20.0], "lpips": [0.0, 0.0]}})
    assert perception_distortion(same, "psnr", "lpips").startswith("<svg")
    assert strips(same, "lpips").startswith("<svg")
    none = evaluation({"m": {"psnr": [None], "lpips": [0.1]}})
    assert perception_distortion(none, "psnr", "lpips") == ""
    assert strips(none, "psnr") == ""
