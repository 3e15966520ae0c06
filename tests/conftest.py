"""Fixtures shared by all tests."""

import os
from collections.abc import Generator
from pathlib import Path

import pytest
from hypothesis import HealthCheck, settings

os.environ["ORT_DISABLE_TELEMETRY"] = "1"  # tests import ONNX Runtime by themselves too
os.environ.setdefault(
    "OMP_WAIT_POLICY", "passive"
)  # threads that spin while they wait take the cores of other tests

REPOSITORY = Path(__file__).resolve().parents[1]

settings.register_profile(
    "wildsr", deadline=None, derandomize=True, suppress_health_check=[HealthCheck.too_slow]
)
settings.load_profile(
    "wildsr"
)  # how fast a shared machine is, is no property of the code; chance is the fuzzer's part
SHARED_DATA = REPOSITORY.parent / "shared" / "data"
LONGEST = (
    "batch/test_ray.py",
    "recipes/test_kill_and_processes.py",
    "checkpoints/test_heavy_presets.py",
    "cli/test_kill_and_resume.py",
    "e2e/test_privacy.py",
    "cli/test_streams.py",
    "e2e/test_signals.py",
    "estimation/test_profiling.py",
    "recipes/test_gan.py",
    "recipes/test_expected_losses.py",
    "service/test_study_browser.py",
    "estimation/test_kernels.py",
    "imaging/test_memory.py",
    "recipes/test_limits.py",
)
"""Files of a minute and more, which begin first: one that begins last is waited for by all workers but its own."""


@pytest.hookimpl(wrapper=True, tryfirst=True)
def pytest_collection_modifyitems(items: list[pytest.Item]) -> Generator[None, None, None]:
    """Put the longest files first, after all other plugins have ordered; the rest stay in random order."""
    yield
    place = {REPOSITORY / "tests" / name: number for number, name in enumerate(LONGEST)}
    items.sort(key=lambda item: place.get(item.path, len(place)))


@pytest.fixture(scope="session")
def shared_data() -> Path:
    """Folder of reference pictures beside the checkout; skips where it is absent (a bare clone)."""
    if not SHARED_DATA.is_dir():
        pytest.skip(
            f"reference pictures not at hand ({SHARED_DATA.name} folder beside the checkout is missing)"
        )
    return SHARED_DATA
