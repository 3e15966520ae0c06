"""Models with a dial: the graph is the network's, blends lie on the line between the ends, what can't be is refused."""

from dataclasses import replace
from pathlib import Path

import numpy as np
import onnx
import pytest
import torch
from safetensors.numpy import load_file, save_file

from tests.models.two_ends import SIZE, SPEC, save_ends, weights
from wildsr.checkpoints import load_network
from wildsr.engine import Settings, Upscaler
from wildsr.errors import ModelError, UsageError
from wildsr.imaging import Picture
from wildsr.models import (
    CATALOG,
    COMPACT_MODEL,
    CatalogEntry,
    load_model,
)
from wildsr.models.compact_graph import compact_graph
from wildsr.models.onnx_file import inspect_onnx
from wildsr.models.two_ends import CRISP, DEFAULT_SHARPNESS, FAITHFUL, TwoEnds
from wildsr.networks import NETWORKS


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    return save_ends(tmp_path / "ends")


@pytest.fixture
def bundled(folder: Path, monkeypatch: pytest.MonkeyPatch) -> CatalogEntry:
    """wild-compact as the tiny one."""
    entry = replace(CATALOG[COMPACT_MODEL], folder=folder)
    monkeypatch.setitem(CATALOG, COMPACT_MODEL, entry)
    return entry


def picture(seed: int = 0) -> Picture:
    return Picture(rgb=np.random.default_rng(seed).random((20, 24, 3), dtype=np.float32))


def run(graph: onnx.ModelProto, lr: np.ndarray) -> np.ndarray:
    from onnx.reference import ReferenceEvaluator

    return ReferenceEvaluator(graph).run(None, {"lr": lr})[0]


@pytest.mark.parametrize("size", [{}, {"blocks": 3, "channels": 16}, {"blocks": 0, "scale": 2}])
def test_the_graph_is_the_network(size: dict[str, int]) -> None:
    made = weights(3, np.float32, **size)
    network = NETWORKS["compact"](**(SIZE | size)).eval()
    network.load_state_dict({name: torch.from_numpy(array) for name, array in made.items()})
    lr = np.random.default_rng(0).random((1, 3, 9, 11), dtype=np.float32)
    with torch.no_grad():
        expected = network(torch.from_numpy(lr)).numpy()
    found = run(compact_graph(made, **(SIZE | size)), lr)
    assert found.shape == expected.shape
    np.testing.assert_allclose(found, expected, atol=2e-6)


@pytest.mark.parametrize("sharpness", [0.0, 0.25, 1.0])
def test_weights_are_blended_tensor_by_tensor(folder: Path, sharpness: float) -> None:
    ends = [
        {key: value.astype(np.float32) for key, value in load_file(folder / name).items()}
        for name in (FAITHFUL, CRISP)
    ]
    blend = TwoEnds(folder=folder).weights(sharpness)
    for name, array in blend.items():
        expected = (1 - sharpness) * ends[0][name] + sharpness * ends[1][name]
        np.testing.assert_allclose(array, expected, rtol=1e-6, atol=1e-7)
        assert array.dtype == np.float32
    if sharpness in (0, 1):  # bit for bit
        assert all(np.array_equal(blend[name], ends[int(sharpness)][name]) for name in blend)


def test_the_dial_is_one_network_and_runs_through_the_ends(folder: Path) -> None:
    crisp, faithful, half, told, default = (
        Upscaler(folder, settings)(picture()).rgb
        for settings in (
            Settings(sharpness=1, color_fix=False),
            Settings(sharpness=0, color_fix=False),
            Settings(sharpness=0.5, color_fix=False),
            Settings(sharpness=DEFAULT_SHARPNESS, color_fix=False),
            Settings(color_fix=False),
        )
    )
    assert np.array_equal(default, told)
    assert np.abs(crisp - faithful).max() > 0.01
    assert 0 < np.abs(half - faithful).mean() < np.abs(crisp - faithful).mean()
    nodes = [len(load_model(folder).at(value).graph().graph.node) for value in (0, 0.5, 1)]
    assert len(set(nodes)) == 1  # no second pass


def test_the_graph_carries_the_spec_with_the_larger_overlap(tmp_path: Path) -> None:
    folder = save_ends(tmp_path, other=replace(SPEC, halo=5, halo_exact=9))
    model = load_model(folder)
    assert (model.spec.halo, model.spec.halo_exact) == (6, 9)
    assert inspect_onnx(model.graph(), id="", source="") == model.spec


def test_digests_tell_positions_and_ends_apart(folder: Path) -> None:
    model = load_model(folder)
    digests = {model.at(value).sha256 for value in (0, DEFAULT_SHARPNESS, 1)} | {model.sha256}
    assert model.sha256 == model.at(DEFAULT_SHARPNESS).sha256
    assert len(digests) == 3
    save_file(weights(9), folder / FAITHFUL, metadata={"wildsr": SPEC.to_json()})
    assert load_model(folder).at(1).sha256 not in digests


def test_training_starts_from_the_crisp_end(folder: Path, bundled: CatalogEntry) -> None:
    for source in (folder, COMPACT_MODEL):
        loaded = load_network(source)
        crisp = load_file(folder / CRISP)
        assert all(
            np.array_equal(tensor.numpy(), crisp[name].astype(np.float32))
            for name, tensor in loaded.network.state_dict().items()
        )
        assert loaded.spec.architecture == "compact"


@pytest.mark.parametrize("value", [-0.1, 1.5, float("nan")])
def test_a_position_off_the_dial_is_refused(folder: Path, value: float) -> None:
    with pytest.raises(UsageError, match="it must be from 0"):
        Settings(sharpness=value)
    with pytest.raises(UsageError, match="sharpness"):
        load_model(folder).at(value)


def test_a_model_without_two_ends_refuses_by_name(folder: Path, tmp_path: Path) -> None:
    path = tmp_path / "plain.onnx"
    onnx.save(TwoEnds(folder=folder).graph(1), path)
    with pytest.raises(UsageError, match="tiny-ends has no two ends") as caught:
        Upscaler(path, Settings(sharpness=0.5))
    assert COMPACT_MODEL in str(caught.value.hint)


def _different(folder: Path) -> None:
    other = replace(SPEC, arguments={**SIZE, "blocks": 2})
    save_file(weights(1, blocks=2), folder / CRISP, metadata={"wildsr": other.to_json()})


def _other_tensors(folder: Path) -> None:
    save_file(weights(1, channels=16), folder / CRISP, metadata={"wildsr": SPEC.to_json()})


def _both_wrong(folder: Path) -> None:
    for name in (FAITHFUL, CRISP):
        save_file(weights(1, channels=16), folder / name, metadata={"wildsr": SPEC.to_json()})


def _not_finite(folder: Path) -> None:
    bad = weights(1)
    bad["body.0.first.bias"][3] = np.inf
    save_file(bad, folder / CRISP, metadata={"wildsr": SPEC.to_json()})


def _cut(folder: Path) -> None:
    content = (folder / CRISP).read_bytes()
    (folder / CRISP).write_bytes(content[: len(content) // 2])


def _nameless(folder: Path) -> None:
    save_file(weights(1), folder / CRISP)


def _huge(folder: Path) -> None:
    spec = replace(SPEC, arguments={**SIZE, "channels": 2**20})
    for name in (FAITHFUL, CRISP):
        save_file(weights(1), folder / name, metadata={"wildsr": spec.to_json()})


def _another_family(folder: Path) -> None:
    spec = replace(SPEC, architecture="rrdb", arguments={})
    for name in (FAITHFUL, CRISP):
        save_file(weights(1), folder / name, metadata={"wildsr": spec.to_json()})


def _another_scale(folder: Path) -> None:
    for name in (FAITHFUL, CRISP):
        save_file(weights(1), folder / name, metadata={"wildsr": replace(SPEC, scale=2).to_json()})


@pytest.mark.parametrize(
    ("damage", "told"),
    [
        (_different, "different networks"),
        (_other_tensors, "different tensors"),
        (_both_wrong, r"not those of a compact network of 1 blocks and 8 channels at ×4: body.* … differ"),
        (_not_finite, "body.0.first.bias has values that are not finite"),
        (_cut, "can't be read as safetensors"),
        (_nameless, "doesn't describe itself"),
        (_huge, "can't have channels = 1048576"),
        (_another_family, "must be one of compact, compact-8, not rrdb"),
        (_another_scale, "says it enlarges ×2, its network ×4"),
    ],
)
def test_ends_that_cannot_be_blended_are_refused(damage: object, told: str, folder: Path) -> None:
    damage(folder)  # type: ignore[operator]
    with pytest.raises(ModelError, match=told):
        Upscaler(folder, Settings(sharpness=0.5))


def test_without_its_files_the_installation_says_so(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(CATALOG, COMPACT_MODEL, replace(CATALOG[COMPACT_MODEL], folder=tmp_path))
    with pytest.raises(ModelError, match="no weights of wild-compact") as caught:
        load_model(COMPACT_MODEL)
    assert "-m realsr-df2k-jpeg" in str(caught.value.hint)


def test_the_default_needs_no_network(
    bundled: CatalogEntry, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setenv("WILDSR_CACHE", str(tmp_path / "cache"))
    monkeypatch.setenv("WILDSR_OFFLINE", "1")
    upscaler = Upscaler()
    assert upscaler.model.spec.id == SPEC.id
    assert upscaler(picture()).rgb.shape == (80, 96, 3)
    assert not list(tmp_path.glob("cache/models/*"))


def test_what_is_shipped_is_what_the_catalog_says() -> None:
    entry = CATALOG[COMPACT_MODEL]
    if not entry.bytes:
        pytest.skip("the weights are not in this checkout")
    model = load_model(COMPACT_MODEL)
    assert replace(model.spec, halo=entry.spec.halo, halo_exact=entry.spec.halo_exact) == entry.spec
    for name in (FAITHFUL, CRISP):
        assert (entry.folder / name).stat().st_size <= 3_000_000
        assert {array.dtype for array in load_file(entry.folder / name).values()} == {np.dtype(np.float16)}
    parameters = sum(array.size for array in TwoEnds(folder=entry.folder).weights(1).values())
    assert parameters <= 1_300_000
    card = (entry.folder / "card.md").read_text(encoding="utf-8")
    assert card.count("\n| ") > 50  # the photos
    assert "CC-BY" in card
