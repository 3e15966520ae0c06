"""A result of a gigapixel: memory while it is made, and whether another program reads it as it should be.

    python -m benchmarks.gigapixel --megapixels 1000 [--model wild-compact]

A picture of waves and noise is upscaled ×4 into a TIFF by the program, whose RSS is sampled. Then tifffile opens the
result, and windows at random places are compared with what the model makes of the same windows of the picture alone.
The network is a tiny one unless another is named: what is looked at is everything around it.
"""

import argparse
import json
import math
import os
import platform
import sys
import tempfile
import time
from pathlib import Path

import numpy as np
import psutil
import tifffile
from PIL import Image
from tests.batch.conftest import tiny_model

from wildsr import Picture
from wildsr.engine import Settings, Upscaler

WINDOW, MARGIN = 48, 24


def main() -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("--megapixels", type=float, default=1000)
    parser.add_argument("--model", default="")
    parser.add_argument("--places", type=int, default=40)
    parser.add_argument("--memory", type=float, default=1.0)
    parser.add_argument("--folder", type=Path, default=None, help="for temporary files")
    given = parser.parse_args()
    width = round(math.sqrt(given.megapixels * 1e6 / 16 * 4 / 3))
    height = math.ceil(given.megapixels * 1e6 / 16 / width)
    with tempfile.TemporaryDirectory(prefix="wildsr-", dir=given.folder) as name:
        folder = Path(name)
        model = given.model or str(tiny_model(folder / "tiny.onnx"))
        pixels = waves(height, width)
        Image.fromarray(pixels).save(folder / "in.tif")
        found: dict[str, object] = {
            "date": time.strftime("%Y-%m-%d"),
            "machine": f"{platform.machine()}, {os.cpu_count()} cores, {os.getloadavg()[0]:.1f} load before",
            "model": given.model or "tiny",
            "picture": f"{width}×{height}",
        }
        command = [
            sys.executable, "-m", "wildsr", "upscale", str(folder / "in.tif"), "-o", str(folder / "out.tif"),
            "-m", model, "--max-memory", f"{given.memory:g}", "--precision", "fp32", "--no-color-fix",
        ]  # fmt: skip
        begun = time.time()
        most = watched(command)
        found |= {"seconds": round(time.time() - begun), "RSS MB at most": round(most / 1e6)}
        found |= compare(folder / "out.tif", pixels, model, given.places)
    print(json.dumps(found, indent=1, ensure_ascii=False))


def waves(height: int, width: int) -> np.ndarray:
    pixels = np.empty((height, width, 3), np.uint8)
    dice = np.random.default_rng(0)
    x = np.arange(width)
    for top in range(0, height, 256):
        y = np.arange(top, min(top + 256, height))[:, None]
        for channel in range(3):
            wave = 120 + 70 * np.sin(x / (7 + channel)) * np.cos(y / 11 + x / 900)
            band = wave + dice.normal(0, 3, (len(y), width))
            pixels[top : top + 256, :, channel] = band.clip(0, 255)
    return pixels


def watched(command: list[str]) -> int:
    """Run; return the most memory that the process and its children held at a time."""
    process = psutil.Popen(command)
    most = 0
    while process.poll() is None:
        try:
            family = [process, *process.children(recursive=True)]
            most = max(most, sum(one.memory_info().rss for one in family))
        except psutil.Error:
            pass
        time.sleep(0.2)
    if process.returncode:
        raise SystemExit(f"wildsr upscale ended with {process.returncode}")
    return most


def compare(result: Path, pixels: np.ndarray, model: str, places: int) -> dict[str, object]:
    upscaler = Upscaler(model, Settings(precision="fp32", threads=1, color_fix=False))
    dice = np.random.default_rng(1)
    height, width = pixels.shape[:2]
    worst = 0
    with tifffile.TiffFile(result) as file:
        page = file.pages[0]
        shape, big = page.shape, file.is_bigtiff
        rows_a_strip = page.rowsperstrip
        for _ in range(places):
            y, x = (int(dice.integers(0, one - WINDOW)) for one in (height, width))
            top, left = max(0, y - MARGIN), max(0, x - MARGIN)
            around = pixels[top : y + WINDOW + MARGIN, left : x + WINDOW + MARGIN]
            alone = upscaler(Picture(rgb=around.astype(np.float32) / 255)).rgb
            expected = alone[4 * (y - top) :, 4 * (x - left) :][: 4 * WINDOW, : 4 * WINDOW]
            got = window(file, 4 * y, 4 * x, 4 * WINDOW, rows_a_strip)
            worst = max(worst, float(np.abs(got - expected.clip(0, 1) * 255).max()))
    return {
        "result": f"{shape[1]}×{shape[0]}, {shape[0] * shape[1] / 1e6:.0f} MP, {result.stat().st_size / 1e9:.2f} GB",
        "BigTIFF": big,
        "places": places,
        "worst difference of 255": round(worst, 2),
    }


def window(file: tifffile.TiffFile, y: int, x: int, side: int, rows: int) -> np.ndarray:
    """Read the strips of a window, and no others."""
    page = file.pages[0]
    strips = []
    for index in range(y // rows, (y + side - 1) // rows + 1):
        file.filehandle.seek(page.dataoffsets[index])
        data = file.filehandle.read(page.databytecounts[index])
        strips.append(page.decode(data, index)[0][0])
    inside = np.concatenate(strips)[y % rows :][:side, x : x + side]
    return inside.astype(np.float32)


if __name__ == "__main__":
    main()
