"""What fuzzing found, each as the smallest input that shows it.

The input is made from a seed by a stated change, so that it says what was wrong with it.
"""

from collections.abc import Callable
from pathlib import Path

import numpy as np
import onnx
import pytest

from tests.engine.tiny import tiny_compact
from tests.fuzz.model_seeds import SPEC
from tests.fuzz.picture_seeds import exif, pixels, saved
from tests.fuzz.targets import TARGETS
from tests.imaging.make import exif_block
from wildsr.errors import InputError, ModelError
from wildsr.imaging import WriteOptions, icc, read, write
from wildsr.imaging.metadata import exif as exif_reading
from wildsr.models import load_model
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
    assert str(error) == "a\\x1b[31m\\x7f\\xff写\nb"
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


def attribute(model: onnx.ModelProto, kind: str, name: str) -> onnx.AttributeProto:
    node = next(node for node in model.graph.node if node.op_type == kind)
    return next(one for one in node.attribute if one.name == name)


BROKEN_GRAPHS = {
    # The walk through the graph took attributes as the specification has them: KeyError, TypeError, ValueError.
    "no-such-mode": lambda model: setattr(attribute(model, "Resize", "mode"), "s", b"n[arest"),
    "pads-without-a-type": lambda model: setattr(attribute(model, "Conv", "pads"), "type", 0),
    "pads-of-one-axis": lambda model: attribute(model, "Conv", "pads").ints.__delitem__(slice(1, None)),
    "blocksize-without-a-type": lambda model: setattr(
        attribute(model, "DepthToSpace", "blocksize"), "type", 0
    ),
    "blocksize-of-zero": lambda model: setattr(attribute(model, "DepthToSpace", "blocksize"), "i", 0),
}


@pytest.mark.parametrize("name", sorted(BROKEN_GRAPHS))
def test_attributes_that_do_not_fit_are_named_errors(name: str, tmp_path: Path) -> None:
    model = tiny_compact(scale=2, width=2, depth=1)
    BROKEN_GRAPHS[name](model)
    path = tmp_path / "model.onnx"
    path.write_bytes(model.SerializeToString())
    with pytest.raises(ModelError, match=r"don't fit|damaged|can't be read"):
        load_model(path)


@pytest.mark.parametrize("name", [b"DepthToSpace", b"lr", b"c0", b"mode", b"tiny"])
def test_names_that_are_no_text_are_named_errors(name: bytes, tmp_path: Path) -> None:
    """Protobuf hands out bytes for a string that is no UTF-8, which has none of a string's methods."""
    whole = tiny_compact(scale=2, width=2, depth=1).SerializeToString()
    assert name in whole
    path = tmp_path / "model.onnx"
    path.write_bytes(whole.replace(name, b"\xff" + name[1:]))
    with pytest.raises(ModelError, match="no text"):
        load_model(path)


@pytest.mark.parametrize("broken", [b"xurv", b"para\0\0\0\0\0\x09", b"curv\0\0\0\0\0\0\xff\xff"])
@pytest.mark.parametrize("channel", [b"rTRC", b"gTRC", b"bTRC"])
def test_a_profile_with_one_broken_curve_is_ignored(channel: bytes, broken: bytes, tmp_path: Path) -> None:
    """The first curve, unlike sRGB's, settled that the picture is converted; the broken one was met only then."""
    good = icc.rgb_profile("linear", icc.SRGB_PRIMARIES, icc.gamma_curve(1.0))
    profile = icc.parse(good)
    tags = [
        (name, broken.ljust(16, b"\0") if name == channel else data) for name, data in profile.tags.items()
    ]
    path = tmp_path / "photo.png"
    path.write_bytes(saved(pixels("RGB", 9, 9), "PNG", icc_profile=icc._profile(b"RGB ", tags)))
    picture = read(path)
    assert any("ignored" in note for note in picture.notes)
    assert (picture.rgb * 255 == np.asarray(pixels("RGB", 9, 9))).all()


def test_a_curve_that_runs_beyond_every_number_is_clipped() -> None:
    steep = b"para\0\0\0\0\0\x03\0\0" + b"".join(
        int(v * 65536).to_bytes(4, "big", signed=True) for v in (99, 32767, 0, 1, 0)
    )
    assert icc.tone(steep, np.array([0.0, 0.5, 1.0])).tolist() == [0, 1, 1]


def test_a_place_that_lies_over_the_header_takes_no_broken_exif_along(tmp_path: Path) -> None:
    """A GPS value that claimed the block's first bytes was blanked, and with it what makes the block readable."""
    block = bytearray(exif_block(1, prefix=False))
    longitude = block.index(bytes.fromhex("0400 0500 0300 0000".replace(" ", "")))
    block[longitude + 8 : longitude + 12] = (0).to_bytes(4, "little")
    source, target = tmp_path / "photo.png", tmp_path / "photo.jpg"
    source.write_bytes(saved(pixels("RGB", 9, 9), "PNG", exif=bytes(block)))
    write(read(source), target, options=WriteOptions(strip_gps=True))
    written = read(target).metadata.exif
    assert written is None or exif_reading.orientation_of(written) == 1
    assert read(target).notes == ()
    assert bytes.fromhex("2e160000") not in target.read_bytes()  # 56.78 seconds
