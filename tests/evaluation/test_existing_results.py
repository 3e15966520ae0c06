from pathlib import Path

import pytest

from tests.evaluation.pictures import fill
from wildsr.errors import InputError, UsageError
from wildsr.evaluation import existing_results, results_for

NAMES = ["a.png", "b.png"]


def test_folders_are_methods(tmp_path: Path) -> None:
    hr = fill(tmp_path / "hr", NAMES)
    one = fill(tmp_path / "one", NAMES)
    two = fill(tmp_path / "two", ["a_x4.png", "b_x4.png"])
    test_set, methods = existing_results([one, two], hr=hr)
    assert [method.name for method in methods] == ["one", "two"]
    assert [picture.name for picture in test_set.pictures] == NAMES
    assert methods[1].files["b.png"].name == "b_x4.png"
    assert test_set.has_reference


def test_files_are_judged_alone(tmp_path: Path) -> None:
    hr, out = fill(tmp_path / "hr", NAMES), fill(tmp_path / "out", NAMES)
    test_set, methods = existing_results([out / "b.png"], hr=hr)
    assert [picture.name for picture in test_set.pictures] == ["b.png"]
    assert [method.name for method in methods] == ["out"]


def test_files_against_one_truth_are_methods(tmp_path: Path) -> None:
    fill(tmp_path, ["truth.png", "mine.png", "theirs.png"])
    files = [tmp_path / "mine.png", tmp_path / "theirs.png"]
    test_set, methods = existing_results(files, hr=tmp_path / "truth.png")
    assert [method.name for method in methods] == ["mine", "theirs"]
    assert test_set.pictures[0].name == "truth.png"


def test_results_without_truth(tmp_path: Path) -> None:
    one, two = fill(tmp_path / "one", NAMES), fill(tmp_path / "two", ["a_x4.png", "b_x4.png"])
    test_set, methods = existing_results([one, two])
    assert [picture.hr for picture in test_set.pictures] == [None, None]
    assert methods[1].files["a.png"].name == "a_x4.png"


def test_lr_pictures_join(tmp_path: Path) -> None:
    hr, one = fill(tmp_path / "hr", NAMES), fill(tmp_path / "one", NAMES)
    lr = fill(tmp_path / "lr", ["a_LR4.png", "b_LR4.png"])
    test_set, _ = existing_results([one], hr=hr, lr=lr)
    assert [picture.lr and picture.lr.name for picture in test_set.pictures] == ["a_LR4.png", "b_LR4.png"]


@pytest.mark.parametrize(
    ("sr", "hr", "message"),
    [
        (["a.png"], NAMES, r"b\.png has no counterpart in sr"),
        ([*NAMES, "c.png"], NAMES, r"c\.png has no counterpart in hr"),
        (["d.png"], NAMES, r"a\.png, b\.png have no counterpart in sr"),
    ],
)
def test_missing_counterparts_are_named(tmp_path: Path, sr: list[str], hr: list[str], message: str) -> None:
    with pytest.raises(InputError, match=message):
        existing_results([fill(tmp_path / "sr", sr)], hr=fill(tmp_path / "hr", hr))


def test_misuse_is_named(tmp_path: Path) -> None:
    hr = fill(tmp_path / "hr", NAMES)
    with pytest.raises(InputError, match="does not exist"):
        existing_results([tmp_path / "nowhere"], hr=hr)
    with pytest.raises(UsageError, match=r"a\.png is one file, but .* is a folder"):
        existing_results([hr], hr=hr / "a.png")
    fill(tmp_path / "x" / "out", NAMES)
    fill(tmp_path / "y" / "out", NAMES)
    with pytest.raises(UsageError, match="called alike: out, out"):
        existing_results([tmp_path / "x" / "out", tmp_path / "y" / "out"], hr=hr)


def test_results_for_a_known_set(tmp_path: Path) -> None:
    test_set, _ = existing_results([fill(tmp_path / "one", NAMES)], hr=fill(tmp_path / "hr", NAMES))
    assert results_for(test_set, fill(tmp_path / "two", NAMES)).name == "two"
    with pytest.raises(InputError, match="no counterpart"):
        results_for(test_set, fill(tmp_path / "three", ["a.png"]))


def nested(folder: Path, suffix: str = "", scale: int = 1) -> Path:
    for place, names in (("s1", ["a", "b"]), ("s2", ["a"])):
        fill(folder / place, [f"{name}{suffix}.png" for name in names], scale=scale)
    return folder


def test_nested_folders_mirror_each_other(tmp_path: Path) -> None:
    hr, sr, lr = nested(tmp_path / "hr"), nested(tmp_path / "sr", "_x4"), nested(tmp_path / "lr", "_LR4")
    test_set, (method,) = existing_results([sr], hr=hr, lr=lr)
    assert [picture.name for picture in test_set.pictures] == ["s1/a.png", "s1/b.png", "s2/a.png"]
    assert method.files["s2/a.png"] == sr / "s2" / "a_x4.png"
    assert [one.lr and one.lr.relative_to(lr).as_posix() for one in test_set.pictures] == [
        "s1/a_LR4.png",
        "s1/b_LR4.png",
        "s2/a_LR4.png",
    ]
    assert results_for(test_set, sr).files == method.files


def test_nested_results_without_truth(tmp_path: Path) -> None:
    test_set, methods = existing_results([nested(tmp_path / "one"), nested(tmp_path / "two", "_x4")])
    assert [picture.name for picture in test_set.pictures] == ["s1/a.png", "s1/b.png", "s2/a.png"]
    assert methods[1].files["s2/a.png"].name == "a_x4.png"


def test_a_missing_nested_counterpart_is_named_with_its_folder(tmp_path: Path) -> None:
    hr, sr = nested(tmp_path / "hr"), nested(tmp_path / "sr", "_x4")
    (sr / "s2" / "a_x4.png").unlink()
    fill(sr / "s3", ["a_x4.png"])
    with pytest.raises(InputError, match=r"s2/a\.png has no counterpart in sr"):
        existing_results([sr], hr=hr)


def test_earlier_results_in_a_folder_below_are_no_results(tmp_path: Path) -> None:
    hr, sr = fill(tmp_path / "hr", NAMES), fill(tmp_path / "sr", NAMES)
    fill(sr / "old", NAMES)
    _, (method,) = existing_results([sr], hr=hr)
    assert method.files["a.png"] == sr / "a.png"


def test_files_of_one_name_are_refused(tmp_path: Path) -> None:
    one, two = fill(tmp_path / "one", ["a.png"]), fill(tmp_path / "two", ["a.png"])
    with pytest.raises(InputError, match=r"two of the files are called a\.png"):
        existing_results([one / "a.png", two / "a.png"], hr=fill(tmp_path / "hr", ["a.png"]))
