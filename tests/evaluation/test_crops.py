"""Which places are cut out, and what of them every method shows."""

import base64
import io
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from tests.evaluation.pictures import save
from wildsr.evaluation import Evaluation, Row, TestPicture
from wildsr.evaluation.crops import CropComparison, comparisons


def plain(height: int = 160, width: int = 240, level: float = 0.5) -> np.ndarray:
    return np.full((height, width, 3), level, np.float32)


def with_square(top: int, left: int, level: float, side: int = 24, **size: int) -> np.ndarray:
    picture = plain(**size)
    picture[top : top + side, left : left + side] = level
    return picture


def judged(folder: Path, methods: dict[str, np.ndarray], **pictures: np.ndarray) -> Evaluation:
    """One picture by some methods; `hr` and `lr` are its ground truth and input."""
    paths = {role: save(folder / role / "a.png", rgb) for role, rgb in pictures.items()}
    picture = TestPicture(name="a.png", hr=paths.get("hr"), lr=paths.get("lr"))
    rows = tuple(
        Row(picture=picture, method=method, sr=save(folder / method / "a.png", rgb))
        for method, rgb in methods.items()
    )
    return Evaluation(methods=tuple(methods), metrics=(), rows=rows, protocol={})


def decoded(uri: str) -> np.ndarray:
    kind, _, data = uri.partition(",")
    assert kind == "data:image/jpeg;base64"
    return np.asarray(Image.open(io.BytesIO(base64.b64decode(data))).convert("RGB")).astype(float)


def box(one: CropComparison, height: int, width: int) -> tuple[float, float, float, float]:
    """Top, left, bottom, right in pixels."""
    left, top, across, down = (part / 100 for part in one.frame)
    return top * height, left * width, (top + down) * height, (left + across) * width


def holds(place: tuple[float, float, float, float], rows: tuple[int, int], columns: tuple[int, int]) -> bool:
    slack = 1e-6
    down = place[0] <= rows[0] + slack and rows[1] <= place[2] + slack
    return down and place[1] <= columns[0] + slack and columns[1] <= place[3] + slack


@pytest.mark.parametrize(("top", "left"), [(0, 0), (60, 100), (136, 216), (8, 200)])
def test_the_place_where_two_methods_differ_is_shown(tmp_path: Path, top: int, left: int) -> None:
    found = judged(tmp_path, {"one": plain(), "two": with_square(top, left, 0.9)})
    (one,) = comparisons(found)
    assert holds(box(one, 160, 240), (top, top + 24), (left, left + 24))
    assert decoded(one.methods["one"]).shape == (96, 96, 3)
    assert decoded(one.methods["one"]).std() < 1
    assert decoded(one.methods["two"]).max() == pytest.approx(0.9 * 255, abs=4)
    assert one.hr is None
    assert one.lr is None


def test_all_show_the_same_place(tmp_path: Path) -> None:
    square = with_square(60, 100, 0.9)
    lr = square.reshape(40, 4, 60, 4, 3).mean(axis=(1, 3))
    found = judged(tmp_path, {"one": square, "two": with_square(60, 100, 0.1)}, hr=square, lr=lr)
    (one,) = comparisons(found)
    assert one.hr is not None
    assert one.lr is not None
    same = decoded(one.methods["one"]), decoded(one.hr)
    np.testing.assert_allclose(same[0], same[1], atol=1)
    small = decoded(one.lr)
    assert small.shape == (24, 24, 3)
    blocks = same[1].reshape(24, 4, 24, 4, 3).mean(axis=(1, 3))
    np.testing.assert_allclose(small, blocks, atol=20)  # JPEGs of a square 102 levels high


def test_one_method_is_compared_with_the_truth(tmp_path: Path) -> None:
    found = judged(tmp_path, {"one": with_square(20, 180, 0.2)}, hr=plain())
    assert holds(box(comparisons(found)[0], 160, 240), (20, 44), (180, 204))


def test_one_method_without_truth_shows_where_there_is_most_to_see(tmp_path: Path) -> None:
    stripes = plain()
    stripes[100:140, 20:80:2] = 0.9
    place = box(comparisons(judged(tmp_path, {"one": stripes}))[0], 160, 240)
    assert holds(place, (100, 140), (20, 80))


@pytest.mark.parametrize("size", [(1, 1), (3, 50), (7, 7), (40, 300)])
def test_pictures_smaller_than_a_crop_are_shown_whole(tmp_path: Path, size: tuple[int, int]) -> None:
    height, width = size
    found = judged(tmp_path, {"one": plain(height, width), "two": plain(height, width, 0.6)})
    (one,) = comparisons(found)
    side = min(height, width)
    side -= side % 4 if side >= 8 else 0
    assert decoded(one.methods["two"]).shape[:2] == (side, side)


def test_the_strongest_differences_come_first(tmp_path: Path) -> None:
    rows: list[Row] = []
    for number, level in enumerate((0.55, 0.95, 0.75)):
        name = f"{number}.png"
        for method, picture in (("one", plain()), ("two", with_square(40, 40, level))):
            path = save(tmp_path / method / name, picture)
            rows.append(Row(picture=TestPicture(name=name), method=method, sr=path))
    found = Evaluation(methods=("one", "two"), metrics=(), rows=tuple(rows), protocol={})
    assert [one.image for one in comparisons(found)] == ["1.png", "2.png", "0.png"]
    assert [one.image for one in comparisons(found, most=2)] == ["1.png", "2.png"]


def test_a_better_quality_keeps_more(tmp_path: Path) -> None:
    noise = np.random.default_rng(0).uniform(0, 1, (160, 240, 3)).astype(np.float32)
    found = judged(tmp_path, {"one": noise, "two": plain()})
    kept = [decoded(comparisons(found, quality=quality)[0].methods["one"]) for quality in (60, 100)]
    place = comparisons(found)[0]
    top, left, bottom, right = (round(edge) for edge in box(place, 160, 240))
    truth = np.rint(noise[top:bottom, left:right] * 255)
    errors = [np.abs(one - truth).mean() for one in kept]
    assert errors[1] < 1.5 < errors[0]


def test_what_cant_be_read_is_left_out(tmp_path: Path) -> None:
    found = judged(tmp_path, {"one": plain(), "two": with_square(40, 40, 0.9)})
    (tmp_path / "two" / "a.png").write_bytes(b"no picture")
    assert comparisons(found) == []
