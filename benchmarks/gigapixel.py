"""A result of a gigapixel: memory while it is made, and whether another program reads it as it should be.

    python -m benchmarks.gigapixel --megapixels 1000 [--model wild-compact] [--result tif|pyramid|dzi]

A picture of waves and noise is upscaled ×4 by the program, whose RSS is sampled, and the disk it takes. Then tifffile
(Deep Zoom: PIL) reads windows at random places, which are compared with what the model makes of the same windows of the
picture alone; those of a pyramid's smaller sizes, with the mean of four pixels of the size before.
The network is a tiny one unless another is named: what is looked at is everything around it.
"""

import argparse
import json
import math
import os
import platform
import re
import shutil
import sys
import tempfile
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import psutil
import tifffile
from PIL import Image
from tests.batch.conftest import tiny_model

from wildsr import Picture
from wildsr.engine import Settings, Upscaler
from wildsr.engine.backends import PrecisionChoice

WINDOW, MARGIN = 48, 24


def main() -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("--megapixels", type=float, default=1000)
    parser.add_argument("--model", default="")
    parser.add_argument("--places", type=int, default=40)
    parser.add_argument("--memory", type=float, default=1.0)
    parser.add_argument("--result", choices=("tif", "pyramid", "dzi"), default="tif")
    parser.add_argument("--precision", default="fp32")
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
            "model": f"{given.model or 'tiny'}, {given.precision}",
            "picture": f"{width}×{height}",
        }
        result = folder / ("out.dzi" if given.result == "dzi" else "out.tif")
        command = [
            sys.executable, "-m", "wildsr", "upscale", str(folder / "in.tif"), "-o", str(result),
            "-m", model, "--max-memory", f"{given.memory:g}", "--precision", given.precision, "--no-color-fix",
            *(["--pyramid"] if given.result == "pyramid" else []),
        ]  # fmt: skip
        (folder / "temporary").mkdir()
        os.environ["TMPDIR"] = str(folder / "temporary")
        used = shutil.disk_usage(folder).used
        begun = time.time()
        most, disk = watched(command, folder)
        found |= {"seconds": round(time.time() - begun), "RSS MB at most": round(most / 1e6)}
        left = shutil.disk_usage(folder).used - used
        found |= {"disk GB at most": round((disk - used) / 1e9, 2), "disk GB after": round(left / 1e9, 2)}
        levels = deep_zoom(result) if given.result == "dzi" else tiff(result)
        found["sizes"] = f"{levels[0].width}×{levels[0].height}, {len(levels)} of them"
        found["worst difference of 255"] = compare(levels[0], pixels, model, given.precision, given.places)
        if len(levels) > 1:
            found["of smaller sizes"] = compare_sizes(levels, given.places)
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


def watched(command: list[str], folder: Path) -> tuple[int, int]:
    """Run; return the most memory that the process and its children held at a time, and the most disk in use."""
    process = psutil.Popen(command)
    most = disk = 0
    while process.poll() is None:
        try:
            family = [process, *process.children(recursive=True)]
            most = max(most, sum(one.memory_info().rss for one in family))
        except psutil.Error:
            pass
        disk = max(disk, shutil.disk_usage(folder).used)
        time.sleep(0.2)
    if process.returncode:
        raise SystemExit(f"wildsr upscale ended with {process.returncode}")
    return most, disk


@dataclass(frozen=True)
class Level:
    """One size of a result, cut into tiles (strips are tiles as wide as the picture)."""

    width: int
    height: int
    tile_width: int
    tile_height: int
    tile: Callable[[int, int], np.ndarray]
    """Its pixels, by row and column."""

    def window(self, y: int, x: int, side: int) -> np.ndarray:
        """Read the tiles of a window, and no others."""
        rows = range(y // self.tile_height, (y + side - 1) // self.tile_height + 1)
        columns = range(x // self.tile_width, (x + side - 1) // self.tile_width + 1)
        around = np.concatenate(
            [np.concatenate([self.tile(row, column) for column in columns], 1) for row in rows]
        )
        inside = around[y - rows[0] * self.tile_height :, x - columns[0] * self.tile_width :]
        return inside[:side, :side].astype(np.float32)


def tiff(result: Path) -> list[Level]:
    file = tifffile.TiffFile(result)

    def level(page: tifffile.TiffPage) -> Level:
        height, width = page.shape[:2]
        high, wide = (page.tilelength, page.tilewidth) if page.is_tiled else (page.rowsperstrip, width)

        def tile(row: int, column: int) -> np.ndarray:
            index = row * math.ceil(width / wide) + column
            file.filehandle.seek(page.dataoffsets[index])
            data = file.filehandle.read(page.databytecounts[index])
            return np.asarray(page.decode(data, index)[0][0])

        return Level(width, height, wide, high, tile)

    return [level(page) for page in file.pages]


def deep_zoom(result: Path) -> list[Level]:
    """By the text of the descriptor: sizes are halved, rounded up, down to one pixel; tiles overlap."""
    text = result.read_text()
    side, overlap, width, height = (
        int(re.search(f'{name}="(\\d+)"', text)[1]) for name in ("TileSize", "Overlap", "Width", "Height")
    )
    folder = result.with_name(f"{result.stem}_files")
    number = math.ceil(math.log2(max(width, height)))

    def level(number: int, width: int, height: int) -> Level:
        def tile(row: int, column: int) -> np.ndarray:
            pixels = np.asarray(Image.open(folder / str(number) / f"{column}_{row}.png"))
            return pixels[overlap * (row > 0) :, overlap * (column > 0) :][:side, :side]

        return Level(width, height, side, side, tile)

    levels = []
    while number >= 0:
        levels.append(level(number, width, height))
        number, width, height = number - 1, math.ceil(width / 2), math.ceil(height / 2)
    return levels


def compare(level: Level, pixels: np.ndarray, model: str, precision: PrecisionChoice, places: int) -> str:
    upscaler = Upscaler(model, Settings(precision=precision, threads=1, color_fix=False))
    dice = np.random.default_rng(1)
    worst, differ = 0.0, []
    for _ in range(places):
        y, x = (int(dice.integers(0, one - WINDOW)) for one in pixels.shape[:2])
        top, left = max(0, y - MARGIN), max(0, x - MARGIN)
        around = pixels[top : y + WINDOW + MARGIN, left : x + WINDOW + MARGIN]
        alone = upscaler(Picture(rgb=around.astype(np.float32) / 255)).rgb
        expected = alone[4 * (y - top) :, 4 * (x - left) :][: 4 * WINDOW, : 4 * WINDOW]
        difference = np.abs(level.window(4 * y, 4 * x, 4 * WINDOW) - expected.clip(0, 1) * 255)
        worst = max(worst, float(difference.max()))
        differ.append(float((difference > 1).mean()))
    return f"{worst:.2f} in {places} places, {100 * float(np.mean(differ)):.3f} % of values by more than 1"


def compare_sizes(levels: list[Level], places: int) -> str:
    dice = np.random.default_rng(2)
    worst, looked_at = 0.0, 0
    for _ in range(places):
        number = int(dice.integers(1, len(levels)))
        large, small = levels[number - 1], levels[number]
        side = min(WINDOW, small.width - 1, small.height - 1)
        if side < 1:  # the last sizes, a pixel or so
            continue
        y, x = int(dice.integers(0, small.height - side)), int(dice.integers(0, small.width - side))
        four = large.window(2 * y, 2 * x, 2 * side)
        mean = four.reshape(side, 2, side, 2, 3).mean((1, 3))
        worst = max(worst, float(np.abs(small.window(y, x, side) - mean).max()))
        looked_at += 1
    return f"{worst:.2f} in {looked_at} places"


if __name__ == "__main__":
    main()
