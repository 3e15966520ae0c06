"""Uploads: what is refused, while it comes; and that nothing stays of it."""

import re
import socket
import time
from collections.abc import Iterator
from itertools import repeat
from pathlib import Path

import pytest
import requests

from tests.service.asking import bearer, bring, ids, picture, stored
from tests.service.conftest import TOKENS, Running
from tests.service.serving import code_of
from wildsr.service.jobs import new_id
from wildsr.service.storage import Storage, display_name, result_name

ME, YOU = TOKENS


def send(address: str, body: bytes | Iterator[bytes], kind: str) -> requests.Response:
    headers = {**bearer(ME), "content-type": kind}
    return requests.post(f"{address}/api/jobs", data=body, headers=headers, timeout=30)


def part(headers: str, content: bytes) -> bytes:
    return b"--b\r\n" + headers.encode() + b"\r\n\r\n" + content + b"\r\n"


FILE = 'Content-Disposition: form-data; name="file"; filename="a.png"'
FORM = "multipart/form-data; boundary=b"


@pytest.mark.parametrize(
    ("body", "kind", "expected"),
    [
        (b"x", "image/png", (415, "wrong_type")),
        (b"x", "multipart/form-data", (415, "wrong_type")),
        (b"x", f"multipart/form-data; boundary={'b' * 300}", (415, "wrong_type")),
        (b"nonsense", FORM, (400, "bad_request")),
        (part(FILE, b"cut")[:-2], FORM, (400, "bad_request")),
        (b"--b--\r\n", FORM, (422, "bad_value")),
        (part('Content-Disposition: form-data; name="scale"', b"4") + b"--b--\r\n", FORM, (422, "bad_value")),
        (part('Content-Disposition: form-data; name="scale"', b"4" * 3000) + b"--b--", FORM, (413, "too_large")),
        (part('Content-Disposition: form-data; name="a"', b"4") * 41 + b"--b--", FORM, (413, "too_large")),
        (part("X: " + "y" * 9000, b"4") + b"--b--", FORM, (400, "bad_request")),
        (part(FILE, b"1") * 4 + b"--b--\r\n", FORM, (413, "too_large")),
    ],
)  # fmt: skip
def test_forms_that_can_not_be(idle: Running, body: bytes, kind: str, expected: tuple[int, str]) -> None:
    assert code_of(send(idle.address, body, kind)) == expected
    assert stored(idle.settings.folder) == []


def test_too_large_by_its_header_is_not_read(idle: Running) -> None:
    """Nothing of the body is sent: the answer comes all the same."""
    with socket.create_connection(("127.0.0.1", int(idle.address.rpartition(":")[2])), timeout=10) as line:
        line.sendall(
            f"POST /api/jobs HTTP/1.1\r\nHost: localhost\r\nAuthorization: Bearer {ME}\r\n"
            f"Content-Type: {FORM}\r\nContent-Length: 300000\r\n\r\n".encode()
        )
        assert b" 413 " in line.recv(4000)


def test_too_large_while_it_comes(idle: Running) -> None:
    """Chunked, so that no header says how much it is; far less than what was to come is ever on the disk."""
    sent = 0

    def endless() -> Iterator[bytes]:
        nonlocal sent
        yield b"--b\r\n" + FILE.encode() + b"\r\n\r\n"
        for piece in repeat(bytes(10_000), 5000):
            sent += len(piece)
            yield piece

    try:
        answer = send(idle.address, endless(), FORM)
    except requests.exceptions.ConnectionError:  # closed while we still sent
        pass
    else:
        assert code_of(answer) == (413, "too_large")
    assert sent < 50_000_000
    assert stored(idle.settings.folder) == []


def request_head(length: int) -> bytes:
    return (
        f"POST /api/jobs HTTP/1.1\r\nHost: localhost\r\nAuthorization: Bearer {ME}\r\n"
        f"Content-Type: {FORM}\r\nContent-Length: {length}\r\n\r\n--b\r\n{FILE}\r\n\r\n"
    ).encode()


def connect(idle: Running) -> socket.socket:
    return socket.create_connection(("127.0.0.1", int(idle.address.rpartition(":")[2])), timeout=30)


def test_an_upload_that_pauses_is_refused(idle: Running) -> None:
    with connect(idle) as line:
        line.sendall(request_head(1000))
        assert b" 408 " in line.recv(4000)
    assert stored(idle.settings.folder) == []


def test_an_upload_that_trickles_is_refused(idle: Running) -> None:
    """A byte now and then keeps no pause, and is too slow all the same."""
    with connect(idle) as line:
        line.sendall(request_head(1000))
        line.settimeout(0.2)
        answer = b""
        for _ in range(60):
            try:
                line.sendall(b"x")
                answer += line.recv(4000)
            except TimeoutError:
                continue
            except OSError:
                break
            break
        assert b" 408 " in answer
    assert stored(idle.settings.folder) == []


def test_an_upload_that_is_broken_off_leaves_nothing(idle: Running) -> None:
    with connect(idle) as line:
        line.sendall(request_head(190_000) + bytes(150_000))
        deadline = time.monotonic() + 10
        while not stored(idle.settings.folder) and time.monotonic() < deadline:
            time.sleep(0.01)
    deadline = time.monotonic() + 10
    while stored(idle.settings.folder) and time.monotonic() < deadline:
        time.sleep(0.01)
    assert stored(idle.settings.folder) == []
    assert idle.service.store.counts() == {}


@pytest.mark.parametrize(
    ("fields", "told"),
    [
        ({"scale": "0"}, "scale"),
        ({"scale": "17"}, "scale"),
        ({"scale": "nan"}, "scale"),
        ({"strength": "2"}, "strength"),
        ({"format": "exe"}, "format"),
        ({"quality": "0"}, "quality"),
        ({"model": "../../etc/passwd"}, "no model"),
        ({"model": "https://evil.example/m.onnx"}, "no model"),
        ({"model": "tiny.onnx"}, "did you mean tiny"),
        ({"colour": "1"}, "no option"),
        ({"modle": "tiny"}, "did you mean model"),
        ({"strip_gps": "perhaps"}, "strip_gps"),
    ],
)
def test_options_that_can_not_be(idle: Running, fields: dict[str, str], told: str) -> None:
    answer = bring(idle.address, ("a.png", b"x"), token=ME, **fields)
    assert code_of(answer) == (422, "bad_value")
    assert told in answer.text
    assert stored(idle.settings.folder) == []
    assert idle.service.store.counts() == {}


HOSTILE_NAMES = [
    "../../../etc/passwd", "..\\..\\x.png", "/etc/passwd", "C:\\x.png", "a\x00b.png", "a\nb.png", "..", ".", "", "....",
    "<img src=x onerror=alert(1)>.png", "x" * 5000 + ".png", "\u202egnp.exe", "a/b/c.png", "con.png", "a\x1b[2J.png",
    "a.p\x00g", "a.p\ng", "a.<b>", "a.\u202egnp", "a.p g", "a.extensions",
]  # fmt: skip


@pytest.mark.parametrize("name", HOSTILE_NAMES)
def test_names_never_become_paths(name: str, tmp_path: Path) -> None:
    shown = display_name(name)
    assert 0 < len(shown) < 200
    assert not set(shown) & set("/\\\0\n\x1b\u202e")
    assert shown.strip(".") == shown
    made = result_name(name, "_x4", "png")
    assert Path(made).name == made
    assert made.endswith("_x4.png")
    storage = Storage(tmp_path)
    job_id = new_id()
    photo = storage.new_photo(job_id, 0, name)
    assert photo.parent == storage.uploads(job_id)
    assert re.fullmatch(r"0000(\.[a-z0-9]{1,5})?", photo.name)  # nothing of a name but a plain extension
    photo.write_bytes(b"x")
    assert [one.name for one in storage.photos(job_id)] == [photo.name]


@pytest.mark.parametrize(
    "job_id", ["..", "../x", "", "A" * 32, "g" * 32, "0" * 31, "0" * 33, "0" * 32 + "\n"]
)
def test_ids_never_become_paths(job_id: str, tmp_path: Path) -> None:
    with pytest.raises(ValueError, match="no id"):
        Storage(tmp_path).folder(job_id)


def test_a_result_outside_its_folder_is_not_handed_out(tmp_path: Path) -> None:
    storage, job_id = Storage(tmp_path), new_id()
    storage.new_photo(job_id, 0, "a.png").write_bytes(b"x")
    (tmp_path / "secret").write_text("x")
    (storage.folder(job_id) / "link").symlink_to(tmp_path / "secret")
    for path in ("../../secret", "/etc/passwd", "link", "nowhere", "in"):
        assert storage.result(job_id, path) is None
    assert storage.result(job_id, "in/0000.png") is not None


def test_ids_in_urls(idle: Running) -> None:
    for job_id in ("..", "%2e%2e", "x", "0" * 31, "0" * 32 + "x", "%00", "0" * 5000):
        answer = requests.get(f"{idle.address}/api/jobs/{job_id}/result", headers=bearer(ME), timeout=30)
        assert answer.status_code in (404, 422)
    with pytest.raises(AssertionError):
        ids(requests.get(f"{idle.address}/api/jobs/{'0' * 32}", headers=bearer(ME), timeout=30))


def test_ids_can_not_be_guessed(idle: Running) -> None:
    made = [ids(bring(idle.address, ("a.png", b"x"), token=ME))[0] for _ in range(3)]
    assert len({one[:8] for one in made}) == 3
    assert all(len(one) == 32 for one in made)


def test_one_client_fills_half_of_the_queue_at_most(idle: Running) -> None:
    """Of 8 places the first may take 4; the second still gets in."""
    for count in (3, 1):
        assert len(ids(bring(idle.address, *[("a.png", b"x")] * count, token=ME))) == count
    refused = bring(idle.address, ("a.png", b"x"), token=ME)
    assert code_of(refused) == (429, "too_many")
    assert int(refused.headers["retry-after"]) > 0
    assert len(ids(bring(idle.address, *[("a.png", b"x")] * 3, token=YOU))) == 3
    full = bring(idle.address, *[("a.png", b"x")] * 3, token=YOU)
    assert code_of(full) == (429, "too_many")
    assert "at most 8 may" in full.text  # the whole queue, before the client's half of it
    assert len(stored(idle.settings.folder)) == 7


def test_what_one_client_keeps_is_limited(idle: Running) -> None:
    """0.5 MB may be kept; deleting makes room again."""
    (first,) = ids(bring(idle.address, ("a.png", bytes(150_000)), token=ME))
    for _ in range(2):
        ids(bring(idle.address, ("a.png", bytes(150_000)), token=ME))
    refused = bring(idle.address, ("a.png", bytes(150_000)), token=ME)
    assert code_of(refused) == (507, "no_space")
    requests.delete(f"{idle.address}/api/jobs/{first}", headers=bearer(ME), timeout=30)
    ids(bring(idle.address, ("a.png", bytes(150_000)), token=ME))


def test_a_full_disk_is_named(idle: Running, monkeypatch: pytest.MonkeyPatch) -> None:
    def full(*_arguments: object) -> Path:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(Storage, "new_photo", full)
    assert code_of(bring(idle.address, ("a.png", b"x"), token=ME)) == (507, "no_space")
    monkeypatch.undo()
    monkeypatch.setattr(Storage, "free_bytes", lambda _self: -1)
    assert code_of(bring(idle.address, ("a.png", b"x"), token=ME)) == (507, "no_space")
    assert requests.get(f"{idle.address}/ready", timeout=30).status_code == 503


def test_people_see_their_own_jobs_alone(idle: Running) -> None:
    (mine,) = ids(bring(idle.address, ("a.png", picture()), token=ME))
    url = f"{idle.address}/api/jobs"
    assert requests.get(f"{url}/{mine}", headers=bearer(ME), timeout=30).status_code == 200
    for method, path in (
        ("GET", ""), ("GET", "/result"), ("GET", "/preview/before"), ("GET", "/page"), ("GET", "/events"),
        ("POST", "/cancel"), ("DELETE", ""),
    ):  # fmt: skip
        answer = requests.request(method, f"{url}/{mine}{path}", headers=bearer(YOU), timeout=30)
        assert answer.status_code == 404, path
    assert requests.get(url, headers=bearer(YOU), timeout=30).json() == {"jobs": [], "next": None}
    zipped = requests.get(f"{idle.address}/api/zip?job={mine}", headers=bearer(YOU), timeout=30)
    assert zipped.status_code == 404


def test_a_waiting_job_is_cancelled_at_once(idle: Running) -> None:
    (job_id,) = ids(bring(idle.address, ("a.png", picture()), token=ME))
    answer = requests.post(f"{idle.address}/api/jobs/{job_id}/cancel", headers=bearer(ME), timeout=30)
    assert answer.json()["state"] == "cancelled"
    assert requests.get(f"{idle.address}/ready", timeout=30).status_code == 503  # no worker runs


def test_event_streams_of_one_client_are_limited(idle: Running) -> None:
    def opened() -> requests.Response:
        return requests.get(f"{idle.address}/api/events", headers=bearer(ME), stream=True, timeout=30)

    streams = [opened(), opened()]
    reading = [one.iter_content(10) for one in streams]
    for one in reading:
        next(one)
    assert code_of(opened()) == (429, "too_many")
    for one in streams:
        one.close()
    deadline = time.monotonic() + 20
    while (again := opened()).status_code == 429:
        assert time.monotonic() < deadline
        time.sleep(0.05)
    again.close()


def test_the_login_gives_a_cookie_that_opens(idle: Running) -> None:
    session = requests.Session()
    assert session.post(f"{idle.address}/login", data={"token": "wrong"}, timeout=30).status_code == 401
    assert session.post(f"{idle.address}/login", data={"token": "x" * 5000}, timeout=30).status_code == 413
    assert not session.cookies
    entered = session.post(f"{idle.address}/login", data={"token": ME}, timeout=30)
    assert entered.status_code == 200
    (cookie,) = session.cookies
    assert cookie.has_nonstandard_attr("HttpOnly")
    assert cookie.get_nonstandard_attr("SameSite") == "strict"
    assert session.get(f"{idle.address}/api/jobs", timeout=30).status_code == 200
