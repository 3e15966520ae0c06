"""Numbers of things in words."""

import pytest

from wildsr.files import counted


@pytest.mark.parametrize(
    ("number", "noun", "said"),
    [
        (0, "picture", "0 pictures"),
        (1, "picture", "1 picture"),
        (2, "picture", "2 pictures"),
        (1, "noise patch", "1 noise patch"),
        (3, "noise patch", "3 noise patches"),
        (2, "process", "2 processes"),
    ],
)
def test_a_thing_and_several(number: int, noun: str, said: str) -> None:
    assert counted(number, noun) == said


def test_what_is_said_of_them_agrees() -> None:
    assert counted(1, "job", "is", "are") == "1 job is"
    assert counted(2, "job", "is", "are") == "2 jobs are"
    assert counted(0, "tile", "was", "were") == "0 tiles were"
