"""What every target checks, and where it works."""

import shutil
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import numpy as np

from wildsr.errors import WildsrError
from wildsr.imaging import Limits, Picture

LIMITS = Limits(max_pixels=1 << 16, max_side=1 << 12, max_file_bytes=1 << 20)


def listing(folder: Path) -> list[str]:
    """Return the names in a folder."""
    return sorted(path.name for path in folder.iterdir())


def check_picture(picture: Picture) -> None:
    """Raise where a picture breaks what `Picture` promises."""
    assert picture.rgb.shape == (picture.height, picture.width, 3)
    assert min(picture.height, picture.width) >= 1
    planes = [picture.rgb] if picture.alpha is None else [picture.rgb, picture.alpha]
    for plane in planes:
        assert plane.dtype == np.float32
        assert plane.shape[:2] == picture.rgb.shape[:2]
        assert np.isfinite(plane).all()
        assert plane.min() >= 0
        assert plane.max() <= 1
    if picture.gray:
        assert (picture.rgb[..., 0] == picture.rgb[..., 2]).all()


def check_error(error: WildsrError) -> None:
    """Raise where an error says nothing, or can't be printed."""
    text = f"{error}\n{error.hint or ''}"
    assert str(error).strip()
    text.encode()
    assert text.replace("\n", "").isprintable(), repr(text)


@contextmanager
def scratch() -> Iterator[Path]:
    """Lend an empty folder, in memory where there is one."""
    memory = Path("/dev/shm")
    folder = Path(tempfile.mkdtemp(prefix="wildsr-fuzz-", dir=memory if memory.is_dir() else None))
    try:
        yield folder
    finally:
        shutil.rmtree(folder, ignore_errors=True)
