from pathlib import Path

import pytest

from tests.engine.tiny import save, tiny_compact
from wildsr.evaluation import Store
from wildsr.models import Model, ModelSpec


@pytest.fixture
def store(tmp_path: Path) -> Store:
    return Store(tmp_path / "store")


@pytest.fixture(scope="session")
def tiny(tmp_path_factory: pytest.TempPathFactory) -> Model:
    """A small ×4 network with fixed random weights."""
    path = save(tiny_compact(), tmp_path_factory.mktemp("models") / "tiny.onnx")
    spec = ModelSpec(id="tiny", architecture="graph", halo=6, halo_exact=6)
    return Model(spec=spec, onnx_path=path, sha256="0" * 64)
