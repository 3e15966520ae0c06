"""An HTTP session with the machine's settings; `file:` indexes (mirrors on a disk) work like any other."""

from http import HTTPStatus
from io import BytesIO, FileIO
from pathlib import Path
from typing import TypeAlias
from urllib.parse import urlsplit
from urllib.request import url2pathname

import requests
from requests.adapters import BaseAdapter, HTTPAdapter

from wildsr.assets.index import IndexSettings

_Timeout: TypeAlias = float | tuple[float | None, float | None] | None


def open_session(settings: IndexSettings) -> requests.Session:
    """Return a session that follows `settings`; close it after use."""
    session = requests.Session()
    if settings.certificate:
        session.verify = settings.certificate
    if settings.client_certificate:
        session.cert = settings.client_certificate
    if settings.proxy:
        session.proxies = {"http": settings.proxy, "https": settings.proxy}
    for host in settings.trusted_hosts:
        session.mount(f"https://{host}/", _TrustingAdapter())
        session.mount(f"https://{host}:", _TrustingAdapter())
    session.mount("file://", _FileAdapter())
    return session


class _TrustingAdapter(HTTPAdapter):
    """Doesn't check certificates, for hosts the user named as trusted."""

    def send(
        self,
        request: requests.PreparedRequest,
        stream: bool = False,
        timeout: _Timeout = None,
        verify: bool | str = True,
        cert: str | tuple[str, str] | None = None,
        proxies: dict[str, str] | None = None,
    ) -> requests.Response:
        return super().send(request, stream, timeout, False, cert, proxies)


class _File(FileIO):
    """A file that the HTTP library gives back, as it does connections."""

    def release_conn(self) -> None:
        """Close the file."""
        self.close()


class _FileAdapter(BaseAdapter):
    """Answers `file:` addresses from the disk; a folder answers with its index.html."""

    def send(
        self,
        request: requests.PreparedRequest,
        stream: bool = False,
        timeout: _Timeout = None,
        verify: bool | str = True,
        cert: str | tuple[str, str] | None = None,
        proxies: dict[str, str] | None = None,
    ) -> requests.Response:
        response = requests.Response()
        response.request, response.url = request, request.url or ""
        path = Path(url2pathname(urlsplit(response.url).path))
        if path.is_dir():
            path = path / "index.html"
        try:
            response.raw = BytesIO(path.read_bytes()) if path.suffix == ".html" else _File(path)
        except OSError as error:
            response.status_code, response.reason = HTTPStatus.NOT_FOUND, error.strerror or "missing"
            return response
        response.status_code = HTTPStatus.OK
        response.headers["Content-Type"] = (
            "text/html" if path.suffix == ".html" else "application/octet-stream"
        )
        return response

    def close(self) -> None:
        """Nothing is kept open."""
