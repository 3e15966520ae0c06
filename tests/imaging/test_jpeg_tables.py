"""The quality a JPEG file was saved at."""

from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from wildsr.imaging.jpeg_tables import jpeg_quality


@pytest.mark.parametrize("quality", [1, 5, 25, 50, 75, 90, 100])
def test_quality_is_read_from_the_tables(tmp_path: Path, quality: int) -> None:
    path = tmp_path / "a.jpg"
    Image.fromarray(np.full((32, 32, 3), 90, np.uint8)).save(path, quality=quality)
    assert jpeg_quality(path) == pytest.approx(quality, abs=1)


@pytest.mark.parametrize(
    "content",
    [
        b"",
        b"\xff\xd8",
        b"\xff\xd8\xff\xdb\x00",
        b"\xff\xd8\xff\xdb\x00\x01",
        b"\xff\xd8\xff\xdb\x00\x20" + bytes(30),
        b"\xff\xd8\xff\xff\xff\xda\x00\x02",
        b"\x89PNG\r\n\x1a\n",
        b"\xff\xd8\xff\xdb\x00\x43\x01" + bytes(64) + b"\xff\xda\x00\x08",
    ],
)
def test_broken_tables_are_no_tables(tmp_path: Path, content: bytes) -> None:
    (tmp_path / "a.jpg").write_bytes(content)
    assert jpeg_quality(tmp_path / "a.jpg") is None
