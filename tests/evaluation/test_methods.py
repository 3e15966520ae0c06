from pathlib import Path

import numpy as np
import pytest

from tests.evaluation.pictures import save, scene
from wildsr.engine import Settings
from wildsr.errors import InputError, UsageError
from wildsr.evaluation import BICUBIC, BicubicEnlargement, Network, Results, Store, TestPicture, method_name
from wildsr.imaging import open_source, read, resize, resize_uint8
from wildsr.models import Model


def lr_picture(folder: Path, **options: object) -> TestPicture:
    depth = 16 if options.get("depth") == 16 else 8
    path = save(folder / "lr.png", scene(20, 28), depth=depth, gray=bool(options.get("gray")))
    return TestPicture(name="lr.png", lr=path)


@pytest.mark.parametrize("gray", [False, True])
def test_bicubic_is_matlabs(tmp_path: Path, store: Store, gray: bool) -> None:
    picture = lr_picture(tmp_path, gray=gray)
    made = BicubicEnlargement(store, scale=4).make(picture)
    assert picture.lr is not None
    expected = resize_uint8(open_source(picture.lr).samples.astype(np.uint8), (80, 112))
    np.testing.assert_array_equal(open_source(made.path).samples, expected)
    assert made.seconds is not None
    assert made.seconds > 0


def test_bicubic_of_16_bit_keeps_16_bit(tmp_path: Path, store: Store) -> None:
    picture = lr_picture(tmp_path, depth=16)
    assert picture.lr is not None
    result = read(BicubicEnlargement(store, scale=2).make(picture).path)
    expected = np.clip(resize(read(picture.lr).rgb, (40, 56)), 0, 1)
    assert result.depth == 16
    assert np.abs(result.rgb - expected).max() < 1 / 65535


def test_a_network_runs_once_and_then_comes_from_the_store(tmp_path: Path, store: Store, tiny: Model) -> None:
    picture = lr_picture(tmp_path)
    first = Network("tiny", tiny, Settings(color_fix=False), store, scale=4).make(picture)
    marked = first.path.stat().st_mtime_ns
    again = Network("tiny", tiny, Settings(color_fix=False), Store(store.folder), scale=4).make(picture)
    assert again == first
    assert again.path.stat().st_mtime_ns == marked
    assert open_source(first.path).samples.shape == (80, 112, 3)


def test_settings_scale_and_content_decide_what_is_kept(tmp_path: Path, store: Store, tiny: Model) -> None:
    picture = lr_picture(tmp_path)
    other = TestPicture(name="b.png", lr=save(tmp_path / "b.png", scene(20, 28, seed=5)))
    made = {
        Network("tiny", tiny, Settings(color_fix=False), store, scale=4).make(picture).path,
        Network("tiny", tiny, Settings(color_fix=True), store, scale=4).make(picture).path,
        Network("tiny", tiny, Settings(color_fix=False), store, scale=2).make(picture).path,
        Network("tiny", tiny, Settings(color_fix=False), store, scale=4).make(other).path,
        BicubicEnlargement(store, scale=4).make(picture).path,
    }
    assert len(made) == 5


def test_a_fresh_store_runs_again(tmp_path: Path, store: Store, tiny: Model) -> None:
    picture = lr_picture(tmp_path)
    first = Network("tiny", tiny, Settings(), store, scale=4).make(picture)
    before = first.path.stat().st_mtime_ns
    Network("tiny", tiny, Settings(), Store(store.folder, reuse=False), scale=4).make(picture)
    assert first.path.stat().st_mtime_ns > before


def test_facts_say_what_changes_pixels(store: Store, tiny: Model) -> None:
    facts = Network("tiny", tiny, Settings(color_fix=False, precision="fp32"), store, scale=4).facts()
    assert facts["color_fix"] is False
    assert facts["precision"] == "fp32"
    assert facts["sha256"] == "0" * 64
    assert BicubicEnlargement(store, scale=4).facts()["kind"] == "interpolation"


def test_given_results_are_only_looked_up() -> None:
    made = Results("mine", {"a.png": Path("out/a_x4.png")}).make(TestPicture(name="a.png"))
    assert made.path == Path("out/a_x4.png")
    assert made.seconds is None


def test_names(tmp_path: Path) -> None:
    assert method_name(BICUBIC, set()) == "bicubic"
    assert method_name("realsr-df2k", set()) == "realsr-df2k"
    assert method_name(str(tmp_path / "phone" / ""), set()) == "phone"
    with pytest.raises(UsageError, match="two methods are called phone"):
        method_name(str(tmp_path / "phone"), {"phone"})


def test_a_picture_without_lr_is_refused(store: Store) -> None:
    with pytest.raises(InputError, match=r"a\.png has no LR picture"):
        BicubicEnlargement(store, scale=4).make(TestPicture(name="a.png"))
