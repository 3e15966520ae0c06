"""How well tiles agree with the whole picture, for every model of the catalog, in fp32.

    python benchmarks/tiles.py --photo FILE [--models NAME …] [--side 288] [--tiles 160 208 256] [--markdown FILE]

Prints, per model and tile side, the worst difference to the untiled result and the share of values within 1/255, by
default and with `--tiling exact`. DESIGN's promise: by default 99.9 % within 1/255 and none beyond 3/255; exact, all
within 1/255.
"""

import argparse
from dataclasses import replace
from pathlib import Path

import numpy as np

from wildsr import Picture, Settings, Upscaler, read
from wildsr.models import CATALOG


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--photo", type=Path, required=True)
    parser.add_argument("--models", nargs="+", default=list(CATALOG))
    parser.add_argument("--side", type=int, default=288)
    parser.add_argument("--tiles", type=int, nargs="+", default=[160, 208, 256])
    parser.add_argument("--markdown", type=Path)
    options = parser.parse_args()
    rgb = read(options.photo).rgb
    side = options.side
    top, left = (rgb.shape[0] - side) // 2, (rgb.shape[1] - side) // 2
    picture = Picture(rgb=np.ascontiguousarray(rgb[top : top + side, left : left + side]))
    lines = [
        f"Crop of {side}×{side} LR pixels, fp32, colour fix on",
        "",
        "| model | tiling | tile | tiles | worst, in 1/255 | within 1/255 |",
        "|--|--|--|--|--|--|",
    ]
    print("\n".join(lines), flush=True)
    for name in options.models:
        settings = Settings(precision="fp32")
        whole = Upscaler(name, settings, tile_pixels=side * side)(picture).rgb
        for tiling in ("fast", "exact"):
            for tile in options.tiles:
                upscaler = Upscaler(name, replace(settings, tile=tile, tiling=tiling))
                counted = []
                tiled = upscaler(picture, progress=lambda done, total, seen=counted: seen.append(total)).rgb
                error = 255 * np.abs(tiled - whole)
                line = (
                    f"| {name} | {tiling} | {tile} | {counted[-1]} | {error.max():.2f} | "
                    f"{100 * np.mean(error <= 1):.4f} % |"
                )
                lines.append(line)
                print(line, flush=True)
    if options.markdown:
        options.markdown.write_text("\n".join(lines) + "\n")


if __name__ == "__main__":
    main()
