"""A package index on this machine, for tests: it can break off, lie, and lose its range support."""

import hashlib
import io
import tarfile
import threading
import zipfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

from wildsr.assets.asset import Asset, Distribution

MEMBERS = {"models/a.bin": bytes(range(256)) * 4000, "models/b.bin": b"second" * 1000}


def wheel(members: dict[str, bytes] = MEMBERS) -> bytes:
    file = io.BytesIO()
    with zipfile.ZipFile(file, "w") as bundle:
        for name, content in members.items():
            bundle.writestr(zipfile.ZipInfo(name), content)  # no date: the same bytes each time
    return file.getvalue()


def sdist(members: dict[str, bytes] = MEMBERS) -> bytes:
    file = io.BytesIO()
    with tarfile.open(fileobj=file, mode="w:gz", compresslevel=1) as bundle:
        for name, content in members.items():
            info = tarfile.TarInfo(name)
            info.size = len(content)
            bundle.addfile(info, io.BytesIO(content))
    return file.getvalue()


def distribution(archive: bytes, filename: str = "weights_pack-1.0-py3-none-any.whl") -> Distribution:
    return Distribution(
        project="weights-pack",
        version="1.0",
        filename=filename,
        sha256=hashlib.sha256(archive).hexdigest(),
        size=len(archive),
    )


def asset(source: Distribution, member: str = "models/a.bin", content: bytes | None = None) -> Asset:
    content = MEMBERS[member] if content is None else content
    return Asset(
        name=member.replace("/", "-"),
        distribution=source,
        member=member,
        sha256=hashlib.sha256(content).hexdigest(),
        size=len(content),
        licence="CC0-1.0",
        source="a test",
    )


@dataclass
class Index:
    """What the server serves and how it misbehaves; it notes what was asked of it."""

    files: dict[str, bytes]
    url: str = ""
    digests: bool = True
    ranges: bool = True
    break_after: list[int] = field(default_factory=list)
    """For each of the next downloads: bytes after which the connection breaks."""

    statuses: list[int] = field(default_factory=list)
    """Status codes of the next downloads instead of the file."""

    slowness: float = 0.0
    requests: list[tuple[str, str | None]] = field(default_factory=list)
    """(path, Range header) of each request."""

    @property
    def downloads(self) -> list[str | None]:
        """Range headers of the requests for files."""
        return [given for path, given in self.requests if path.startswith("/files/")]


@contextmanager
def serving(index: Index) -> Iterator[Index]:
    """Serve the index on a free port of the loopback address."""
    server = ThreadingHTTPServer(("127.0.0.1", 0), _handler(index))
    index.url = f"http://127.0.0.1:{server.server_address[1]}/simple/"
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
    thread.start()
    try:
        yield index
    finally:
        server.shutdown()
        server.server_close()
        thread.join()


def page(index: Index, prefix: str = "../../files/") -> str:
    links = [
        f'<a href="{prefix}{name}{_fragment(index, content)}">{name}</a>'
        for name, content in index.files.items()
    ]
    return f"<!DOCTYPE html><html><body>{''.join(links)}</body></html>"


def _fragment(index: Index, content: bytes) -> str:
    return f"#sha256={hashlib.sha256(content).hexdigest()}" if index.digests else ""


def _handler(index: Index) -> type[BaseHTTPRequestHandler]:
    class Handler(BaseHTTPRequestHandler):
        def log_message(self, *_: object) -> None:
            pass

        def do_GET(self) -> None:
            index.requests.append((self.path, self.headers.get("Range")))
            if self.path == "/simple/weights-pack/":
                self._answer(200, page(index).encode(), {"Content-Type": "text/html"})
            elif self.path.startswith("/files/") and self.path[7:] in index.files:
                self._file(index.files[self.path[7:]])
            else:
                self._answer(404, b"", {})

        def _file(self, content: bytes) -> None:
            if index.statuses and (status := index.statuses.pop(0)) != 200:
                self._answer(status, b"", {})
                return
            given, status, extra = self.headers.get("Range"), 200, {}
            if given and index.ranges:
                start = int(given.removeprefix("bytes=").removesuffix("-"))
                if start >= len(content):
                    self._answer(416, b"", {})
                    return
                extra["Content-Range"] = f"bytes {start}-{len(content) - 1}/{len(content)}"
                content, status = content[start:], 206
            self._answer(status, content, extra)

        def _answer(self, status: int, content: bytes, extra: dict[str, str]) -> None:
            self.send_response(status)
            for key, value in {"Content-Length": str(len(content)), **extra}.items():
                self.send_header(key, value)
            self.end_headers()
            if index.slowness and self.path.startswith("/files/"):
                threading.Event().wait(index.slowness)
            if index.break_after and self.path.startswith("/files/"):
                content = content[: index.break_after.pop(0)]
                self.close_connection = True
            self.wfile.write(content)

    return Handler
