"""Dots per inch: those of the source in every format, the same wherever the file states them, none invented."""

import io
import struct
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from tests.imaging.make import exif_block, jpeg, png, tiff
from wildsr import imaging
from wildsr.errors import UsageError
from wildsr.imaging.formats import FORMATS
from wildsr.imaging.metadata import Resolution, whole_dpi
from wildsr.imaging.metadata.exif import edited, resolution_of
from wildsr.imaging.metadata.geometry import Change

PIXELS = np.random.default_rng(5).integers(0, 256, (24, 32, 3), dtype=np.uint8)
ENDINGS = [form.extensions[0] for form in FORMATS.values()]
SAME = Change(before=None, after=(32, 24))


def exif_with(x: float, y: float, *, orientation: int = 1) -> bytes:
    block = exif_block(orientation, gps=False, prefix=False)
    made = edited(block, SAME, resolution=Resolution(x=x, y=y), add_resolution=True)[0]
    upright, turned = (struct.pack("<HHIHH", 0x0112, 3, 1, one, 0) for one in (1, orientation))
    return made.replace(upright, turned)


def jfif(unit: int, x: int, y: int) -> bytes:
    """Return a JPEG whose own JFIF segment states a density."""
    data = bytearray(jpeg(PIXELS))
    data[13:18] = struct.pack(">BHH", unit, x, y)
    return bytes(data)


def with_exif(data: bytes, block: bytes) -> bytes:
    payload = b"Exif\0\0" + block
    return data[:20] + struct.pack(">BBH", 0xFF, 0xE1, len(payload) + 2) + payload + data[20:]


def phys(x: int, y: int, unit: int = 1) -> bytes:
    return png(PIXELS, 2, chunks=[(b"pHYs", struct.pack(">IIB", x, y, unit))])


def bitmap(dpi: float) -> bytes:
    out = io.BytesIO()
    Image.fromarray(PIXELS).save(out, "BMP", dpi=(dpi, dpi))
    return out.getvalue()


def tiff_with(unit: int, x: tuple[int, int], y: tuple[int, int]) -> bytes:
    return tiff(PIXELS, 2, tags={282: (5, x), 283: (5, y), 296: (3, (unit,))})


SOURCES: dict[str, tuple[bytes, tuple[float, float] | None]] = {
    "jfif inches": (jfif(1, 300, 300), (300, 300)),
    "jfif centimetres": (jfif(2, 118, 118), (299.72, 299.72)),
    "jfif uneven": (jfif(1, 204, 98), (204, 98)),
    "jfif ratio only": (jfif(0, 2, 1), None),
    "jfif zero": (jfif(1, 0, 0), None),
    "jfif and exif": (with_exif(jfif(1, 300, 300), exif_with(300, 300)), (300, 300)),
    "exif only": (with_exif(jfif(0, 1, 1), exif_with(240, 240)), (240, 240)),
    "jfif's default beside exif": (with_exif(jfif(1, 72, 72), exif_with(240, 240)), (240, 240)),
    "jfif beside exif's default": (with_exif(jfif(1, 300, 300), exif_with(72, 72)), (300, 300)),
    "turned": (with_exif(jfif(1, 204, 98), exif_with(204, 98, orientation=6)), (98, 204)),
    "phys": (phys(11811, 11811), (300, 300)),
    "phys 72": (phys(2835, 2835), (72, 72)),
    "phys ratio only": (phys(2, 1, 0), None),
    "phys beyond sense": (phys(2**32 - 1, 1), None),
    "nothing": (png(PIXELS, 2), None),
    "tiff inches": (tiff_with(2, (600, 1), (600, 1)), (600, 600)),
    "tiff centimetres": (tiff_with(3, (100, 1), (50, 1)), (254, 127)),
    "tiff no unit": (tiff_with(1, (1, 1), (1, 1)), None),
    "tiff zero": (tiff_with(2, (1, 0), (1, 0)), None),
    "bmp": (bitmap(96), (96, 96)),
}


def stated(path: Path) -> list[tuple[float, float]]:
    """Return every resolution a file states, by another reader and by its bytes."""
    data, found = path.read_bytes(), []
    with Image.open(path) as image:
        dpi = image.info.get("dpi")
        exif = image.getexif()
    if path.suffix in (".png", ".tif") and dpi:
        found.append((float(dpi[0]), float(dpi[1])))
    if path.suffix == ".jpg" and data[2:4] == b"\xff\xe0":
        unit, x, y = struct.unpack(">BHH", data[13:18])
        factor = {0: 0.0, 1: 1.0, 2: 2.54}[unit]
        found += [(x * factor, y * factor)] if factor else []
    if path.suffix != ".tif" and (0x011A in exif or 0x0128 in exif):
        assert exif[0x0128] == 2
        found.append((float(exif[0x011A]), float(exif[0x011B])))
    return found


@pytest.mark.parametrize("ending", ENDINGS)
@pytest.mark.parametrize("name", SOURCES)
def test_dpi_stay_and_agree_or_none_is_stated(name: str, ending: str, tmp_path: Path) -> None:
    data, expected = SOURCES[name]
    (tmp_path / "a").write_bytes(data)
    picture = imaging.read(tmp_path / "a")
    found = picture.metadata.resolution
    assert (found and (found.x, found.y)) == (expected and pytest.approx(expected, abs=0.01))
    target = tmp_path / f"out{ending}"
    imaging.write(picture, target)
    all_stated = stated(target)
    if expected is None:
        assert all_stated == []
    else:
        assert all_stated
        for one in all_stated:
            assert one == pytest.approx(expected, abs=0.02)
    again = imaging.read(target).metadata.resolution
    assert (again and (again.x, again.y)) == (expected and pytest.approx(expected, abs=0.02))


def test_stripping_leaves_no_dpi(tmp_path: Path) -> None:
    (tmp_path / "a").write_bytes(SOURCES["phys"][0])
    for ending in ENDINGS:
        target = tmp_path / f"out{ending}"
        imaging.write(imaging.read(tmp_path / "a"), target, options=imaging.WriteOptions(strip_metadata=True))
        assert stated(target) == []


@pytest.mark.parametrize("dpi", [1, 72, 96, 300, 1200, 9600])
def test_whole_dpi_survive_dots_per_metre(dpi: int) -> None:
    assert whole_dpi(round(dpi / 0.0254) * 0.0254) == dpi
    assert whole_dpi(299.72) == 299.72


@pytest.mark.parametrize("dpi", [0, -1, float("nan"), float("inf"), 1e9])
def test_a_resolution_without_sense_is_refused(dpi: float) -> None:
    with pytest.raises(UsageError, match="dots per inch"):
        Resolution(x=dpi, y=300)
    assert Resolution.found(dpi, 300) is None


def test_exif_states_what_it_is_told_in_either_order() -> None:
    for order in "<>":
        block = exif_block(order=order, gps=False, prefix=False)
        assert resolution_of(block) is None
        after = edited(block, SAME, resolution=Resolution(x=299.72, y=10), add_resolution=True)[0]
        found = resolution_of(after)
        assert found is not None
        assert (found.x, found.y) == pytest.approx((299.72, 10))
        assert resolution_of(edited(after, SAME, resolution=None)[0]) is None
        assert edited(after, SAME, resolution=found)[0] == after
