"""Metadata on the whole way of the command: what is left out or can't be judged is said, in words and in JSON."""

import json
import struct
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from tests.cli.invoke import invoke
from tests.engine.tiny import save, tiny_compact
from tests.imaging.make import exif_block, iptc_dataset, jpeg, photoshop, png, xmp_packet
from wildsr.models import ModelSpec
from wildsr.models.onnx_file import embed_spec

PIXELS = np.random.default_rng(8).integers(0, 256, (18, 24, 3), dtype=np.uint8)
APP1_XMP = b"http://ns.adobe.com/xap/1.0/\0"
INDEX = b"II*\0" + struct.pack("<IHHHIII", 8, 1, 0xB001, 4, 1, 2, 0)


@pytest.fixture(scope="module")
def model(tmp_path_factory: pytest.TempPathFactory) -> Path:
    spec = ModelSpec(id="tiny", architecture="graph", scale=4, halo=6, halo_exact=6)
    return save(embed_spec(tiny_compact(), spec), tmp_path_factory.mktemp("model") / "tiny.onnx")


@pytest.fixture(autouse=True)
def here(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("WILDSR_CACHE", str(tmp_path.parent / "cache"))
    monkeypatch.setenv("WILDSR_OFFLINE", "1")
    return tmp_path


def animation(form: str) -> bytes:
    frames = [Image.fromarray(np.full((18, 24, 3), shade, np.uint8)) for shade in (40, 200)]
    path = Path("made." + form)
    frames[0].save(path, save_all=True, append_images=frames[1:])
    data = path.read_bytes()
    path.unlink()
    return data


GAIN_MAP = xmp_packet("", ' h:Version="1.0"', h="http://ns.adobe.com/hdr-gain-map/1.0/")
LEFT_OUT = {
    "mpo.jpg": "only the first of 2 pictures in the file was read (MPO)",
    "gain.jpg": "its HDR gain map was left out; what is read is its SDR picture",
    "anim.gif": "only the first of 2 frames was read",
    "anim.webp": "only the first of 2 frames was read",
    "anim.png": "only the first of 2 frames was read",
    "anim.avif": "only the first of 2 frames was read",
    "pages.tif": "only the first of 2 pages was read",
}


@pytest.mark.parametrize("name", LEFT_OUT)
def test_what_is_left_out_is_said_in_words_and_in_json(name: str, model: Path) -> None:
    if name == "mpo.jpg":
        data = jpeg(PIXELS, segments=[(0xE2, b"MPF\0" + INDEX)], behind=jpeg(PIXELS))
    elif name == "gain.jpg":
        data = jpeg(PIXELS, segments=[(0xE1, APP1_XMP + GAIN_MAP)], behind=jpeg(PIXELS))
    else:
        data = animation(name.partition(".")[2])
    Path(name).write_bytes(data)
    done = invoke("upscale", name, "-m", model, "-o", "out.png", "--json")
    assert done.code == 0
    (result,) = json.loads(done.out)["results"]
    assert result["notes"] == [LEFT_OUT[name]]
    told = invoke("upscale", name, "-m", model, "-o", "out2.png")
    assert LEFT_OUT[name] in " ".join(told.err.split())


def test_strip_gps_says_what_it_can_not_judge(model: Path) -> None:
    records = iptc_dataset(2, 90, b"Munich") + iptc_dataset(2, 120, b"a caption")
    segments = [(0xE1, exif_block()), (0xED, photoshop(records))]
    Path("a.jpg").write_bytes(jpeg(PIXELS, segments=segments))
    done = invoke("upscale", "a.jpg", "-m", model, "-o", "out.jpg", "--strip-gps", "--json")
    (result,) = json.loads(done.out)["results"]
    assert result["notes"] == [
        "whether these name the place can't be judged, and they were kept: EXIF MakerNote, IPTC caption"
    ]
    data = Path("out.jpg").read_bytes()
    assert b"Munich" not in data
    assert b"a caption" in data
    for form in ("webp", "avif"):  # hold no IPTC: what was left out was not kept
        done = invoke("upscale", "a.jpg", "-m", model, "-o", f"out.{form}", "--strip-gps", "--json")
        (result,) = json.loads(done.out)["results"]
        assert result["notes"] == [
            "whether these name the place can't be judged, and they were kept: EXIF MakerNote"
        ]
        assert result["dropped"] == ["IPTC"]


def test_numbers_of_pixels_and_dpi_are_those_of_the_result(model: Path) -> None:
    """The scale comes from the command, the turn from EXIF, the dpi from the file."""
    panorama = xmp_packet(
        "",
        ' p:FullPanoWidthPixels="48" p:ProjectionType="equirectangular"',
        p="http://ns.google.com/photos/1.0/panorama/",
    )
    chunks = [
        (b"pHYs", struct.pack(">IIB", 11811, 11811, 1)),
        (b"iTXt", b"XML:com.adobe.xmp\0\0\0\0\0" + panorama),
    ]
    Path("a.png").write_bytes(png(PIXELS, 2, chunks=chunks))
    for scale, width in (("4", 192), ("2", 96), ("3", 144)):
        invoke("upscale", "a.png", "-m", model, "-s", scale, "-o", "out.jpg", "--overwrite")
        assert f'p:FullPanoWidthPixels="{width}"'.encode() in Path("out.jpg").read_bytes()
        with Image.open("out.jpg") as image:
            assert image.info["dpi"] == (300, 300)
            assert image.size == (24 * int(scale), 18 * int(scale))
