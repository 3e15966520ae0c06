"""The dial of models with two ends, as an option of a job."""

import threading
from pathlib import Path

import pytest
import requests

from tests.cli.invoke import invoke
from tests.service.asking import bring, ids, picture, stored
from tests.service.conftest import Running
from tests.service.serving import code_of
from wildsr.client import Client
from wildsr.errors import UsageError
from wildsr.models.two_ends import CRISP, DEFAULT_SHARPNESS
from wildsr.service.speeds import known_speeds
from wildsr.service.storage import Storage
from wildsr.service.worker import Worker
from wildsr.service.workshop import Workshop


def command(photo: Path, target: Path, model: str, sharpness: float | None) -> bytes:
    words = [] if sharpness is None else ["--sharpness", str(sharpness)]
    told = invoke("upscale", photo, "-o", target, "-m", model, "--threads", "1", *words)
    assert told.code == 0, told.err
    return target.read_bytes()


def test_one_worker_gives_the_commands_bytes_at_every_sharpness(with_dial: Running, tmp_path: Path) -> None:
    """Its model is warm: the dial moves between jobs, and goes back to the model's own."""
    photo = tmp_path / "a.png"
    photo.write_bytes(picture(1))
    client = Client(with_dial.address)
    worker = Worker(with_dial.settings, "test/0", threading.Event())
    results: dict[float | None, bytes] = {}
    for number, sharpness in enumerate((None, 0.25, 1, 0, None)):
        (job,) = client.upscale([photo], sharpness=sharpness)
        assert worker.once()
        done = client.wait(job)
        content = client.download(done, tmp_path / f"got{number}.png").read_bytes()
        assert content == command(photo, tmp_path / f"{number}.png", with_dial.settings.models[0], sharpness)
        assert results.setdefault(sharpness, content) == content
    assert len(set(results.values())) == len(results) == 4
    (same,) = client.upscale([photo], sharpness=DEFAULT_SHARPNESS)
    assert worker.once()
    assert client.download(client.wait(same), tmp_path / "same.png").read_bytes() == results[None]


@pytest.mark.parametrize("named", [["tiny"], ["ends", "tiny"]])
def test_a_model_without_two_ends_is_refused(with_dial: Running, named: list[str]) -> None:
    answer = bring(with_dial.address, ("a.png", picture()), model=named, sharpness="0.5")
    assert code_of(answer) == (422, "bad_value")
    error = answer.json()["error"]
    assert error["message"] == "the model tiny has no two ends to set a sharpness between"
    assert error["hint"] == "leave out sharpness, or choose ends"
    assert stored(with_dial.settings.folder) == []
    assert with_dial.service.store.counts() == {}


def test_where_no_model_has_two_ends_none_is_named(unattended: Running) -> None:
    answer = bring(unattended.address, ("a.png", picture()), sharpness="0")
    assert code_of(answer) == (422, "bad_value")
    assert answer.json()["error"]["hint"] == "leave out sharpness"
    assert ids(bring(unattended.address, ("a.png", picture()), sharpness=""))  # an empty field is none


@pytest.mark.parametrize("given", ["-0.01", "1.01", "nan", "inf", "crisp"])
def test_what_is_no_position_of_the_dial_is_refused(with_dial: Running, given: str) -> None:
    answer = bring(with_dial.address, ("a.png", picture()), sharpness=given)
    assert code_of(answer) == (422, "bad_value")
    assert answer.json()["error"]["message"].startswith("sharpness: ")


def test_it_is_told_who_has_a_dial(with_dial: Running) -> None:
    about = requests.get(f"{with_dial.address}/api/about", timeout=30).json()
    assert [(one["name"], one["sharpness"]) for one in about["models"]] == [
        ("ends", DEFAULT_SHARPNESS),
        ("tiny", None),
    ]
    (job_id,) = ids(bring(with_dial.address, ("a.png", picture()), sharpness="0.6"))
    job = requests.get(f"{with_dial.address}/api/jobs/{job_id}", timeout=30).json()
    assert job["options"]["sharpness"] == 0.6
    document = requests.get(f"{with_dial.address}/openapi.json", timeout=30).json()
    form = document["paths"]["/api/jobs"]["post"]["requestBody"]["content"]["multipart/form-data"]["schema"]
    assert form["properties"]["sharpness"]["anyOf"][0] == {"type": "number", "minimum": 0.0, "maximum": 1.0}


def test_a_job_is_not_done_without_the_dial_it_asked_for(with_dial: Running) -> None:
    """A model may be replaced while jobs wait; that the new one has no dial says nothing against it."""
    settings, database = with_dial.settings, with_dial.service.store.database
    workshop = Workshop(settings, Storage(settings.folder), database)
    with pytest.raises(UsageError, match="no two ends"):
        workshop.warm("tiny", 0.5)
    assert known_speeds(database) == {}
    workshop.warm("tiny")
    assert known_speeds(database)["tiny"].error is None
    (Path(settings.models[0]) / CRISP).write_bytes(b"no weights")
    (job_id,) = ids(bring(with_dial.address, ("a.png", picture()), sharpness="0.5"))
    assert Worker(settings, "test/0", threading.Event()).once()
    job = requests.get(f"{with_dial.address}/api/jobs/{job_id}", timeout=30).json()
    assert (job["state"], "crisp.safetensors can't be read" in job["error"]["message"]) == ("failed", True)
    assert "crisp.safetensors can't be read" in str(known_speeds(database)["ends"].error)
