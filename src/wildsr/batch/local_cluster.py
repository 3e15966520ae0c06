"""A Ray cluster on this machine that asks nobody anything and leaves nothing behind.

Ray's head asks the metadata addresses of three clouds which it is in, also where usage reports are off, unless a
configuration in the home folder says so; it writes a token into the home folder, and keeps its logs. So it is started
with a home of its own, which goes when the cluster does, by a process of its own, while this one imports what it needs.
"""

import logging
import os
import secrets
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Final

from wildsr.errors import BackendError

ENVIRONMENT: Final = {
    "RAY_USAGE_STATS_ENABLED": "0",
    "RAY_USAGE_STATS_REPORT_URL": "http://127.0.0.1:9/",
    "RAY_worker_niceness": "0",
    "RAY_BACKEND_LOG_LEVEL": "fatal",
}
"""It sends nothing anywhere, not even that it must not (the address is a port of this machine where nothing listens);
its workers don't stand back behind other programs, and it keeps its inner life from the terminal."""

_QUIET: Final = {
    "RAY_enable_metrics_collection": "0",
    "RAY_event_stats": "0",
    "RAY_task_events_report_interval_ms": "0",
    "RAY_raylet_report_resources_period_milliseconds": "1000",
}
"""Nobody looks at its metrics and events, which cost a share of the cores all the time."""

_HEAD: Final = Path(__file__).with_name("local_head.py")
_LONGEST: Final = 40
"""Characters of the folder's path: sockets lie far below it, and the system allows them 107 in all."""

_STOPPING: Final = 30.0
"""Seconds in which it must have stopped."""


@contextmanager
def local_cluster(*, cpus: int, object_store: int) -> Iterator[None]:
    """Start a cluster and join it; it is stopped when the block ends, or this process does.

    Its workers begin with the cluster's home folder in `HOME`, and a folder for temporary files that goes with it: what
    a killed worker leaves is removed by nobody else.

    Args:
        cpus: That tasks may take in all.
        object_store: Bytes for what tasks hand to each other.

    Raises:
        BackendError: Ray doesn't start.
    """
    home, scratch = _home(), Path(tempfile.mkdtemp(prefix="wildsr-batch-"))
    wanted = {**ENVIRONMENT, **_QUIET, "RAY_AUTH_TOKEN": secrets.token_hex(32)}
    before = {name: os.environ.get(name) for name in ("RAY_AUTH_MODE", *wanted)}
    for name, value in wanted.items():
        os.environ.setdefault(name, value)
    logging.getLogger("ray").setLevel(logging.ERROR)  # that a token is asked for is no news to a user
    try:
        with _head(home, scratch, cpus, object_store) as head:
            import ray
            import ray.data

            ray.init(address=_address(head, home), log_to_driver=False, configure_logging=False)
            try:
                yield
            finally:
                ray.shutdown()
    finally:
        _put_back(before)
        for folder in (home, scratch):
            shutil.rmtree(folder, ignore_errors=True)


def _home() -> Path:
    folder = Path(tempfile.mkdtemp(prefix="wildsr-ray-"))
    if len(str(folder)) > _LONGEST and Path("/tmp").is_dir():
        folder.rmdir()
        folder = Path(tempfile.mkdtemp(prefix="wildsr-ray-", dir="/tmp"))
    (folder / "ray_bootstrap_config.yaml").write_text("provider:\n  type: local\n", encoding="utf-8")
    return folder


@contextmanager
def _head(home: Path, scratch: Path, cpus: int, object_store: int) -> "Iterator[subprocess.Popen[str]]":
    """The process that holds the cluster; it isn't reached by what the terminal sends, but ends after this one."""
    with (
        (home / "head.err").open("wb") as errors,
        subprocess.Popen(
            [sys.executable, str(_HEAD), str(cpus), str(object_store)],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=errors,
            env={**os.environ, "HOME": str(home), "RAY_TMPDIR": str(home), "TMPDIR": str(scratch)},
            text=True,
            start_new_session=True,
        ) as head,
    ):
        try:
            yield head
        finally:
            assert head.stdin is not None
            with suppress(OSError):
                head.stdin.close()
            try:
                head.wait(_STOPPING)
            except subprocess.TimeoutExpired:
                head.kill()


def _address(head: "subprocess.Popen[str]", home: Path) -> str:
    assert head.stdout is not None
    address = head.stdout.readline().strip()
    if not address:
        said = (home / "head.err").read_text(errors="replace").strip() if home.exists() else ""
        raise BackendError(
            f"Ray does not start on this machine: {(said.splitlines() or ['it said nothing'])[-1]}",
            hint="is there room in the folder of temporary files, and memory?",
        )
    return address


def _put_back(environment: dict[str, str | None]) -> None:
    for name, value in environment.items():
        if value is None:
            os.environ.pop(name, None)
        else:
            os.environ[name] = value
