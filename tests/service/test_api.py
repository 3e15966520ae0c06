"""The API with a real worker and a tiny real model."""

import io
import zipfile
from pathlib import Path

import pytest
import requests
from PIL import Image

from tests.cli.invoke import invoke
from tests.service.asking import bring, ended, events, ids, picture, stored
from tests.service.conftest import Running
from tests.service.serving import code_of


def done(running: Running, response: requests.Response) -> list[dict[str, object]]:
    return [ended(running.address, job_id) for job_id in ids(response)]


def result(running: Running, job_id: object) -> requests.Response:
    return requests.get(f"{running.address}/api/jobs/{job_id}/result", timeout=30)


def test_results_are_the_commands_bytes(running: Running, tmp_path: Path) -> None:
    """The service is a thin door: the same photo, model and options give the same file."""
    photo = picture(1, kind="jpeg")
    (tmp_path / "a.jpg").write_bytes(photo)
    words = ["--strength", "0.5", "--quality", "80", "-f", "jpg"]
    for options, said in (({}, []), ({"strength": "0.5", "format": "jpg", "quality": "80"}, words)):
        (job,) = done(running, bring(running.address, ("a.jpg", photo), **options))
        assert job["state"] == "done", job
        out = tmp_path / str(len(said))
        model = running.settings.models[0]
        told = invoke("upscale", tmp_path / "a.jpg", "-o", out, "-m", model, "--threads", "1", *said)
        assert told.code == 0, told.err
        (file,) = (one for one in out.iterdir() if one.name.startswith("a_x4"))
        assert result(running, job["id"]).content == file.read_bytes()


def test_many_photos_and_models(running: Running) -> None:
    sent = bring(
        running.address,
        ("один.png", picture(2)),
        ("b b.png", picture(3)),
        model=["tiny", "tiny-x2"],
        scale="2",
    )
    jobs = done(running, sent)
    assert [job["state"] for job in jobs] == ["done"] * 4
    assert [(job["name"], job["options"]["model"]) for job in jobs] == [  # type: ignore[index]
        ("один.png", "tiny"), ("b b.png", "tiny"), ("один.png", "tiny-x2"), ("b b.png", "tiny-x2"),
    ]  # fmt: skip
    first = jobs[0]["result"]
    assert isinstance(first, dict)
    assert (first["name"], first["width"], first["height"]) == ("один_x2.png", 64, 48)
    assert first["previews"] == ["before", "after"]
    with Image.open(io.BytesIO(result(running, jobs[0]["id"]).content)) as image:
        assert image.size == (64, 48)
    query = "&".join(f"job={job['id']}" for job in jobs)
    archive = zipfile.ZipFile(
        io.BytesIO(requests.get(f"{running.address}/api/zip?{query}", timeout=30).content)
    )
    assert archive.namelist() == ["один_x2.png", "b b_x2.png", "один_x2 (2).png", "b b_x2 (2).png"]
    assert archive.testzip() is None
    assert archive.read("один_x2.png") == result(running, jobs[0]["id"]).content


def test_previews_are_small_and_webp(running: Running) -> None:
    (job,) = done(running, bring(running.address, ("a.png", picture(4))))
    for side, size in (("before", (32, 24)), ("after", (128, 96))):
        found = requests.get(f"{running.address}/api/jobs/{job['id']}/preview/{side}", timeout=30)
        assert found.headers["content-type"] == "image/webp"
        with Image.open(io.BytesIO(found.content)) as image:
            assert image.size == size


def test_events_tell_a_job_to_its_end(running: Running) -> None:
    (job_id,) = ids(bring(running.address, ("a.png", picture(5))))
    told = events(running.address, job_id)
    assert told[-1]["state"] == "done"
    assert [job["id"] for job in told] == [job_id] * len(told)
    assert events(running.address, job_id)[0]["state"] == "done"  # again, after the end


BAD: dict[str, tuple[bytes, str]] = {
    "empty": (b"", "empty"),
    "text": (b"hello", "no picture"),
    "cut": (picture(6)[:200], ""),
    "svg": (b'<svg xmlns="http://www.w3.org/2000/svg"><script>alert(1)</script></svg>', ""),
    "large": (picture(0, (1201, 1000), "jpeg"), "1 are allowed"),
    "result too large": (picture(0, (900, 600), "jpeg"), "at most 4 are made"),
}


@pytest.mark.parametrize("kind", BAD)
def test_bad_photos_end_with_a_named_reason(running: Running, kind: str) -> None:
    """Refused by a worker, before anything is decoded where the header says enough."""
    content, told = BAD[kind]
    (job,) = done(running, bring(running.address, ("holiday.jpg", content)))
    assert job["state"] == "failed"
    error = job["error"]
    assert isinstance(error, dict)
    assert told in error["message"]
    assert str(running.settings.folder) not in str(error)
    assert "0000" not in error["message"]
    assert code_of(result(running, job["id"])) == (409, "conflict")


def test_a_bomb_is_refused_from_its_header(running: Running) -> None:
    """40,000 × 40,000 pixels in a kilobyte."""
    import struct
    import zlib

    def chunk(kind: bytes, data: bytes) -> bytes:
        return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))

    header = struct.pack(">IIBBBBB", 40_000, 40_000, 8, 2, 0, 0, 0)
    parts = [(b"IHDR", header), (b"IDAT", zlib.compress(bytes(1000))), (b"IEND", b"")]
    bomb = b"\x89PNG\r\n\x1a\n" + b"".join(chunk(*one) for one in parts)
    (job,) = done(running, bring(running.address, ("bomb.png", bomb)))
    assert job["state"] == "failed"
    assert "1,600 megapixels" in str(job["error"])


def test_delete_removes_every_trace(running: Running) -> None:
    (job,) = done(running, bring(running.address, ("a.png", picture(7))))
    url = f"{running.address}/api/jobs/{job['id']}"
    assert job["id"] in stored(running.settings.folder)
    assert requests.delete(url, timeout=30).status_code == 204
    assert job["id"] not in stored(running.settings.folder)
    assert code_of(requests.get(url, timeout=30)) == (404, "not_found")
    assert code_of(requests.delete(url, timeout=30)) == (404, "not_found")
    assert code_of(requests.get(f"{url}/events", timeout=30)) == (404, "not_found")


def test_a_finished_job_is_not_cancelled(running: Running) -> None:
    (job,) = done(running, bring(running.address, ("a.png", picture(8))))
    answer = requests.post(f"{running.address}/api/jobs/{job['id']}/cancel", timeout=30)
    assert code_of(answer) == (409, "conflict")


def test_about_says_what_is_offered(running: Running) -> None:
    done(running, bring(running.address, ("a.png", picture(9)), model="tiny-x2"))
    about = requests.get(f"{running.address}/api/about", timeout=30).json()
    assert [(one["name"], one["scale"]) for one in about["models"]] == [("tiny", 4), ("tiny-x2", 2)]
    assert about["models"][0]["seconds_per_megapixel"] > 0
    assert (about["max_mp"], about["max_result_mp"], about["max_upload_mb"]) == (1.0, 4.0, 2.0)


def test_health_readiness_and_metrics(running: Running) -> None:
    done(running, bring(running.address, ("a.png", picture(10))))
    assert requests.get(f"{running.address}/health", timeout=30).json() == {"status": "ok"}
    assert requests.get(f"{running.address}/ready", timeout=30).status_code == 200
    text = requests.get(f"{running.address}/metrics", timeout=30).text
    assert 'wildsr_jobs{state="queued"} 0.0' in text
    assert "wildsr_workers 1.0" in text
    assert 'wildsr_requests_total{method="POST",path="/api/jobs",status="201"}' in text
    assert 'path="/api/jobs/{job_id}"' in text  # by route, so that ids make no series


def test_a_result_is_the_same_streamed_and_at_once(running: Running, monkeypatch: pytest.MonkeyPatch) -> None:
    """Small files are sent in one piece, with the headers of a stream."""
    (job,) = done(running, bring(running.address, ("a.png", picture(12))))
    at_once = result(running, job["id"])
    assert 'filename="a_x4.png"' in at_once.headers["content-disposition"]
    assert at_once.headers["content-length"] == str(len(at_once.content))
    monkeypatch.setattr("wildsr.service.results._AT_ONCE", 0)
    streamed = result(running, job["id"])
    assert streamed.content == at_once.content
    own = {"date", "x-request-id"}
    kept = [{k: v for k, v in one.headers.items() if k not in own} for one in (at_once, streamed)]
    assert kept[0] == kept[1]


def test_parts_of_a_result_can_be_asked_for(running: Running) -> None:
    (job,) = done(running, bring(running.address, ("a.png", picture(11))))
    whole = result(running, job["id"])
    assert whole.headers["content-disposition"] == 'attachment; filename="a_x4.png"'
    part = requests.get(whole.url, headers={"range": "bytes=1-3"}, timeout=30)
    assert (part.status_code, part.content) == (206, b"PNG")
