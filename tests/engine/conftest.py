from pathlib import Path

import pytest

from tests.engine.tiny import save, tiny_compact, tiny_rrdb
from wildsr.models import Model, ModelSpec


def _model(path: Path, spec: ModelSpec) -> Model:
    return Model(spec=spec, onnx_path=path, sha256="0" * 64)


@pytest.fixture(scope="session")
def rrdb(tmp_path_factory: pytest.TempPathFactory) -> Model:
    """A tiny ×4 network with a body at LR size and a tail at SR size; its reach is 10 LR pixels."""
    path = save(tiny_rrdb(), tmp_path_factory.mktemp("models") / "rrdb.onnx")
    return _model(path, ModelSpec(id="tiny-rrdb", architecture="graph", halo=12, halo_exact=12))


@pytest.fixture(scope="session")
def compact(tmp_path_factory: pytest.TempPathFactory) -> Model:
    """A tiny ×4 network that works at LR size and shuffles pixels; its reach is 5 LR pixels."""
    path = save(tiny_compact(), tmp_path_factory.mktemp("models") / "compact.onnx")
    return _model(path, ModelSpec(id="tiny-compact", architecture="graph", halo=6, halo_exact=6))


@pytest.fixture(scope="session")
def compact_x2(tmp_path_factory: pytest.TempPathFactory) -> Model:
    """The same at ×2."""
    path = save(tiny_compact(scale=2, seed=1), tmp_path_factory.mktemp("models") / "compact_x2.onnx")
    return _model(path, ModelSpec(id="tiny-compact-x2", architecture="graph", scale=2, halo=6, halo_exact=6))
