"""What commands look up, connect to and leave behind, seen from outside them."""

import json
import os
import subprocess
import sys
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from tests.conftest import REPOSITORY
from tests.e2e.conftest import TIMEOUT

RECORDER = """
import json, os, sys

_log = os.environ["RECORDER_LOG"]

def _note(kind, what):
    with open(_log, "a") as file:
        file.write(json.dumps([kind, str(what)]) + "\\n")

def _hook(event, arguments):
    if event in ("socket.getaddrinfo", "socket.gethostbyname", "socket.connect", "socket.sendto"):
        address = arguments[1] if event in ("socket.connect", "socket.sendto") else arguments[0]
        if not (isinstance(address, str) and address.startswith("/")):  # a socket of this machine
            _note(event, address)

sys.addaudithook(_hook)
"""
"""Audit events come from the interpreter itself, whichever library makes the call, in every Python process."""

IN_TURN = """
import io, json, os, sys
from contextlib import redirect_stderr, redirect_stdout
from wildsr.cli import main

LOG = os.environ["RECORDER_LOG"]

def there():
    found = set()
    for folder, _, names in os.walk("."):
        found |= {os.path.relpath(os.path.join(folder, name), ".") for name in names}
    return found - {"log"}

for words in json.loads(sys.argv[1]):
    before, start = there(), os.path.getsize(LOG)
    sys.argv[1:] = words
    out, err = (io.TextIOWrapper(io.BytesIO(), encoding="utf-8") for _ in range(2))
    code = 0
    with redirect_stdout(out), redirect_stderr(err):
        try:
            main()
        except SystemExit as end:
            code = end.code
    err.flush()
    with open(LOG) as log:
        log.seek(start)
        looked_up = [json.loads(line) for line in log]
    said = err.buffer.getvalue().decode()
    print(json.dumps([code, said, looked_up, sorted(there() - before)]), flush=True)
"""


@dataclass(frozen=True, kw_only=True)
class Watched:
    """What became of a command."""

    code: int
    """Its exit code."""

    said: str
    """What it wrote to stderr."""

    looked_up: Sequence[Sequence[str]]
    """Names and addresses, each with the call that took it."""

    made: frozenset[str]
    """Files that were not there before, below its place: home, temporary folder and all."""


def watched_place(folder: Path) -> Path:
    """Give a folder an empty home, a temporary folder, and an interpreter that records."""
    for name in ("home", "tmp", "recorder"):
        (folder / name).mkdir()
    (folder / "recorder" / "sitecustomize.py").write_text(RECORDER)
    (folder / "log").write_text("")
    return folder


def environment_of(place: Path, **more: str) -> dict[str, str]:
    """Return the environment of a stranger who sits in a place."""
    keep = {
        name: value
        for name, value in os.environ.items()
        if not name.startswith(("WILDSR", "CI", "PIP_", "ORT_", "XDG_", "MPL", "RAY_"))
    }
    return {
        **keep,
        "HOME": str(place / "home"),
        "TMPDIR": str(place / "tmp"),
        "RECORDER_LOG": str(place / "log"),
        "PYTHONDONTWRITEBYTECODE": "1",
        "PYTHONPATH": os.pathsep.join([str(place / "recorder"), str(REPOSITORY / "src")]),
        **more,
    }


def found_in(place: Path) -> frozenset[str]:
    """Return every file below a place but the record itself."""
    files = (path.relative_to(place).as_posix() for path in place.rglob("*") if path.is_file())
    return frozenset(files) - {"log"}


def in_turn(place: Path, commands: Mapping[str, Sequence[str]], **more: str) -> dict[str, Watched]:
    """Run commands one after another in one process, since each takes a second or more to start."""
    done = subprocess.run(
        [sys.executable, "-c", IN_TURN, json.dumps(list(commands.values()))],
        cwd=place,
        env=environment_of(place, **more),
        capture_output=True,
        timeout=4 * TIMEOUT,
        check=False,
    )
    lines = done.stdout.decode().splitlines()
    assert len(lines) == len(commands), done.stderr.decode()
    return {
        name: Watched(code=code, said=said, looked_up=looked_up, made=frozenset(made))
        for name, (code, said, looked_up, made) in zip(commands, map(json.loads, lines), strict=True)
    }


def alone(place: Path, *command: str, **more: str) -> Watched:
    """Run a program by itself."""
    before = found_in(place)
    (place / "log").write_text("")
    done = subprocess.run(
        [sys.executable, *command],
        cwd=place,
        env=environment_of(place, **more),
        capture_output=True,
        timeout=TIMEOUT,
        check=False,
    )
    return Watched(
        code=done.returncode,
        said=done.stderr.decode(),
        looked_up=looked_up(place),
        made=found_in(place) - before,
    )


def looked_up(place: Path) -> list[list[str]]:
    """Return what the record holds."""
    return [json.loads(line) for line in (place / "log").read_text().splitlines()]
