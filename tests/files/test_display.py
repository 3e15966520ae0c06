"""File names on a terminal: one printable line, whatever the bytes."""

import os
import unicodedata

from hypothesis import given
from hypothesis import strategies as st

from wildsr.files import shown


def test_scripts_stay_and_control_characters_show() -> None:
    assert shown("写真/Zoë 📷.jpg") == "写真/Zoë 📷.jpg"
    assert shown("a\nb\x1b[31m.png") == r"a\nb\x1b[31m.png"
    assert shown(os.fsdecode(b"caf\xe9.png")) == r"caf\xe9.png"


@given(st.text(st.characters(), max_size=40))
def test_always_printable_and_encodable(text: str) -> None:
    assert all(one.isprintable() or unicodedata.category(one) == "Zs" for one in shown(text))
    shown(text).encode()
