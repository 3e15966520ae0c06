"""TOML from anybody: an error that names the file, in steps that follow its size."""

import sys
from pathlib import Path
from types import FrameType

import pytest

from wildsr.errors import UsageError
from wildsr.files.toml import parsed_toml, read_toml


def test_ordinary_settings_are_read(tmp_path: Path) -> None:
    text = 'seed = 3\n[data]\nhr = "../photos/a.b.c/d.e.f"\nweights = [0.1, 0.2, 0.25]\nloss.pixel.weight = 1.5\n'
    (tmp_path / "a.toml").write_text(text)
    assert read_toml(tmp_path / "a.toml") == {
        "seed": 3,
        "data": {
            "hr": "../photos/a.b.c/d.e.f",
            "weights": [0.1, 0.2, 0.25],
            "loss": {"pixel": {"weight": 1.5}},
        },
    }


HOSTILE = {
    "a key of a hundred thousand parts": ".".join("a" * 100_000) + " = 1",
    "the same in a table": "x = {" + ".".join("a" * 100_000) + " = 1}",
    "as a table's name": "[" + ".".join("a" * 100_000) + "]",
    "with quotes": ".".join(['"a,"'] * 50_000) + " = 1",
    "a number of ten thousand digits": "x = " + "9" * 10_000,
    "lists in lists": "x = " + "[" * 100_000 + "]" * 100_000,
    "no UTF-8": b"x = '\xff'",
    "no TOML": "x =",
    "half a megabyte": "#" * (1 << 19),
}


@pytest.mark.parametrize("name", HOSTILE)
def test_hostile_files_are_named(tmp_path: Path, name: str) -> None:
    text = HOSTILE[name]
    (tmp_path / "a.toml").write_bytes(text if isinstance(text, bytes) else text.encode())
    with pytest.raises(UsageError, match=r"a\.toml"):
        read_toml(tmp_path / "a.toml")


def test_deep_keys_never_reach_the_parser() -> None:
    lines = 0

    def count(frame: FrameType, event: str, _: object) -> object:
        nonlocal lines
        lines += event == "line"
        return count

    before = sys.gettrace()
    sys.settrace(count)  # type: ignore[arg-type]
    try:
        with pytest.raises(ValueError, match="more than 20 parts"):
            parsed_toml(".".join("a" * 100_000) + " = 1")
    finally:
        sys.settrace(before)
    assert lines < 5_000


@pytest.mark.parametrize("parts", [20, 21, 22])
def test_twenty_parts_are_allowed(parts: int) -> None:
    text = ".".join(["ab"] * parts) + " = 1"
    if parts <= 20:
        assert "ab" in parsed_toml(text)
    else:
        with pytest.raises(ValueError, match="more than 20 parts"):
            parsed_toml(text)
