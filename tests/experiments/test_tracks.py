"""Challenge-style tables: which pictures, which results are kept, what is judged; trainings are the recipes' matter."""

import csv
import importlib.util
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from tests.experiments.test_ablation import make_pairs
from tests.experiments.test_experiments import asked, pictures
from wildsr.errors import InputError
from wildsr.experiments import Asked, tracks, tracks_models
from wildsr.experiments.hidden import processed
from wildsr.experiments.measuring import Bytes, clean_picture, enlarger
from wildsr.experiments.tracks_models import BICUBIC, PUBLISHED, REALSR, enlargers, published_models

__all__ = ["asked", "pictures"]

Enlarge = Callable[[Bytes], Bytes]


def nearest(lr: Bytes) -> Bytes:
    """Every pixel four times."""
    return lr.repeat(4, 0).repeat(4, 1)


@pytest.fixture
def opened(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """Two methods in place of all; returns which were opened, by track."""
    calls: list[str] = []
    monkeypatch.setattr(tracks, "track_steps", lambda *_: None)
    monkeypatch.setattr(tracks, "shared_models", lambda _: {})
    monkeypatch.setattr(tracks, "track_models", lambda _, track, source, steps: calls.append(track) or {})
    monkeypatch.setattr(tracks, "TRACK_1_METRICS", ("psnr", "ssim"))
    monkeypatch.setattr(tracks, "TRACK_2_METRICS", ("grid",))

    def opening(name: str, one: Enlarge) -> Callable[[], Enlarge]:
        def open_it() -> Enlarge:
            calls.append(name)
            return one

        return open_it

    methods = {BICUBIC: opening(BICUBIC, enlarger(None)), REALSR: opening(REALSR, nearest)}
    monkeypatch.setattr(tracks, "enlargers", lambda *_: methods)
    monkeypatch.setattr(tracks_models, "is_cached", lambda name: name == PUBLISHED[0])
    return calls


def test_hidden_processing_is_the_first_track_where_there_are_no_pairs(
    asked: Asked, opened: list[str]
) -> None:
    page = tracks.run(asked)
    assert opened == ["track1", BICUBIC, REALSR]
    hr = clean_picture(asked.test / "1.png")
    made = asked.runs / "tracks" / "track1"
    assert np.array_equal(np.asarray(Image.open(made / "HR" / "1.png")), hr)
    assert np.array_equal(np.asarray(Image.open(made / REALSR / "1.png")), nearest(processed(hr, "1")))
    rows = list(csv.DictReader((page.parent / "track1.csv").read_text().splitlines()))
    assert {row["method"] for row in rows} == {BICUBIC, REALSR}
    assert len(rows) == 2 * 3
    text = page.read_text()
    assert "mean rank" in text
    assert "hidden processing" in text
    assert "Track 2" not in text
    assert ", ".join(PUBLISHED[1:]) in text
    with Image.open(page.parent / "track1.jpg") as crops:
        assert crops.size[0] > 3 * 90


def test_pairs_and_photos_are_the_two_tracks(
    asked: Asked, opened: list[str], tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """LR of every other pair is learnt from; of the photos without truth all, and the middle is enlarged."""
    photos = tmp_path / "phone"
    photos.mkdir()
    large = np.random.default_rng(0).integers(0, 256, (150, 201, 3), dtype=np.uint8)
    Image.fromarray(large).save(photos / "p.png")
    page = tracks.run(replace(asked, pairs=make_pairs(tmp_path / "real", 4), photos=photos))
    assert opened == ["track1", BICUBIC, REALSR, "track2", BICUBIC, REALSR]
    assert sorted(path.name for path in (asked.runs / "pairs-learnt").iterdir()) == ["0.png", "2.png"]
    second = asked.runs / "tracks" / "track2"
    assert np.array_equal(np.asarray(Image.open(second / REALSR / "p.png")), nearest(large[11:139, 36:164]))
    assert not (second / "HR").exists()
    text = page.read_text()
    assert "2 real pairs" in text
    assert "1 photo without ground truth" in text
    assert "--pairs real/ --photos phone/" in text
    assert f"left out, since not fetched: {PUBLISHED[1]}" in capsys.readouterr().out


def test_a_second_run_makes_no_result_again(asked: Asked, opened: list[str]) -> None:
    tracks.run(asked)
    first = (asked.output / "tracks" / "track1.csv").read_bytes()
    (asked.runs / "tracks" / "track1" / REALSR / "2.png").unlink()
    opened.clear()
    tracks.run(asked)
    assert opened == ["track1", REALSR]
    assert (asked.output / "tracks" / "track1.csv").read_bytes() == first


@pytest.mark.skipif(importlib.util.find_spec("sqlalchemy") is None, reason="studies need the extra serve")
def test_people_can_rank_the_same_pictures(asked: Asked, opened: list[str]) -> None:
    from wildsr.study.store import StudyStore

    text = tracks.run(asked).read_text()
    assert "wildsr study serve --database tracks.sqlite" in text
    store = StudyStore(asked.runs / "tracks.sqlite", make=False)
    study = store.study(None)
    store.close()
    assert study.design.protocol == "mor"
    assert set(study.design.method_names) == {REALSR, BICUBIC}
    assert len(study.design.pictures) == 3


def test_no_photos_are_named(asked: Asked, opened: list[str], tmp_path: Path) -> None:
    (tmp_path / "none").mkdir()
    with pytest.raises(InputError, match="no picture found in"):
        tracks.run(replace(asked, photos=tmp_path / "none"))


def test_every_method_is_explained_and_opened(asked: Asked, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(tracks_models, "is_cached", lambda _: True)
    published = published_models(asked)
    assert tuple(published) == PUBLISHED
    models = dict.fromkeys(tracks_models.MEANT, Path("run"))
    assert set(enlargers(models, published)) == {*tracks_models.MEANT, *PUBLISHED}
