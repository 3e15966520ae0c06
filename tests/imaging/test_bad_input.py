"""Every bad picture file gives a result or a named error (USERS.md's last paragraph), by name."""

import re
from pathlib import Path

import numpy as np
import pytest

from tests.imaging.nasty import NASTY, Nasty
from wildsr import imaging
from wildsr.errors import InputError


def _made(case: Nasty, folder: Path) -> Path:
    path = Path(f"{folder}/{case.file_name}")
    try:
        case.write(path)
    except OSError as error:  # pragma: no cover - a file system that refuses the name
        pytest.skip(f"this file system can't hold the file: {error}")
    return path


@pytest.mark.parametrize("name", NASTY)
def test_gives_a_result_or_a_named_error(name: str, tmp_path: Path) -> None:
    case = NASTY[name]
    path = _made(case, tmp_path)
    if case.outcome != "result":
        with pytest.raises(case.outcome, match=re.compile(case.says or ".")) as raised:
            imaging.open_source(path)
        assert "\0" not in str(raised.value)
        return
    source = imaging.open_source(path)
    if case.size:
        assert (source.width, source.height) == case.size
    assert source.samples.dtype in (np.uint8, np.uint16)
    if case.says:
        assert any(re.search(case.says, note) for note in source.notes), source.notes
    header = imaging.probe(path)
    assert (header.width, header.height) == (source.width, source.height)
    assert (header.channels, header.depth) == (source.channels, source.depth)


@pytest.mark.parametrize("name", [n for n, c in NASTY.items() if c.outcome != "result"])
def test_error_names_the_file(name: str, tmp_path: Path) -> None:
    case = NASTY[name]
    path = _made(case, tmp_path)
    with pytest.raises(InputError) as raised:
        imaging.read(path)
    shown = case.file_name.replace("\0", "\\x00")
    assert shown in str(raised.value)


def test_table_is_complete() -> None:
    assert len(NASTY) >= 100
    asked = (
        "truncated corrupt wrong_extension animated cmyk palette one_bit lab sixteen_bit gray_alpha zero_byte"
    )
    for kind in (*asked.split(), "one_by_one", "wide_65500", "bomb", "link_loop", "nul_in_name"):
        assert any(kind in name for name in NASTY), kind


@pytest.mark.parametrize("hostile", ["../../etc/passwd", "a/../../b.png"])
def test_dots_in_names_are_only_names(hostile: str, tmp_path: Path) -> None:
    with pytest.raises(InputError):
        imaging.read(tmp_path / hostile)
