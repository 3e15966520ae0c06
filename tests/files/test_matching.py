from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from wildsr.errors import InputError
from wildsr.files.matching import core_name, match, same_depth, tree


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
        ("0801_bicLRx4", "0801"),
        ("0801_LRx4", "0801"),
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
    found = match(["a_x2.png", "a_x4.png"], ["a_x4.webp", "a_x2.webp"])
    assert dict(found.pairs) == {
        "a_x2.png": "a_x2.webp",
        "a_x4.png": "a_x4.webp",
    }


def test_sets_of_the_field_pair() -> None:
    wanted = ["baby.png", "Canon_001_HR.png", "img_001_SRF_4_HR.png", "0801.png", "bird.png"]
    given_ = ["0801x4.png", "babyx4.png", "Canon_001_LR4.png", "img_001_SRF_4_LR.png", "bird_x4_esrgan.png"]
    found = match(wanted, given_)
    assert list(found.pairs.values()) == [
        "babyx4.png",
        "Canon_001_LR4.png",
        "img_001_SRF_4_LR.png",
        "0801x4.png",
        "bird_x4_esrgan.png",
    ]
    assert found.unmatched == ()
    assert found.spare == ()


def test_the_longest_beginning_decides() -> None:
    found = match(["img_1.png", "img_1_2.png"], ["img_1_2_mine.png", "img_1_mine.png"])
    assert dict(found.pairs) == {
        "img_1.png": "img_1_mine.png",
        "img_1_2.png": "img_1_2_mine.png",
    }


def test_a_longer_number_is_another_picture() -> None:
    found = match(["img_1.png"], ["img_12.png"])
    assert not found.pairs
    assert found.unmatched == ("img_1.png",)
    assert found.spare == ("img_12.png",)


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
        match(wanted, given_)
    assert error.value.hint


def test_letter_case_is_no_difference_but_decides_between_two() -> None:
    assert dict(match(["A.png", "b.PNG"], ["a_x4.png", "B.jpg"]).pairs) == {
        "A.png": "a_x4.png",
        "b.PNG": "B.jpg",
    }
    assert dict(match(["a.png", "A.png"], ["A.jpg", "a.jpg"]).pairs) == {"a.png": "a.jpg", "A.png": "A.jpg"}


def test_trees_mirror_each_other() -> None:
    found = match(["s1/a.png", "s1/b.png", "s2/a.png"], ["s2/a_x4.png", "S1/a_x4.png", "s1/b_x4_mine.png"])
    assert dict(found.pairs) == {
        "s1/a.png": "S1/a_x4.png",
        "s1/b.png": "s1/b_x4_mine.png",
        "s2/a.png": "s2/a_x4.png",
    }
    assert found.spare == ()


def test_another_folder_is_another_picture() -> None:
    found = match(["s1/a.png"], ["s2/a.png", "a.png"])
    assert found.unmatched == ("s1/a.png",)
    assert found.spare == ("s2/a.png", "a.png")


def test_folders_may_name_a_role_or_a_scale() -> None:
    found = match(["s1/a.png", "s2_HR/a.png"], ["s2_x4/a_x4.png", "s1_x4/a_x4.png"])
    assert dict(found.pairs) == {"s1/a.png": "s1_x4/a_x4.png", "s2_HR/a.png": "s2_x4/a_x4.png"}
    # the same folder comes first
    assert dict(match(["x2/a.png", "x4/a.png"], ["x4/a.png", "x2/a.png"]).pairs) == {
        "x2/a.png": "x2/a.png",
        "x4/a.png": "x4/a.png",
    }


def test_a_flat_folder_stands_for_a_tree_of_different_names() -> None:
    found = match(["s1/a.png", "s2/b.png"], ["b_x4.png", "a_x4.png"])
    assert dict(found.pairs) == {"s1/a.png": "a_x4.png", "s2/b.png": "b_x4.png"}
    assert dict(match(["a.png"], ["s1/a_SR.png"]).pairs) == {"a.png": "s1/a_SR.png"}
    with pytest.raises(InputError, match="both belong to"):
        match(["s1/a.png", "s2/a.png"], ["a_x4.png"])


def test_two_in_one_folder_are_refused_with_it() -> None:
    with pytest.raises(InputError, match=r"s1/a_x4\.png and s1/a_SR\.png both belong to s1/a\.png"):
        match(["s1/a.png", "s2/a.png"], ["s1/a_x4.png", "s1/a_SR.png", "s2/a.png"])


def test_folders_that_only_one_side_has_do_not_count() -> None:
    flat, both = {"a.png": Path("a")}, {"a.png": Path("b"), "old/a.png": Path("c")}
    deep = {"s/a.png": Path("d")}
    assert same_depth(flat, both) == (flat, {"a.png": Path("b")})
    assert same_depth(both, deep) == (both, deep)
    assert same_depth(flat, deep) == (flat, deep)  # nothing lies on top: the names are for the message


def test_a_tree_names_pictures_below_its_folder(tmp_path: Path) -> None:
    for name in ("s10/a.png", "s2/b.png", "c.png"):
        (tmp_path / name).parent.mkdir(exist_ok=True)
        (tmp_path / name).write_bytes(b"\x89PNG\r\n\x1a\n")
    (tmp_path / "notes.txt").write_text("hello")
    found = tree(tmp_path)
    assert set(found) == {"c.png", "s2/b.png", "s10/a.png"}
    assert list(found).index("s2/b.png") < list(found).index("s10/a.png")
    assert found["s2/b.png"] == tmp_path / "s2" / "b.png"
