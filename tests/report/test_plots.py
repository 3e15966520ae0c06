"""SVG plots place what they say."""

import re
from xml.etree import ElementTree

import numpy as np
import pytest

from wildsr.report.axes import Axis, round_step, rounded_out
from wildsr.report.plots import Curve, Dot, Quantity, Spread, Strip, curves, plane, strips


def spread(mean: float, width: float = 0.5) -> Spread:
    return Spread(mean=mean, low=mean - width, high=mean + width)


@pytest.mark.parametrize("rising", [True, False])
def test_better_is_right_and_up(rising: bool) -> None:
    axis = Axis(low=20, high=30, start=0, end=100, rising=rising)
    better, worse = (29, 21) if rising else (21, 29)
    assert axis.at(better) > axis.at(worse)
    assert axis.at(25) == pytest.approx(50)
    assert axis.ticks() == [20, 22, 24, 26, 28, 30]


@pytest.mark.parametrize(
    ("span", "step"), [(1, 1), (1.1, 2), (0.03, 0.05), (6, 10), (200, 200), (0.2, 0.2), (1e-9, 1e-9)]
)
def test_steps_are_round(span: float, step: float) -> None:
    assert round_step(span) == pytest.approx(step)


def test_an_axis_holds_all_values_between_round_numbers() -> None:
    assert rounded_out(0.0, 3.52) == pytest.approx((0, 4))
    assert rounded_out(-0.3, 0.9) == pytest.approx((-0.5, 1.0))
    low, high = rounded_out(5.0, 5.0)
    assert low <= 5 <= high


def test_curves_hold_all_points() -> None:
    drawn = curves(
        [Curve(points=[(0.1, 3.52), (0.28, 1.0)], name="a"), Curve(points=[], name="<b>")],
        ("x", "y"),
        title="t",
        level=2,
        right=1,
    )
    assert re.findall(r'class="tick" [^>]*>([^<]*)', drawn) == ["0", "0.2", "0.4", "0.6", "0.8", "1"]
    assert re.findall(r'class="tick end" [^>]*>([^<]*)', drawn) == ["0", "1", "2", "3", "4"]
    assert "&lt;b&gt;: none" in drawn
    ElementTree.fromstring(drawn)
    heights = [float(y) for y in re.findall(r'cy="([^"]*)"', drawn)]
    grid = {float(y) for y in re.findall(r'class="grid" d="M52 ([\d.]+)H', drawn)}
    assert min(grid) < heights[0] < heights[1] < max(grid)  # 3.52 lies above 1.0
    (level,) = re.findall(r'class="level" d="M52 ([\d.]+)H', drawn)
    assert float(level) in grid  # 2 is a tick


def test_negative_values_are_drawn_within_the_plot() -> None:
    drawn = curves([Curve(points=[(0, -2.0), (1, 3.0)])], ("step", "loss"), title="t")
    heights = [float(y) for y in re.findall(r'cy="([^"]*)"', drawn)]
    grid = [float(y) for y in re.findall(r'class="grid" d="M52 ([\d.]+)H', drawn)]
    assert min(grid) <= heights[1] < heights[0] <= max(grid)
    assert "−2" in drawn


def test_the_plane_puts_the_better_method_right_and_up() -> None:
    drawn = plane(
        [
            Dot(number=0, name="low", x=spread(21), y=spread(0.45, 0.05)),
            Dot(number=1, name="high & <wide>", x=spread(29), y=spread(0.15, 0.05)),
        ],
        Quantity(label="PSNR"),
        Quantity(label="LPIPS", rising=False),
        title="t",
    )
    ElementTree.fromstring(drawn)
    (low, high) = [
        (float(x), float(y)) for x, y in re.findall(r'class="dot" cx="([\d.]+)" cy="([\d.]+)"', drawn)
    ]
    assert high[0] > low[0]
    assert high[1] < low[1]
    assert "high &amp; &lt;wide&gt;" in drawn


def test_names_of_dots_in_one_place_do_not_cover_each_other() -> None:
    dots = [Dot(number=n, name=f"method {n}", x=spread(20), y=spread(1)) for n in range(3)]
    drawn = plane(dots, Quantity(label="x"), Quantity(label="y"), title="t")
    heights = sorted(float(y) for y in re.findall(r'class="name m\d" x="[\d.]+" y="([\d.]+)"', drawn))
    assert np.diff(heights) == pytest.approx([14, 14])


def test_strips_show_every_value_up_to_300() -> None:
    many = Strip(name="m", values=list(range(1000)), mean=spread(500), written="500")
    few = Strip(name="f", values=[3.0, 4.0], mean=None, written="")
    drawn = strips([many, few], Quantity(label="x"), title="t")
    ElementTree.fromstring(drawn)
    assert len(re.findall(r"M[\d.]+ [\d.]+h0", drawn)) == 302
    assert drawn.count('class="mean"') == 1


def test_nothing_is_drawn_of_nothing() -> None:
    assert curves([Curve(points=[])], ("x", "y"), title="t") == ""
    assert plane([], Quantity(label="x"), Quantity(label="y"), title="t") == ""
    assert strips([Strip(name="m", values=[], mean=None, written="")], Quantity(label="x"), title="t") == ""


def test_equal_values_are_drawn() -> None:
    flat = [Strip(name="m", values=[0.0, 0.0], mean=spread(0, 0), written="0")]
    assert strips(flat, Quantity(label="x"), title="t").startswith("<svg")
    dot = Dot(number=0, name="m", x=spread(20, 0), y=spread(0, 0))
    assert "nan" not in plane([dot], Quantity(label="x"), Quantity(label="y"), title="t")
    assert "nan" not in curves([Curve(points=[(0, 0)])], ("x", "y"), title="t")
