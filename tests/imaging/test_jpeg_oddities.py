"""JPEGs with stray bytes or without an end are pictures, with a note; cut ones are not."""

import io
import struct
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from tests.imaging.nasty import encoded, photo
from wildsr import imaging
from wildsr.errors import InputError
from wildsr.imaging.containers.jpeg_frame import read_frame, read_scans

BASELINE = encoded("JPEG", quality=90)
PROGRESSIVE = encoded("JPEG", quality=90, progressive=True)
GRAY = encoded("JPEG", Image.fromarray(photo(channels=1)[..., 0]), quality=90)


def read(data: bytes, folder: Path) -> imaging.Source:
    (folder / "odd.jpg").write_bytes(data)
    return imaging.open_source(folder / "odd.jpg")


def markers(data: bytes) -> list[tuple[int, int]]:
    """Return second byte and offset of each marker up to the first scan."""
    found, at = [], 2
    while True:
        found.append((data[at + 1], at))
        if data[at + 1] == 0xDA:
            return found
        at += 2 + int.from_bytes(data[at + 2 : at + 4], "big")


def scans(data: bytes) -> list[int]:
    """Return the offsets of the markers that begin scans."""
    starts = [markers(data)[-1][1]]
    while (at := data.find(b"\xff\xda", starts[-1] + 2)) >= 0:
        starts.append(at)
    return starts


@pytest.mark.parametrize("junk", [b"\0\0\0", b"abc", b"\xff\xff\xff", b"\xff\0\xff\0", bytes(70_000)])
@pytest.mark.parametrize("whole", [BASELINE, PROGRESSIVE, GRAY], ids=["baseline", "progressive", "gray"])
def test_stray_bytes_before_any_segment(whole: bytes, junk: bytes, tmp_path: Path) -> None:
    wanted = read(whole, tmp_path)
    assert wanted.notes == ()
    for marker, at in markers(whole)[1:]:
        source = read(whole[:at] + junk + whole[at:], tmp_path)
        assert np.array_equal(source.samples, wanted.samples), hex(marker)
        fill = junk == b"\xff\xff\xff"  # a part of the standard
        said = "bytes between its segments that belong to none were passed over"
        assert source.notes == (() if fill else (said,))


def test_stray_bytes_between_scans(tmp_path: Path) -> None:
    wanted = read(PROGRESSIVE, tmp_path)
    for at in scans(PROGRESSIVE)[1:4]:
        before = PROGRESSIVE.rfind(b"\xff\xc4", 0, at)
        source = read(PROGRESSIVE[:before] + b"\0\1\2" + PROGRESSIVE[before:], tmp_path)
        assert np.array_equal(source.samples, wanted.samples)
        assert source.notes in ((), ("it has oddities that cost no pixels",))


def test_a_scan_that_ended_long_before_its_data_is_damage(tmp_path: Path) -> None:
    before = PROGRESSIVE.rfind(b"\xff\xc4", 0, scans(PROGRESSIVE)[2])
    with pytest.raises(InputError, match="extraneous bytes"):
        read(PROGRESSIVE[:before] + b"\x11" * 500 + PROGRESSIVE[before:], tmp_path)


@pytest.mark.parametrize("whole", [BASELINE, PROGRESSIVE, GRAY], ids=["baseline", "progressive", "gray"])
@pytest.mark.parametrize("tail", [b"", b"\xff", b"\0" * 100, b"\0" * 100_000])
def test_a_missing_end_marker(whole: bytes, tail: bytes, tmp_path: Path) -> None:
    source = read(whole[:-2] + tail, tmp_path)
    assert source.notes == ("its end marker is missing; all of its pixels are there",)
    assert np.array_equal(source.samples, read(whole, tmp_path).samples)


@pytest.mark.parametrize("whole", [BASELINE, PROGRESSIVE, GRAY], ids=["baseline", "progressive", "gray"])
@pytest.mark.parametrize("share", [0.5, 0.8, 0.95])
def test_a_cut_file_is_refused_with_an_end_marker_zeros_or_nothing_behind_it(
    whole: bytes, share: float, tmp_path: Path
) -> None:
    cut = whole[: int(len(whole) * share)]
    ends = (
        b"\xff\xd9",
        bytes(3000),
        bytes(3000) + b"\xff",
        bytes(3000) + b"\xff\xd9",
        bytes(80) + b"\xff\xd9",
    )
    for data in (cut, *(cut + end for end in ends)):
        with pytest.raises(InputError, match=r"odd\.jpg is damaged"):
            read(data, tmp_path)


@pytest.mark.parametrize("whole", [BASELINE, PROGRESSIVE, GRAY], ids=["baseline", "progressive", "gray"])
def test_zeros_before_the_end_marker_of_a_whole_picture_cost_nothing(whole: bytes, tmp_path: Path) -> None:
    source = read(whole[:-2] + bytes(3000) + whole[-2:], tmp_path)
    assert len(source.notes) == 1
    assert np.array_equal(source.samples, read(whole, tmp_path).samples)


@pytest.mark.parametrize("at", range(3, 9))
@pytest.mark.parametrize("whole", [BASELINE, GRAY], ids=["baseline", "gray"])
def test_a_lost_sector_is_damage(whole: bytes, at: int, tmp_path: Path) -> None:
    """512 bytes are zeros, as a failing card gives them: libjpeg finds picture in it, and often its way afterwards."""
    start = len(whole) * at // 11
    with pytest.raises(InputError, match=r"odd\.jpg is damaged: zeros stand where its data should be"):
        read(whole[:start] + bytes(512) + whole[start + 512 :], tmp_path)


@pytest.mark.parametrize("progressive", [False, True])
@pytest.mark.parametrize("mode", ["L", "RGB"])
def test_flat_pictures_are_zeros_by_right(mode: str, progressive: bool, tmp_path: Path) -> None:
    """With tables of its own a flat block takes two bits, both zero; 1024 of them need no filling at the end."""
    out = io.BytesIO()
    Image.new(mode, (256, 256), 128).save(out, "JPEG", optimize=True, progressive=progressive)
    flat = out.getvalue()
    assert progressive or bytes(200) in flat
    source = read(flat, tmp_path)
    assert source.notes == ()
    assert np.ptp(source.samples) == 0 or mode == "RGB"


def test_a_progressive_file_cut_between_scans_is_refused(tmp_path: Path) -> None:
    """It decodes without a warning once it has an end marker: to a picture of lower quality."""
    starts = scans(PROGRESSIVE)
    assert len(starts) > 5
    for at in starts[1:]:
        tables = PROGRESSIVE.rfind(b"\xff\xc4", 0, at)
        with pytest.raises(InputError, match="damaged"):
            read(PROGRESSIVE[:tables], tmp_path)


def test_a_progressive_file_without_its_last_scans_is_called_coarse(tmp_path: Path) -> None:
    """Cut between two scans and closed with an end marker it is a sound file, of which libjpeg says nothing."""
    whole = read(PROGRESSIVE, tmp_path)
    assert whole.notes == ()
    for at in scans(PROGRESSIVE)[2:]:
        tables = max(PROGRESSIVE.rfind(b"\xff\xc4", 0, at), PROGRESSIVE.rfind(b"\xff\xda", 0, at))
        source = read(PROGRESSIVE[:tables] + b"\xff\xd9", tmp_path)
        assert source.notes == ("its last scans are missing: it is coarser than it was meant to be",)
        assert (source.samples != whole.samples).any()


def test_scans_are_counted_by_coefficient() -> None:
    for whole in (BASELINE, PROGRESSIVE, GRAY):
        file = io.BytesIO(whole)
        found = read_scans(file, read_frame(file))
        assert (found.complete, found.oddity, found.stop) == (True, None, len(whole) - 2)
        assert not found.hole
    for at in scans(PROGRESSIVE)[1:]:
        file = io.BytesIO(PROGRESSIVE[:at])
        found = read_scans(file, read_frame(file))
        assert (found.complete, found.oddity) == (False, "its end marker is missing")


@pytest.mark.parametrize(
    ("marker", "precision", "kind"),
    [
        (0xC1, 12, "a JPEG of 12 bits a sample"),
        (0xC2, 12, "a JPEG of 12 bits a sample"),
        (0xC3, 8, "a lossless JPEG"),
        (0xC5, 8, "a hierarchical JPEG"),
        (0xF7, 8, "a JPEG-LS picture"),
    ],
)
def test_kinds_that_are_not_read_are_called_by_their_name(
    marker: int, precision: int, kind: str, tmp_path: Path
) -> None:
    place = dict(markers(BASELINE))[0xC0]
    data = bytearray(BASELINE)
    data[place + 1], data[place + 4] = marker, precision
    with pytest.raises(InputError, match=rf"odd\.jpg is {kind}, a kind that is not read") as raised:
        read(bytes(data), tmp_path)
    assert "damaged" not in str(raised.value)
    assert "convert it" in str(raised.value.hint)


def test_libraries_speak_in_no_message(tmp_path: Path, capfd: pytest.CaptureFixture[str]) -> None:
    for data in (BASELINE[:-2], BASELINE[:600], BASELINE[:20] + b"abc" + BASELINE[20:]):
        try:
            notes = " ".join(read(data, tmp_path).notes)
        except InputError as error:
            notes = str(error)
        assert "Vips" not in notes
        assert "jpegload" not in notes
    assert capfd.readouterr() == ("", "")


def test_fill_before_the_frame_is_followed_in_linear_time() -> None:
    """A megabyte of stray bytes is read once, in pieces."""
    reads: list[int] = []

    class Counting(io.BytesIO):
        def read(self, size: int | None = -1, /) -> bytes:
            data = super().read(size)
            reads.append(len(data))
            return data

    frame = read_frame(Counting(BASELINE[:2] + bytes(1 << 20) + BASELINE[2:]))
    assert frame.stray == ((2, 2 + (1 << 20), b""),)
    assert sum(reads) < 3 << 20
    assert struct.unpack(">BBB", bytes(frame.components)) == (1, 2, 3)


@pytest.mark.parametrize(("mode", "sampling"), [("L", 0), ("RGB", 0), ("RGB", 1), ("RGB", 2), ("CMYK", 0)])
@pytest.mark.parametrize("height", [1, 7, 8, 9, 16, 23, 24, 40])
def test_the_last_rows_are_whole_or_the_file_is_refused(
    mode: str, sampling: int, height: int, tmp_path: Path
) -> None:
    """libvips never looks whether libjpeg complained about the last strip: cuts of 60 bytes passed as whole."""
    image = Image.fromarray(photo(96, height)).convert(mode)
    out = io.BytesIO()
    image.save(out, "JPEG", quality=90, **({} if mode == "L" else {"subsampling": sampling}))
    whole = out.getvalue()
    source = read(whole, tmp_path)
    assert (source.height, source.width, source.notes[:1]) == (
        height,
        96,
        source.notes[:1] if mode == "CMYK" else (),
    )
    header = imaging.probe(tmp_path / "odd.jpg")
    assert (header.height, header.width) == (height, 96)
    if mode == "L":
        assert np.array_equal(source.samples[..., 0], np.asarray(Image.open(io.BytesIO(whole))))
    for missing in (4, 9, 30, 50):
        with pytest.raises(InputError, match="damaged"):
            read(whole[:-missing] + b"\xff\xd9", tmp_path)


def test_the_tallest_and_turned_pictures(tmp_path: Path) -> None:
    image = Image.fromarray(photo(8, 65_500, channels=1)[..., 0])
    out = io.BytesIO()
    image.save(out, "JPEG")
    assert read(out.getvalue(), tmp_path).height == 65_500
    exif = Image.Exif()
    exif[0x0112] = 6
    source = read(encoded("JPEG", Image.fromarray(photo(16, 24)), exif=exif.tobytes()), tmp_path)
    assert (source.width, source.height) == (24, 16)
    header = imaging.probe(tmp_path / "odd.jpg")
    assert (header.width, header.height) == (24, 16)
