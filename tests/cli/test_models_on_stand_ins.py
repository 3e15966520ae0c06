"""`wildsr models`, as a user calls it, on a cache of small stand-ins: nothing is fetched."""

import hashlib
import json
import subprocess
import sys
from dataclasses import replace
from pathlib import Path

import pytest
from typer.testing import CliRunner, Result

from tests.engine.tiny import save, tiny_compact
from tests.models.ncnn_files import Net
from tests.models.two_ends import save_ends
from wildsr.assets import cached_path
from wildsr.cli import models
from wildsr.errors import AssetError, ModelError, UsageError, WildsrError
from wildsr.models import CATALOG, CatalogEntry, load_model
from wildsr.models.onnx_file import stored_spec

NAMES = list(CATALOG)
COMES_ALONG, FIRST, SECOND = NAMES[:3]


@pytest.fixture(autouse=True)
def cache(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("WILDSR_CACHE", str(tmp_path / "cache"))
    monkeypatch.setenv("WILDSR_OFFLINE", "1")
    ends = save_ends(tmp_path / "bundled")
    monkeypatch.setitem(CATALOG, COMES_ALONG, replace(CATALOG[COMES_ALONG], folder=ends))
    return tmp_path / "cache"


def net() -> Net:
    made = Net()
    made.conv("data", "a", (3, 48))
    made.layer("PixelShuffle", "a", "out", "0=4")
    return made


@pytest.fixture
def stand_in(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> CatalogEntry:
    """The default model as a tiny one, in the cache."""
    param = net().save(tmp_path)
    entry, pinned = CATALOG[FIRST], []
    for asset, path in ((entry.param, param), (entry.weights, param.with_suffix(".bin"))):
        content = path.read_bytes()
        pin = replace(asset, sha256=hashlib.sha256(content).hexdigest(), size=len(content))
        cached_path(pin).parent.mkdir(parents=True, exist_ok=True)
        cached_path(pin).write_bytes(content)
        pinned.append(pin)
    small = replace(entry, param=pinned[0], weights=pinned[1])
    monkeypatch.setitem(CATALOG, FIRST, small)
    return small


def run(*arguments: str, ok: bool = True) -> Result:
    result = CliRunner().invoke(models.app, list(arguments))
    assert (result.exit_code == 0) == ok, result.output
    return result


def refused(kind: type[WildsrError], *arguments: str) -> WildsrError:
    result = run(*arguments, ok=False)
    assert isinstance(result.exception, kind), result.exception
    return result.exception


def test_list_piped_is_two_plain_lines_a_model() -> None:
    lines = run("list").stdout.splitlines()
    assert len(lines) == 2 * len(CATALOG) == 16
    for name, facts, purpose in zip(NAMES, lines[::2], lines[1::2], strict=True):
        assert facts.split("  ")[0] == name
        assert facts.endswith("comes with wildsr" if name == COMES_ALONG else "not cached")
        assert purpose.strip() == CATALOG[name].summary


def test_list_says_what_is_cached_and_filters_by_licence(stand_in: CatalogEntry) -> None:
    lines = run("list", "--licence", "apache").stdout.splitlines()
    assert [line.split("  ")[0] for line in lines[::2]] == [COMES_ALONG, FIRST, SECOND]
    assert lines[0].endswith("  comes with wildsr")
    assert lines[2].endswith("  cached")
    assert lines[4].endswith("  not cached")


def test_list_json() -> None:
    found = json.loads(run("list", "--json").stdout)["models"]
    assert [model["name"] for model in found] == NAMES
    assert all(model["bytes"] > 1_000_000 for model in found[1:])
    assert found[0]["bytes"] == sum(file.stat().st_size for file in CATALOG[COMES_ALONG].folder.iterdir())
    assert all(len(model["sha256"]) == 64 for model in found)
    assert [model["cached"] for model in found] == [True] + [False] * 7


def test_info_of_the_catalog_fetches_nothing(cache: Path) -> None:
    facts = json.loads(run("info", SECOND, "--json").stdout)
    assert (facts["name"], facts["scale"], facts["licence"]) == (SECOND, 4, "Apache-2.0")
    assert not cache.exists()


def test_info_of_a_file(tmp_path: Path) -> None:
    path = save(tiny_compact(scale=2, width=4, depth=1), tmp_path / "mine.onnx")
    text = run("info", str(path)).stdout
    assert dict(line.split(maxsplit=1) for line in text.splitlines() if len(line.split()) > 1)["scale"] == "2"


def test_pull_of_a_cached_model_converts_it(stand_in: CatalogEntry, monkeypatch: pytest.MonkeyPatch) -> None:
    path = Path(run("pull", FIRST).stdout.strip())
    assert stored_spec(path) == stand_in.spec


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["pull"], "no model was named"),
        (["pull", "nonsense"], "no model 'nonsense'"),
        (["remove", "nonsense"], "no model 'nonsense'"),
        (["import", "a.param", "-o", "b.bin"], "must end in .onnx"),
    ],
)
def test_usage_errors(arguments: list[str], said: str) -> None:
    assert said in str(refused(UsageError, *arguments))


def test_import_ncnn(tmp_path: Path) -> None:
    param = net().save(tmp_path, "theirs")
    target = tmp_path / "theirs.onnx"
    result = run("import", str(param), "-o", str(target))
    assert result.stdout.strip() == str(target)
    assert "×4" in result.stderr
    spec = stored_spec(target)
    assert (spec.id, spec.scale, spec.tiling) == ("theirs", 4, "exact")
    assert load_model(target).spec == spec


def test_import_onnx_keeps_what_it_says(tmp_path: Path) -> None:
    path = save(tiny_compact(scale=3, width=4, depth=1), tmp_path / "mine.onnx")
    run("import", str(path), "-o", str(tmp_path / "copy.onnx"))
    assert stored_spec(tmp_path / "copy.onnx").scale == 3


def test_import_never_replaces_unasked(tmp_path: Path) -> None:
    param, target = net().save(tmp_path), tmp_path / "there.onnx"
    target.write_bytes(b"precious")
    assert "exists" in str(refused(UsageError, "import", str(param), "-o", str(target)))
    assert target.read_bytes() == b"precious"
    run("import", str(param), "-o", str(target), "--overwrite")
    assert stored_spec(target).scale == 4


def test_import_of_a_damaged_model_leaves_nothing(tmp_path: Path) -> None:
    param = net().save(tmp_path)
    param.with_suffix(".bin").write_bytes(b"\0" * 100)
    before = sorted(tmp_path.iterdir())
    assert "bytes of weights" in str(
        refused(ModelError, "import", str(param), "-o", str(tmp_path / "x.onnx"))
    )
    assert sorted(path for path in tmp_path.iterdir() if path.name != "cache") == before


def test_verify_of_an_empty_cache() -> None:
    result = run("verify")
    assert result.stdout == ""
    assert "nothing is cached" in result.stderr


def test_verify_good(stand_in: CatalogEntry) -> None:
    run("pull", FIRST)
    lines = run("verify").stdout.splitlines()
    assert len(lines) == 3  # graph, weights and their conversion
    assert all(line.startswith(FIRST) and line.endswith(": good") for line in lines)
    assert lines[2].endswith(".onnx: good")


@pytest.mark.parametrize("same_size", [True, False])
def test_verify_damaged(stand_in: CatalogEntry, same_size: bool) -> None:
    path = cached_path(stand_in.weights)
    content = path.read_bytes()
    path.write_bytes(content[:-1] + bytes([content[-1] ^ 1]) if same_size else content[:-1])
    error = refused(AssetError, "verify")
    assert f"{path.name} (damaged)" in str(error)
    assert "pull" in (error.hint or "")


def test_verify_names_what_cannot_be_read(stand_in: CatalogEntry, monkeypatch: pytest.MonkeyPatch) -> None:
    def fail(asset: object) -> bool:
        raise PermissionError(13, "Permission denied", "the file")

    monkeypatch.setattr(models, "verify_asset", fail)
    message = str(refused(AssetError, "verify"))
    assert f"{cached_path(stand_in.weights).name} (unreadable" in message
    assert "Permission denied" in message


def test_verify_damaged_conversion(stand_in: CatalogEntry) -> None:
    path = Path(run("pull", FIRST).stdout.strip())
    content = path.read_bytes()
    path.write_bytes(content[:-9] + bytes(9))
    assert f"{path.name} (damaged)" in str(refused(AssetError, "verify"))


def test_remove(stand_in: CatalogEntry, cache: Path) -> None:
    run("pull", FIRST)
    assert "was removed" in run("remove", FIRST).stderr
    assert [
        path.name for path in cache.rglob("*") if path.suffix in (".onnx", ".bin", ".param", ".sha256")
    ] == []
    assert "wasn't there" in run("remove", FIRST).stderr


def test_what_comes_with_wildsr_stays(cache: Path) -> None:
    folder = CATALOG[COMES_ALONG].folder
    assert run("pull", COMES_ALONG).stdout.strip() == str(folder)
    assert "comes with wildsr and stays" in run("remove", COMES_ALONG).stderr
    assert len(list(folder.iterdir())) == 2
    assert json.loads(run("info", COMES_ALONG, "--json").stdout)["sha256"] == load_model(COMES_ALONG).sha256
    assert not cache.exists()


def test_a_missing_one_is_said_to_be_missing(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(CATALOG, COMES_ALONG, replace(CATALOG[COMES_ALONG], folder=tmp_path / "nothing"))
    assert run("list").stdout.splitlines()[0].endswith("missing in this installation")
    assert json.loads(run("info", COMES_ALONG, "--json").stdout)["sha256"] is None
    assert "no weights of wild-compact" in str(refused(ModelError, "pull", COMES_ALONG))


@pytest.mark.e2e
def test_errors_have_a_hint_and_an_exit_code(tmp_path: Path) -> None:
    command = [sys.executable, "-m", "wildsr", "models"]
    result = subprocess.run([*command, "info", "realsr-df2"], capture_output=True, text=True, check=False)
    assert result.returncode == 1
    assert result.stdout == ""
    assert result.stderr.startswith("error: there is no model 'realsr-df2'")
    assert "hint: did you mean realsr-df2k" in result.stderr
    result = subprocess.run([*command, "pull"], capture_output=True, text=True, check=False)
    assert result.returncode == 2
