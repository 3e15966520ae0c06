"""A PostgreSQL of its own for a test, where Debian's package is installed."""

import os
import shutil
import socket
import subprocess
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest


def free_port() -> int:
    """A port of this machine that nobody listens on."""
    with socket.create_server(("127.0.0.1", 0)) as taken:
        return int(taken.getsockname()[1])


@contextmanager
def serving_postgresql() -> Iterator[str]:
    """Start a server on an empty database, and stop it; its URL. Skips the test where there is none."""
    psycopg = pytest.importorskip("psycopg", reason="the psycopg package isn't installed")
    found = sorted(Path("/usr/lib/postgresql").glob("*/bin/postgres"))
    if not found:
        pytest.skip("PostgreSQL isn't installed")
    binaries, port = found[-1].parent, free_port()
    folder = Path(os.path.realpath(f"/tmp/wildsr-pg-{os.getpid()}-{port}"))
    folder.mkdir()
    user: dict[str, str] = {}
    if os.geteuid() == 0:  # it refuses to run as root
        shutil.chown(folder, "nobody")
        user = {"user": "nobody"}
    try:
        subprocess.run(
            [binaries / "initdb", "-D", folder / "data", "-U", "me", "-A", "trust", "--no-sync"],
            check=True, capture_output=True, cwd="/", **user,  # type: ignore[call-overload]
        )  # fmt: skip
        words = [binaries / "postgres", "-D", folder / "data", "-p", str(port), "-k", folder, "-F"]
        words += ["-h", "127.0.0.1"]
        with subprocess.Popen(words, stderr=subprocess.DEVNULL, cwd="/", **user) as server:  # type: ignore[call-overload]
            try:
                deadline = time.monotonic() + 60
                while True:
                    try:
                        psycopg.connect(f"postgresql://me@127.0.0.1:{port}/postgres").close()
                        break
                    except psycopg.OperationalError:
                        assert time.monotonic() < deadline
                        time.sleep(0.2)
                yield f"postgresql+psycopg://me@127.0.0.1:{port}/postgres"
            finally:
                server.terminate()
                server.wait(30)
    finally:
        shutil.rmtree(folder, ignore_errors=True)
