"""Who is let in: tokens, Host, Origin, and what every answer carries."""

from collections.abc import Iterator

import pytest
import requests

pytest.importorskip("fastapi", reason="the serve extra isn't installed")

from tests.service.serving import code_of, served
from wildsr.errors import UsageError
from wildsr.service.access import Access, cookie_for, owner_name
from wildsr.service.pages import Pages, static_router
from wildsr.service.study_pages import study_router
from wildsr.service.web import new_app

TOKEN = "a-token-that-is-long-enough"
OTHER = "another-token-of-this-test"


@pytest.fixture(scope="module")
def address() -> Iterator[str]:
    app = new_app(Access(tokens=(TOKEN, OTHER)))
    app.include_router(static_router())
    app.include_router(study_router(Pages()))

    @app.post("/change")
    def change() -> dict[str, bool]:
        return {"changed": True}

    with served(app) as address:
        yield address


BEARER = {"authorization": f"Bearer {TOKEN}"}


@pytest.mark.parametrize(
    ("headers", "status"),
    [
        ({}, 401),
        ({"authorization": "Bearer wrong"}, 401),
        ({"authorization": f"Basic {TOKEN}"}, 401),
        ({"authorization": "Bearer " + TOKEN[:-1]}, 401),
        ({"authorization": "Bearer \xff\xfe"}, 401),
        ({"cookie": f"wildsr={TOKEN}"}, 401),
        ({"cookie": "wildsr=\x01; ;;=;"}, 400),  # no character of a header
        ({"cookie": "wildsr=; ;;=;"}, 401),
        (BEARER, 200),
        ({"authorization": f"bearer {OTHER}"}, 200),
        ({"cookie": f"a=b; wildsr={cookie_for(TOKEN)}"}, 200),
    ],
)
def test_a_right_token_and_no_other(address: str, headers: dict[str, str], status: int) -> None:
    assert requests.get(f"{address}/study", headers=headers).status_code == status


@pytest.mark.parametrize(
    ("host", "status"),
    [
        ("evil.example", 421),
        ("evil.example:8000", 421),
        ("127.0.0.1.evil.example", 421),
        ("localhost.evil.example", 421),
        ("", 421),
        ("[::1", 421),
        ("localhost:8000", 200),
        ("LOCALHOST", 200),
        ("127.0.0.1", 200),
        ("[::1]:80", 200),
        ("192.168.1.20:8000", 200),
    ],
)
def test_names_that_resolve_here_are_not_ours(address: str, host: str, status: int) -> None:
    """DNS rebinding: the browser sends the attacker's name."""
    assert requests.get(f"{address}/study", headers={**BEARER, "host": host}).status_code == status


@pytest.mark.parametrize(
    ("headers", "status"),
    [
        ({}, 200),
        ({"origin": "https://evil.example"}, 403),
        ({"origin": "null"}, 403),
        ({"origin": "http://["}, 403),
        ({"origin": "http://127.0.0.1:1"}, 403),
        ({"sec-fetch-site": "cross-site"}, 403),
        ({"sec-fetch-site": "same-site"}, 403),
        ({"sec-fetch-site": "same-origin"}, 200),
        ({"origin": "SELF"}, 200),
    ],
)
def test_other_sites_change_nothing(address: str, headers: dict[str, str], status: int) -> None:
    headers = {name: value.replace("SELF", address) for name, value in headers.items()}
    found = requests.post(f"{address}/change", headers={**BEARER, **headers})
    assert found.status_code == status


def test_refusals_are_named(address: str) -> None:
    assert code_of(requests.get(f"{address}/study")) == (401, "no_token")
    assert code_of(requests.get(f"{address}/nowhere", headers=BEARER)) == (404, "not_found")
    assert code_of(requests.get(f"{address}/change", headers=BEARER)) == (405, "not_allowed")
    page = requests.get(f"{address}/study", headers={"accept": "text/html"}, allow_redirects=False)
    assert (page.status_code, page.headers["location"]) == (303, "/login")


@pytest.mark.parametrize("path", ["/study", "/static/app.css", "/nowhere", "/static/../access.py"])
def test_every_answer_has_the_headers(address: str, path: str) -> None:
    for headers in (BEARER, {}):
        found = requests.get(f"{address}{path}", headers=headers).headers
        assert found["x-content-type-options"] == "nosniff"
        assert "default-src 'none'" in found["content-security-policy"]
        assert "unsafe" not in found["content-security-policy"]
        assert found["cross-origin-resource-policy"] == "same-origin"
        assert "access-control-allow-origin" not in found


@pytest.mark.parametrize(
    "path", ["/static/%2e%2e/access.py", "/static/..%2f..%2fversion.py", "/static//etc/passwd", "/static/"]
)
def test_static_files_are_those_of_the_folder(address: str, path: str) -> None:
    with requests.Session() as session:
        request = requests.Request("GET", address, headers=BEARER).prepare()
        request.url = address + path
        assert session.send(request).status_code == 404


@pytest.mark.parametrize("path", ["/static/app.css", "/static/report.css", "/static/icon.svg"])
def test_style_needs_no_token(address: str, path: str) -> None:
    assert requests.get(address + path).status_code == 200


def test_open_paths_end_where_they_say() -> None:
    access = Access(tokens=(TOKEN,))
    assert access.is_open("/health")
    assert not access.is_open("/healthy")
    assert access.is_open("/study/rate/x")
    assert not access.is_open("/study/rate")
    assert not access.is_open("/static/../api/jobs")


@pytest.mark.parametrize("host", ["0.0.0.0", "::", "192.168.1.2", "example.org"])
def test_other_machines_need_a_token(host: str) -> None:
    with pytest.raises(UsageError, match="no token") as caught:
        Access(host=host)
    assert "--token" in (caught.value.hint or "")
    assert Access(host=host, tokens=(TOKEN,)).is_own_name(f"{host if host != '::' else '[::]'}:8000")


@pytest.mark.parametrize(
    "token", ["short", "with space and length", "länge-genug-aber-umlaut", "x" * 15 + "\n"]
)
def test_weak_tokens_are_refused(token: str) -> None:
    with pytest.raises(UsageError, match="token"):
        Access(tokens=(token,))


def test_the_cookie_does_not_hold_the_token() -> None:
    assert TOKEN not in cookie_for(TOKEN)
    assert owner_name(TOKEN) != owner_name(OTHER)
    assert owner_name(TOKEN) not in cookie_for(TOKEN)
    assert Access().owner_of({}) == "local"
    assert Access(names=("Photos.home",)).is_own_name("photos.HOME:80")


def test_tokens_are_compared_in_constant_time(monkeypatch: pytest.MonkeyPatch) -> None:
    """Every token is compared whole by `hmac.compare_digest`, right or wrong."""
    import hmac

    compared: list[tuple[bytes, bytes]] = []
    real = hmac.compare_digest

    def watched(one: bytes, other: bytes) -> bool:
        compared.append((one, other))
        return real(one, other)

    monkeypatch.setattr(hmac, "compare_digest", watched)
    access = Access(tokens=(TOKEN, OTHER))
    for given in (TOKEN, "wrong", ""):
        compared.clear()
        access.owner_of({"authorization": f"Bearer {given}"})
        assert len(compared) == 4
