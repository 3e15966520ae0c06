"""A file seen with bytes replaced equals the bytes with the same replacements, however it is read."""

import io

import pytest
from hypothesis import given
from hypothesis import strategies as st

from wildsr.imaging.edited_file import EditedFile

Edits = list[tuple[int, int, bytes]]


@st.composite
def cases(draw: st.DrawFn) -> tuple[bytes, Edits, bytes]:
    """Return a file, edits, and what is to be seen."""
    data = draw(st.binary(max_size=60))
    cuts = sorted(draw(st.lists(st.integers(0, len(data)), max_size=8, unique=True)))
    edits = [(a, b, draw(st.binary(max_size=6))) for a, b in zip(cuts[::2], cuts[1::2], strict=False)]
    seen, at = b"", 0
    for start, stop, new in edits:
        seen += data[at:start] + new
        at = stop
    return data, edits, seen + data[at:]


@given(cases(), st.lists(st.integers(0, 9), max_size=30))
def test_reading_in_any_steps(case: tuple[bytes, Edits, bytes], steps: list[int]) -> None:
    data, edits, seen = case
    file, plain = EditedFile(io.BytesIO(data), edits), io.BytesIO(seen)
    for step in steps:
        assert file.read(step) == plain.read(step)
    assert file.read() == plain.read()
    assert file.read(5) == b""


@given(cases(), st.data())
def test_reading_from_anywhere(case: tuple[bytes, Edits, bytes], draws: st.DataObject) -> None:
    data, edits, seen = case
    file, plain = EditedFile(io.BytesIO(data), edits), io.BytesIO(seen)
    for _ in range(6):
        offset = draws.draw(st.integers(0, len(seen) + 3))
        assert file.seek(offset) == plain.seek(offset)
        assert file.read(4) == plain.read(4)
    assert file.seek(0, io.SEEK_END) == len(seen)
    assert file.seek(0, io.SEEK_CUR) == len(seen)


def test_no_offset_before_the_beginning() -> None:
    with pytest.raises(ValueError, match="-1"):
        EditedFile(io.BytesIO(b"abc"), []).seek(-1)


def test_a_file_that_became_shorter_ends_there() -> None:
    plain = io.BytesIO(b"0123456789")
    file = EditedFile(plain, [(2, 4, b"xy")])
    plain.truncate(6)
    assert file.read(10) == b"01xy45"
