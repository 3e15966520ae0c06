"""The writer: whole file or none, errors that name themselves, limits checked before anything is computed."""

import errno
import io
import itertools
import os
import signal
import stat
import subprocess
import sys
import threading
from collections.abc import Iterable, Iterator
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from wildsr import imaging
from wildsr.errors import BackendError, OutputError, UsageError
from wildsr.imaging import FORMATS, Depth, Frame, Picture, WriteOptions, check_output, format_named, format_of
from wildsr.imaging.frame import Rows
from wildsr.imaging.png_stream import PngStream

ENDINGS = [form.extensions[0] for form in FORMATS.values()]


def rows(height: int = 64, width: int = 48, channels: int = 3, band: int = 10) -> Iterator[Rows]:
    rng = np.random.default_rng(0)
    for y in range(0, height, band):
        yield rng.integers(0, 256, (min(band, height - y), width, channels)).astype(np.uint8)


FRAME = Frame(width=48, height=64, channels=3)


def left_behind(folder: Path) -> list[str]:
    return sorted(p.name for p in folder.iterdir())


def framed(bands: Iterable[Rows], frame: Frame) -> bytes:
    stream = PngStream(frame)
    return b"".join(chunk for band in bands for chunk in stream.chunks(band)) + stream.end()


def test_framing_is_a_png_any_reader_accepts() -> None:
    data = framed(rows(), FRAME)
    with Image.open(io.BytesIO(data)) as image:
        np.testing.assert_array_equal(np.asarray(image), np.concatenate(list(rows())))


@pytest.mark.parametrize(("channels", "depth"), [(c, d) for c in (1, 2, 3, 4) for d in (8, 16)])
def test_framing_by_bands_of_any_height(channels: int, depth: Depth, tmp_path: Path) -> None:
    rng = np.random.default_rng(channels)
    whole = rng.integers(0, 1 << depth, (200, 7, channels)).astype(np.uint8 if depth == 8 else np.uint16)
    for heights in ([200], [1] * 200, [150, 0, 50], [67, 66, 67]):
        cuts = np.cumsum([0, *heights])
        bands = [whole[a:b] for a, b in itertools.pairwise(cuts)]
        frame = Frame(width=7, height=200, channels=channels, depth=depth)
        (tmp_path / "a.png").write_bytes(framed(bands, frame))
        np.testing.assert_array_equal(imaging.open_source(tmp_path / "a.png").samples, whole)


@pytest.mark.parametrize(
    ("bad", "said"),
    [
        ([np.zeros((64, 47, 3), np.uint8)], "64 × 47"),
        ([np.zeros((64, 48, 4), np.uint8)], "promised"),
        ([np.zeros((64, 48, 3), np.uint16)], "uint16"),
        ([np.zeros((63, 48, 3), np.uint8)], "only 63 rows"),
        ([np.zeros((40, 48, 3), np.uint8)] * 2, "80 rows were made"),
        ([], "only 0 rows"),
    ],
)
@pytest.mark.parametrize("ending", [".png", ".tif", ".webp"])
def test_rows_other_than_promised(bad: list[Rows], said: str, ending: str, tmp_path: Path) -> None:
    with pytest.raises(OutputError) as raised:
        imaging.write_rows(bad, FRAME, tmp_path / f"a{ending}")
    assert said.replace("×", ",").replace(" ", "") in str(raised.value).replace("×", ",").replace(" ", "")
    assert left_behind(tmp_path) == []


@pytest.mark.parametrize("ending", ENDINGS)
@pytest.mark.parametrize(
    "error",
    [BackendError("the model gave nan"), ValueError("bug"), KeyboardInterrupt(), OSError(5, "model file")],
)
def test_what_the_rows_raise_comes_through_unchanged(
    ending: str, error: BaseException, tmp_path: Path
) -> None:
    (tmp_path / f"a{ending}").write_bytes(b"the old file")
    closed = []

    def failing() -> Iterator[Rows]:
        try:
            yield from itertools.islice(rows(), 3)
            raise error
        finally:
            closed.append(True)

    with pytest.raises(type(error)) as raised:
        imaging.write_rows(failing(), FRAME, tmp_path / f"a{ending}")
    assert raised.value is error
    assert left_behind(tmp_path) == [f"a{ending}"]
    assert (tmp_path / f"a{ending}").read_bytes() == b"the old file"
    assert closed == [True]
    assert not [t for t in threading.enumerate() if t.name == "wildsr-encode"]


@pytest.mark.parametrize("ending", ENDINGS)
@pytest.mark.parametrize("after", [0, 2000])
def test_full_disk_is_named_and_leaves_nothing(
    ending: str, after: int, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    made = []

    class FullDisk(io.FileIO):
        written = 0

        def write(self, data: object, /) -> int:
            size = len(memoryview(data))  # type: ignore[arg-type]
            if self.written + size > after:
                raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))
            self.written += size
            return super().write(data)  # type: ignore[arg-type]

    def many() -> Iterator[Rows]:
        for band in rows(height=20_000, width=300, band=100):
            made.append(band.shape[0])
            yield band

    monkeypatch.setattr("wildsr.files.atomic.io.FileIO", FullDisk)
    generator = many()
    height = 20_000 if ending in (".png", ".tif") else 400
    shaped = itertools.chain.from_iterable([itertools.islice(generator, height // 100)])
    with pytest.raises(OutputError, match="the disk is full") as raised:
        imaging.write_rows(shaped, Frame(width=300, height=height, channels=3), tmp_path / f"a{ending}")
    assert f"a{ending}" in str(raised.value)
    assert "free some space" in str(raised.value.hint)
    assert left_behind(tmp_path) == []
    if ending in (".png", ".tif"):
        assert sum(made) < 20_000  # stopped soon, not after all rows were computed


@pytest.mark.skipif(not hasattr(os, "fork"), reason="needs resource limits")
def test_a_real_limit_of_the_system_is_named(tmp_path: Path) -> None:
    code = """
import resource, signal, sys
import numpy as np
from wildsr import imaging
from wildsr.errors import OutputError
signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
resource.setrlimit(resource.RLIMIT_FSIZE, (200_000, 200_000))
rng = np.random.default_rng(0)
bands = (rng.integers(0, 256, (50, 400, 3)).astype(np.uint8) for _ in range(40))
try:
    imaging.write_rows(bands, imaging.Frame(width=400, height=2000, channels=3), sys.argv[1])
except OutputError as error:
    print(error)
"""
    done = subprocess.run(
        [sys.executable, "-c", code, str(tmp_path / "a.png")], capture_output=True, text=True, check=True
    )
    assert "file is larger than this file system allows" in done.stdout
    assert done.stderr == ""
    assert left_behind(tmp_path) == []


INTERRUPTED = """
import sys, time
import numpy as np
from wildsr import imaging
def rows():
    for number in range(1000):
        yield np.zeros((1, 64, 3), np.uint8)
        if number == 20:
            print("working", flush=True)
        time.sleep(0.01)
    print("all rows made", flush=True)
imaging.write_rows(rows(), imaging.Frame(width=64, height=1000, channels=3), sys.argv[1])
"""


@pytest.mark.skipif(os.name != "posix", reason="needs SIGINT")
def test_ctrl_c_ends_it_at_once_and_leaves_nothing(tmp_path: Path) -> None:
    arguments = [sys.executable, "-c", INTERRUPTED, str(tmp_path / "a.png")]
    with subprocess.Popen(arguments, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None
        assert process.stdout.readline() == "working\n"
        process.send_signal(signal.SIGINT)
        more, said = process.communicate(timeout=60)
    assert more == ""
    assert said.strip().endswith("KeyboardInterrupt")
    assert left_behind(tmp_path) == []


@pytest.mark.skipif(os.name != "posix" or os.geteuid() == 0, reason="the superuser writes anywhere")
def test_read_only_folder_is_named(tmp_path: Path) -> None:
    folder = tmp_path / "locked"
    folder.mkdir()
    folder.chmod(0o500)
    with pytest.raises(OutputError, match="permission denied"):
        imaging.write_rows(rows(), FRAME, folder / "a.png")


@pytest.mark.parametrize(
    ("name", "said"),
    [
        ("nowhere/a.png", "the folder does not exist"),
        ("file/a.png", "a part of the path is a file"),
        ("folder.png", "there is a folder of that name"),
        ("nul\0.png", "null"),
        ("n" * 300 + ".png", "name is too long"),
        ("a", "no extension"),
        ("a.xyz", "wildsr writes"),
        ("a.gif", "wildsr writes png, jpeg, webp, tiff, avif"),
    ],
)
def test_places_that_cannot_be_written(name: str, said: str, tmp_path: Path) -> None:
    (tmp_path / "folder.png").mkdir()
    (tmp_path / "file").write_bytes(b"")
    with pytest.raises(OutputError) as raised:
        imaging.write_rows(rows(), FRAME, Path(f"{tmp_path}/{name}"))
    assert said in str(raised.value)
    assert left_behind(tmp_path) == ["file", "folder.png"]


def test_overwriting_only_when_allowed(tmp_path: Path) -> None:
    path = tmp_path / "a.png"
    path.write_bytes(b"old")
    with pytest.raises(OutputError, match="exists"):
        imaging.write_rows(rows(), FRAME, path, options=WriteOptions(overwrite=False))
    assert path.read_bytes() == b"old"
    imaging.write_rows(rows(), FRAME, path)
    assert path.read_bytes() != b"old"


@pytest.mark.skipif(not hasattr(os, "mkfifo"), reason="no pipes here")
def test_a_pipe_is_not_replaced(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "a.png")
    with pytest.raises(OutputError, match="pipe"):
        imaging.write_rows(rows(), FRAME, tmp_path / "a.png")
    assert stat.S_ISFIFO((tmp_path / "a.png").stat().st_mode)


def test_a_file_that_appears_meanwhile_is_left_alone(tmp_path: Path) -> None:
    path = tmp_path / "a.png"

    def slow() -> Iterator[Rows]:
        yield from rows()
        path.write_bytes(b"somebody else's")

    with pytest.raises(OutputError, match="appeared meanwhile"):
        imaging.write_rows(slow(), FRAME, path, options=WriteOptions(overwrite=False))
    assert path.read_bytes() == b"somebody else's"
    assert left_behind(tmp_path) == ["a.png"]


def test_nothing_is_seen_before_the_end(tmp_path: Path) -> None:
    path = tmp_path / "a.png"
    seen = []

    def watching() -> Iterator[Rows]:
        for band in rows():
            seen.append(path.exists())
            yield band

    imaging.write_rows(watching(), FRAME, path)
    assert seen == [False] * 7
    assert path.exists()


@pytest.mark.skipif(os.name != "posix", reason="POSIX permissions")
def test_permissions_follow_the_umask(tmp_path: Path) -> None:
    old = os.umask(0o027)
    try:
        imaging.write_rows(rows(), FRAME, tmp_path / "a.png")
    finally:
        os.umask(old)
    assert stat.S_IMODE((tmp_path / "a.png").stat().st_mode) == 0o640


@pytest.mark.parametrize("name", ["a[page=2].png", "東京 🌸.png", "-o.png", "a'b\"c.png"])
def test_any_file_name(name: str, tmp_path: Path) -> None:
    report = imaging.write_rows(rows(), FRAME, tmp_path / name)
    assert report.path == tmp_path / name
    assert imaging.read(tmp_path / name).width == 48


def test_same_rows_same_bytes(tmp_path: Path) -> None:
    for ending in ENDINGS:
        for name in ("a", "b"):
            imaging.write_rows(rows(), FRAME, tmp_path / f"{name}{ending}")
        assert (tmp_path / f"a{ending}").read_bytes() == (tmp_path / f"b{ending}").read_bytes()


def test_table_of_formats() -> None:
    assert list(FORMATS) == ["png", "jpeg", "webp", "tiff", "avif"]
    assert [f.streams for f in FORMATS.values()] == [True, True, False, True, False]
    for key, form in FORMATS.items():
        assert form.name == key
        assert format_named(key) is form
        for ending in form.extensions:
            assert format_of(Path(f"a.b{ending.upper()}")) is form
            assert format_named(ending[1:]) is form


@pytest.mark.parametrize(
    ("form", "width", "height", "depth", "alpha", "said", "hint"),
    [
        ("webp", 16_384, 10, 8, False, "16,383 pixels along a side", "PNG or TIFF"),
        ("jpeg", 10, 65_501, 8, False, "65,500 pixels along a side", "PNG or TIFF"),
        ("avif", 17_000, 10, 8, False, "16,384 pixels along a side", "PNG or TIFF"),
        ("avif", 8_000, 8_000, 8, False, "34 megapixels", "row by row"),
        ("webp", 16_000, 16_000, 8, False, "134 megapixels", "row by row"),
        ("jpeg", 10, 10, 8, True, "transparency", "PNG, WEBP, TIFF or AVIF"),
        ("jpeg", 20_000, 10, 8, True, "transparency", "PNG or TIFF, or blend it"),
    ],
)
def test_limits_are_told_before_anything_is_made(
    form: str, width: int, height: int, depth: int, alpha: bool, said: str, hint: str, tmp_path: Path
) -> None:
    with pytest.raises(OutputError, match=said) as raised:
        check_output(form, width, height, depth, alpha)
    assert hint in str(raised.value.hint)

    def never() -> Iterator[Rows]:
        pytest.fail("rows were asked for")
        yield

    frame = Frame(width=width, height=height, channels=4 if alpha else 3)
    with pytest.raises(OutputError, match=said):
        imaging.write_rows(never(), frame, tmp_path / f"a{FORMATS[form].extensions[0]}")
    assert left_behind(tmp_path) == []


@pytest.mark.parametrize(
    ("form", "side"), [("jpeg", 65_500), ("webp", 16_383), ("avif", 16_384), ("png", 100_000)]
)
def test_the_stated_limits_are_real(form: str, side: int, tmp_path: Path) -> None:
    """What the table allows, the encoder does."""
    path = tmp_path / f"a{FORMATS[form].extensions[0]}"
    check_output(form, side, 16)
    imaging.write_rows([np.zeros((16, side, 1), np.uint8)], Frame(width=side, height=16, channels=1), path)
    assert imaging.probe(path).width == side


def test_alpha_onto_a_background(tmp_path: Path) -> None:
    rgb = np.zeros((8, 8, 3), np.float32)
    alpha = np.full((8, 8), 0.5, np.float32)
    made = Picture(rgb=rgb, alpha=alpha)
    report = imaging.write(made, tmp_path / "a.jpg", options=WriteOptions(background=(1.0, 0.5, 0.0)))
    assert report.dropped == ("transparency (blended onto #ff8000)",)
    got = imaging.read(tmp_path / "a.jpg").rgb[4, 4]
    np.testing.assert_allclose(got, [0.498, 0.249, 0.0], atol=0.01)


@pytest.mark.parametrize(
    ("wish", "said"),
    [
        ({"quality": 0}, "from 1 to 100"),
        ({"compression": 10}, "from 0 to 9"),
        ({"depth": 9}, "8, 10, 12 or 16"),
        ({"background": (0.0, 2.0, 0.0)}, "from 0 to 1"),
    ],
)
def test_impossible_options_are_refused_when_made(wish: dict[str, object], said: str) -> None:
    with pytest.raises(UsageError, match=said):
        WriteOptions(**wish)  # type: ignore[arg-type]


def test_quality_is_heard(tmp_path: Path) -> None:
    for ending in (".jpg", ".webp", ".avif"):
        sizes = []
        for quality in (30, 95):
            path = tmp_path / f"{quality}{ending}"
            sizes.append(imaging.write_rows(rows(), FRAME, path, options=WriteOptions(quality=quality)).bytes)
        assert sizes[0] < sizes[1]


def test_png_compression_changes_size_not_pixels(tmp_path: Path) -> None:
    picture = Picture(rgb=np.tile(np.linspace(0, 1, 300, dtype=np.float32)[None, :, None], (200, 1, 3)))
    sizes = {}
    for level in (0, 2, 9):
        path = tmp_path / f"{level}.png"
        sizes[level] = imaging.write(picture, path, options=WriteOptions(compression=level)).bytes
        np.testing.assert_array_equal(imaging.read(path).rgb, imaging.read(tmp_path / "0.png").rgb)
    assert sizes[0] > sizes[2] >= sizes[9]
