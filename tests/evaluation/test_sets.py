import os
from pathlib import Path

import pytest

from tests.evaluation.pictures import fill
from wildsr.errors import InputError
from wildsr.evaluation import find_set, infer_scale, read_set
from wildsr.evaluation.sets import SETS_VARIABLE

HR = ["baby.png", "bird.png"]


def pairs(folder: Path, scale: int = 4) -> list[tuple[str, str | None, str | None]]:
    found = read_set(folder, scale=scale)
    return [(one.name, one.hr and one.hr.name, one.lr and one.lr.name) for one in found.pictures]


@pytest.mark.parametrize(
    ("hr_folder", "lr_folder", "suffix"),
    [
        ("HR", "LR", ""),
        ("HR", "LR_bicubic_X4", "x4"),
        ("HR", "LR_bicubic/X4", "x4"),
        ("GTmod12", "LRbicx4", ""),
        ("DIV2K_valid_HR", "DIV2K_valid_LR_bicubic/X4", "x4"),
        ("test_HR", "test_LR", ""),
        ("gt", "lq", ""),
        ("original", "LR", "_x4"),
        ("Corrupted-va-y", "Corrupted-va-x", ""),
    ],
)
def test_folders_of_hr_and_lr(tmp_path: Path, hr_folder: str, lr_folder: str, suffix: str) -> None:
    fill(tmp_path / hr_folder, HR, scale=4)
    fill(tmp_path / lr_folder, [name.replace(".", f"{suffix}.") for name in HR])
    assert pairs(tmp_path) == [(name, name, name.replace(".", f"{suffix}.")) for name in HR]
    assert infer_scale(read_set(tmp_path)) == 4
    assert read_set(tmp_path).has_reference


def test_the_lr_folder_of_the_scale_is_taken(tmp_path: Path) -> None:
    fill(tmp_path / "GTmod12", HR, scale=4)
    for scale in (2, 3, 4):
        fill(tmp_path / f"LRbicx{scale}", HR, scale=4 // scale)
    found = read_set(tmp_path, scale=2)
    assert {one.lr.parent.name for one in found.pictures if one.lr} == {"LRbicx2"}
    assert infer_scale(found) == 2


def test_two_folders_for_one_role_are_refused(tmp_path: Path) -> None:
    fill(tmp_path / "HR", HR)
    fill(tmp_path / "LR_bicubic", HR)
    fill(tmp_path / "LR_unknown", HR)
    with pytest.raises(InputError, match="several LR folders: LR_bicubic, LR_unknown"):
        read_set(tmp_path)


def test_hr_and_lr_side_by_side(tmp_path: Path) -> None:
    fill(tmp_path / "Canon/Test/4", ["Canon_001_HR.png"], scale=4)
    fill(tmp_path / "Canon/Test/4", ["Canon_001_LR4.png"])
    fill(tmp_path / "Canon/Test/2", ["Canon_001_HR.png"], scale=2)
    fill(tmp_path / "Canon/Test/2", ["Canon_001_LR2.png"])
    fill(tmp_path / "Nikon/Train/4", ["Nikon_001_HR.png", "Nikon_001_LR4.png"])
    assert pairs(tmp_path) == [("Canon_001_HR.png", "Canon_001_HR.png", "Canon_001_LR4.png")]


def test_huangs_layout(tmp_path: Path) -> None:
    fill(tmp_path / "image_SRF_4", ["img_001_SRF_4_HR.png", "img_001_SRF_4_LR.png"])
    fill(tmp_path / "image_SRF_2", ["img_001_SRF_2_HR.png", "img_001_SRF_2_LR.png"])
    assert pairs(tmp_path) == [("img_001_SRF_4_HR.png", "img_001_SRF_4_HR.png", "img_001_SRF_4_LR.png")]


def test_city100s_letters(tmp_path: Path) -> None:
    fill(tmp_path, ["iPhoneX_003H.png", "iPhoneX_003L.png"])
    assert pairs(tmp_path) == [("iPhoneX_003H.png", "iPhoneX_003H.png", "iPhoneX_003L.png")]


def test_ntire_folder_finds_its_clean_twin_but_training_folders_are_no_pairs(tmp_path: Path) -> None:
    for part in ("va-x", "va-y", "tr-x", "tr-y"):
        fill(tmp_path / f"Corrupted-{part}", HR)
    found = read_set(tmp_path / "Corrupted-va-x")
    assert {one.hr.parent.name for one in found.pictures if one.hr} == {"Corrupted-va-y"}
    assert not read_set(tmp_path / "Corrupted-tr-x").has_reference


def test_any_other_folder_has_no_reference(tmp_path: Path) -> None:
    fill(tmp_path, HR)
    found = read_set(tmp_path)
    assert pairs(tmp_path) == [(name, None, name) for name in HR]
    assert not found.has_reference
    assert infer_scale(found) == 4


def test_missing_counterparts_are_named(tmp_path: Path) -> None:
    fill(tmp_path / "HR", HR)
    fill(tmp_path / "LR", ["baby.png"])
    with pytest.raises(InputError, match=r"bird\.png has no counterpart in LR"):
        read_set(tmp_path)
    fill(tmp_path / "LR", [*HR, "cat.png"])
    with pytest.raises(InputError, match=r"cat\.png has no counterpart in the HR pictures"):
        read_set(tmp_path)


def test_side_by_side_without_twin_is_named(tmp_path: Path) -> None:
    fill(tmp_path, ["a_HR.png", "a_LR4.png", "b_HR.png"])
    with pytest.raises(InputError, match=r"b_HR\.png has no counterpart in the LR pictures beside them"):
        read_set(tmp_path)


def test_hr_alone_is_refused(tmp_path: Path) -> None:
    fill(tmp_path / "HR", HR)
    with pytest.raises(InputError, match="has HR but no LR pictures for ×4"):
        read_set(tmp_path)


def test_swapped_roles_are_seen(tmp_path: Path) -> None:
    fill(tmp_path / "HR", HR)
    fill(tmp_path / "LR", HR, scale=4)
    with pytest.raises(InputError, match="is smaller than the LR picture") as error:
        infer_scale(read_set(tmp_path))
    assert error.value.hint == "are HR and LR swapped?"


def test_sets_are_found_by_name(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    fill(tmp_path / "sets" / "Mine", HR)
    fill(tmp_path / "here" / "datasets" / "Other", HR)
    monkeypatch.setenv(SETS_VARIABLE, f"{tmp_path / 'nowhere'}{os.pathsep}{tmp_path / 'sets'}")
    monkeypatch.chdir(tmp_path / "here")
    assert find_set("mine").name == "Mine"
    assert find_set("other").name == "Other"
    with pytest.raises(InputError, match="no test set 'Set5'; searched") as error:
        find_set("Set5")
    assert error.value.hint is not None
    assert "Mine" in error.value.hint


def test_benchmarks_beside_the_checkout(shared_data: Path) -> None:
    counts = {"Set5": 5, "Set14": 14, "RealSR": 50}
    for name, count in counts.items():
        found = read_set(shared_data / "benchmarks" / name)
        assert (len(found.pictures), found.has_reference, infer_scale(found)) == (count, True, 4)
    assert not read_set(shared_data / "real" / "RealSRSet").has_reference
    assert len(read_set(shared_data / "real" / "City100_pairs").pictures) == 4


def test_nested_hr_and_lr_folders(tmp_path: Path) -> None:
    for place in ("s1", "s2"):
        fill(tmp_path / "HR" / place, ["a.png"], scale=2)
        fill(tmp_path / "LR" / place, ["ax2.png"])
    found = read_set(tmp_path, scale=2)
    assert [one.name for one in found.pictures] == ["s1/a.png", "s2/a.png"]
    assert [one.lr and one.lr.parent.name for one in found.pictures] == ["s1", "s2"]


def test_pictures_of_one_name_are_told_apart_by_their_folders(tmp_path: Path) -> None:
    fill(tmp_path / "one", ["a.png", "b.png"])
    assert [one.name for one in read_set(tmp_path).pictures] == ["a.png", "b.png"]
    fill(tmp_path / "two", ["a.png"])
    assert [one.name for one in read_set(tmp_path).pictures] == ["one/a.png", "one/b.png", "two/a.png"]
