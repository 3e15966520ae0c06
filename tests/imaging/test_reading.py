"""Reading: what a file is, how it lies, what Netpbm means, many at once."""

import subprocess
import sys
import threading
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from PIL import Image

from tests.imaging.make import exif_block
from tests.imaging.nasty import FORMS, NASTY, form_bytes, photo
from wildsr import imaging
from wildsr.errors import InputError
from wildsr.files.extensions import READABLE
from wildsr.files.signatures import sniff
from wildsr.imaging.opening import display_name
from wildsr.imaging.sniff import stated_size


def test_every_format_is_told_by_its_first_bytes() -> None:
    for form in FORMS:
        assert sniff(form_bytes(form)[:64]) == form.lower()
    assert sniff(b"P6 1 1 255\n") == "pnm"
    assert sniff(b"P6x") is None
    assert sniff(b"") is None
    assert sniff(b"\0\0\0\x18ftypheic\0\0\0\0mif1heic") == "heic"
    assert sniff(b"\0\0\0\x1cftypmif1\0\0\0\0mif1avifmiaf") == "avif"


def test_sizes_stated_early_are_right() -> None:
    for form in ("PNG", "GIF", "BMP"):
        assert stated_size(form.lower(), form_bytes(form)[:64]) == (96, 64)
    assert stated_size("jpeg", form_bytes("JPEG")[:64]) is None


@settings(max_examples=300, deadline=None)
@given(st.binary(max_size=64))
def test_sniffing_never_fails(head: bytes) -> None:
    form = sniff(head)
    assert form is None or form in (*READABLE, "jxl", "jp2", "pfm")
    if form:
        stated_size(form, head)


def test_names_are_always_printable() -> None:
    assert display_name("/a/b.png") == "b.png"
    assert display_name("a\x1b[31m\n.png") == "a\\x1b[31m\\n.png"
    display_name("caf\udce9.png").encode("utf-8")


def test_probe_decodes_nothing(tmp_path: Path) -> None:
    """A file whose pixels are all missing still has a header."""
    data = form_bytes("PNG")
    (tmp_path / "a.png").write_bytes(data[: data.index(b"IDAT") + 4])
    header = imaging.probe(tmp_path / "a.png")
    assert (header.width, header.height, header.channels, header.depth) == (96, 64, 3, 8)
    with pytest.raises(InputError):
        imaging.read(tmp_path / "a.png")


@pytest.mark.parametrize("form", ["JPEG", "PNG", "WEBP", "TIFF"])
@pytest.mark.parametrize("turn", range(1, 9))
def test_probe_gives_the_size_as_looked_at(form: str, turn: int, tmp_path: Path) -> None:
    exif = Image.Exif()
    exif[0x0112] = turn
    path = tmp_path / f"a{FORMS[form]}"
    Image.fromarray(photo()).save(path, exif=exif)
    header = imaging.probe(path)
    assert header.orientation == turn
    assert (header.width, header.height) == ((64, 96) if turn >= 5 else (96, 64))
    picture = imaging.read(path)
    assert (picture.width, picture.height) == (header.width, header.height)


def test_orientation_in_avif_is_the_containers(tmp_path: Path) -> None:
    """EXIF says turned, the container does not: the container is right (ISO/IEC 23008-12)."""
    exif = exif_block(6)
    Image.fromarray(photo()).save(tmp_path / "a.avif", exif=exif)
    data = (tmp_path / "a.avif").read_bytes()
    with Image.open(tmp_path / "a.avif") as image:
        pillow = image.size
    picture = imaging.read(tmp_path / "a.avif")
    assert (picture.width, picture.height) == ((64, 96) if b"irot" in data else (96, 64))
    assert picture.metadata.exif is not None
    assert pillow in ((64, 96), (96, 64))


@pytest.mark.parametrize("maximum", [1, 9, 255, 1000, 65535])
def test_netpbm_values_are_scaled_by_their_maximum(maximum: int, tmp_path: Path) -> None:
    values = np.linspace(0, maximum, 12).round().astype(int).reshape(2, 2, 3)
    width = "B" if maximum < 256 else ">u2"
    raw = b"P6\n# made by hand\n2 2\n%d\n" % maximum + values.astype(width).tobytes()
    plain = b"P3 2 2 # size\n%d\n" % maximum + " ".join(map(str, values.ravel())).encode()
    for name, data in (("raw.ppm", raw), ("plain.ppm", plain)):
        (tmp_path / name).write_bytes(data)
        picture = imaging.read(tmp_path / name)
        assert picture.depth == (8 if maximum < 256 else 16)
        assert np.abs(picture.rgb - values / maximum).max() <= 0.51 / (255 if maximum < 256 else 65535)


def test_netpbm_bitmaps_and_pam(tmp_path: Path) -> None:
    (tmp_path / "a.pbm").write_bytes(b"P1\n3 2\n1 0 1\n010\n")
    assert imaging.open_source(tmp_path / "a.pbm").samples[..., 0].tolist() == [[0, 255, 0], [255, 0, 255]]
    (tmp_path / "b.pbm").write_bytes(b"P4\n3 2\n" + bytes([0b10100000, 0b01000000]))
    assert imaging.open_source(tmp_path / "b.pbm").samples[..., 0].tolist() == [[0, 255, 0], [255, 0, 255]]
    head = b"P7\nWIDTH 2\nHEIGHT 1\nDEPTH 4\nMAXVAL 255\nTUPLTYPE RGB_ALPHA\nENDHDR\n"
    (tmp_path / "c.pam").write_bytes(head + bytes(range(8)))
    source = imaging.open_source(tmp_path / "c.pam")
    assert source.has_alpha
    assert source.samples.tolist() == [[[0, 1, 2, 3], [4, 5, 6, 7]]]


def test_premultiplied_tiff_is_made_straight(tmp_path: Path) -> None:
    from tests.imaging.make import tiff

    samples = np.full((4, 4, 4), (50, 100, 25, 128), np.uint8)
    (tmp_path / "a.tif").write_bytes(tiff(samples, 2, extra=(1,)))
    got = imaging.open_source(tmp_path / "a.tif").samples[0, 0]
    np.testing.assert_allclose(got, [99.6, 199.2, 49.8, 128], atol=1)


def test_a_file_that_changes_under_the_reader_is_an_error_not_a_crash(tmp_path: Path) -> None:
    from wildsr.imaging.decoders import decoder

    path = tmp_path / "a.tif"
    path.write_bytes(form_bytes("TIFF"))
    with decoder(path, imaging.Limits()) as opened:
        path.write_bytes(form_bytes("TIFF")[:200])
        with pytest.raises(InputError, match=r"a\.tif"):
            opened.decode()


def test_many_threads_read_and_write_at_once(tmp_path: Path) -> None:
    good = [name for name, case in NASTY.items() if case.outcome == "result" and case.size == (96, 64)]
    bad = [
        name for name, case in NASTY.items() if case.outcome is InputError and name.startswith("truncated")
    ]
    for name in good + bad:
        (tmp_path / name).mkdir()
        NASTY[name].write(tmp_path / name / NASTY[name].file_name)
    before = threading.active_count()

    def work(number: int) -> str:
        name = (good + bad)[number % len(good + bad)]
        path = tmp_path / name / NASTY[name].file_name
        try:
            picture = imaging.read(path)
        except InputError as error:
            return "" if name in bad and NASTY[name].file_name in str(error) else f"{name}: {error}"
        imaging.write(picture, tmp_path / f"{number}.png")
        again = imaging.read(tmp_path / f"{number}.png")
        return "" if name in good and np.array_equal(again.rgb, picture.rgb) else f"{name}: pixels differ"

    with ThreadPoolExecutor(6) as pool:
        assert [trouble for trouble in pool.map(work, range(120)) if trouble] == []
    assert threading.active_count() <= before


@pytest.mark.parametrize("loader", ["svgload_buffer", "csvload", "rawload", "vipsload"])
def test_loaders_nobody_needs_are_blocked(loader: str, tmp_path: Path) -> None:
    from wildsr.imaging.vips import vips

    library = vips()
    svg = b'<svg xmlns="http://www.w3.org/2000/svg" width="9" height="9"/>'
    (tmp_path / "a").write_bytes(b"9 9\n" + svg)
    arguments = [svg] if loader == "svgload_buffer" else [str(tmp_path / "a")]
    arguments += [9, 9, 1] if loader == "rawload" else []
    with pytest.raises(library.Error, match=r"blocked|operation"):
        getattr(library.Image, loader)(*arguments)


def test_importing_loads_no_codec() -> None:
    """libvips and Pillow come with the first picture, not with the import."""
    code = (
        "import sys, wildsr.imaging; print(sorted({'pyvips', 'PIL', 'pi_heif', 'torch'} & set(sys.modules)))"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout == "[]\n"


def test_real_photos_are_read_without_a_note(shared_data: Path) -> None:
    """Strict decoding refuses none of the photos at hand."""
    paths = sorted((shared_data / "photos").glob("*.jpg"))[::10]
    assert len(paths) >= 20
    for path in paths:
        source = imaging.open_source(path)
        assert source.notes == ()
        assert max(source.height, source.width) <= 1280
