"""Before/after pictures, of the widest results too."""

from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from wildsr.engine.compare import WINDOW, comparison_path, write_comparison
from wildsr.errors import LimitError
from wildsr.imaging import RESULT_LIMITS, open_source, probe


def test_the_most_detailed_window_is_shown_before_and_after(tmp_path: Path) -> None:
    lr = np.full((400, 600, 3), 90, np.uint8)
    lr[300:, 450:] = np.random.default_rng(0).integers(0, 256, (100, 150, 3), np.uint8)
    Image.fromarray(lr).save(tmp_path / "lr.png")
    Image.fromarray(lr.repeat(4, 0).repeat(4, 1)).save(tmp_path / "lr_x4.png")
    target = comparison_path(tmp_path / "lr_x4.png")
    assert target.name == "lr_x4_compare.png"
    write_comparison(open_source(tmp_path / "lr.png"), tmp_path / "lr_x4.png", target)
    sheet = open_source(target).samples.astype(float)
    assert sheet.shape == (WINDOW, 2 * WINDOW + 8, 3)
    before, after = sheet[:, :WINDOW], sheet[:, WINDOW + 8 :]
    assert after.std() > 30  # the corner of noise, not the plain rest
    assert (sheet[:, WINDOW : WINDOW + 8] == 255).all()
    assert np.abs(before.mean(axis=(0, 1)) - after.mean(axis=(0, 1))).max() < 2


def test_a_result_wider_than_photos_may_be_is_compared(tmp_path: Path) -> None:
    lr = np.tile((np.arange(65_500) // 1024 % 200).astype(np.uint8), (2, 1))
    Image.fromarray(lr).save(tmp_path / "lr.png", compress_level=1)
    wide = tmp_path / "lr_x4.png"
    Image.fromarray(lr.repeat(4, 0).repeat(4, 1)).save(wide, compress_level=1)
    with pytest.raises(LimitError, match="262000"):
        probe(wide)
    assert probe(wide, limits=RESULT_LIMITS).width == 262_000
    write_comparison(open_source(tmp_path / "lr.png"), wide, tmp_path / "compare.png")
    assert open_source(tmp_path / "compare.png").samples.shape[:2] == (8, 2 * WINDOW + 8)
