"""HEIC and AVIF are decoded in a process of their own: what happens there costs one picture, never the program."""

import base64
import io
import os
import random
import subprocess
import sys
import threading
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from tests.imaging.test_heic import SAMPLES
from wildsr import imaging
from wildsr.errors import InputError, LimitError
from wildsr.imaging.decoders import isolated as isolation
from wildsr.imaging.decoders import process_pool
from wildsr.imaging.decoders.isolated import isolated
from wildsr.imaging.limits import Limits

TURNED = base64.b64decode(SAMPLES["turned"])
SEGFAULT = TURNED.replace(b"Exif\0\0\0\0\x0epitm", b"\xffxif\0\0\0\0\x0epitm")
"""A HEIC whose EXIF item has a type that is no text: the library's binding reads a null pointer."""


def avif(width: int = 16, height: int = 8) -> bytes:
    y, x = np.mgrid[:height, :width]
    out = io.BytesIO()
    pixels = np.stack([x * 3 % 256, y * 5 % 256, (x + y) % 256], axis=2).astype(np.uint8)
    Image.fromarray(pixels).save(out, "AVIF", quality=90, speed=10)
    return out.getvalue()


def opened(path: Path, form: str, pixels: int = 128) -> None:
    """Decode a file in another process, without the check of its boxes that comes before."""
    with path.open("rb", buffering=0) as file:
        size = path.stat().st_size
        with isolated(file, path.name, form, Limits(), size=size, pixels=pixels) as decoder:
            decoder.decode()


def process_ids() -> list[int]:
    return [process._process.pid for process in process_pool._POOL._idle]


@pytest.fixture
def heic(tmp_path: Path) -> Path:
    pytest.importorskip("pi_heif")
    path = tmp_path / "photo.heic"
    path.write_bytes(TURNED)
    return path


def test_the_file_that_crashed_the_library_is_refused_by_its_boxes(tmp_path: Path) -> None:
    pytest.importorskip("pi_heif")
    assert SEGFAULT != TURNED
    path = tmp_path / "bad.heic"
    path.write_bytes(SEGFAULT)
    for call in (imaging.probe, imaging.open_source):
        with pytest.raises(InputError, match=r"bad\.heic.*no text"):
            call(path)


@pytest.mark.skipif(sys.platform == "win32", reason="ends by a signal elsewhere")
def test_a_crash_is_an_error_that_names_the_file_and_the_next_picture_is_read(
    heic: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    bad = tmp_path / "bad.heic"
    bad.write_bytes(SEGFAULT)
    monkeypatch.setattr("wildsr.imaging.decoders.heif._check", lambda _: None)
    # the other process must not check either
    monkeypatch.setattr(
        process_pool,
        "_PROGRAM",
        "import json, sys; sys.path[:] = json.loads(sys.argv[1]); from wildsr.imaging.decoders import heif; "
        "heif._check = lambda _: None; from wildsr.imaging.decoders.decode_process import main; main()",
    )
    monkeypatch.setattr(process_pool, "_POOL", process_pool._Pool())
    try:
        for _ in range(2):
            with pytest.raises(InputError, match=r"bad\.heic.*crashed \(SIG(SEGV|ABRT)\)") as raised:
                imaging.open_source(bad)
            assert raised.value.hint
            assert imaging.open_source(heic).width == 8
    finally:
        process_pool._POOL.end()


def test_one_process_serves_many_pictures(heic: Path, tmp_path: Path) -> None:
    imaging.probe(heic)
    first = process_ids()
    (tmp_path / "a.avif").write_bytes(avif())
    for _ in range(3):
        assert imaging.open_source(heic).samples.shape == (16, 8, 3)
        assert imaging.probe(tmp_path / "a.avif").width == 16
        assert imaging.open_source(tmp_path / "a.avif").samples.shape == (8, 16, 3)
    assert process_ids() == first


def test_pixels_are_those_decoded_in_this_process(tmp_path: Path) -> None:
    from wildsr.imaging.decoders import in_process

    path = tmp_path / "a.avif"
    path.write_bytes(avif(200, 150))
    here = in_process(io.BytesIO(path.read_bytes()), "a.avif", "avif", Limits()).decode()
    assert np.array_equal(imaging.open_source(path).samples, here.samples)


def test_a_process_that_dies_meanwhile_is_replaced(tmp_path: Path) -> None:
    path = tmp_path / "a.avif"
    path.write_bytes(avif())
    imaging.probe(path)
    for process in process_pool._POOL._idle:
        process._process.terminate()
        process._process.wait(10)
    assert imaging.open_source(path).width == 16


def test_threads_get_processes_of_their_own(tmp_path: Path) -> None:
    sizes = [(16 + 8 * n, 8) for n in range(6)]
    for width, height in sizes:
        (tmp_path / f"{width}.avif").write_bytes(avif(width, height))
    wrong: list[object] = []

    def read(width: int, height: int) -> None:
        for _ in range(4):
            source = imaging.open_source(tmp_path / f"{width}.avif")
            if (source.width, source.height) != (width, height):
                wrong.append((source.width, width))

    threads = [threading.Thread(target=read, args=size) for size in sizes]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert wrong == []
    assert len(process_ids()) <= process_pool._IDLE


@pytest.mark.skipif(not Path("/proc/self/statm").exists(), reason="memory is limited on Linux")
def test_memory_beyond_what_the_picture_states_is_refused(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    small, large = tmp_path / "small.avif", tmp_path / "large.avif"
    small.write_bytes(avif())
    large.write_bytes(avif(2400, 1600))
    monkeypatch.setattr(process_pool, "_POOL", process_pool._Pool())
    try:
        opened(small, "avif")  # loads the libraries
        with monkeypatch.context() as patch:
            patch.setattr(isolation, "_BASE_MEMORY", 4 << 20)
            patch.setattr(isolation, "_MEMORY_PER_THREAD", 0)
            with pytest.raises(InputError, match=r"large\.avif"):
                opened(large, "avif", pixels=128)
        opened(large, "avif", pixels=2400 * 1600)
    finally:
        process_pool._POOL.end()


def test_time_beyond_what_the_picture_states_is_refused(heic: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    program = "import sys, time\nwhile True: time.sleep(1)"
    monkeypatch.setattr(process_pool, "_PROGRAM", program)
    monkeypatch.setattr(process_pool, "_POOL", process_pool._Pool())
    monkeypatch.setattr(isolation, "_BASE_SECONDS", 1)
    monkeypatch.setattr(isolation, "_PATIENCE", 0.3)
    with pytest.raises(InputError, match=r"photo\.heic.*took longer than"):
        imaging.open_source(heic)


@pytest.mark.skipif(sys.platform == "win32", reason="limits of POSIX")
def test_processor_time_beyond_what_the_picture_states_is_refused(
    heic: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    program = "import resource\nresource.setrlimit(resource.RLIMIT_CPU, (1, 5))\nwhile True: pass"
    monkeypatch.setattr(process_pool, "_PROGRAM", program)
    monkeypatch.setattr(process_pool, "_POOL", process_pool._Pool())
    with pytest.raises(InputError, match=r"photo\.heic.*took more processor time"):
        imaging.open_source(heic)


@pytest.mark.parametrize(
    "answer",
    [
        b"\xff\xff\xff\xff",
        b"\0\0\0\x02[]",
        b'\0\0\0\x0d["Header", 1]',
        b'\0\0\0\x0c["Other",{}]',
        b"\0\0\0\x04null",
        b"",
    ],
)
def test_nonsense_from_the_process_is_an_error(
    answer: bytes, heic: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    program = f"import sys; sys.stdout.buffer.write({answer!r}); sys.stdout.flush(); sys.stdin.buffer.read()"
    monkeypatch.setattr(process_pool, "_PROGRAM", program)
    monkeypatch.setattr(process_pool, "_POOL", process_pool._Pool())
    monkeypatch.setattr(isolation, "_BASE_SECONDS", 1)
    monkeypatch.setattr(isolation, "_PATIENCE", 1)
    with pytest.raises(InputError, match=r"photo\.heic"):
        imaging.open_source(heic)


@pytest.mark.skipif(not hasattr(os, "fork"), reason="no fork here")
def test_a_forked_process_starts_its_own(tmp_path: Path) -> None:
    """In a fresh interpreter: the pool's processes belong to the side that started them."""
    path = tmp_path / "a.avif"
    path.write_bytes(avif())
    program = (
        "import os, sys; from wildsr.imaging.decoders import process_pool as p\n"
        "first = p._POOL.take(); p._POOL.give_back(first)\n"
        "child = os.fork()\n"
        "if not child:\n    other = p._POOL.take(); same = other._process.pid == first._process.pid\n"
        "    other.end(); os._exit(same)\n"
        "sys.exit(os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) or not first.alive)"
    )
    assert subprocess.run([sys.executable, "-c", program], check=False, timeout=60).returncode == 0


@pytest.mark.skipif(not Path("/proc").exists(), reason="looks for processes in /proc")
def test_no_process_outlives_the_program(tmp_path: Path) -> None:
    path = tmp_path / "a.avif"
    path.write_bytes(avif())
    program = (
        "import sys; from wildsr import imaging; from wildsr.imaging.decoders import process_pool as p\n"
        "imaging.read(sys.argv[1]); print(p._POOL._idle[0]._process.pid)"
    )
    done = subprocess.run(
        [sys.executable, "-W", "error", "-c", program, str(path)], capture_output=True, text=True, check=True
    )
    assert done.stderr == ""
    assert not Path(f"/proc/{int(done.stdout)}").exists()


def test_size_that_does_not_match_is_named(heic: Path) -> None:
    """The header says 72 × 64 pixels before cropping, the stream has 64 × 64."""
    at = TURNED.index(b"ispe") + 8
    heic.write_bytes(TURNED[:at] + (72).to_bytes(4, "big") + TURNED[at + 4 :])
    with pytest.raises(InputError, match=r"photo\.heic"):
        imaging.open_source(heic)


def test_a_file_far_larger_than_its_picture_is_refused_by_its_boxes(tmp_path: Path) -> None:
    """2 GB in a box behind a small picture: nothing of it is read; zeros behind the last box don't count."""
    data = avif()
    path = tmp_path / "large.avif"
    path.write_bytes(data + (0x7F000000).to_bytes(4, "big") + b"free")
    os.truncate(path, len(data) + 0x7F000000)
    with pytest.raises(LimitError, match=r"large\.avif is 2,130,\d+,\d+ bytes for a picture of 16 × 8"):
        imaging.open_source(path)
    path.write_bytes(data)
    os.truncate(path, 2_000_000_000)
    assert imaging.open_source(path).width == 16


def test_mutants_never_end_the_program(heic: Path) -> None:
    """A part of what was run once with 10,000; deterministic."""
    dice = random.Random(3)
    seeds = [base64.b64decode(data) for data in SAMPLES.values()]
    read, refusals = 0, []
    for _ in range(250):
        data = bytearray(dice.choice(seeds))
        for _ in range(dice.choice((1, 1, 2, 4))):
            data[dice.randrange(len(data))] = dice.choice((0, 127, 128, 255, dice.randrange(256)))
        heic.write_bytes(data)
        try:
            imaging.open_source(heic)
            read += 1
        except InputError as error:
            refusals.append(str(error))
    assert read + len(refusals) == 250
    assert min(read, len(refusals)) > 20
    assert all("photo.heic" in refusal for refusal in refusals)


@pytest.mark.parametrize(
    ("codec", "said"),
    [(b"vvc1", "VVC"), (b"j2k1", "a JPEG 2000"), (b"unci", "an uncompressed"), (b"jpeg", "a JPEG")],
)
def test_codecs_that_are_not_read_are_called_by_their_name(codec: bytes, said: str, heic: Path) -> None:
    heic.write_bytes(TURNED.replace(b"hvc1", codec))
    with pytest.raises(
        InputError, match=rf"photo\.heic is a HEIF file that holds .*{said}.* picture"
    ) as raised:
        imaging.probe(heic)
    assert "convert it" in str(raised.value.hint)


def test_the_codec_decides_where_the_brands_leave_it_open(tmp_path: Path) -> None:
    """AV1 under the brands of HEIF alone is no HEIC."""
    data = avif()
    path = tmp_path / "a.heif"
    path.write_bytes(data.replace(b"ftypavif", b"ftypmif1").replace(b"avif", b"mif1", 2))
    assert imaging.probe(path).format == "avif"
    path.with_name("b.avif").write_bytes(data)
    assert np.array_equal(
        imaging.open_source(path).samples, imaging.open_source(path.with_name("b.avif")).samples
    )
