"""Folders of photos: what is taken, skipped, refused; the cache; pairs."""

from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from wildsr.data import Photo, hold_out, open_pairs, open_photos
from wildsr.errors import InputError
from wildsr.imaging import resize_uint8


def noise(seed: int, height: int, width: int) -> np.ndarray:
    return np.random.default_rng(seed).integers(0, 256, (height, width, 3), dtype=np.uint8)


def save(folder: Path, name: str, array: np.ndarray) -> None:
    (folder / name).parent.mkdir(parents=True, exist_ok=True)
    Image.fromarray(array).save(folder / name)


def test_photos_are_cut_to_the_scale_and_their_lr_is_matlabs(tmp_path: Path) -> None:
    picture = noise(0, 35, 43)
    save(tmp_path / "hr", "a.png", picture)
    found = open_photos(tmp_path / "hr", scale=4, patch=16, cache=tmp_path / "cache")
    (photo,) = found.photos
    assert photo.name == "a.png"
    assert np.array_equal(photo.hr, picture[:32, :40])
    assert photo.lr is not None
    assert np.array_equal(photo.lr, resize_uint8(picture[:32, :40], scale=1 / 4))


def test_the_second_opening_decodes_nothing(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    save(tmp_path / "hr", "a.png", noise(0, 32, 32))
    first = open_photos(tmp_path / "hr", scale=4, patch=16, cache=tmp_path / "cache").photos[0]

    def never(_path: Path) -> None:
        raise AssertionError("decoded again")

    monkeypatch.setattr("wildsr.data.photos.open_source", never)
    again = open_photos(tmp_path / "hr", scale=4, patch=16, cache=tmp_path / "cache").photos[0]
    assert np.array_equal(first.hr, again.hr)


def test_a_changed_photo_is_decoded_again(tmp_path: Path) -> None:
    save(tmp_path / "hr", "a.png", noise(0, 32, 32))
    open_photos(tmp_path / "hr", scale=4, patch=16, cache=tmp_path / "cache")
    save(tmp_path / "hr", "a.png", noise(1, 36, 32))
    again = open_photos(tmp_path / "hr", scale=4, patch=16, cache=tmp_path / "cache").photos[0]
    assert np.array_equal(again.hr, noise(1, 36, 32))


def test_gray_16_bit_and_palette_photos_become_8_bit_rgb(tmp_path: Path) -> None:
    folder = tmp_path / "hr"
    save(folder, "gray.png", noise(0, 32, 32)[..., 0])
    deep = (np.arange(32 * 32, dtype=np.uint16).reshape(32, 32) * 64).astype(np.uint16)
    save(folder, "deep.png", deep)
    Image.fromarray(noise(2, 32, 32)).convert("P").save(folder / "palette.png")
    found = open_photos(folder, scale=2, patch=16, cache=tmp_path / "cache")
    assert [photo.hr.shape for photo in found.photos] == [(32, 32, 3)] * 3
    by_name = {photo.name: photo.hr for photo in found.photos}
    assert np.array_equal(by_name["gray.png"][..., 2], noise(0, 32, 32)[..., 0])
    assert np.array_equal(by_name["deep.png"][..., 0], np.rint(deep / 65535 * 255).astype(np.uint8))


def test_an_empty_folder_is_refused(tmp_path: Path) -> None:
    (tmp_path / "hr").mkdir()
    with pytest.raises(InputError):
        open_photos(tmp_path / "hr", scale=4, patch=16, cache=tmp_path / "cache")


def test_photos_smaller_than_the_crop_are_named_and_skipped(tmp_path: Path) -> None:
    save(tmp_path / "hr", "large.png", noise(0, 40, 40))
    save(tmp_path / "hr", "small.png", noise(1, 31, 90))
    said: list[str] = []
    found = open_photos(tmp_path / "hr", scale=4, patch=32, cache=tmp_path / "cache", say=said.append)
    assert [photo.name for photo in found.photos] == ["large.png"]
    assert [item.name for item in found.skipped] == ["small.png"]
    assert said == ["skipped small.png: it is 90 × 31 pixels; training crops are 32 × 32"]


def test_a_folder_of_only_small_photos_is_refused_with_the_way_out(tmp_path: Path) -> None:
    save(tmp_path / "hr", "a.png", noise(0, 20, 20))
    with pytest.raises(
        InputError, match=r"none of the 1 picture .* can be trained on:\n  a\.png: it is 20 × 20"
    ) as caught:
        open_photos(tmp_path / "hr", scale=4, patch=32, cache=tmp_path / "cache")
    assert "data.patch" in (caught.value.hint or "")


def test_unreadable_files_are_named_skipped_and_counted(tmp_path: Path) -> None:
    folder = tmp_path / "hr"
    save(folder, "good.png", noise(0, 40, 40))
    (folder / "empty.png").write_bytes(b"")
    (folder / "text.jpg").write_text("not a picture")
    (folder / "cut.png").write_bytes((folder / "good.png").read_bytes()[:900])
    found = open_photos(folder, scale=4, patch=32, cache=tmp_path / "cache")
    assert [photo.name for photo in found.photos] == ["good.png"]
    assert {item.name for item in found.skipped} == {"empty.png", "text.jpg", "cut.png"}
    assert all(item.reason for item in found.skipped)


def test_sub_folders_are_searched_and_the_cache_is_not(tmp_path: Path) -> None:
    save(tmp_path, "one/a.png", noise(0, 32, 32))
    save(tmp_path, "two/a.png", noise(1, 32, 32))
    for _ in range(2):
        found = open_photos(tmp_path, scale=4, patch=16, cache=tmp_path / "cache")
        assert [photo.name for photo in found.photos] == ["one/a.png", "two/a.png"]


def test_pairs_are_matched_by_name_whatever_the_extension(tmp_path: Path) -> None:
    save(tmp_path / "hr", "x/a.png", noise(0, 32, 48))
    save(tmp_path / "lr", "x/a.bmp", noise(1, 8, 12))
    (pair,) = open_pairs(tmp_path / "hr", tmp_path / "lr", scale=4, patch=16, cache=tmp_path / "cache").photos
    assert np.array_equal(pair.hr, noise(0, 32, 48))
    assert pair.lr is not None
    assert np.array_equal(pair.lr, noise(1, 8, 12))


@pytest.mark.parametrize(
    ("hr", "lr"),
    [
        ("0001.png", "0001x4.png"),
        ("0001.png", "0001_bicLRx4.png"),
        ("Canon_001_HR.png", "Canon_001_LR4.png"),
        ("IMG_7.PNG", "img_7.png"),
        ("deep/er/a.png", "deep/er/a_x4.bmp"),
        ("img_001_SRF_4_HR.png", "img_001_SRF_4_LR.png"),
    ],
)
def test_pairs_are_matched_by_the_rule_of_evaluation(tmp_path: Path, hr: str, lr: str) -> None:
    save(tmp_path / "hr", hr, noise(0, 32, 32))
    save(tmp_path / "lr", lr, noise(1, 8, 8))
    (pair,) = open_pairs(tmp_path / "hr", tmp_path / "lr", scale=4, patch=16, cache=tmp_path / "cache").photos
    assert pair.name == hr.rsplit(".", 1)[0]
    assert pair.lr is not None
    assert np.array_equal(pair.lr, noise(1, 8, 8))


def test_pairs_of_two_folders_are_not_mixed(tmp_path: Path) -> None:
    for folder, seed in (("s1", 1), ("s2", 2)):
        save(tmp_path / "hr", f"{folder}/a.png", noise(seed, 32, 32))
        save(tmp_path / "lr", f"{folder}/a_x4.png", noise(10 + seed, 8, 8))
    found = open_pairs(tmp_path / "hr", tmp_path / "lr", scale=4, patch=16, cache=tmp_path / "cache").photos
    assert [photo.name for photo in found] == ["s1/a", "s2/a"]
    for photo, seed in zip(found, (1, 2), strict=True):
        assert np.array_equal(photo.hr, noise(seed, 32, 32))
        assert photo.lr is not None
        assert np.array_equal(photo.lr, noise(10 + seed, 8, 8))


def test_two_pictures_for_one_are_an_error(tmp_path: Path) -> None:
    save(tmp_path / "hr", "a.png", noise(0, 32, 32))
    for name in ("a.png", "a.bmp"):
        save(tmp_path / "lr", name, noise(1, 8, 8))
    with pytest.raises(InputError, match="both belong to"):
        open_pairs(tmp_path / "hr", tmp_path / "lr", scale=4, patch=16, cache=tmp_path / "cache")


def test_all_mismatched_pairs_are_listed_before_anything_is_decoded(tmp_path: Path) -> None:
    save(tmp_path / "hr", "good.png", noise(0, 32, 32))
    save(tmp_path / "lr", "good.png", noise(0, 8, 8))
    save(tmp_path / "hr", "size.png", noise(0, 32, 32))
    save(tmp_path / "lr", "size.png", noise(0, 8, 9))
    save(tmp_path / "hr", "alone.png", noise(0, 32, 32))
    save(tmp_path / "lr", "orphan.png", noise(0, 8, 8))
    save(tmp_path / "hr", "tiny.png", noise(0, 8, 8))
    save(tmp_path / "lr", "tiny.png", noise(0, 2, 2))
    with pytest.raises(InputError) as caught:
        open_pairs(tmp_path / "hr", tmp_path / "lr", scale=4, patch=16, cache=tmp_path / "cache")
    message = str(caught.value)
    assert message.startswith("4 of the pictures")
    assert "size.png: HR 32 × 32, LR 9 × 8" in message
    assert "alone.png: only in" in message
    assert "orphan.png: only in" in message
    assert "tiny.png: HR 8 × 8 is smaller than the 16 × 16 training crops" in message
    assert "good" not in message
    assert not list((tmp_path / "cache").iterdir())


def photos(names: list[str]) -> list[Photo]:
    empty = np.zeros((4, 4, 3), dtype=np.uint8)
    return [Photo(name=name, hr=empty, lr=empty[:1, :1]) for name in names]


def test_held_out_photos_stay_the_same_when_others_come(tmp_path: Path) -> None:
    names = [f"{number}.jpg" for number in range(20)]
    train, held = hold_out(photos(names), 4)
    assert len(train) == 16
    assert len(held) == 4
    again_train, again_held = hold_out(photos(names[::-1]), 4)
    assert {p.name for p in held} == {p.name for p in again_held}
    assert {p.name for p in train} | {p.name for p in held} == set(names)
    assert not {p.name for p in again_train} & {p.name for p in again_held}


def test_one_photo_is_always_left_to_learn_from() -> None:
    train, held = hold_out(photos(["a"]), 12)
    assert len(train) == 1
    assert not held
    train, held = hold_out(photos(["a", "b", "c"]), 12)
    assert len(train) == 1
    assert len(held) == 2
