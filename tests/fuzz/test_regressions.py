"""What fuzzing found, each as the smallest input that shows it.

The input is made from a seed by a stated change, so that it says what was wrong with it.
"""

from pathlib import Path

import pytest

from tests.fuzz.seeds import pixels, saved
from tests.fuzz.targets import TARGETS
from wildsr.errors import InputError
from wildsr.imaging import read

AVIF = saved(pixels("RGB", 17, 13), "AVIF")
HEIC_WITHOUT_IMAGE = AVIF.replace(b"avif", b"mif1").replace(b"av1C", b"av2C")

CASES = {
    # pi_heif opens a container whose only item is damaged; asking for its primary image was an IndexError.
    "heic-without-an-image": ("decode", HEIC_WITHOUT_IMAGE),
    # A setting's name with a control character reached the terminal in the refusal.
    "journal-setting-with-a-control-character": (
        "journal",
        b'{"wildsr_journal":1,"settings":{"t\x7file":512}}\n',
    ),
    # The type of an unknown ncnn layer, escape sequences and all, went to the terminal as it was.
    "ncnn-layer-type-with-control-characters": (
        "ncnn",
        b"7767517\n2 2\nInput in 0 1 x\nE\x1b[31m l 1 1 x y\n",
    ),
}


@pytest.mark.parametrize("case", sorted(CASES))
def test_found_by_fuzzing(case: str) -> None:
    target, data = CASES[case]
    TARGETS[target](data)


def test_messages_can_always_be_printed() -> None:
    error = InputError("a\x1b[31m\x7f\udcff写\nb", hint="c\td")
    assert str(error) == "a\\x1b[31m\\x7f\\udcff写\nb"
    assert error.hint == "c\\td"


@pytest.mark.parametrize("sample", [b"300", b"1000000", b"-1", b"1x", b"4294967297"])
def test_plain_samples_that_are_no_values_are_refused(tmp_path: Path, sample: bytes) -> None:
    """Cast to 8 bits they wrapped around, cut to five digits they became other numbers: wrong pictures."""
    path = tmp_path / "plain.pgm"
    path.write_bytes(b"P2\n2 1\n255\n255 " + sample + b"\n")
    with pytest.raises(InputError, match="damaged"):
        read(path)
    path.write_bytes(b"P2\n2 1\n255\n255 0000128\n")
    assert read(path).rgb[0, 1, 0] == pytest.approx(128 / 255)
