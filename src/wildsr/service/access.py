"""Who may ask for what: tokens, the Host and Origin headers, and the headers every answer carries.

A service on 127.0.0.1 is open to every page the same person's browser shows, so the name a request was sent to (DNS
rebinding) and the page it came from (cross-site requests) are checked there as anywhere else.
"""

import hashlib
import hmac
import ipaddress
import socket
from collections.abc import Mapping
from dataclasses import dataclass
from http.cookies import CookieError, SimpleCookie
from typing import Final
from urllib.parse import urlsplit

from wildsr.errors import UsageError

COOKIE: Final = "wildsr"
SHORTEST_TOKEN: Final = 16
_SAFE_METHODS: Final = frozenset(("GET", "HEAD", "OPTIONS"))
_OWN_SITES: Final = frozenset(("same-origin", "none"))

HEADERS: Final[Mapping[str, str]] = {
    "content-security-policy": (
        "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' blob: data:; connect-src 'self'; "
        "frame-src 'self'; form-action 'self'; base-uri 'none'; frame-ancestors 'self'"
    ),
    "x-content-type-options": "nosniff",
    "referrer-policy": "same-origin",  # with no-referrer browsers send `Origin: null` for our own forms
    "cross-origin-resource-policy": "same-origin",
    "cross-origin-opener-policy": "same-origin",
    "x-frame-options": "SAMEORIGIN",
    "permissions-policy": "camera=(), microphone=(), geolocation=()",
}
"""Sent with every answer that does not bring its own."""


@dataclass(frozen=True, kw_only=True)
class Refusal:
    """Why a request goes no further."""

    status: int
    """HTTP status."""

    code: str
    """The same for programs."""

    message: str
    """The same for people."""


@dataclass(frozen=True, kw_only=True)
class Access:
    """What is let in."""

    host: str = "127.0.0.1"
    """Address that is listened on."""

    names: tuple[str, ...] = ()
    """Further names the service is reached by, as in `http://NAME/`."""

    tokens: tuple[str, ...] = ()
    """Any of them opens the service; none needs no token."""

    open_paths: tuple[str, ...] = ("/static/", "/health", "/ready", "/login", "/study/rate/")
    """Beginnings of paths that need no token; what ends in no slash is a whole path."""

    def __post_init__(self) -> None:
        if not self.tokens and not is_loopback(self.host):
            raise UsageError(
                f"--host {self.host} is open to other machines, and there is no token",
                hint="give one: --token \"$(python -c 'import secrets; print(secrets.token_urlsafe())')\"",
            )
        for token in self.tokens:
            if len(token) < SHORTEST_TOKEN or not token.isascii() or not token.isprintable() or " " in token:
                raise UsageError(
                    f"a token of {len(token)} characters; at least {SHORTEST_TOKEN} are needed, "
                    "of ASCII without spaces",
                    hint="python -c 'import secrets; print(secrets.token_urlsafe())'",
                )

    def refusal(self, method: str, path: str, headers: Mapping[str, str]) -> Refusal | None:
        """Return why a request is turned down, or None where it may go on.

        Args:
            method: GET, POST, …
            path: Without the query.
            headers: With names in lower case.
        """
        host = headers.get("host", "")
        if not self.is_own_name(host):
            return Refusal(
                status=421,
                code="wrong_host",
                message="this service is not known by the name the request was sent to (--name adds one)",
            )
        if method not in _SAFE_METHODS and not _from_own_page(headers, host):
            return Refusal(
                status=403, code="cross_site", message="requests that change something must come from here"
            )
        if not self.tokens or self.is_open(path) or self.owner_of(headers) is not None:
            return None
        return Refusal(status=401, code="no_token", message="a token is needed: Authorization: Bearer …")

    def is_open(self, path: str) -> bool:
        """Whether a path needs no token."""
        return any(
            path.startswith(one) if one.endswith("/") else path == one for one in self.open_paths
        ) and ".." not in path.split("/")

    def is_own_name(self, host: str) -> bool:
        """Whether a Host header names this service: an address, localhost, this machine, or one of `names`.

        An attacker's page can make its own domain resolve to this machine, but then the header names that domain.
        """
        try:
            name = urlsplit(f"//{host}").hostname or ""
        except ValueError:
            return False
        if name in {"localhost", self.host.casefold(), *(one.casefold() for one in self.names)}:
            return True
        if _is_address(name):
            return True
        return not is_loopback(self.host) and name == socket.gethostname().casefold()

    def owner_of(self, headers: Mapping[str, str]) -> str | None:
        """Return whom a request's token belongs to (a name made from it), or None where it holds no right one."""
        if not self.tokens:
            return "local"
        kind, _, given = headers.get("authorization", "").partition(" ")
        bearer = given.strip() if kind.casefold() == "bearer" else ""
        cookie = _cookie(headers.get("cookie", ""))
        found: str | None = None
        for token in self.tokens:  # all are compared, so that the time tells nothing
            right = _same(bearer, token)
            right |= _same(cookie, cookie_for(token))
            if right:
                found = owner_name(token)
        return found


def owner_name(token: str) -> str:
    """Return the name under which jobs of a token are kept."""
    return hashlib.sha256(f"wildsr owner {token}".encode()).hexdigest()[:16]


def cookie_for(token: str) -> str:
    """Return what a browser keeps instead of the token itself."""
    return hmac.new(token.encode(), b"wildsr cookie", hashlib.sha256).hexdigest()


def is_loopback(host: str) -> bool:
    """Whether an address is reached from this machine only."""
    if host == "localhost":
        return True
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return False


def _same(one: str, other: str) -> bool:
    return hmac.compare_digest(one.encode("utf-8", "surrogateescape"), other.encode())


def _cookie(header: str) -> str:
    try:
        morsel = SimpleCookie(header).get(COOKIE)
    except CookieError:
        return ""
    return "" if morsel is None else morsel.value


def _is_address(name: str) -> bool:
    try:
        ipaddress.ip_address(name)
    except ValueError:
        return False
    return True


def _from_own_page(headers: Mapping[str, str], host: str) -> bool:
    """Whether a request comes from a page of this service, or from no page at all (curl)."""
    origin = headers.get("origin")
    if origin is not None:
        try:
            return urlsplit(origin).netloc.casefold() == host.casefold()
        except ValueError:
            return False
    return headers.get("sec-fetch-site", "none") in _OWN_SITES
