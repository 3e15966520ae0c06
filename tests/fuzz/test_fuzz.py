"""A few seconds of every fuzz target in each test run: seeds, and mutations that are the same every time.

`run.py` beside this file does the same for hours.
"""

import random

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from tests.fuzz.seeds import SEEDS, repaired
from tests.fuzz.targets import TARGETS

SLOW = ("directories", "metadata", "repeated", "ncnn", "onnx", "upscale")  # what is accepted runs a network

# The targets assert too; a test without an assertion of its own passes when they don't raise.


def test_every_target_has_seeds() -> None:
    assert set(TARGETS) == set(SEEDS)
    assert all(len(make()) >= 4 for make in SEEDS.values())


@pytest.mark.parametrize("target", sorted(TARGETS))
def test_seeds_pass(target: str) -> None:
    for seed in SEEDS[target]():
        TARGETS[target](seed)


@pytest.mark.parametrize("target", sorted(TARGETS))
def test_every_cut_of_a_seed_is_an_answer(target: str) -> None:
    dice = random.Random(1)
    for seed in SEEDS[target]():
        for length in {0, 1, len(seed) - 1, dice.randrange(len(seed)), dice.randrange(len(seed))}:
            TARGETS[target](seed[:length])


def mutations(target: str) -> st.SearchStrategy[bytes]:
    """Return a strategy of seeds with a few places changed, cut out or repeated."""
    change = st.tuples(
        st.sampled_from(["flip", "set", "cut", "repeat", "insert", "grow"]),
        st.floats(0, 1),
        st.integers(0, 255),
    )
    return st.builds(mutated, st.sampled_from(SEEDS[target]()), st.lists(change, max_size=5), st.booleans())


def mutated(seed: bytes, changes: list[tuple[str, float, int]], repair: bool) -> bytes:
    """Return a seed with changes made to it."""
    data = bytearray(seed)
    for kind, where, value in changes:
        at = int(where * max(0, len(data) - 1))
        if kind == "flip" and data:
            data[at] ^= 1 << (value % 8)
        elif kind == "set" and data:
            data[at] = value
        elif kind == "cut":
            del data[at : at + value // 8 + 1]
        elif kind == "repeat":
            data[at:at] = data[at : at + value]
        elif kind == "insert":
            data[at:at] = bytes([value]) * (value % 7 + 1)
        elif kind == "grow":
            data[at : at + 4] = b"\xff" * 4
    return repaired(bytes(data)) if repair else bytes(data)


@pytest.mark.parametrize("target", sorted(TARGETS))
def test_mutated_seeds_are_answered(target: str) -> None:
    examples = 40 if target in SLOW else 120

    @settings(max_examples=examples, deadline=None, derandomize=True, suppress_health_check=list(HealthCheck))
    @given(mutations(target))
    def check(data: bytes) -> None:
        TARGETS[target](data)

    check()
