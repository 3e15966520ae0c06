"""Memory: bounded by the encoder, not by the picture; flat over many pictures; the interpreter stays free."""

import itertools
import json
import subprocess
import sys
import threading
import time
from pathlib import Path

import numpy as np
import pytest

from wildsr import imaging
from wildsr.imaging import Picture

REPOSITORY = Path(__file__).resolve().parents[2]

STREAM = """
import json, resource, sys
import numpy as np
from wildsr import imaging
from wildsr.imaging.vips import vips
width, height, ending, folder = int(sys.argv[1]), int(sys.argv[2]), sys.argv[3], sys.argv[4]
vips()
x = np.arange(width)[None, :, None]
band = ((np.sin(x / 300 + np.arange(3)) * 90 + 120).repeat(64, axis=0)).astype(np.uint8)
before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
bands = (band + np.uint8(y % 7) for y in range(0, height, 64))
frame = imaging.Frame(width=width, height=height, channels=3)
report = imaging.write_rows(bands, frame, f"{folder}/big{ending}")
after = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
header = imaging.probe(report.path, limits=imaging.Limits(max_pixels=1 << 40))
print(json.dumps({"mb": (after - before) / 1000, "size": [header.width, header.height], "bytes": report.bytes}))
"""


def _stream(width: int, height: int, ending: str, folder: Path) -> dict[str, float]:
    arguments = [sys.executable, "-c", STREAM, str(width), str(height), ending, str(folder)]
    done = subprocess.run(arguments, capture_output=True, text=True, check=True, cwd=REPOSITORY)
    assert done.stderr == ""
    result: dict[str, float] = json.loads(done.stdout)
    (folder / f"big{ending}").unlink()
    return result


@pytest.mark.parametrize("ending", [".png", ".tif", ".jpg"])
def test_height_costs_no_memory(ending: str, tmp_path: Path) -> None:
    """Eight times the rows: the same memory, within noise."""
    pytest.importorskip("resource")
    low, high = (_stream(6000, height, ending, tmp_path) for height in (512, 4096))
    assert high["size"] == [6000, 4096]
    assert high["mb"] < low["mb"] + 30


@pytest.mark.slow
@pytest.mark.parametrize("ending", [".png", ".tif"])
def test_384_megapixels_stream(ending: str, tmp_path: Path) -> None:
    """A 24-MP photo ×4."""
    pytest.importorskip("resource")
    result = _stream(24_000, 16_000, ending, tmp_path)
    assert result["size"] == [24_000, 16_000]
    assert result["mb"] < 300


MANY = """
import json, sys
from pathlib import Path
import numpy as np
import psutil
from wildsr import imaging
folder, process, sizes = Path(sys.argv[1]), psutil.Process(), []
inputs = sorted((folder / "in").iterdir())
for number in range(200):
    picture = imaging.read(inputs[number % len(inputs)])
    ending = (".png", ".jpg", ".tif", ".webp")[number // len(inputs) % 4]
    options = imaging.WriteOptions(background=(1, 1, 1))
    imaging.write(picture, folder / f"out{ending}", options=options)
    del picture
    sizes.append(process.memory_info().rss / 1e6)
print(json.dumps(sizes))
"""


@pytest.mark.slow
def test_two_hundred_pictures_leave_memory_flat(tmp_path: Path) -> None:
    """RSS over 200 pictures grows by less than 5 % after the first 20, which are every input to every format.

    The process is small (60 MB), and its allocator alone wanders by 3 MB either way, so medians of 40 are compared.
    """
    pytest.importorskip("psutil")
    (tmp_path / "in").mkdir()
    rng = np.random.default_rng(0)
    for number, ending in enumerate((".png", ".jpg", ".webp", ".tif", ".png")):
        width, height = rng.integers(40, 700, 2)
        picture = Picture(
            rgb=rng.random((height, width, 3), dtype=np.float32),
            alpha=rng.random((height, width), dtype=np.float32) if number == 2 else None,
            gray=number == 1,
            depth=16 if number == 3 else 8,
        )
        imaging.write(picture, tmp_path / "in" / f"{number}{ending}")
    arguments = [sys.executable, "-c", MANY, str(tmp_path)]
    done = subprocess.run(arguments, capture_output=True, text=True, check=True, cwd=REPOSITORY)
    sizes = json.loads(done.stdout)
    early, late = np.median(sizes[20:60]), np.median(sizes[160:])
    assert late < 1.05 * early, (early, late)
    assert done.stderr == ""


def test_other_threads_run_while_pictures_are_coded(tmp_path: Path) -> None:
    """Decoding and encoding let go of the interpreter: a counting thread keeps counting."""
    rng = np.random.default_rng(0)
    picture = Picture(rgb=rng.random((1500, 1500, 3), dtype=np.float32))
    path = tmp_path / "a.png"
    imaging.write(picture, path)
    ticks: list[float] = []
    stop = threading.Event()

    def count() -> None:
        while not stop.is_set():
            ticks.append(time.perf_counter())
            time.sleep(0.001)

    thread = threading.Thread(target=count)
    thread.start()
    start = time.perf_counter()
    imaging.open_source(path)
    imaging.write(picture, tmp_path / "b.png", options=imaging.WriteOptions(compression=9))
    seconds = time.perf_counter() - start
    stop.set()
    thread.join()
    longest = max(b - a for a, b in itertools.pairwise(ticks))
    assert longest < max(1.0, 0.6 * seconds)  # held throughout, it would be all of it
