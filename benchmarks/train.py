"""Images a second of one training step, against a plain PyTorch loop of the same step, side by side in one run.

    python benchmarks/train.py [--rounds 5] [--steps 3] [--networks edsr-baseline srvgg-16 rrdb-small]

Four ways are measured in turn, round after round, so that what else the machine does hits all alike; the median round
counts. `plain` is what one would write first: default Adam, fp32. `wildsr` is the step of the recipe `psnr` on the same
tensors, precision detected. `compiled` adds torch.compile (needs a C++ compiler). `channels last` is `plain` with the
other memory format. Last, the time the loader needs for a batch, as a share of the step.
"""

import argparse
import datetime
import statistics
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

import numpy as np
import torch
from lightning_fabric import Fabric
from PIL import Image
from torch import nn

from wildsr.data import AlignedCrops, collate, open_photos
from wildsr.networks import NETWORKS
from wildsr.training.ema import Ema
from wildsr.training.hardware import chosen_precision, cpu_has_bf16, processor
from wildsr.training.health import gradient_norm
from wildsr.training.settings import RunSettings

BATCH, LR_SIDE, SCALE = 8, 32, 4


def plain(network: nn.Module, lr: torch.Tensor, hr: torch.Tensor) -> Callable[[], None]:
    optimiser = torch.optim.Adam(network.parameters(), lr=1e-4)

    def step() -> None:
        optimiser.zero_grad()
        (network(lr) - hr).abs().mean().backward()
        optimiser.step()

    return step


def channels_last(network: nn.Module, lr: torch.Tensor, hr: torch.Tensor) -> Callable[[], None]:
    network = network.to(memory_format=torch.channels_last)
    return plain(network, lr.contiguous(memory_format=torch.channels_last), hr)


def wildsr(
    network: nn.Module, lr: torch.Tensor, hr: torch.Tensor, *, compiled: bool = False
) -> Callable[[], None]:
    fabric = Fabric(accelerator="cpu", devices=1, precision=chosen_precision(RunSettings(), "cpu"))
    ema = Ema(network, 0.999)
    optimiser = torch.optim.Adam(network.parameters(), lr=1e-4, betas=(0.9, 0.99), fused=True)
    module = torch.compile(network) if compiled else network
    assert isinstance(module, nn.Module)
    wrapped, optimiser = fabric.setup(module, optimiser)

    def step() -> None:
        optimiser.zero_grad(set_to_none=True)
        loss = (wrapped(lr).float() - hr).abs().mean()
        fabric.backward(loss)
        gradient_norm(network, 0.0)
        optimiser.step()
        ema.update(1000)

    return step


def compiled(network: nn.Module, lr: torch.Tensor, hr: torch.Tensor) -> Callable[[], None]:
    return wildsr(network, lr, hr, compiled=True)


WAYS: dict[str, Callable[[nn.Module, torch.Tensor, torch.Tensor], Callable[[], None]]] = {
    "plain": plain,
    "channels last": channels_last,
    "wildsr": wildsr,
    "compiled": compiled,
}


def measure(name: str, ways: list[str], rounds: int, steps: int) -> dict[str, float]:
    random = torch.Generator().manual_seed(0)
    lr = torch.rand(BATCH, 3, LR_SIDE, LR_SIDE, generator=random)
    hr = torch.rand(BATCH, 3, LR_SIDE * SCALE, LR_SIDE * SCALE, generator=random)
    runs = {way: WAYS[way](NETWORKS[name](), lr, hr) for way in ways}
    for run in runs.values():  # first steps allocate, choose kernels, compile
        run()
        run()
    times: dict[str, list[float]] = {way: [] for way in ways}
    for _ in range(rounds):
        for way, run in runs.items():
            start = time.perf_counter()
            for _ in range(steps):
                run()
            times[way].append((time.perf_counter() - start) / steps)
    return {way: BATCH / statistics.median(values) for way, values in times.items()}


def loader_seconds() -> float:
    """Seconds to make one batch of cached crops."""
    with tempfile.TemporaryDirectory() as folder:
        for number in range(4):
            pixels = np.random.default_rng(number).integers(0, 256, (600, 800, 3), dtype=np.uint8)
            Image.fromarray(pixels).save(Path(folder) / f"{number}.png")
        found = open_photos(Path(folder), scale=SCALE, patch=LR_SIDE * SCALE, cache=Path(folder) / "cache")
        crops = AlignedCrops(found.photos, scale=SCALE, patch=LR_SIDE * SCALE)
        times = []
        for number in range(20):
            start = time.perf_counter()
            collate([crops.sample(0, number * BATCH + item) for item in range(BATCH)])
            times.append(time.perf_counter() - start)
    return statistics.median(times)


def main() -> None:
    parser = argparse.ArgumentParser(description="Training speed, side by side.")
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--steps", type=int, default=2)
    parser.add_argument("--networks", nargs="+", default=["edsr-baseline", "srvgg-16", "rrdb-small"])
    parser.add_argument("--ways", nargs="+", default=list(WAYS), choices=list(WAYS))
    options = parser.parse_args()
    print(f"{datetime.datetime.now(tz=datetime.UTC):%Y-%m-%d %H:%M} UTC, torch {torch.__version__}")
    print(
        f"{processor()}, {torch.get_num_threads()} threads, native bf16: {'yes' if cpu_has_bf16() else 'no'}"
    )
    print(f"batch {BATCH} of {LR_SIDE}×{LR_SIDE} LR, precision {chosen_precision(RunSettings(), 'cpu')}")
    loader = loader_seconds()
    for name in options.networks:
        rates = measure(name, options.ways, options.rounds, options.steps)
        print(f"\n{name}")
        for way, rate in rates.items():
            ratio = f"{rate / rates['plain']:.2f} × plain" if "plain" in rates else ""
            share = loader / (BATCH / rate)
            print(f"  {way:<14} {rate:7.2f} images/s  {ratio:<14} loader {share:.1%} of the step")


if __name__ == "__main__":
    main()
