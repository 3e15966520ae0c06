"""What experiments measure, conclude and write; the trainings themselves are the recipes' tests' matter."""

import csv
import json
from pathlib import Path
from xml.etree import ElementTree

import numpy as np
import pytest
import torch
from PIL import Image

from tests.cli.invoke import invoke
from wildsr.errors import UsageError
from wildsr.experiments import EXPERIMENTS, Asked, budget, motivation, writing
from wildsr.experiments.generic_table import (
    BICUBIC_GAN,
    FUSED,
    METHODS,
    PSNR_GENERIC,
    PUBLISHED,
    differences,
    fusion_gain,
    generic_page,
    order_holds,
    plane_plot,
)
from wildsr.experiments.hidden import processed
from wildsr.experiments.measuring import Row, clean_picture, enlarger, measured
from wildsr.experiments.writing import detailed_place, mean_of, table, write_results, written
from wildsr.imaging import resize_uint8
from wildsr.models import FusionRule
from wildsr.report.plots import Curve, curves
from wildsr.report.svg_file import svg_file
from wildsr.training.settings import DataSettings


@pytest.fixture
def pictures(tmp_path: Path) -> Path:
    folder = tmp_path / "test"
    folder.mkdir()
    for number in range(3):
        coarse = np.random.default_rng(number).integers(0, 256, (12, 14, 3), dtype=np.uint8)
        large = Image.fromarray(coarse).resize((112, 96), Image.Resampling.BICUBIC)
        large.save(folder / f"{number}.png")
    return folder


@pytest.fixture
def asked(pictures: Path, tmp_path: Path) -> Asked:
    return Asked(
        hr=pictures, test=pictures, budget=600, output=tmp_path / "out", runs=tmp_path / "runs", say=print
    )


def test_the_order_of_the_motivation() -> None:
    for published in motivation.PUBLISHED:
        assert motivation.order_holds(dict(zip(motivation.METHODS, published, strict=True)))
    good = {"nearest": 20.0, "bilinear": 24.0, "bicubic": 25.0, "lanczos": 24.9}
    assert motivation.order_holds(good)
    for change in ({"nearest": 24.5}, {"bilinear": 24.95}, {"lanczos": 24.5}):
        assert not motivation.order_holds(good | change)


def test_lr_by_four_ways() -> None:
    """Nearest takes one pixel of sixteen; the others average, bicubic as MATLAB does."""
    hr = np.random.default_rng(0).integers(0, 256, (32, 48, 3), dtype=np.uint8)
    small = {method: motivation.lr_by(method, hr) for method in motivation.METHODS}
    assert {one.shape for one in small.values()} == {(8, 12, 3)}
    places = [(y, x) for y in range(4) for x in range(4) if np.array_equal(small["nearest"], hr[y::4, x::4])]
    assert len(places) == 1
    assert abs(small["bicubic"].astype(int) - resize_uint8(hr, (8, 12))).max() <= 1
    spread = [float(small[method].std()) for method in motivation.METHODS]
    assert spread[0] > spread[3] > spread[2] > spread[1]


def test_the_order_of_generic() -> None:
    def means(values: dict[str, tuple[float, float, float]]) -> dict[str, dict[str, float]]:
        return {name: dict(zip(("psnr", "ssim", "lpips"), one, strict=True)) for name, one in values.items()}

    assert order_holds(means(PUBLISHED))
    assert not order_holds(means(PUBLISHED | {FUSED: (28, 0.7, 0.2)}))
    assert not order_holds(means(PUBLISHED | {PSNR_GENERIC: (27, 0.7, 0.2)}))
    assert not order_holds(means(PUBLISHED | {BICUBIC_GAN: (19, 0.2, 0.3)}))


def test_the_gain_by_fusion_is_paired_and_of_dark_pictures_alone() -> None:
    rows = []
    for picture, s, r, fused in (("a", 0.5, 0.4, 0.3), ("b", 0.3, 0.5, 0.2), ("c", 0.9, 0.9, 0.1)):
        for method, value in zip(METHODS[4:], (s, r, fused), strict=True):
            rows.append(Row(picture=picture, method=method, condition="dark", values={"lpips": value}))
            rows.append(Row(picture=picture, method=method, values={"lpips": 0.0}))
    found = fusion_gain(rows, lambda name: name != "c")
    assert found is not None
    assert found.mean == pytest.approx((0.3 + 0.2) / 2 - (0.5 + 0.3) / 2)  # y_S is the better one alone
    assert fusion_gain(rows, lambda _: False) is None


def test_hidden_artefacts(pictures: Path) -> None:
    """The same for the same name; white noise of 8 levels, sharpened; more than JPEG alone does."""
    flat = np.full((256, 256, 3), 128, np.uint8)
    one, other = processed(flat, "a"), processed(flat, "b")
    assert np.array_equal(one, processed(flat, "a"))
    assert not np.array_equal(one, other)
    noise = one.astype(float) - 128
    assert 7 < noise.std() < 10  # 8 levels, sharpened, and less what JPEG took, of colour most
    neighbours = float(np.corrcoef(noise[:, 1:].ravel(), noise[:, :-1].ravel())[0, 1])
    assert abs(neighbours) < 0.2


def test_measures_and_the_middle_of_a_picture(pictures: Path) -> None:
    hr = clean_picture(pictures / "0.png", largest=50)
    whole = np.asarray(Image.open(pictures / "0.png"))
    assert hr.shape == (48, 48, 3)
    assert np.array_equal(hr, whole[24:72, 32:80])
    other = hr.copy()
    other[:4] = 0  # the border doesn't count
    assert measured(other, hr, ("psnr", "psnr_y"))["psnr"] == float("inf")
    assert enlarger(None)(hr).shape == (192, 192, 3)


def test_the_most_detailed_place() -> None:
    picture = np.full((128, 160, 3), 90, np.uint8)
    picture[64:96, 96:128] = np.kron(np.eye(4), np.full((8, 8), 200)).astype(np.uint8)[:, :, None]
    top, left = detailed_place(picture, 32)
    assert abs(top - 64) <= 8
    assert abs(left - 96) <= 8


def test_means_and_how_they_are_written() -> None:
    rows = [Row(picture=str(n), method="m", values={"lpips": 0.1 * n}) for n in range(1, 4)]
    rows.append(Row(picture="x", method="other", values={"lpips": 9.0}))
    found = mean_of(rows, "lpips", method="m")
    assert found is not None
    assert found.mean == pytest.approx(0.2)
    assert written(found, 3) == ".200 [.100, .300]"
    assert written(mean_of(rows, "lpips", method="nobody"), 3) == "–"
    assert table(["a", "b"], [["1", "2"]]) == "| a | b |\n| -- | -- |\n| 1 | 2 |"


def test_what_is_written(tmp_path: Path) -> None:
    rows = [
        Row(picture="a", method="m", values={"psnr": 20.0}),
        Row(picture="b", method="n", condition="dark", values={"lpips": 0.5}),
    ]
    plot = curves([Curve(points=[(0, 1), (1, 2)])], ("x", "y"), title="t")
    page = write_results(tmp_path / "x", page="# t\n\n", rows=rows, plots={"p": plot}, facts={"budget": 3.0})
    assert page.read_text() == "# t\n"
    lines = list(csv.reader((tmp_path / "x" / "values.csv").read_text().splitlines()))
    assert lines[0] == ["picture", "condition", "method", "psnr", "lpips"]
    assert lines[2] == ["b", "dark", "n", "", "0.50000"]
    whole = json.loads((tmp_path / "x" / "values.json").read_text())
    assert whole["budget"] == 3.0
    assert len(whole["rows"]) == 2
    root = ElementTree.fromstring((tmp_path / "x" / "p.svg").read_text())
    assert root.tag == "{http://www.w3.org/2000/svg}svg"
    assert "prefers-color-scheme" not in svg_file(plot)


def test_crops_side_by_side(tmp_path: Path) -> None:
    writing.write_crops(tmp_path / "new" / "c.jpg", [np.full((8, 8, 3), 9, np.uint8)] * 3, gap=6)
    with Image.open(tmp_path / "new" / "c.jpg") as made:
        assert made.size == (3 * 8 + 2 * 6, 8)


def test_steps_follow_processor_time(monkeypatch: pytest.MonkeyPatch) -> None:
    """Half a second a step: 100 s hold 170 at 85 %; too few are refused with the budget that would do."""
    ticks = iter(range(1000))
    monkeypatch.setattr("wildsr.experiments.budget.time.process_time", lambda: next(ticks) * 0.5)
    monkeypatch.setitem(budget.NETWORKS, "rcan-small", lambda: torch.nn.Conv2d(3, 3, 3))
    data = DataSettings(patch=16, batch=1)
    assert budget.psnr_steps(100, "rcan-small", data) == 170
    with pytest.raises(UsageError, match="hold 17 steps") as refused:
        budget.psnr_steps(10, "rcan-small", data)
    assert "3 times as large" in str(refused.value.hint)


def test_motivation_from_end_to_end(asked: Asked, monkeypatch: pytest.MonkeyPatch) -> None:
    """With the trained networks replaced by bicubic enlargement."""
    monkeypatch.setattr(motivation, "psnr_steps", lambda *_: 123)
    monkeypatch.setattr(motivation, "_trained", lambda *_: None)
    monkeypatch.setattr(motivation, "enlarger", lambda _: enlarger(None))
    page = motivation.run(asked)
    text = page.read_text()
    assert "3 pictures" in text
    assert "rcan-small 123 steps" in text
    rows = list(csv.DictReader((page.parent / "values.csv").read_text().splitlines()))
    assert len(rows) == 3 * 3 * 4
    nearest, bicubic = (
        np.mean([float(row["psnr_y"]) for row in rows if row["condition"] == name])
        for name in ("nearest", "bicubic")
    )
    assert nearest < bicubic
    assert (page.parent / "crops.jpg").is_file()


def test_what_has_no_time_is_refused_before_anything_is_trained(
    asked: Asked, monkeypatch: pytest.MonkeyPatch
) -> None:
    def steps(_: float, network: str, *__: object) -> int:
        if network == motivation.NETWORKS[-1]:
            raise UsageError("too few")
        return 100

    monkeypatch.setattr(motivation, "psnr_steps", steps)
    monkeypatch.setattr(motivation.psnr, "run", lambda *_, **__: pytest.fail("trained"))
    with pytest.raises(UsageError, match="too few"):
        motivation.run(asked)


def test_the_page_of_generic(asked: Asked) -> None:
    rows = [
        Row(
            picture=str(number),
            method=method,
            condition=condition,
            values={"psnr": 20.0 + place, "ssim": 0.5, "lpips": 0.6 - 0.05 * place - 0.01 * number},
        )
        for number in range(3)
        for place, method in enumerate(METHODS)
        for condition in ("", "dark")
    ]
    assert differences(rows).splitlines()[0] == (
        "- fused generic GAN − PSNR-oriented generic: PSNR 3.00 [3.00, 3.00], LPIPS −.1500 [−.1500, −.1500]"
    )
    medians = {"0": 20.0, "1": 30.0, "2": 90.0}
    rule = FusionRule(alpha=0.25, beta=0.75, gamma=60.0)
    text = generic_page(asked, rows, {"y_R": 100}, "0", rule, medians)
    assert "2 of the 3 darkened" in text
    assert "is better in LPIPS" in text
    assert "−.0500 [−.0500, −.0500]" in text
    assert "does **not** hold" in text
    assert "25.78 / .7119 / .2482" in text
    assert "none of the darkened" in generic_page(asked, rows, {}, "0", FusionRule(gamma=0.0), medians)
    assert plane_plot(rows).startswith("<svg")


def test_the_command(pictures: Path, tmp_path: Path) -> None:
    listed = invoke("reproduce").out
    assert all(f"{name}: " in listed for name in EXPERIMENTS)
    (tmp_path / "empty").mkdir()
    photos = ("--hr", pictures, "--test", pictures)
    for arguments, message in (
        (("motivaton",), "no experiment `motivaton`"),
        (("motivation",), "are needed"),
        (("motivation", "--hr", pictures, "--test", tmp_path / "empty"), "no picture"),
        (("motivation", *photos, "--budget", "0"), "above 0"),
    ):
        ended = invoke("reproduce", *arguments)
        assert ended.code != 0
        assert message in " ".join(ended.err.split())


@pytest.mark.parametrize(("bicubic", "words"), [(27.5, "1.50 dB above"), (25.0, "1.00 dB below")])
def test_a_network_that_is_worse_than_enlarging_is_called_so(bicubic: float, words: str) -> None:
    rows = [
        Row(picture="a", method=method, condition=lr, values={"psnr_y": value})
        for method, best in ((motivation.ENLARGEMENT, 26.0), ("rcan-small", bicubic))
        for lr, value in zip(motivation.METHODS, (best - 3, best - 0.5, best, best + 0.1), strict=True)
    ]
    verdict = motivation._verdict(rows, "rcan-small")
    assert verdict.startswith("- `rcan-small`: the order holds; LR by nearest costs 3.00 dB")
    assert f"it is {words} bicubic enlargement" in verdict
    assert ("trained too little" in verdict) == (bicubic < 26)
