"""What decides the bytes of a result is in a journal's first line: every setting there is, but those that don't."""

from dataclasses import fields, replace
from pathlib import Path

import pytest

from tests.engine.test_folder import COUNT, PLAIN, here  # noqa: F401 -- a fixture
from tests.models.two_ends import save_ends
from wildsr.engine import Settings, Size, Upscaler, upscale_folder
from wildsr.engine.resume import journal_settings
from wildsr.errors import UsageError
from wildsr.files import JOURNAL_NAME
from wildsr.imaging import WriteOptions
from wildsr.models import FusionRule, Model, load_model

OTHER_SETTINGS: dict[str, object] = {
    "tile": 64,
    "tiling": "exact",
    "strength": 0.5,
    "sharpness": 0.25,
    "ensemble": True,
    "color_fix": True,
    "fusion": FusionRule(gamma=50.0),
    "backend": "onnxruntime",
    "threads": 2,
    "max_memory": 1.0,
}
OTHER_SIZES: dict[str, object] = {"scale": 2.0, "width": 100, "max_side": 100}
OTHER_OPTIONS: dict[str, object] = {
    "format": "webp",
    "quality": 50,
    "lossless": True,
    "depth": 16,
    "background": (1.0, 0.0, 0.0),
    "compression": 9,
    "pyramid": True,
    "strip_metadata": True,
    "strip_gps": True,
    "software": "mine",
    "model": "mine",
}

NOT_HERE = {"precision", "device"}
"""What runs is noted, not what was asked for; this machine may have one of each only."""
NO_MATTER = {"overwrite"}


@pytest.fixture(scope="module")
def ends(tmp_path_factory: pytest.TempPathFactory) -> Model:
    return load_model(save_ends(tmp_path_factory.mktemp("ends")))


def test_every_setting_is_tried() -> None:
    assert {one.name for one in fields(Settings)} == OTHER_SETTINGS.keys() | NOT_HERE
    assert {one.name for one in fields(Size)} == OTHER_SIZES.keys()
    assert {one.name for one in fields(WriteOptions)} == OTHER_OPTIONS.keys() | NO_MATTER


@pytest.mark.parametrize("name", OTHER_SETTINGS)
def test_another_setting_is_another_journal(name: str, compact: Model, ends: Model) -> None:
    model = ends if name == "sharpness" else compact
    second = compact if name == "fusion" else None
    before, after = (
        journal_settings(Upscaler(model, one, fuse_with=second), Size(), WriteOptions())
        for one in (PLAIN, replace(PLAIN, **{name: OTHER_SETTINGS[name]}))  # type: ignore[arg-type]
    )
    assert before != after
    assert before.keys() == after.keys()


@pytest.mark.parametrize("name", [*OTHER_SIZES, *OTHER_OPTIONS])
def test_another_way_to_write_is_another_journal(name: str, compact: Model) -> None:
    upscaler = Upscaler(compact, PLAIN)
    size = Size(**({name: OTHER_SIZES[name]} if name in OTHER_SIZES else {}))  # type: ignore[arg-type]
    options = replace(WriteOptions(), **({name: OTHER_OPTIONS[name]} if name in OTHER_OPTIONS else {}))  # type: ignore[arg-type]
    assert journal_settings(upscaler, size, options) != journal_settings(upscaler, Size(), WriteOptions())


def test_what_is_replaced_decides_no_bytes(compact: Model) -> None:
    upscaler = Upscaler(compact, PLAIN)
    yes, no = (journal_settings(upscaler, Size(), WriteOptions(overwrite=one)) for one in (True, False))
    assert yes == no


def test_a_batch_is_not_gone_on_with_at_another_depth(here: Path, compact: Model) -> None:  # noqa: F811
    list(upscale_folder(here / "in", here / "out", model=compact, settings=PLAIN))
    deeper = WriteOptions(depth=16)
    with pytest.raises(UsageError, match=r"depth was not set, now 16"):
        list(upscale_folder(here / "in", here / "out", model=compact, settings=PLAIN, options=deeper))


def test_without_resume_the_old_journal_is_set_aside(here: Path, compact: Model) -> None:  # noqa: F811
    list(upscale_folder(here / "in", here / "out", model=compact, settings=PLAIN))
    first = (here / "out" / JOURNAL_NAME).read_bytes()
    weaker = replace(PLAIN, strength=0.5)
    again = list(
        upscale_folder(
            here / "in", here / "out", model=compact, settings=weaker, resume=False, overwrite=True
        )
    )
    assert [one.status for one in again] == ["done"] * COUNT
    journals = {path.read_bytes() for path in (here / "out").glob(".wildsr-journal*") if path.is_file()}
    assert len(journals) == 2
    assert first in journals
