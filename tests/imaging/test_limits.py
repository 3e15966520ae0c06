"""What is too large is refused from the header, at once and for almost nothing."""

import json
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from tests.imaging.nasty import BOMBS
from wildsr import imaging
from wildsr.errors import InputError, LimitError
from wildsr.imaging import Limits

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
