"""Studies in a database: made, answered, resumed, collected."""

import threading
from collections.abc import Iterator
from pathlib import Path

import pytest

pytest.importorskip("sqlalchemy", reason="the study extra isn't installed")

from tests.postgresql import serving_postgresql
from tests.study.designs import design
from wildsr.errors import InputError, OutputError, UsageError
from wildsr.study.design import plan_rater
from wildsr.study.records import Stimulus, StudyRecord
from wildsr.study.store import StudyStore


@pytest.fixture(scope="module")
def postgresql() -> Iterator[str]:
    with serving_postgresql() as url:
        yield url


@pytest.fixture(params=["sqlite", "postgresql"])
def store(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[StudyStore]:
    if request.param == "sqlite":
        made = StudyStore(tmp_path / "studies.sqlite")
    else:
        made = StudyStore(request.getfixturevalue("postgresql"))
        for study in made.studies():
            made.delete(study)
    yield made
    made.close()


def stimuli(pictures: int = 4, methods: int = 3) -> list[Stimulus]:
    return [
        Stimulus(
            picture=f"p{picture}",
            method=None if method < 0 else f"m{method}",
            width=8,
            height=6,
            png=f"{picture}/{method}".encode(),
        )
        for picture in range(pictures)
        for method in range(-1, methods)
    ]


@pytest.fixture
def study(store: StudyStore) -> StudyRecord:
    return store.create("photos", design(duplicates=2, seed=5), stimuli(), title="Which <is> better?")


def test_what_was_kept_comes_back(store: StudyStore, study: StudyRecord) -> None:
    assert store.study("photos") == study == store.study(None) == store.invited(study.invitation)
    assert study.design == design(duplicates=2, seed=5)
    assert (study.title, study.closed) == ("Which <is> better?", False)
    keys = store.keys(study)
    assert len(set(keys.values())) == 16
    shown = store.stimulus(keys["p2", "m1"])
    assert shown is not None
    assert (shown.png, shown.method, shown.width, shown.height) == (b"2/1", "m1", 8, 6)
    reference = store.stimulus(keys["p2", None])
    assert reference is not None
    assert reference.png == b"2/-1"
    assert store.stimulus("nonsense") is None
    assert store.invited("nonsense") is None


def test_raters_come_back_by_their_token(store: StudyStore, study: StudyRecord) -> None:
    first, second = store.join(study), store.join(study)
    assert (first.number, second.number, first.name, second.name) == (0, 1, "r001", "r002")
    assert first.token != second.token
    assert first.trials == plan_rater(study.design, 0)
    store.answer(first, 0, [3], seconds=2.5)
    store.answer(first, 1, [0], seconds=1e9)
    back = store.rater(first.token)
    assert back is not None
    assert (back.answered, back.finished, back.trials) == (2, False, first.trials)
    assert store.answers(back) == {0: (3.0,), 1: (0.0,)}
    assert store.rater("nonsense") is None
    assert [one.answered for one in store.raters(study)] == [2, 0]


def test_answers_are_collected_and_can_be_changed(store: StudyStore, study: StudyRecord) -> None:
    rater = store.join(study)
    store.answer(rater, 0, [3], seconds=2.5)
    store.answer(rater, 0, [4])
    found = store.collected(study)
    (one,) = found.judgements
    assert (one.rater, one.position, one.values, one.seconds) == ("r001", 0, (4.0,), None)
    assert one.trial == rater.trials[0]
    assert found.design == study.design


@pytest.mark.parametrize(
    ("position", "values", "told"),
    [
        (0, [6], "0 to 5"),
        (0, [1, 2], "needs 1"),
        (1, [3], "trial 0 is next"),
        (-1, [3], "no trial -1"),
        (99, [3], "no trial 99"),
    ],
)
def test_answers_that_fit_nothing_are_refused(
    store: StudyStore, study: StudyRecord, position: int, values: list[float], told: str
) -> None:
    rater = store.join(study)
    with pytest.raises(InputError, match=told):
        store.answer(rater, position, values)
    assert store.answers(rater) == {}


def test_a_closed_study_takes_no_answers(store: StudyStore, study: StudyRecord) -> None:
    rater = store.join(study)
    store.set_closed(study, True)
    with pytest.raises(InputError, match="closed"):
        store.answer(rater, 0, [3])
    store.set_closed(study, False)
    store.answer(rater, 0, [3])


def test_many_raters_at_once_lose_nothing(store: StudyStore, study: StudyRecord) -> None:
    def take_part() -> None:
        rater = store.join(study)
        for position in range(5):
            store.answer(rater, position, [position])

    threads = [threading.Thread(target=take_part) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert [one.number for one in store.raters(study)] == list(range(8))
    assert len(store.collected(study).judgements) == 40


def test_names_and_deleting(store: StudyStore, study: StudyRecord) -> None:
    with pytest.raises(UsageError, match="there is a study photos"):
        store.create("photos", study.design, [], title="")
    with pytest.raises(UsageError, match="can't be called"):
        store.create("Photos of mine", study.design, [], title="")
    with pytest.raises(UsageError, match="no study fotos") as found:
        store.study("fotos")
    assert found.value.hint == "did you mean photos?"
    other = store.create("other", study.design, stimuli(1, 1), title="")
    with pytest.raises(UsageError, match="2 studies"):
        store.study(None)
    store.answer(store.join(study), 0, [1])
    store.delete(study)
    assert [one.name for one in store.studies()] == ["other"]
    assert len(store.keys(other)) == 2
    assert store.collected(other).judgements == ()


def test_a_picture_that_fails_leaves_no_study(store: StudyStore) -> None:
    def broken() -> Iterator[Stimulus]:
        yield stimuli()[0]
        raise InputError("b.png is damaged")

    with pytest.raises(InputError, match="damaged"):
        store.create("half", design(), broken(), title="")
    assert store.studies() == []


def test_places_that_are_no_database(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="there is no database"):
        StudyStore(tmp_path / "none.sqlite", make=False)
    assert not (tmp_path / "none.sqlite").exists()
    (tmp_path / "text").write_text("this is no database, however long it may be " * 50)
    with pytest.raises(OutputError, match="can't open the database"):
        StudyStore(tmp_path / "text")
    with pytest.raises(OutputError, match="can't open the database"):
        StudyStore(tmp_path / "missing" / "studies.sqlite")
    for url in ("nonsense://x", "postgresql+nodriver://a:secret@host/db"):
        with pytest.raises(UsageError, match="can't use the database") as found:
            StudyStore(url)
        assert "secret" not in str(found.value)
