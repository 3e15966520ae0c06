"""Fixtures shared by all tests."""

import os
from pathlib import Path

import pytest
from hypothesis import HealthCheck, settings

os.environ["ORT_DISABLE_TELEMETRY"] = "1"  # tests import ONNX Runtime by themselves too

REPOSITORY = Path(__file__).resolve().parents[1]

settings.register_profile(
    "wildsr", deadline=None, derandomize=True, suppress_health_check=[HealthCheck.too_slow]
)
settings.load_profile(
    "wildsr"
)  # how fast a shared machine is, is no property of the code; chance is the fuzzer's part
SHARED_DATA = REPOSITORY.parent / "shared" / "data"


@pytest.fixture(scope="session")
def shared_data() -> Path:
    """Folder of reference pictures beside the checkout; skips where it is absent (a bare clone)."""
    if not SHARED_DATA.is_dir():
        pytest.skip(
            f"reference pictures not at hand ({SHARED_DATA.name} folder beside the checkout is missing)"
        )
    return SHARED_DATA
