from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from wildsr.errors import InputError
from wildsr.evaluation.names import core_name, match


def paths(*names: str) -> list[Path]:
    return [Path("folder") / name for name in names]


@pytest.mark.parametrize(
    ("stem", "core"),
    [
        ("baby", "baby"),
        ("babyx4", "baby"),
        ("baby_x4", "baby"),
        ("baby_x2.5", "baby"),
        ("baby_SR", "baby"),
        ("Canon_001_HR", "canon_001"),
        ("Canon_001_LR4", "canon_001"),
        ("img_001_SRF_4_HR", "img_001"),
        ("IMG_0012_x4_out", "img_0012"),
        ("photo_w1920", "photo"),
        ("x4", "x4"),
        ("0801x4", "0801"),
        ("head", "head"),
        ("ship", "ship"),
    ],
)
def test_core_name(stem: str, core: str) -> None:
    assert core_name(stem) == core


@given(st.text(alphabet="abxX24_-. SRHL", min_size=1, max_size=20))
def test_core_name_is_settled_and_never_empty(stem: str) -> None:
    core = core_name(stem)
    assert core
    assert core_name(core) == core
    assert stem.casefold().startswith(core)


def test_equal_stems_win_over_equal_cores() -> None:
    found = match(paths("a_x2.png", "a_x4.png"), paths("a_x4.webp", "a_x2.webp"))
    assert {k.name: v.name for k, v in found.pairs.items()} == {
        "a_x2.png": "a_x2.webp",
        "a_x4.png": "a_x4.webp",
    }


def test_sets_of_the_field_pair() -> None:
    wanted = paths("baby.png", "Canon_001_HR.png", "img_001_SRF_4_HR.png", "0801.png", "bird.png")
    given_ = paths(
        "0801x4.png", "babyx4.png", "Canon_001_LR4.png", "img_001_SRF_4_LR.png", "bird_x4_esrgan.png"
    )
    found = match(wanted, given_)
    assert [path.name for path in found.pairs.values()] == [
        "babyx4.png",
        "Canon_001_LR4.png",
        "img_001_SRF_4_LR.png",
        "0801x4.png",
        "bird_x4_esrgan.png",
    ]
    assert found.unmatched == ()
    assert found.spare == ()


def test_the_longest_beginning_decides() -> None:
    found = match(paths("img_1.png", "img_1_2.png"), paths("img_1_2_mine.png", "img_1_mine.png"))
    assert {k.name: v.name for k, v in found.pairs.items()} == {
        "img_1.png": "img_1_mine.png",
        "img_1_2.png": "img_1_2_mine.png",
    }


def test_a_longer_number_is_another_picture() -> None:
    found = match(paths("img_1.png"), paths("img_12.png"))
    assert not found.pairs
    assert [path.name for path in found.unmatched] == ["img_1.png"]
    assert [path.name for path in found.spare] == ["img_12.png"]


@pytest.mark.parametrize(
    ("wanted", "given_"),
    [
        (["a.png"], ["a.png", "a.jpg"]),
        (["a.png"], ["a_x4.png", "a_SR.png"]),
        (["a_x2.png", "a_x4.png"], ["a.png"]),
        (["a.png"], ["a_one.png", "a_two.png"]),
    ],
)
def test_two_that_fit_equally_are_refused_by_name(wanted: list[str], given_: list[str]) -> None:
    with pytest.raises(InputError, match=r"both belong to a\w*\.png by name") as error:
        match(paths(*wanted), paths(*given_))
    assert error.value.hint
