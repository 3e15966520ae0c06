"""Fixtures shared by all tests."""

from pathlib import Path

import pytest

REPOSITORY = Path(__file__).resolve().parents[1]
SHARED_DATA = REPOSITORY.parent / "shared" / "data"


@pytest.fixture(scope="session")
def shared_data() -> Path:
    """Folder of reference pictures beside the checkout; skips where it is absent (a bare clone)."""
    if not SHARED_DATA.is_dir():
        pytest.skip(
            f"reference pictures not at hand ({SHARED_DATA.name} folder beside the checkout is missing)"
        )
    return SHARED_DATA
