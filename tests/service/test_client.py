"""The Python client against the real service, and the documented curl commands."""

import re
import shutil
import subprocess
from pathlib import Path

import pytest

from tests.conftest import REPOSITORY
from tests.service.asking import picture
from tests.service.conftest import TOKENS, Running
from wildsr.client import Client, RemoteJob, ServiceError
from wildsr.errors import InputError, UsageError

GUIDE = (REPOSITORY / "docs" / "guides" / "serve.md").read_text(encoding="utf-8")
CURL = [
    line.strip().removesuffix("\\").strip()
    for block in re.findall(r"^```sh\n(.*?)^```", GUIDE.replace("\\\n", " "), re.M | re.S)
    for line in block.splitlines()
    if line.startswith("curl ")
]


def test_photos_in_results_out(running: Running, tmp_path: Path) -> None:
    client = Client(running.address)
    for seed in range(2):
        (tmp_path / f'p{seed} "ü".png').write_bytes(picture(seed))
    sent = client.upscale(
        sorted(tmp_path.glob("*.png")), models=["tiny-x2"], scale=3, format="jpg", quality=70
    )
    assert [job.name for job in sent] == ["p0 'ü'.png", "p1 'ü'.png"]
    told: list[RemoteJob] = []
    done = client.wait(sent[0], progress=told.append)
    assert (done.state, done.share, done.model, done.result_name) == ("done", 1.0, "tiny-x2", "p0 'ü'_x3.jpg")
    assert told[-1] == done
    saved = client.download(done, tmp_path / "out")
    assert saved == tmp_path / "out" / "p0 'ü'_x3.jpg"
    assert saved.read_bytes()[:3] == b"\xff\xd8\xff"
    named = client.download(done, tmp_path / "mine.JPG")
    assert named.read_bytes() == saved.read_bytes()
    assert done.id in {job.id for job in client.jobs(state="done")}
    client.delete(done)
    with pytest.raises(ServiceError, match="no such job") as caught:
        client.job(done)
    assert caught.value.status == 404


def test_refusals_are_errors_with_reasons(running: Running, tmp_path: Path) -> None:
    client = Client(running.address + "/")
    (tmp_path / "bad.jpg").write_bytes(b"no picture")
    with pytest.raises(ServiceError, match=r"bad\.jpg is no picture"):
        client.wait(client.upscale([tmp_path / "bad.jpg"])[0])
    with pytest.raises(ServiceError, match="no model") as caught:
        client.upscale([tmp_path / "bad.jpg"], models=["tinny"])
    assert (caught.value.status, caught.value.hint) == (422, "did you mean tiny or tiny-x2?")
    with pytest.raises(InputError, match="is no file"):
        client.upscale([tmp_path / "nowhere.jpg"])
    with pytest.raises(UsageError, match="no address"):
        Client("127.0.0.1:8000")
    with pytest.raises(ServiceError, match="can't be reached") as away:
        Client("http://127.0.0.1:9").job("0" * 32)
    assert away.value.status == 0


def test_tokens_and_cancelling(idle: Running, tmp_path: Path) -> None:
    (tmp_path / "a.png").write_bytes(picture())
    with pytest.raises(ServiceError, match="token") as caught:
        list(Client(idle.address).jobs())
    assert caught.value.status == 401
    client = Client(idle.address, token=TOKENS[0])
    (job,) = client.upscale([tmp_path / "a.png"], strip_gps=True, strip_metadata=True)
    assert (job.state, job.ended, job.share) == ("queued", False, 0.0)
    assert client.cancel(job).state == "cancelled"
    with pytest.raises(ServiceError, match="was cancelled"):
        client.wait(job)
    with pytest.raises(ServiceError, match="cancelled; it has no result"):
        client.download(job, tmp_path)


def test_the_list_goes_over_pages(idle: Running, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "a.png").write_bytes(b"x")
    client = Client(idle.address, token=TOKENS[0])
    sent = [client.upscale([tmp_path / "a.png"])[0].id for _ in range(3)]
    asked = client._json

    def by_twos(method: str, path: str, query: dict[str, str] | None = None) -> object:
        return asked(method, path, {**(query or {}), "limit": "2"})

    monkeypatch.setattr(client, "_json", by_twos)
    assert [job.id for job in client.jobs()] == sent[::-1]


@pytest.mark.skipif(shutil.which("curl") is None, reason="curl isn't installed")
def test_documented_curl_commands_work(running: Running, tmp_path: Path) -> None:
    """They run in turn, in a folder with the photos they name; `$ID` is the job the first one made."""
    assert len(CURL) >= 6
    for name in ("photo.jpg", "a.jpg", "b.jpg"):
        (tmp_path / name).write_bytes(picture(kind="jpeg"))
    job_id = ""
    for command in CURL:
        line = command.replace("http://127.0.0.1:8000", running.address)
        done = subprocess.run(
            ["sh", "-ec", line],
            cwd=tmp_path,
            env={"ID": job_id, "TOKEN": "x", "PATH": "/usr/bin:/bin"},
            capture_output=True,
            text=True,
            timeout=100,
            check=False,
        )
        assert done.returncode == 0, f"{command}\n{done.stderr}"
        assert '"error":{' not in done.stdout, f"{command}\n{done.stdout}"
        found = re.search(r'"id":"([0-9a-f]{32})"', done.stdout)
        job_id = job_id or (found.group(1) if found else "")
    assert (tmp_path / "photo_x4.png").read_bytes()[:4] == b"\x89PNG"
