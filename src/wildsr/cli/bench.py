"""`wildsr bench`: how fast this machine is with a model."""

import statistics
import time
from dataclasses import asdict
from typing import Annotated

import numpy as np
import typer

from wildsr.cli.choices import Backend, Device
from wildsr.cli.console import data, data_json, say, time_text
from wildsr.cli.fetching import fetch_model
from wildsr.cli.fields import field_help
from wildsr.engine import Settings
from wildsr.engine.backends import PrecisionChoice, open_backend, resolve
from wildsr.engine.tuning import tune
from wildsr.errors import UsageError
from wildsr.files import counted
from wildsr.models import COMPACT_MODEL, Model


def bench(
    model: Annotated[
        str | None,
        typer.Option(
            "-m", "--model", help="Model to time; by default the one upscale takes.", show_default=False
        ),
    ] = None,
    tile: Annotated[int, typer.Option("-t", "--tile", help="Side of the tile in LR pixels.")] = 128,
    runs: Annotated[int, typer.Option(help="Runs counted, after one that isn't.")] = 3,
    precision: Annotated[PrecisionChoice, typer.Option(help=field_help(Settings, "precision"))] = "auto",
    backend: Backend = "auto",
    device: Device = "cpu",
    threads: Annotated[
        int | None, typer.Option(help=field_help(Settings, "threads"), show_default=False)
    ] = None,
    find: Annotated[
        bool,
        typer.Option(
            "--tune",
            help="Measure backends, precisions, threads and tiles in under a minute, and remember the fastest: upscale "
            "uses it from then on.",
        ),
    ] = False,
    json: Annotated[bool, typer.Option("--json", help="Print one JSON object.")] = False,
) -> None:
    """Time a model on one tile, and say what that means for photos."""
    if tile < 8 or runs < 1:
        raise UsageError(f"tile is {tile} and runs is {runs}; at least 8 and 1 are needed")
    Settings(backend=backend, device=device, threads=threads)  # refuses what can't be
    loaded = fetch_model(model or COMPACT_MODEL)
    if find:
        _tune(loaded, json=json)
        return
    execution = resolve(backend, device=device, precision=precision, threads=threads, models=[loaded])
    if execution.note:
        say(execution.note)
    model = loaded.spec.id
    network = open_backend(loaded, execution)
    picture = np.random.default_rng(0).random((1, 3, tile, tile), dtype=np.float32)
    times = []
    for _ in range(runs + 1):
        start = time.perf_counter()
        network.run(picture)
        times.append(time.perf_counter() - start)
    seconds = statistics.median(times[1:])
    rate = tile * tile / seconds
    if json:
        data_json(
            {
                "model": model,
                "backend": execution.backend,
                "device": execution.device,
                "precision": execution.precision,
                "threads": network.threads,
                "tile": tile,
                "seconds": round(seconds, 4),
                "first_seconds": round(times[0], 4),
                "lr_pixels_per_second": round(rate),
            }
        )
        return
    data(
        f"{model}, {execution.backend} {execution.precision}, {counted(network.threads, 'thread')}: "
        f"{seconds:.2f} s for a tile of {tile}×{tile}"
    )
    for name, pixels in (("a 1-MP photo", 1e6), ("a 12-MP photo", 12e6)):
        data(f"{name}: about {time_text(pixels / rate)}")


def _tune(model: Model, *, json: bool) -> None:
    found = tune(model, say=say)
    if json:
        data_json({"model": model.spec.id, **asdict(found)})
        return
    data(
        f"{model.spec.id}: {found.backend} {found.precision}, {counted(found.threads, 'thread')}, tiles of "
        f"{found.tile_pixels} "
        f"pixels: {time_text(found.seconds_per_megapixel)} for each megapixel of a photo; remembered"
    )
