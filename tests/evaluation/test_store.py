import math
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from wildsr.errors import InputError, OutputError
from wildsr.evaluation.store import Record, Store, code, content, key_of

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


def test_content_and_code(tmp_path: Path) -> None:
    (tmp_path / "a").write_bytes(b"abc")
    # sha256 of "abc", FIPS 180-4 appendix B.1
    assert content(tmp_path / "a") == "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad"
    with pytest.raises(InputError, match="can't read nothing"):
        content(tmp_path / "nothing")
    assert code("wildsr.metrics") != code("wildsr.imaging")
    assert code("wildsr.metrics") == code("wildsr.metrics")
