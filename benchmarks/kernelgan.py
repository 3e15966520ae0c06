"""KernelGAN: the time of a step, both ways in turn, and what is recovered with and without stopping early.

    python benchmarks/kernelgan.py --photos PHOTOS [--count 8] [--jobs 2] [--rounds 5]

*Layer by layer* is the published training written down directly: the generator as six convolutions, the discriminator
as convolutions with spectral and batch normalisation, one step of each player after the other. *Composed* is what
`estimate_kernel` runs. All on one thread, in processor time, so that other load on the machine counts little.

Recovery: `profiles.py`'s test photos, L2 distance from the known kernel. *Free* starts from bicubic, follows the
published schedule and takes all 3000 steps; the others start from the spectrum's answer and are held near it.
"""

import argparse
import datetime
import resource
import statistics
from collections.abc import Callable
from concurrent.futures import ProcessPoolExecutor
from multiprocessing import get_context
from pathlib import Path

import numpy as np
import torch
from profiles import Case, best_constant, blurred, cases, half_of, laid
from torch import Tensor, nn
from torch.nn.utils import spectral_norm

from wildsr.estimation import estimate_kernel
from wildsr.estimation.kernels.kernelgan import CHANNELS, CROP, LAYERS, SMALL_CROP, GanSettings, learn_filter
from wildsr.estimation.kernels.shapes import centred, completed, gaussian, second_moments
from wildsr.estimation.kernels.spectrum import Doubles
from wildsr.imaging import read, resize

STEPS = {"layer by layer": 8, "composed": 200}
WAYS: dict[str, GanSettings] = {
    "kernelgan": GanSettings(),
    "kernelgan, 3000 steps": GanSettings(settled=0),
    "realsr": GanSettings(objective="realsr"),
    "kernelgan, free": GanSettings(settled=0),
    "realsr, free": GanSettings(objective="realsr", settled=0),
}


def seconds() -> float:
    """Processor time of this process so far."""
    used = resource.getrusage(resource.RUSAGE_SELF)
    return used.ru_utime + used.ru_stime


class LayerByLayer:
    """The published training on random pixels: only its time is of interest."""

    def __init__(self) -> None:
        channels = (1, *(CHANNELS,) * 5, 1)
        self.generator = nn.Sequential(
            *(
                nn.Conv2d(one, other, size, stride=1 + (number == len(LAYERS) - 1), bias=False)
                for number, (size, one, other) in enumerate(zip(LAYERS, channels, channels[1:], strict=False))
            )
        )
        layers: list[nn.Module] = [spectral_norm(nn.Conv2d(3, 64, 7))]
        for _ in range(5):
            layers += [spectral_norm(nn.Conv2d(64, 64, 1)), nn.BatchNorm2d(64), nn.ReLU()]
        self.discriminator = nn.Sequential(*layers, spectral_norm(nn.Conv2d(64, 1, 1)), nn.Sigmoid())
        self.optimisers = [
            torch.optim.Adam(player.parameters(), lr=2e-4, betas=(0.5, 0.999))
            for player in (self.generator, self.discriminator)
        ]

    def effective_kernel(self) -> Tensor:
        """By running the layers over a delta."""
        spot = torch.zeros(1, 1, 25, 25)
        spot[0, 0, 12, 12] = 1
        for layer in self.generator:
            assert isinstance(layer, nn.Conv2d)
            spot = nn.functional.conv2d(spot, layer.weight)
        return spot[0, 0]

    def step(self) -> None:
        """One of each player."""
        for_generator, for_discriminator = self.optimisers
        large, real = torch.rand(3, 1, CROP, CROP), torch.rand(1, 3, SMALL_CROP, SMALL_CROP)
        for_generator.zero_grad()
        fake = self.generator(large).transpose(0, 1)
        kernel = self.effective_kernel()
        rest = (1 - kernel.sum()).abs() + kernel.abs().mean()
        ((1 - self.discriminator(fake)).mean() + rest).backward()
        for_generator.step()
        for_discriminator.zero_grad()
        of_fake = self.discriminator(fake.detach() + torch.randn_like(fake) / 255)
        (0.5 * ((1 - self.discriminator(real)).mean() + of_fake.mean())).backward()
        for_discriminator.step()


def speed(photo: Path, rounds: int) -> list[str]:
    """Milliseconds of processor time a step."""
    lr = resize(read(photo).rgb, scale=0.5)
    start = gaussian(np.diag([1.8, 1.8]), size=13)
    torch.set_num_threads(1)
    published = LayerByLayer()
    published.step()

    def layer_by_layer() -> float:
        before = seconds()
        for _ in range(STEPS["layer by layer"]):
            published.step()
        return seconds() - before

    def learned(steps: int) -> float:
        before = seconds()
        learn_filter(lr, settings=GanSettings(iterations=steps, settled=0), seed=0, reference=start)
        return seconds() - before

    ways: dict[str, Callable[[], float]] = {
        "layer by layer": layer_by_layer,
        "composed": lambda: learned(STEPS["composed"] + 1) - learned(1),  # without what is done once
    }
    times: dict[str, list[float]] = {name: [] for name in ways}
    for _ in range(rounds):
        for name, run in ways.items():
            times[name].append(1000 * run() / STEPS[name])
    middle = {name: statistics.median(some) for name, some in times.items()}
    lines = ["| | ms a step (least–most) | 3000 steps, s | composed is faster by |", "|--|--|--|--|"]
    for name, some in times.items():
        lines.append(
            f"| {name} | {middle[name]:.1f} ({min(some):.1f}–{max(some):.1f}) | {3 * middle[name]:.0f} | "
            f"{middle[name] / middle['composed']:.1f}× |"
        )
    return [*lines, ""]


def recovered(case: Case) -> dict[str, tuple[float, int, float]]:
    """(error, steps, seconds of one core) of each way, and the start's."""
    lr = blurred(read(case.photo).rgb, case.kernel)
    before = seconds()
    start = estimate_kernel(lr, method="auto", seed=0)
    found = {"start": (float(np.linalg.norm(laid(start.kernel) - case.kernel)), 0, seconds() - before)}
    reference = centred(gaussian(0.75 * second_moments(start.kernel), size=13), size=13)
    for name, settings in WAYS.items():
        before = seconds()
        free = name.endswith("free")
        result = learn_filter(lr, settings=settings, seed=0, reference=None if free else reference)
        spent = seconds() - before
        # the free ones are judged as published: centred, and not completed
        kernel = centred(np.clip(result.kernel, 0, None), size=25) if free else completed(result.kernel)
        kernel = kernel / kernel.sum()
        found[name] = (float(np.linalg.norm(laid(kernel) - case.kernel)), result.iterations, spent)
    return found


def recovery(chosen: list[Case], constant: Doubles, jobs: int) -> list[str]:
    """Medians over the photos, and every photo."""
    with ProcessPoolExecutor(jobs, mp_context=get_context("spawn")) as pool:
        rows = []
        for case, row in zip(chosen, pool.map(recovered, chosen), strict=True):
            rows.append(row)
            print(case.group, {name: round(values[0], 4) for name, values in row.items()}, flush=True)
    base = [float(np.linalg.norm(constant - case.kernel)) for case in chosen]
    lines = [
        "| | error (median) | error / constant's (median) | better than its start | steps | s of one core |",
        "|--|--|--|--|--|--|",
        f"| best constant | {np.median(base):.4f} | 1.00 | | | |",
    ]
    for name in rows[0]:
        errors = [row[name][0] for row in rows]
        better = sum(row[name][0] < row["start"][0] for row in rows)
        compared = "" if name == "start" else f"{better} of {len(rows)}"
        steps, spent = (np.median([row[name][which] for row in rows]) for which in (1, 2))
        lines.append(
            f"| {name} | {np.median(errors):.4f} | {np.median(np.divide(errors, base)):.2f} | {compared} | "
            f"{steps:.0f} | {spent:.0f} |"
        )
    return [*lines, ""]


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--photos", type=Path, required=True)
    parser.add_argument("--count", type=int, default=0, help="photos whose kernels are recovered")
    parser.add_argument("--rounds", type=int, default=5, help="of the timing")
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--jobs", type=int, default=1)
    chosen = parser.parse_args()
    photos = half_of(chosen.photos, "test")
    lines = [f"{datetime.datetime.now(tz=datetime.UTC).date()}, torch {torch.__version__}", ""]
    if chosen.rounds:
        lines += speed(photos[0], chosen.rounds)
    if chosen.count:
        some = cases(photos[: chosen.count], None, chosen.seed)
        lines += recovery(some, best_constant(chosen.seed + 1000), chosen.jobs)
    print("\n".join(lines))


if __name__ == "__main__":
    main()
