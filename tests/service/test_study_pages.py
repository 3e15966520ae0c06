"""Studies over HTTP: raters by their link alone, results for the token's owner, nothing that names a method."""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest
import requests

pytest.importorskip("fastapi", reason="the serve extra isn't installed")

from tests.service.serving import code_of, served
from tests.study.designs import design
from wildsr.service.access import Access
from wildsr.service.study_server import study_app
from wildsr.study.records import Stimulus, StudyRecord
from wildsr.study.store import StudyStore

TOKEN = "a-token-that-is-long-enough"
OWNER = {"authorization": f"Bearer {TOKEN}"}
SECRETS = re.compile(r"\bm[012]\b")


@dataclass(frozen=True)
class Shown:
    address: str
    store: StudyStore

    def study(self, name: str, protocol: str, **choices: int) -> StudyRecord:
        made = design(protocol, methods=3, pictures=4, **choices)  # type: ignore[arg-type]
        stimuli = [
            Stimulus(picture=picture, method=method, width=8, height=6, png=f"{picture} {method}".encode())
            for picture in made.pictures
            for method in (None, *made.method_names)
        ]
        return self.store.create(name, made, stimuli, title="<b>Which?</b>")

    def join(self, study: StudyRecord) -> str:
        begun = requests.post(f"{self.address}/study/rate/{study.invitation}", allow_redirects=False)
        assert begun.status_code == 303
        return self.address + begun.headers["location"]


@pytest.fixture(scope="module")
def shown(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Shown]:
    store = StudyStore(tmp_path_factory.mktemp("studies") / "studies.sqlite")
    with served(study_app(store, Access(tokens=(TOKEN,)))) as address:
        yield Shown(address, store)
    store.close()


ANSWERS = {
    "mos": {"level": "3"},
    "mor": {"place0": "2", "place1": "1", "place2": "3"},
    "pairwise": {"side": "right"},
}
VALUES = {"mos": (3.0,), "mor": (2.0, 1.0, 3.0), "pairwise": (2.0, 1.0)}


@pytest.mark.parametrize("protocol", ["mos", "mor", "pairwise"])
def test_a_rater_goes_through_by_link_alone(shown: Shown, protocol: str) -> None:
    study = shown.study(f"all-{protocol}", protocol)
    welcome = requests.get(f"{shown.address}/study/rate/{study.invitation}")
    assert welcome.status_code == 200
    assert "&lt;b&gt;Which?&lt;/b&gt;" in welcome.text
    link = shown.join(study)
    count = study.design.trials_per_rater
    for position in range(count):
        page = requests.get(link).text
        assert f"Question {position + 1} of {count}" in page
        assert not SECRETS.search(page)
        done = requests.post(link, data={"position": position, "seconds": "1.25", **ANSWERS[protocol]})
        assert done.status_code == 200
    assert "Thank you" in requests.get(link).text
    found = shown.store.collected(study).judgements
    assert len(found) == count
    assert {one.values for one in found} == {VALUES[protocol]}
    assert {one.seconds for one in found} == {1.25}


def test_pictures_go_by_keys_and_only_within_the_study(shown: Shown) -> None:
    one, two = shown.study("one", "mor"), shown.study("two", "mor")
    link, other = shown.join(one), shown.join(two)
    addresses = re.findall(r'data-url="([^"]+)"', requests.get(link).text)
    assert len(addresses) == 4
    trial = next(iter(shown.store.raters(one))).trials[0]
    got = [requests.get(shown.address + address) for address in addresses]
    assert [one.content.decode() for one in got] == [
        f"{trial.picture} {method}" for method in (None, *trial.methods)
    ]
    assert {one.headers["content-type"] for one in got} == {"image/png"}
    key = addresses[0].rsplit("/", 1)[1]
    assert code_of(requests.get(f"{other}/{key}")) == (404, "not_found")
    assert code_of(requests.get(f"{link}/nonsense.png")) == (404, "not_found")


def test_a_broken_session_goes_on_where_it_was(shown: Shown) -> None:
    study = shown.study("resumed", "mos")
    link = shown.join(study)
    for position in range(3):
        requests.post(link, data={"position": position, "level": "1"})
    again = requests.get(link).text
    assert "Question 4 of 12" in again
    back = requests.get(f"{link}?at=1").text
    assert "Question 2 of 12" in back
    assert 'value="1" required checked' in back
    requests.post(link, data={"position": 1, "level": "5"})
    assert [one.values for one in shown.store.collected(study).judgements] == [(1.0,), (5.0,), (1.0,)]
    assert code_of(requests.get(f"{link}?at=7")) == (404, "not_found")


@pytest.mark.parametrize(
    ("form", "status"),
    [
        ({}, 422),
        ({"position": "0"}, 422),
        ({"position": "0", "level": "6"}, 422),
        ({"position": "0", "level": "-1"}, 422),
        ({"position": "0", "level": "1.5"}, 422),
        ({"position": "5", "level": "1"}, 422),
        ({"position": "99999", "level": "1"}, 422),
        ({"position": "0", "level": "1" * 5000}, 413),
        ({"position": "0", "level": "1", "seconds": "nan"}, 303),
    ],
)
def test_answers_that_are_none(shown: Shown, form: dict[str, str], status: int) -> None:
    names = [one.name for one in shown.store.studies()]
    study = shown.store.study("odd") if "odd" in names else shown.study("odd", "mos")
    link = shown.join(study)
    assert requests.post(link, data=form, allow_redirects=False).status_code == status
    (rater,) = [one for one in shown.store.raters(study) if link.endswith(one.token)]
    assert rater.answered == (1 if status == 303 else 0)


def test_links_that_lead_nowhere(shown: Shown) -> None:
    for path in ("/study/rate/nonsense", "/study/rate/by/nonsense", "/study/rate/by/nonsense/x.png"):
        assert requests.get(shown.address + path).status_code == 404
    assert code_of(requests.get(f"{shown.address}/study/rate/by/..%2f..%2fof")) == (401, "no_token")
    assert code_of(requests.post(f"{shown.address}/study/rate/nonsense")) == (404, "not_found")
    assert code_of(requests.post(f"{shown.address}/study/rate/by/nonsense", data={"position": 0})) == (
        404,
        "not_found",
    )


def test_another_site_can_answer_for_nobody(shown: Shown) -> None:
    study = shown.study("origin", "mos")
    link = shown.join(study)
    evil = {"origin": "https://evil.example"}
    assert requests.post(link, data={"position": 0, "level": "1"}, headers=evil).status_code == 403


def test_a_closed_study_says_so(shown: Shown) -> None:
    study = shown.study("closing", "mos")
    link = shown.join(study)
    shown.store.set_closed(study, True)
    assert "closed" in requests.get(link).text
    assert requests.post(link, data={"position": 0, "level": "1"}).status_code == 409
    assert requests.post(f"{shown.address}/study/rate/{study.invitation}").status_code == 409
    assert "This study is closed" in requests.get(f"{shown.address}/study/rate/{study.invitation}").text


def test_results_are_for_the_owner(shown: Shown) -> None:
    study = shown.study("owned", "mos")
    link = shown.join(study)
    paths = ["/study", "/study/of/owned", "/study/of/owned/report", "/study/of/owned/answers.csv"]
    for path in paths:
        assert code_of(requests.get(shown.address + path)) == (401, "no_token")
    assert requests.get(f"{shown.address}/study/of/owned/report", headers=OWNER).status_code == 409
    for position in range(12):
        requests.post(link, data={"position": position, "level": str(position % 6)})
    listing = requests.get(f"{shown.address}/study", headers=OWNER).text
    assert "/study/of/owned" in listing
    one = requests.get(f"{shown.address}/study/of/owned", headers=OWNER).text
    assert f"{shown.address}/study/rate/{study.invitation}" in one
    assert "r001" in one
    report = requests.get(f"{shown.address}/study/of/owned/report", headers=OWNER)
    assert "Kendall" in report.text
    assert "sandbox" in report.headers["content-security-policy"]
    answers = requests.get(f"{shown.address}/study/of/owned/answers.csv", headers=OWNER)
    assert len(answers.text.splitlines()) == 13
    assert (
        requests.get(f"{shown.address}/study/of/owned/answers.json", headers=OWNER).json()["name"] == "owned"
    )
    assert requests.get(f"{shown.address}/study/of/owned/answers.exe", headers=OWNER).status_code == 404
    assert requests.get(f"{shown.address}/study/of/none", headers=OWNER).status_code == 404


def test_the_studies_stand_alone(shown: Shown) -> None:
    start = requests.get(shown.address, headers=OWNER)
    assert start.url == f"{shown.address}/study"
    assert "Upscale" not in start.text
    assert requests.get(f"{shown.address}/login").status_code == 200


def test_nothing_kept_says_how(tmp_path: Path) -> None:
    store = StudyStore(tmp_path / "empty.sqlite")
    with served(study_app(store, Access())) as address:
        assert "There is no study yet" in requests.get(f"{address}/study").text
    store.close()
