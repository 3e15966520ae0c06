import json
import math
import sys
from pathlib import Path

import grimp
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.evaluation.pictures import save, scene
from wildsr.errors import InputError, OutputError
from wildsr.evaluation import scores
from wildsr.evaluation.pixels import DecodedPicture, load
from wildsr.evaluation.scores import score
from wildsr.evaluation.sets import TestPicture
from wildsr.evaluation.store import (
    RESOLVING_CODE,
    SCORING_CODE,
    Record,
    Store,
    code,
    code_files,
    content,
    key_of,
    libraries,
)

KEY = "ab" * 32


def test_records_come_back(store: Store) -> None:
    assert store.record(KEY) is None
    record = Record(numbers={"psnr": math.inf, "ssim": 0.1234567890123456}, notes=("ä note",))
    store.file(KEY, record)
    assert store.record(KEY) == record
    assert Store(store.folder).record(KEY) == record


def test_a_fresh_run_takes_only_its_own(store: Store) -> None:
    store.file(KEY, Record(numbers={"psnr": 1.0}))
    fresh = Store(store.folder, reuse=False)
    assert fresh.record(KEY) is None
    fresh.file(KEY, Record(numbers={"psnr": 2.0}))
    assert fresh.record(KEY) == Record(numbers={"psnr": 2.0})


@pytest.mark.parametrize(
    "text", ["", "{", "[]", '{"numbers": 1, "notes": []}', '{"numbers": {"a": "x"}, "notes": []}']
)
def test_damaged_records_count_as_missing(store: Store, text: str) -> None:
    store.file(KEY, Record(numbers={"psnr": 1.0}))
    next(store.folder.rglob("*.json")).write_text(text)
    assert store.record(KEY) is None


def test_a_folder_that_cant_be_made_is_named(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    with pytest.raises(OutputError, match="file"):
        Store(tmp_path / "file" / "store")


@given(
    st.dictionaries(
        st.text(max_size=5), st.one_of(st.none(), st.booleans(), st.integers(), st.text(max_size=5))
    )
)
def test_keys_follow_content_not_order(parts: dict[str, str | int | bool | None]) -> None:
    key = key_of(parts)
    assert key == key_of(dict(reversed(parts.items())))
    assert key != key_of({**parts, "more": 1.5})


def test_content_is_the_sha256(tmp_path: Path) -> None:
    (tmp_path / "a").write_bytes(b"abc")
    # sha256 of "abc", FIPS 180-4 appendix B.1
    assert content(tmp_path / "a") == "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad"
    with pytest.raises(InputError, match="can't read nothing"):
        content(tmp_path / "nothing")


@pytest.fixture
def package(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A package `scored` with a sub-package and a table."""
    for name, text in (
        ("__init__.py", ""),
        ("one.py", "A = 1"),
        ("deep/__init__.py", ""),
        ("deep/two.py", "B = 2"),
        ("deep/table.json", "{}"),
        ("__pycache__/one.pyc", "compiled"),
    ):
        (tmp_path / "scored" / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / "scored" / name).write_text(text)
    monkeypatch.syspath_prepend(tmp_path)
    monkeypatch.delitem(sys.modules, "scored", raising=False)
    code.cache_clear()
    return tmp_path / "scored"


@pytest.mark.parametrize("name", ["one.py", "deep/two.py", "deep/table.json"])
def test_a_change_anywhere_in_a_package_changes_its_code(package: Path, name: str) -> None:
    before = code("scored")
    code.cache_clear()
    assert code("scored") == before
    (package / name).write_text("changed")
    code.cache_clear()
    assert code("scored") != before


def test_a_new_or_moved_file_changes_the_code(package: Path) -> None:
    before = code("scored")
    (package / "deep" / "two.py").rename(package / "two.py")
    code.cache_clear()
    moved = code("scored")
    assert moved != before
    (package / "three.py").write_text("")
    code.cache_clear()
    assert code("scored") not in (before, moved)


def test_what_python_compiles_is_no_code(package: Path) -> None:
    before = code("scored")
    (package / "__pycache__" / "one.pyc").write_text("compiled again")
    code.cache_clear()
    assert code("scored") == before


def test_a_single_module_is_its_own_code(package: Path) -> None:
    before = code("scored.one")
    (package / "deep" / "two.py").write_text("changed")
    code.cache_clear()
    assert code("scored.one") == before
    (package / "one.py").write_text("changed")
    code.cache_clear()
    assert code("scored.one") != before
    with pytest.raises(ModuleNotFoundError, match="scored"):
        code("scored.missing")


@pytest.mark.parametrize(
    ("roots", "start"),
    [(SCORING_CODE, "wildsr.evaluation.scores"), (RESOLVING_CODE, "wildsr.evaluation.methods")],
)
def test_everything_a_result_depends_on_is_in_its_key(roots: tuple[str, ...], start: str) -> None:
    """Every module that is imported on the way, lazily or not, but for those that only file and name things."""
    graph = grimp.build_graph("wildsr", cache_dir=None)
    filing = {"wildsr", "wildsr.version", "wildsr.errors", "wildsr.evaluation"}
    filing |= {f"wildsr.evaluation.{name}" for name in ("store", "sets", "names")}
    used = {start, *graph.find_upstream_modules(start)} - filing
    covered = {f"{root}{rest}" for root in roots for rest in ("", ".")}
    missing = {
        name
        for name in used
        if name not in roots and not name.startswith(tuple(one for one in covered if one.endswith(".")))
    }
    assert len(used) > 50
    assert missing == set()


@pytest.mark.parametrize("name", ["models/graph.py", "imaging/decoders/tiff.py", "metrics/nss.py"])
def test_a_score_depends_on_sub_packages_and_models(name: str) -> None:
    files = {place for root in SCORING_CODE for place, _ in code_files(root)}
    assert f"wildsr.{name}" in files


def test_the_libraries_are_named_with_their_versions() -> None:
    found = json.loads(libraries())
    assert found["numpy"] == np.__version__
    assert {"openvino", "pyvips-binary", "pillow"} <= set(found)


def test_another_librarys_scores_are_not_taken(
    tmp_path: Path, store: Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    save(tmp_path / "a.png", scene(24, 32))
    measured: list[str] = []

    def count(path: Path) -> DecodedPicture:
        measured.append(path.name)
        return load(path)

    monkeypatch.setattr(scores, "load", count)
    picture = TestPicture(name="a.png", hr=tmp_path / "a.png")
    for version in ("1", "1", "2"):
        monkeypatch.setattr(scores, "libraries", lambda version=version: version)
        score(tmp_path / "a.png", picture, ["psnr"], border=0, crop=False, store=store)
    assert measured == ["a.png"] * 4  # result and ground truth, twice
