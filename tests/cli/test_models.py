"""`wildsr models`, in process: what it prints, what it refuses, and what it leaves in the cache."""

import json
from pathlib import Path

import onnx
import pytest
from click.testing import Result
from typer.testing import CliRunner

from tests.models.test_loading import PARAM, WEIGHTS
from tests.models.test_onnx_file import saved, shuffle
from wildsr.assets import Asset, cached_path
from wildsr.cli.models import app
from wildsr.errors import AssetError, ModelError, UsageError, WildsrError
from wildsr.models import CATALOG, load_model

NAME = "realsr-df2k"


def run(*words: str | Path) -> Result:
    return CliRunner().invoke(app, [str(word) for word in words])


def output(*words: str | Path) -> str:
    result = run(*words)
    if result.exception is not None:
        raise result.exception
    return result.stdout


def refused(kind: type[WildsrError], *words: str | Path) -> WildsrError:
    result = run(*words)
    assert isinstance(result.exception, kind), result.exception
    return result.exception


@pytest.fixture(autouse=True)
def _own_cache(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("WILDSR_CACHE", str(tmp_path / "cache"))
    monkeypatch.setenv("WILDSR_OFFLINE", "1")


@pytest.fixture
def pair(tmp_path: Path) -> Path:
    (tmp_path / "mine.param").write_text(PARAM)
    (tmp_path / "mine.bin").write_bytes(WEIGHTS)
    return tmp_path / "mine.param"


def pretend_cached(asset: Asset) -> Path:
    path = cached_path(asset)
    path.parent.mkdir(parents=True, exist_ok=True)
    with path.open("wb") as file:
        file.truncate(asset.size)
    return path


def test_list_shows_every_model_with_licence_and_purpose() -> None:
    shown = output("list")
    for name, entry in CATALOG.items():
        assert name in shown
        assert entry.summary in shown
        assert entry.spec.licence in shown
    assert max(map(len, shown.splitlines())) <= 100


def test_list_by_licence() -> None:
    found = json.loads(output("list", "--licence", "apache", "--json"))["models"]
    assert [model["name"] for model in found] == ["wild-compact", "realsr-df2k-jpeg", "realsr-df2k"]
    assert output("list", "--licence", "gpl") == ""
    everything = json.loads(output("list", "--json"))["models"]
    assert len(everything) == len(CATALOG)
    assert {model["cached"] for model in everything[1:]} == {False}


def test_info_of_a_catalog_model_fetches_nothing() -> None:
    facts = json.loads(output("info", NAME, "--json"))
    assert facts["scale"] == 4
    assert facts["licence"] == "Apache-2.0"
    assert facts["cached"] is False
    assert facts["sha256"] == CATALOG[NAME].weights.sha256
    assert "Apache-2.0" in output("info", NAME)


def test_info_of_a_file(tmp_path: Path) -> None:
    facts = json.loads(output("info", saved(tmp_path / "net.onnx", shuffle(3)), "--json"))
    assert (facts["name"], facts["scale"], facts["tiling"]) == ("net", 3, "exact")


def test_import_notes_licence_and_source(pair: Path, tmp_path: Path) -> None:
    target = tmp_path / "out" / "mine.onnx"
    facts = json.loads(
        output("import", pair, "-o", target, "--licence", "CC0-1.0", "--source", "me", "--json")
    )
    assert (facts["scale"], facts["licence"], facts["source"]) == (2, "CC0-1.0", "me")
    assert load_model(target).spec.licence == "CC0-1.0"
    onnx.checker.check_model(onnx.load(target))


def test_import_never_overwrites_unasked(pair: Path, tmp_path: Path) -> None:
    target = tmp_path / "mine.onnx"
    target.write_bytes(b"precious")
    assert "--overwrite" in str(refused(UsageError, "import", pair, "-o", target).hint)
    assert target.read_bytes() == b"precious"
    assert output("import", pair, "-o", target, "--overwrite").strip() == str(target)
    assert "must end in .onnx" in str(refused(UsageError, "import", pair, "-o", tmp_path / "x.png"))


def test_import_of_a_hostile_file_leaves_nothing(tmp_path: Path) -> None:
    (tmp_path / "evil.onnx").write_bytes(b"evil")
    refused(ModelError, "import", tmp_path / "evil.onnx", "-o", tmp_path / "out.onnx")
    assert not (tmp_path / "out.onnx").exists()


def test_pull_wants_names_and_respects_offline() -> None:
    assert "--all" in str(refused(UsageError, "pull").hint)
    assert "realsr-df2k" in str(refused(UsageError, "pull", "nothing"))
    assert "switched off" in str(refused(AssetError, "pull", NAME))


def test_verify_finds_damage_in_assets_and_conversions(pair: Path) -> None:
    assert output("verify") == ""
    converted = load_model(pair).onnx_path
    assert json.loads(output("verify", "--json")) == {"files": {converted.name: "good"}, "damaged": []}
    converted.write_bytes(b"")
    damaged = pretend_cached(CATALOG[NAME].weights)
    result = run("verify", "--json")
    assert isinstance(result.exception, AssetError)
    assert sorted(json.loads(result.stdout)["damaged"]) == sorted([converted.name, damaged.name])
    assert damaged.name in str(refused(AssetError, "verify", NAME))
    assert converted.name not in str(refused(AssetError, "verify", NAME))


def test_remove(pair: Path, tmp_path: Path) -> None:
    assert "--all" in str(refused(UsageError, "remove").hint)
    refused(UsageError, "remove", "nothing")
    path = pretend_cached(CATALOG[NAME].weights)
    converted = load_model(pair).onnx_path
    assert "was removed" in run("remove", NAME).stderr
    assert not path.exists()
    assert "wasn't there" in run("remove", NAME).stderr
    output("remove", "mine")
    assert not converted.exists()
    load_model(pair)
    output("remove", "--all")
    assert list((tmp_path / "cache" / "models").iterdir()) == []
    assert pair.exists()


@pytest.mark.train
def test_import_of_a_checkpoint(tmp_path: Path) -> None:
    torch = pytest.importorskip("torch", reason="the train extra is not installed")
    from wildsr.networks import SRVGG

    network = SRVGG(blocks=2, channels=8, scale=2)
    torch.save({"params": network.state_dict()}, tmp_path / "compact.pth")
    facts = json.loads(output("import", tmp_path / "compact.pth", "-o", tmp_path / "compact.onnx", "--json"))
    assert facts["scale"] == 2
    assert load_model(tmp_path / "compact.onnx").spec.scale == 2
