"""A Ray cluster on this machine that asks nobody anything and leaves nothing behind.

Ray's head asks the metadata addresses of three clouds which it is in, also where usage reports are off, unless a
configuration in the home folder says so; it writes a token into the home folder, and keeps its logs. So it is started
with a home of its own, which goes when the cluster does.
"""

import logging
import os
import secrets
import shutil
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Final

import ray

ENVIRONMENT: Final = {
    "RAY_USAGE_STATS_ENABLED": "0",
    "RAY_worker_niceness": "0",
    "RAY_BACKEND_LOG_LEVEL": "fatal",
}
"""It sends nothing anywhere, its workers don't stand back behind other programs, and it keeps its inner life from the
terminal."""

_LONGEST: Final = 40
"""Characters of the folder's path: sockets lie far below it, and the system allows them 107 in all."""


@contextmanager
def local_cluster(*, cpus: int, object_store: int) -> Iterator[None]:
    """Start a cluster, and stop it when the block ends.

    Its workers begin with the cluster's home folder in `HOME`.

    Args:
        cpus: That tasks may take in all.
        object_store: Bytes for what tasks hand to each other.
    """
    folder = Path(tempfile.mkdtemp(prefix="wildsr-ray-"))
    if len(str(folder)) > _LONGEST and Path("/tmp").is_dir():
        folder.rmdir()
        folder = Path(tempfile.mkdtemp(prefix="wildsr-ray-", dir="/tmp"))
    (folder / "ray_bootstrap_config.yaml").write_text("provider:\n  type: local\n", encoding="utf-8")
    wanted = {**ENVIRONMENT, "RAY_AUTH_TOKEN": secrets.token_hex(32)}
    before = {name: os.environ.get(name) for name in ("HOME", "RAY_AUTH_MODE", *wanted)}
    for name, value in wanted.items():
        os.environ.setdefault(name, value)
    logging.getLogger("ray").setLevel(logging.ERROR)  # that a token is asked for is no news to a user
    try:
        os.environ["HOME"] = str(folder)
        try:
            ray.init(
                address="local",
                num_cpus=cpus,
                object_store_memory=object_store,
                include_dashboard=False,
                log_to_driver=False,
                configure_logging=False,
                _temp_dir=str(folder),
            )
        finally:
            _put_back({"HOME": before["HOME"]})
        yield
    finally:
        ray.shutdown()
        _put_back(before)
        shutil.rmtree(folder, ignore_errors=True)


def _put_back(environment: dict[str, str | None]) -> None:
    for name, value in environment.items():
        if value is None:
            os.environ.pop(name, None)
        else:
            os.environ[name] = value
