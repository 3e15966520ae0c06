"""What counts as other settings when a run wants to go on with an earlier one's results."""

import json

import pytest

from wildsr.files.resume import differences


@pytest.mark.parametrize(
    ("recorded", "now"),
    [
        ({"a": 1, "b": [1, 2.0]}, {"b": [1.0, 2], "a": 1.0}),
        ({"a": {"x": 1, "y": None}}, {"a": {"y": None, "x": 1.0}}),
        ({"a": (1 << 60) + 1}, {"a": (1 << 60) + 1}),
    ],
)
def test_numbers_are_compared_by_value(recorded: dict[str, object], now: dict[str, object]) -> None:
    assert differences(json.loads(json.dumps(recorded)), now) == []


@pytest.mark.parametrize(
    ("recorded", "now", "said"),
    [
        ({"a": 1}, {"a": True}, ["a was 1, now true"]),
        ({"a": "2"}, {"a": 2}, ['a was "2", now 2']),
        ({"a": 1}, {}, ["a was 1, now not set"]),
        ({"a": 1 << 60}, {"a": (1 << 60) + 1}, [f"a was {1 << 60}, now {(1 << 60) + 1}"]),
        ({"b": 1, "a": [0]}, {"b": 2, "a": [0.5]}, ["a was [0], now [0.5]", "b was 1, now 2"]),
        ({"e\x1b": 1}, {"e\x1b": 2}, ["e\\x1b was 1, now 2"]),
    ],
)
def test_what_differs_is_said(recorded: dict[str, object], now: dict[str, object], said: list[str]) -> None:
    assert differences(recorded, now) == said


def test_names_may_be_left_out() -> None:
    assert differences({"a": 1, "b": 1}, {"a": 2, "b": 2}, ignored={"a"}) == ["b was 1, now 2"]
