"""What a model file says about itself: written and read back, and never believed beyond its bounds."""

import json

import numpy as np
import onnx
import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.engine.tiny import tiny_compact
from wildsr.errors import ModelError
from wildsr.models import CATALOG, ModelSpec
from wildsr.models.onnx_file import embed_spec
from wildsr.models.spec import METADATA_KEY, printable

BASE = {"id": "a", "architecture": "rrdb"}
texts = st.text(st.characters(exclude_categories=("Cc", "Cs", "Zl", "Zp")), max_size=30)
values = st.booleans() | st.integers(-(2**40), 2**40) | st.floats(-1e9, 1e9) | texts
specs = st.builds(
    ModelSpec,
    id=texts,
    architecture=texts,
    arguments=st.dictionaries(texts, values, max_size=5),
    scale=st.integers(1, 16),
    multiple=st.integers(1, 256),
    halo=st.integers(0, 4096),
    halo_exact=st.integers(0, 4096),
    tiling=st.sampled_from(["exact", "approximate", "whole"]),
    licence=texts,
    source=texts,
    training=texts,
)


@given(specs)
def test_json_round_trip(spec: ModelSpec) -> None:
    again = ModelSpec.from_json(spec.to_json())
    assert again == spec
    assert {key: type(value) for key, value in again.arguments.items()} == {
        key: type(value) for key, value in spec.arguments.items()
    }


@given(specs)
def test_onnx_round_trip(spec: ModelSpec) -> None:
    content = embed_spec(tiny_compact(width=2, depth=1), spec).SerializeToString()
    (found,) = onnx.load_model_from_string(content).metadata_props
    assert found.key == METADATA_KEY
    assert ModelSpec.from_json(found.value) == spec


def test_embedding_leaves_the_network_alone_and_replaces_an_older_description() -> None:
    model = tiny_compact(width=2, depth=1)
    before = model.graph.SerializeToString()
    for name in ("first", "second"):
        embed_spec(model, ModelSpec(id=name, architecture="graph"))
    assert model.graph.SerializeToString() == before
    assert [ModelSpec.from_json(entry.value).id for entry in model.metadata_props] == ["second"]


def test_safetensors_round_trip(tmp_path: object) -> None:
    numpy_files = pytest.importorskip("safetensors.numpy")
    spec = ModelSpec(**BASE, arguments={"blocks": 6, "act": "ü"})
    content = numpy_files.save({"w": np.zeros(2, np.float32)}, metadata={METADATA_KEY: spec.to_json()})
    header = json.loads(content[8 : 8 + int.from_bytes(content[:8], "little")])
    assert ModelSpec.from_json(header["__metadata__"][METADATA_KEY]) == spec


def test_later_keys_are_ignored() -> None:
    assert ModelSpec.from_json(json.dumps({**BASE, "of_later_versions": [1]})) == ModelSpec(**BASE)


@pytest.mark.parametrize(
    "change",
    [
        {"scale": True},
        {"scale": 2.0},
        {"scale": "2"},
        {"scale": 0},
        {"scale": 17},
        {"scale": 10**400},
        {"multiple": 0},
        {"multiple": 257},
        {"halo": -1},
        {"halo": None},
        {"halo_exact": 4097},
        {"tiling": "none"},
        {"id": 1},
        {"id": "x\x1b[2J"},
        {"training": "x" * 10_001},
        {"arguments": {"a": [1]}},
        {"arguments": {"a": None}},
        {"arguments": {"a": 10**400}},
        {"arguments": {"a" * 10_001: 1}},
        {"arguments": {str(i): i for i in range(101)}},
        {"arguments": []},
    ],
    ids=lambda change: json.dumps(change)[:30],
)
def test_hostile_values(change: dict[str, object]) -> None:
    with pytest.raises(ModelError) as caught:
        ModelSpec.from_json(json.dumps({**BASE, **change}))
    assert len(str(caught.value)) < 500
    assert str(caught.value).isprintable()


@pytest.mark.parametrize(
    "text",
    [
        "",
        "{",
        "[]",
        "null",
        "1" * 5000,
        "[" * 100_000,
        '{"id": "a", "architecture": "g", "scale": NaN}',
        '{"id": "a", "architecture": "g", "arguments": {"x": NaN}}',
        '{"id": "a", "architecture": "g", "arguments": {"x": Infinity}}',
        '{"id": "\\ud800", "architecture": "g"}',
        '{"id": "a", "architecture": "g", "licence": "' + "x" * 2_000_000 + '"}',
        '{"id": "a"}',
    ],
    ids=lambda text: text[:20],
)
def test_hostile_json(text: str) -> None:
    with pytest.raises(ModelError):
        ModelSpec.from_json(text)


@given(st.text())
def test_any_text_is_refused(text: str) -> None:
    with pytest.raises(ModelError):
        ModelSpec.from_json(text)


@pytest.mark.parametrize("change", [{"scale": True}, {"scale": 0}, {"halo": 1.5}, {"tiling": "no"}])
def test_the_constructor_checks_too(change: dict[str, object]) -> None:
    with pytest.raises(ModelError):
        ModelSpec(**{**BASE, **change})  # type: ignore[arg-type]


@given(st.text())
def test_printable(text: str) -> None:
    clean = printable(text)
    assert len(clean) == len(text)
    assert printable(clean) == clean
    ModelSpec(id=clean, architecture="graph")


def test_catalog() -> None:
    for name, entry in CATALOG.items():
        assert entry.spec.id == name
        assert f"×{entry.spec.scale}" in f"×{name[-1]}" or entry.spec.scale == 4
        assert entry.spec.licence in ("Apache-2.0", "BSD-3-Clause")
        assert entry.summary
        assert entry.spec.training
