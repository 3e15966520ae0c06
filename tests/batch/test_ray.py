"""Runs `on_ray` in a process of its own."""

import subprocess
import sys
from pathlib import Path

import pytest

pytest.importorskip("ray", reason="needs the extra batch")


@pytest.mark.slow
@pytest.mark.e2e
def test_on_ray() -> None:
    """Ray ends a process that has lost its cluster, without a word; that must not be the one that runs all tests."""
    tests = Path(__file__).with_name("on_ray.py")
    done = subprocess.run(
        [sys.executable, "-m", "pytest", "-q", "-n", "0", "-p", "no:cacheprovider", str(tests)],
        capture_output=True,
        text=True,
        timeout=500,
        check=False,
    )
    assert done.returncode == 0, done.stdout + done.stderr
    assert "8 passed" in done.stdout
