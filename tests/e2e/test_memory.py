"""Memory stays flat over a batch of pictures of all sizes."""

import random
from concurrent.futures import ProcessPoolExecutor
from multiprocessing import get_context
from pathlib import Path

import numpy as np
import psutil
import pytest
from PIL import Image

from tests.engine.tiny import save, tiny_compact
from wildsr.engine import Settings, Upscaler, upscale_folder
from wildsr.models import Model, ModelSpec

PICTURES, BATCH, WARM_UP = 200, 10, 40
ENDINGS = ("png", "jpg", "webp", "tif")
GROWTH = 0.05


def memory_after_each(folder: Path) -> list[int]:
    """Super-resolve 200 pictures of mixed sizes and formats; return the RSS in bytes after each."""
    dice = random.Random(3)
    noise = np.random.default_rng(3)
    for number in range(PICTURES):
        height, width = dice.randint(20, 200), dice.randint(20, 200)
        if number in (0, 1):  # whatever is kept for the largest picture is there from the start
            height, width = 200, 200
        path = folder / str(number // BATCH) / f"{number}.{dice.choice(('png', 'jpg', 'webp'))}"
        path.parent.mkdir(exist_ok=True)
        Image.fromarray(noise.integers(0, 255, (height, width, 3), dtype=np.uint8)).save(path)
    model = Model(
        spec=ModelSpec(id="tiny", architecture="graph", halo=6, halo_exact=6),
        onnx_path=save(tiny_compact(), folder / "tiny.onnx"),
        sha256="0" * 64,
    )
    process, taken = psutil.Process(), list[int]()
    upscaler = Upscaler(model, Settings(precision="fp32", threads=1))
    for batch in range(PICTURES // BATCH):
        ending = ENDINGS[batch % len(ENDINGS)]
        for outcome in upscale_folder(
            folder / str(batch), folder / "out" / str(batch), model=upscaler, extension=ending
        ):
            assert outcome.reason is None
            taken.append(process.memory_info().rss)
    return taken


@pytest.mark.slow
def test_200_pictures_take_no_more_memory_than_20(tmp_path: Path) -> None:
    """In a process of its own: what other tests freed must not hide what this batch keeps."""
    with ProcessPoolExecutor(1, mp_context=get_context("spawn")) as pool:
        taken = pool.submit(memory_after_each, tmp_path).result(timeout=280)
    assert len(taken) == PICTURES
    warm, later = max(taken[:WARM_UP]), max(taken[WARM_UP:])
    assert later <= warm * (1 + GROWTH), f"{warm / 1e6:.0f} MB grew to {later / 1e6:.0f} MB"
