"""What fuzzing found, each as the smallest input that shows it.

The input is made from a seed by a stated change, so that it says what was wrong with it.
"""

from collections.abc import Callable
from pathlib import Path

import onnx
import pytest

from tests.engine.tiny import tiny_compact
from tests.fuzz.model_seeds import SPEC
from tests.fuzz.picture_seeds import exif, pixels, saved
from tests.fuzz.targets import TARGETS
from wildsr.errors import InputError
from wildsr.imaging import read, write
from wildsr.models.onnx_file import embed_spec

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


def edited_model(change: Callable[[onnx.ModelProto], object]) -> bytes:
    """Return a tiny model that carries a description, changed in one place."""
    model = embed_spec(tiny_compact(scale=2, width=2, depth=1), SPEC)
    change(model)
    return model.SerializeToString()


def first_pads(model: onnx.ModelProto) -> list[int]:
    return next(a for a in model.graph.node[0].attribute if a.name == "pads").ints


CASES |= {
    # OpenVINO's complaint quoted the damaged attribute, and pybind could not make text of it: UnicodeDecodeError.
    "onnx-attribute-that-is-no-text": (
        "onnx",
        edited_model(lambda model: None).replace(b"asymmetric", b"as\x8fmmetric"),
    ),
    # The two branches differ in size: OpenVINO returned an empty result, whose minimum was a ValueError.
    "onnx-branches-of-other-sizes": ("onnx", edited_model(lambda m: first_pads(m).__setitem__(2, 5))),
    # The result has one dimension: onnx's own InferenceError came out of the memory estimate.
    "onnx-result-of-another-rank": (
        "onnx",
        edited_model(lambda m: m.graph.node[-1].input.__setitem__(0, m.graph.initializer[1].name)),
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


def test_a_picture_with_no_text_in_its_error_does_not_spoil_the_next(tmp_path: Path) -> None:
    """libvips quotes bytes of a damaged file; pyvips choked on them, here and on every later picture."""
    healthy, damaged = tmp_path / "healthy.webp", tmp_path / "damaged.avif"
    healthy.write_bytes(saved(pixels("RGB", 9, 9), "WEBP"))
    turned = saved(pixels("RGB", 9, 9), "AVIF", exif=exif(5))  # has an essential property `imir`
    damaged.write_bytes(turned.replace(b"imir", b"\x97\xa6ir"))
    with pytest.raises(InputError):
        read(damaged)
    assert read(healthy).width == 9
    write(read(healthy), tmp_path / "again.webp")
