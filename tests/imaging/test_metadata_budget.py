"""Hostile metadata: work and memory follow what was read.  Lines of our code, bytes held and written are counted."""

import io
import struct
import tracemalloc
import zlib
from contextlib import suppress
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from tests.fuzz.work import Counter
from tests.imaging.make import jpeg, jpeg_segment, png, png_chunk, tiff, xmp_packet
from wildsr import imaging
from wildsr.errors import LimitError
from wildsr.imaging import Limits, Metadata, Picture, WriteOptions
from wildsr.imaging.metadata.budget import MOST_ENTRIES, Budget
from wildsr.imaging.metadata.exif import edited
from wildsr.imaging.metadata.exif_editor import Editor
from wildsr.imaging.metadata.geometry import Change
from wildsr.imaging.metadata.xmp import Wanted, rewritten

PIXELS = np.zeros((48, 64, 3), np.uint8)
SAME = Change(before=(64, 48), after=(64, 48))
MEBI = 1 << 20


def crossing(entries: int) -> bytes:
    """Return EXIF whose every entry points back at its one directory."""
    tags = (0x8769, 0x8825, 0xA005)
    fields = b"".join(struct.pack("<HHII", tags[n % 3], 4, 1, 8) for n in range(entries))
    return b"II*\0" + struct.pack("<IH", 8, entries) + fields + bytes(4)


def carried(form: str, block: bytes) -> bytes:
    prefixed = b"Exif\0\0" + block
    if form == "jpeg":
        return jpeg(PIXELS, segments=[(0xE1, prefixed)])
    if form == "png":
        return png(PIXELS, 2, chunks=[(b"eXIf", block)])
    out = io.BytesIO()
    Image.fromarray(PIXELS).save(out, form.upper(), exif=prefixed)
    return out.getvalue()


@pytest.mark.parametrize("entries", [900, 5400])
@pytest.mark.parametrize("form", ["jpeg", "png", "webp", "avif"])
def test_exif_that_points_at_itself_costs_a_walk(form: str, entries: int, tmp_path: Path) -> None:
    """libexif took 9 to 21 seconds over 5400 crossing pointers; libvips is not shown them."""
    (tmp_path / "a").write_bytes(carried(form, crossing(entries)))
    with Counter(300_000) as counter:
        imaging.probe(tmp_path / "a")
        picture = imaging.read(tmp_path / "a")
        imaging.write(picture, tmp_path / "b.tif", options=WriteOptions(strip_gps=True))
    assert counter.lines < 300_000  # some twenty walks; crossing them would be millions
    assert bool(picture.notes) == (entries > 1000)


@pytest.mark.parametrize("form", ["jpeg", "png", "webp"])
def test_libvips_is_shown_no_exif(form: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    seen: list[bytes] = []
    from wildsr.imaging import vips

    before = vips.FileBridge._read

    def read(self: vips.FileBridge, size: int) -> bytes | None:
        data = before(self, size)
        seen.append(data or b"")
        return data

    monkeypatch.setattr(vips.FileBridge, "_read", read)
    block = crossing(3) + b"a secret only cameras know"
    (tmp_path / "a").write_bytes(carried(form, block))
    assert b"a secret" in (tmp_path / "a").read_bytes()
    assert imaging.read(tmp_path / "a").metadata.exif
    whole = b"".join(seen)
    assert whole
    assert b"EXIF" not in whole
    assert b"eXIf" not in whole
    assert form == "webp" or b"a secret" not in whole  # there it is a chunk of a kind nobody knows


def bombs(count: int, size: int, key: bytes = b"Comment") -> bytes:
    packed = zlib.compress(b" " * size, 9)
    return png(PIXELS, 2, chunks=[(b"zTXt", key + b"\0\0" + packed)] * count)


def test_text_is_bounded_in_sum(tmp_path: Path) -> None:
    """Eight hundred chunks of a megabyte each took 2.4 GB."""
    (tmp_path / "a.png").write_bytes(bombs(800, MEBI))
    tracemalloc.start()
    picture = imaging.read(tmp_path / "a.png")
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert sum(len(item.text) for item in picture.metadata.text) <= 16 * MEBI
    assert peak < 64 * MEBI
    assert picture.notes == (
        "its text is beyond the 16,777,216 bytes of metadata that are read, and was left out",
    )


@pytest.mark.parametrize("key", [b"Raw profile type iptc", b"Raw profile type exif", b"XML:com.adobe.xmp"])
def test_unpacking_is_paid_for_whether_it_is_of_use_or_not(
    key: bytes, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    unpacked = [0]
    plain = zlib.decompressobj

    class Counted:
        def __init__(self) -> None:
            self._inner = plain()

        def decompress(self, data: bytes, limit: int) -> bytes:
            out = self._inner.decompress(data, limit)
            unpacked[0] += len(out)
            return out

        @property
        def eof(self) -> bool:
            return self._inner.eof

    monkeypatch.setattr("wildsr.imaging.containers.png_text.zlib.decompressobj", Counted)
    (tmp_path / "a.png").write_bytes(bombs(100, 4 * MEBI, key))
    imaging.read(tmp_path / "a.png")
    assert unpacked[0] <= 16 * MEBI + 100  # once nothing is left, a byte a chunk


def test_damaged_streams_are_paid_for_by_what_they_could_have_been(tmp_path: Path) -> None:
    packed = (
        zlib.compress(bytes(8 * MEBI), 9)[:-4] + b"\xff\xff\xff\xff"
    )  # a wrong checksum, seen at the very end
    budget = Budget(16 * MEBI)
    from wildsr.imaging.containers.png_text import TextError, unpacked

    for _ in range(2):
        with pytest.raises(TextError):
            unpacked(packed, budget)
    assert budget.left < MEBI


@pytest.mark.parametrize("form", ["jpeg", "png", "webp"])
def test_more_entries_than_any_photo_are_refused(form: str, tmp_path: Path) -> None:
    many = MOST_ENTRIES + 1
    if form == "jpeg":
        data = jpeg(PIXELS)
        data = data[:2] + jpeg_segment(0xE5, b"x") * many + data[2:]
    elif form == "png":
        data = png(PIXELS, 2)
        data = data[:33] + png_chunk(b"prIv", b"") * many + data[33:]
    else:
        out = io.BytesIO()
        Image.fromarray(PIXELS).save(out, "WEBP", exif=b"Exif\0\0" + crossing(1))
        data = out.getvalue() + b"junk\0\0\0\0" * many
        data = data[:4] + struct.pack("<I", len(data) - 8) + data[8:]
    (tmp_path / "a").write_bytes(data)
    with pytest.raises(LimitError, match=r"more (metadata segments|chunks) than any"):
        imaging.probe(tmp_path / "a")


def test_padding_behind_a_webp_is_no_chunks(tmp_path: Path) -> None:
    out = io.BytesIO()
    Image.fromarray(PIXELS).save(out, "WEBP")
    (tmp_path / "a").write_bytes(out.getvalue() + bytes(MEBI))
    assert imaging.read(tmp_path / "a").rgb.shape == (48, 64, 3)


class CountingBytes(bytearray):
    """Counts the bytes written over it."""

    written = 0

    def __setitem__(self, key: object, value: object) -> None:
        if isinstance(key, slice) and isinstance(value, (bytes, bytearray)):
            CountingBytes.written += len(value)
        super().__setitem__(key, value)  # type: ignore[index,assignment]


def test_a_thumbnail_of_megabytes_named_a_thousand_times_is_blanked_once(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """A thousand tags of the thumbnail's directory each claim all sixteen megabytes."""
    size = 16 * MEBI
    main = struct.pack("<HHHII", 1, 0x010F, 2, 4, 0) + struct.pack("<I", 8 + 2 + 12 + 4)
    fields = b"".join(struct.pack("<HHII", 0x9000 + n, 7, size, 100) for n in range(1000))
    block = b"II*\0" + struct.pack("<I", 8) + main + struct.pack("<H", 1000) + fields + bytes(size)
    monkeypatch.setattr("wildsr.imaging.metadata.exif_editor.bytearray", CountingBytes, raising=False)
    CountingBytes.written = 0
    edited(block, SAME, resolution=None)
    assert 0 < CountingBytes.written < 1.1 * len(block)


def test_places_that_overlap_are_blanked_once(monkeypatch: pytest.MonkeyPatch) -> None:
    size = 4 * MEBI
    gps = b"".join(struct.pack("<HHII", n, 7, size, 100) for n in range(1000))
    start = 8 + 2 + 12 + 4
    block = b"II*\0" + struct.pack("<IHHHII", 8, 1, 0x8825, 4, 1, start) + bytes(4)
    block += struct.pack("<H", 1000) + gps + b"x" * size
    monkeypatch.setattr("wildsr.imaging.metadata.exif_editor.bytearray", CountingBytes, raising=False)
    CountingBytes.written = 0
    after, _ = edited(block, SAME, resolution=None, strip_place=True)
    assert CountingBytes.written < 1.1 * len(block)
    assert b"x" * 1000 not in after[100 : 100 + size]


def test_values_that_overlap_do_not_grow_a_tiff(tmp_path: Path) -> None:
    """A thousand tags that all name the same megabyte would become a gigabyte in a TIFF."""
    start = 8 + 2 + 12 + 4
    fields = b"".join(struct.pack("<HHII", 0x9000 + n, 7, MEBI, start) for n in range(900))
    block = b"II*\0" + struct.pack("<IHHHII", 8, 1, 0x8769, 4, 1, start) + bytes(4)
    block += struct.pack("<H", 900) + fields + bytes(4) + bytes(MEBI)
    made = Picture(rgb=np.zeros((8, 8, 3), np.float32), metadata=Metadata(exif=block))
    imaging.write(made, tmp_path / "a.tif")
    assert (tmp_path / "a.tif").stat().st_size < 2 * len(block)


def many_pages(count: int, *, loop: bool = False) -> bytes:
    """Return a TIFF of one picture and `count` empty directories behind it."""
    data = bytearray(tiff(PIXELS, 2))
    next_at = len(data) - 4
    first = len(data)
    struct.pack_into("<I", data, next_at, first)
    offsets = first + 6 * (1 + np.arange(count, dtype=np.uint32))
    offsets[-1] = first if loop else 0
    pages = np.zeros(count, np.dtype([("count", "<u2"), ("next", "<u4")]))
    pages["next"] = offsets
    return bytes(data) + pages.tobytes()


@pytest.mark.parametrize("loop", [False, True])
@pytest.mark.parametrize(("count", "said"), [(3, "4 pages"), (1_000_000, "1,000 or more pages")])
def test_a_million_pages_are_not_walked_through(count: int, said: str, loop: bool, tmp_path: Path) -> None:
    (tmp_path / "a.tif").write_bytes(many_pages(count, loop=loop))
    with Counter(60_000) as counter:
        picture = imaging.read(tmp_path / "a.tif")
    assert counter.lines < 60_000
    assert picture.notes == (f"only the first of {said} was read",)


QUADRATIC = {
    "unclosed attributes": b"<exif:GPSLatitude " * 100,
    "attributes": b' exif:GPSLatitude="',
    "elements": b"<exif:GPSLatitude>1</exif:GPSLatitude>",
    "thumbnails": b"<xmp:Thumbnails>x</xmp:Thumbnails>",
    "character references": b"&#65;",
    "nested": b"<a>",
    "white space": b" \n" * 40,
}


@pytest.mark.parametrize("name", QUADRATIC)
def test_xmp_costs_lines_in_proportion(name: str) -> None:
    """Four times as long a packet may cost four times the lines, or is refused."""

    def lines(times: int) -> int:
        packet = xmp_packet("%s").replace(b"%s", QUADRATIC[name] * times)
        with Counter(20_000_000) as counter, suppress(ValueError):
            rewritten(packet, Wanted(change=SAME, resolution=None, strip_place=True))
        return counter.lines

    few, many = lines(300), lines(1200)
    assert many <= 4.2 * few + 500


def test_iptc_datasets_cost_lines_in_proportion(tmp_path: Path) -> None:
    from wildsr.imaging.metadata.iptc import rewritten as iptc_rewritten

    def lines(times: int) -> int:
        with Counter(20_000_000) as counter:
            iptc_rewritten(b"\x1c\x02\x5a\0\0" * times, strip_place=True)
        return counter.lines

    assert lines(4000) <= 4.1 * lines(1000)


def test_the_budget_is_one_for_all_of_a_file(tmp_path: Path) -> None:
    """Each block alone is within the limit; together they are not."""
    chunks = [
        (b"eXIf", crossing(3) + bytes(3000)),
        (b"iTXt", b"XML:com.adobe.xmp\0\0\0\0\0" + xmp_packet("x" * 3000)),
        (b"tEXt", b"Title\0" + b"t" * 3000),
        (b"tEXt", b"Author\0" + b"a" * 3000),
    ]
    (tmp_path / "a.png").write_bytes(png(PIXELS, 2, chunks=chunks))
    picture = imaging.read(tmp_path / "a.png", limits=Limits(max_metadata_bytes=8000))
    found = picture.metadata
    held = sum(len(one or b"") for one in (found.exif, found.xmp)) + sum(len(t.text) for t in found.text)
    assert 3000 < held <= 8000
    assert any("8,000 bytes of metadata" in note for note in picture.notes)
    assert imaging.read(tmp_path / "a.png").notes == ()


def test_an_editor_follows_few_directories() -> None:
    """Ten thousand places to look for pictures are not all looked at."""
    data = b"".join(struct.pack("<I", 8) for _ in range(10_000))
    block = b"II*\0" + struct.pack("<IHHHII", 8, 1, 0x014A, 4, 10_000, 26) + bytes(4) + data
    with Counter(20_000) as counter:
        Editor(block, SAME).follow_rules()
    assert counter.lines < 20_000


def test_a_profile_whose_tags_lie_over_each_other_is_broken(tmp_path: Path) -> None:
    """Two hundred tags of sixteen megabytes each would be three gigabytes, from a PNG of 16 kB."""
    size = 15 * MEBI
    tags = b"".join(struct.pack(">4sII", b"a%03d" % n, 132 + n, size - 4096) for n in range(200))
    head = struct.pack(">I", size) + bytes(12) + b"RGB XYZ " + bytes(12) + b"acsp"
    profile = (head.ljust(128, b"\0") + struct.pack(">I", 200) + tags).ljust(size, b"\0")
    (tmp_path / "a.png").write_bytes(png(PIXELS, 2, chunks=[(b"iCCP", b"p\0\0" + zlib.compress(profile))]))
    tracemalloc.start()
    picture = imaging.read(tmp_path / "a.png")
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert peak < 4 * size
    assert picture.notes == ("the colour profile is broken (its tags lie over each other) and was ignored",)


def test_as_large_a_packet_as_is_read_costs_memory_in_proportion() -> None:
    packet = xmp_packet("<a/>" * 99_000)
    tracemalloc.start()
    assert rewritten(packet, Wanted(change=SAME, resolution=None)) == packet
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert peak < 64 * MEBI


def test_many_texts_are_not_all_named(tmp_path: Path) -> None:
    chunks = [(b"tEXt", b"key %d\0text" % n) for n in range(3000)]
    (tmp_path / "a.png").write_bytes(png(PIXELS, 2, chunks=chunks))
    picture = imaging.read(tmp_path / "a.png")
    report = imaging.write(picture, tmp_path / "b.jpg", options=WriteOptions(strip_gps=True))
    assert len(report.dropped) == 21
    assert report.dropped[-1] == "2,980 more texts"
    assert report.notes[0].endswith("text 'key 19', and 2,980 more")


def test_a_long_text_does_not_cost_a_jpeg_its_exif(tmp_path: Path) -> None:
    chunks = [(b"eXIf", crossing(3)), (b"zTXt", b"parameters\0\0" + zlib.compress(b"a prompt " * 20_000))]
    (tmp_path / "a.png").write_bytes(png(PIXELS, 2, chunks=chunks))
    report = imaging.write(imaging.read(tmp_path / "a.png"), tmp_path / "b.jpg")
    assert report.dropped == ("text 'parameters'",)
    with Image.open(tmp_path / "b.jpg") as image:
        assert 0x0131 in image.getexif()
