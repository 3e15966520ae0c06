"""What is too large is refused from the header, at once and for almost nothing."""

import json
import struct
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from tests.imaging.make import png, png_chunk
from tests.imaging.nasty import BOMBS
from wildsr import imaging
from wildsr.errors import InputError, LimitError
from wildsr.imaging import Limits, reading

REPOSITORY = Path(__file__).resolve().parents[2]
MEASURE = """
import json, resource, sys, time
from pathlib import Path
import psutil
from wildsr import imaging
from wildsr.errors import InputError
for path in sorted(Path(sys.argv[1], "warm").iterdir()):
    imaging.read(path)
process, results = psutil.Process(), {}
for path in sorted(Path(sys.argv[1], "bombs").iterdir()):
    for call in (imaging.probe, imaging.open_source):
        before = process.memory_info().rss
        peak_before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
        start = time.perf_counter()
        try:
            call(path)
        except InputError as error:
            seconds = time.perf_counter() - start
            now = process.memory_info().rss
            peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
            grown = max(now - before, (peak - peak_before) * 1024) / 1e6
            results[f"{path.stem} {call.__name__}"] = [type(error).__name__, seconds, grown]
print(json.dumps(results))
"""


def test_bombs_cost_a_warm_process_nothing(tmp_path: Path) -> None:
    """Refused in under 50 ms and 50 MB added, the headers of 60,000² and more."""
    pytest.importorskip("psutil")
    pytest.importorskip("resource")
    (tmp_path / "warm").mkdir()
    (tmp_path / "bombs").mkdir()
    for form in ("png", "gif", "tiff", "webp", "jpeg", "avif", "bmp"):
        Image.fromarray(np.zeros((64, 64, 3), np.uint8)).save(tmp_path / "warm" / f"w.{form}")
    for name, make in BOMBS.items():
        (tmp_path / "bombs" / f"{name}.bin").write_bytes(make())
    done = subprocess.run(
        [sys.executable, "-c", MEASURE, str(tmp_path)],
        capture_output=True,
        text=True,
        check=True,
        cwd=REPOSITORY,
    )
    results = json.loads(done.stdout)
    assert len(results) == 2 * len(BOMBS)
    for name, (error, seconds, megabytes) in results.items():
        assert error == "LimitError", name
        assert seconds < 0.05, name
        assert megabytes < 50, name
    assert done.stderr == ""


def small(tmp_path: Path) -> Path:
    Image.fromarray(np.zeros((60, 100, 3), np.uint8)).save(tmp_path / "a.png")
    return tmp_path / "a.png"


@pytest.mark.parametrize(
    ("limits", "said"),
    [
        (Limits(max_pixels=5999), "100 × 60 = 0 megapixels; at most 0"),
        (Limits(max_side=99), "100 × 60 pixels; at most 99 are allowed along a side"),
        (Limits(max_file_bytes=20), "at most 20 are read"),
    ],
)
def test_limits_say_what_was_given_and_what_is_allowed(limits: Limits, said: str, tmp_path: Path) -> None:
    for call in (imaging.probe, imaging.read, imaging.open_source):
        with pytest.raises(LimitError) as raised:
            call(small(tmp_path), limits=limits)
        assert said in str(raised.value)
        assert "a.png" in str(raised.value)
        assert "Limits(" in str(raised.value.hint)


def test_exactly_the_limit_is_allowed(tmp_path: Path) -> None:
    path = small(tmp_path)
    exact = Limits(max_pixels=6000, max_side=100, max_file_bytes=path.stat().st_size)
    assert imaging.read(path, limits=exact).width == 100


def test_defaults_are_safe() -> None:
    limits = Limits()
    assert limits.max_pixels == 268_435_456
    assert limits.max_side == 131_072
    assert limits.max_file_bytes == 2_147_483_648
    assert limits.max_metadata_bytes == 16_777_216


def test_a_header_that_promises_more_than_is_there_is_no_picture(tmp_path: Path) -> None:
    """A forged size within the limits: refused when the data ends, not filled up with gray."""
    Image.fromarray(np.zeros((64, 64, 3), np.uint8)).save(tmp_path / "a.bmp")
    data = bytearray((tmp_path / "a.bmp").read_bytes())
    data[22:26] = (6400).to_bytes(4, "little")
    (tmp_path / "a.bmp").write_bytes(data)
    assert imaging.probe(tmp_path / "a.bmp").height == 6400
    with pytest.raises(InputError, match="damaged"):
        imaging.read(tmp_path / "a.bmp")


def plain(kind: int, header: str, *samples: str) -> bytes:
    return f"P{kind}\n{header}\n".encode() + " ".join(samples).encode()


@pytest.mark.parametrize(
    ("data", "wanted"),
    [
        (plain(2, "3 2\n9", "0 1 2 3 4 9"), [0, 28, 57, 85, 113, 255]),
        (plain(2, "3 2\n255", "0 1 2# x\n3 4#9 9 9\r5 more and more"), [0, 1, 2, 3, 4, 5]),
        (plain(2, "2 1\n65535", "1 65535"), [1, 65535]),
        (b"P1 4 2\n0110#1\n1 0 01", [255, 0, 0, 255, 0, 255, 255, 0]),
        (
            b"P3 1 1 255 " + b"\n" * 300_000 + b"1" + b"\t" * 300_000 + b"2" + b"#" * 600_000 + b"\n3",
            [1, 2, 3],
        ),
        (b"P2 2 1 255 " + b" " * (262_144 - 3) + b"123456"[:3] + b" 7\n", [123, 7]),
        (b"P2 2 1 255 " + b" " * (262_144 - 2) + b"123 7\n", [123, 7]),
    ],
)
def test_plain_pnm_across_pieces(data: bytes, wanted: list[int], tmp_path: Path) -> None:
    (tmp_path / "a.pnm").write_bytes(data)
    assert imaging.open_source(tmp_path / "a.pnm").samples.ravel().tolist() == wanted


@pytest.mark.parametrize(
    "data",
    [
        b"P2 2 1 255 1 " + b"9" * 1_000_000,
        b"P2 2 1 255 1 " + b"0" * 1_000_000 + b"9 ",
        b"P1 2 1 2 1\n",
        b"P2 2 1 255 1 x1\n",
        b"P2 2 1 255 1 # 2\n",
    ],
)
def test_plain_pnm_that_is_no_numbers(data: bytes, tmp_path: Path) -> None:
    (tmp_path / "a.pnm").write_bytes(data)
    with pytest.raises(InputError, match=r"a\.pnm is damaged"):
        imaging.open_source(tmp_path / "a.pnm")


PEAK = """
import resource, sys
from wildsr import imaging
from wildsr.errors import WildsrError
imaging.open_source(sys.argv[2])
before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
try:
    imaging.open_source(sys.argv[1])
    print("read")
except WildsrError as error:
    print(type(error).__name__, error)
print((resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before) / 1024)
"""


def peak(path: Path, warm: Path) -> tuple[str, float]:
    """Return what reading a file says, and by how many MiB it raises the peak of a process that has read another."""
    pytest.importorskip("resource")
    done = subprocess.run(
        [sys.executable, "-c", PEAK, str(path), str(warm)],
        capture_output=True,
        text=True,
        check=True,
        cwd=REPOSITORY,
    )
    said, megabytes = done.stdout.splitlines()
    return said, float(megabytes)


def test_plain_pnm_takes_memory_for_its_samples_only(tmp_path: Path) -> None:
    """3 million samples of text, and 12 MB of comments: 100 bytes a sample, and 80 a byte, before it was streamed."""
    warm = tmp_path / "warm.pgm"
    warm.write_bytes(b"P2 1 1 255 7")
    text = tmp_path / "text.pgm"
    text.write_bytes(b"P2 2000 1500 255\n" + b"128 " * 3_000_000)
    said, megabytes = peak(text, warm)
    assert said == "read"
    assert megabytes < 60
    comments = tmp_path / "comments.pgm"
    comments.write_bytes(b"P2 1 1 255\n" + b"#\n#x y z w\n" * 1_200_000 + b"5\n")
    said, megabytes = peak(comments, warm)
    assert said == "read"
    assert megabytes < 40


@pytest.mark.parametrize("header", [b"P6 16000 16000 255\n", b"P3 16000 16000 255\n", b"P1 16000 16000\n"])
def test_pnm_headers_alone_cost_nothing(header: bytes, tmp_path: Path) -> None:
    (tmp_path / "warm.pgm").write_bytes(b"P2 1 1 255 7")
    path = tmp_path / "claim.pnm"
    path.write_bytes(header + b"1 1 1 1\n")
    said, megabytes = peak(path, tmp_path / "warm.pgm")
    assert said.startswith("InputError claim.pnm is damaged")
    assert megabytes < 10


@pytest.mark.parametrize(
    ("megapixels", "free", "most"),
    [
        (269, 1 << 40, None),
        (384, 1 << 40, None),
        (269, 1, 268),
        (384, 25 * 383_900_000, 384),
        (1100, 1 << 40, 1074),
    ],
)
def test_results_are_read_as_far_as_memory_holds_them(
    megapixels: int, free: int, most: int | None, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The sizes of headers: one within the limits is refused later, since no pixels follow."""
    path = tmp_path / "x4.png"
    whole = png(np.zeros((1, 1, 3), np.uint8), 2)
    header = struct.pack(">II", megapixels * 100, 10_000) + whole[24:29]
    path.write_bytes(whole[:8] + png_chunk(b"IHDR", header) + whole[33:])
    monkeypatch.setattr(reading, "free_memory", lambda: free)
    with pytest.raises(InputError) as caught:
        imaging.read(path)
    assert isinstance(caught.value, LimitError) == (most is not None), caught.value
    assert most is None or f"at most {most:,} are allowed" in str(caught.value)
    with pytest.raises(LimitError, match="at most 268 are allowed"):
        imaging.open_source(path)


def test_the_widest_results_are_read(tmp_path: Path) -> None:
    path = tmp_path / "wide.png"
    row = np.arange(262_000, dtype=np.uint32).reshape(1, -1, 1) % 251
    imaging.write_rows(
        [row.astype(np.uint8)], imaging.Frame(width=262_000, height=1, channels=1, depth=8), path
    )
    picture = imaging.read(path)
    assert np.array_equal(np.rint(picture.rgb[0, :, 0] * 255), row[0, :, 0])


@pytest.mark.parametrize(
    ("mode", "sample_bytes", "channels"), [("RGB", 1, 3), ("RGBA", 1, 4), ("I;16", 2, 1)]
)
def test_what_memory_cant_hold_as_decoded_is_refused_from_the_header(
    mode: str, sample_bytes: int, channels: int, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = tmp_path / "a.png"
    Image.new(mode, (40, 30)).save(path)
    needed = 40 * 30 * channels * sample_bytes
    monkeypatch.setattr(reading, "free_memory", lambda: needed)
    assert imaging.open_source(path).samples.nbytes == needed
    monkeypatch.setattr(reading, "free_memory", lambda: needed - 1)
    with pytest.raises(
        LimitError, match=r"a\.png is 40 × 30 pixels, .* GB as decoded; .* of memory are free"
    ) as caught:
        imaging.open_source(path)
    assert "cut the picture into pieces" in str(caught.value.hint)
