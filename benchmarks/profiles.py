# ruff: noqa: E501 -- rows of tables are long
"""How well blur is found: photos blurred on purpose, by kernels that are known.

    python benchmarks/profiles.py --photos PHOTOS [--kernels KERNELS] [--count 36] [--methods auto …] [--half test]
                                 [--kinds gaussian comet …] [--jpeg 90] [--sigma 4] [--out docs/results]

The photos are sorted by the hash of their names and split in halves; `dev` was used to choose parameters, `test` is
reported. Kernels in turn: anisotropic Gaussians (DIV2KRK's generator: 11×11, variances 0.6…5, ±25 % noise), the twelve
of `kernels_12.mat`, straight motion, and comets (lopsided; the second is the first mirrored); or, with `--kinds`, those
kinds in turn. `--sigma` adds white noise, `--jpeg` compresses after it. Baselines: bicubic, delta, and the best
constant answer, an isotropic Gaussian whose variance is chosen on kernels drawn anew.
"""

import argparse
import datetime
import hashlib
import io
import resource
import time
from collections.abc import Callable
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass
from functools import partial
from multiprocessing import get_context
from pathlib import Path

import numpy as np
import pairs
from PIL import Image
from scipy.ndimage import correlate
from scipy.stats import spearmanr

from wildsr.degradation.kernels import centre_of_mass, compose_x4
from wildsr.estimation import KernelEstimate, estimate_kernel
from wildsr.estimation.kernels.kernelgan import BICUBIC_HALF
from wildsr.estimation.kernels.shapes import centred, gaussian, second_moments
from wildsr.estimation.kernels.spectrum import Doubles
from wildsr.imaging import FloatArray, read

SIZE = 25


@dataclass(frozen=True, kw_only=True)
class Case:
    """A photo, and the kernel it is blurred with."""

    photo: Path
    group: str
    kernel: Doubles


@dataclass(frozen=True, kw_only=True)
class Row:
    """What one method made of a case."""

    case: Case
    method: str
    estimate: KernelEstimate
    error: float
    mirrored: float
    gain: float
    seconds: float


def half_of(folder: Path, half: str) -> list[Path]:
    """The photos of the `dev` or `test` half, in the order of their names' hashes."""
    files = [one for one in folder.iterdir() if one.suffix.lower() in (".jpg", ".jpeg", ".png", ".webp")]
    files.sort(key=lambda one: hashlib.sha256(one.name.encode()).hexdigest())
    return files[half == "test" :: 2]


def random_gaussian(rng: np.random.Generator) -> Doubles:
    long, short = rng.uniform(0.6, 5, 2)
    angle = rng.uniform(0, np.pi)
    turn = np.array([[np.cos(angle), -np.sin(angle)], [np.sin(angle), np.cos(angle)]])
    kernel = gaussian(turn @ np.diag([long, short]) @ turn.T, size=11)
    return centred(kernel * rng.uniform(0.75, 1.25, kernel.shape), size=SIZE)


def drawn_line(length: float, angle: float, *, fading: float = 0.0) -> Doubles:
    """A straight stroke 1.2 pixels wide; `fading` makes it a comet."""
    places = np.arange(SIZE) - SIZE // 2
    kernel = np.zeros((SIZE, SIZE))
    for part in np.linspace(-0.5, 0.5, 81):
        x, y = places[None] - part * length * np.cos(angle), places[:, None] - part * length * np.sin(angle)
        kernel += np.exp(-fading * (part + 0.5)) * np.exp(-(x**2 + y**2) / (2 * 0.6**2))
    return centred(kernel / kernel.sum(), size=SIZE)


def kernels_12(folder: Path | None) -> list[Doubles]:
    if folder is None or not (folder / "kernels_12.mat").exists():
        return []
    from scipy.io import loadmat

    return [
        centred(one.astype(np.float64), size=SIZE) for one in loadmat(folder / "kernels_12.mat")["kernels"][0]
    ]


def cases(photos: list[Path], folder: Path | None, seed: int) -> list[Case]:
    rng = np.random.default_rng(seed)
    listed = kernels_12(folder)
    made: list[tuple[str, Doubles]] = [("kernels_12", one) for one in listed]
    made += [("motion", drawn_line(rng.uniform(3, 8), rng.uniform(0, np.pi))) for _ in range(4)]
    comet = drawn_line(7, rng.uniform(0, 2 * np.pi), fading=3)
    made += [("comet", comet), ("comet", centred(comet[::-1, ::-1], size=SIZE))]
    made += [("gaussian", random_gaussian(rng)) for _ in range(max(len(photos) - len(made), 0))]
    order = rng.permutation(len(made))[: len(photos)]
    return [
        Case(photo=photo, group=made[index][0], kernel=made[index][1])
        for photo, index in zip(photos, order, strict=False)
    ]


def cases_of(kinds: list[str], photos: list[Path], seed: int) -> list[Case]:
    """Kernels of these kinds in turn, drawn anew for every photo."""
    rng = np.random.default_rng(seed)
    draw: dict[str, Callable[[], Doubles]] = {
        "gaussian": lambda: random_gaussian(rng),
        "motion": lambda: drawn_line(rng.uniform(3, 8), rng.uniform(0, np.pi)),
        "comet": lambda: drawn_line(rng.uniform(4, 9), rng.uniform(0, 2 * np.pi), fading=3),
    }
    turn = [kinds[number % len(kinds)] for number in range(len(photos))]
    return [
        Case(photo=photo, group=kind, kernel=draw[kind]()) for photo, kind in zip(photos, turn, strict=True)
    ]


def damaged(lr: FloatArray, sigma: float, jpeg: int | None, rng: np.random.Generator) -> FloatArray:
    """Add white noise, then compress."""
    pixels = np.rint(np.clip(lr * 255 + rng.normal(0, sigma, lr.shape) * (sigma > 0), 0, 255)).astype(
        np.uint8
    )
    if jpeg is not None:
        file = io.BytesIO()
        Image.fromarray(pixels).save(file, "JPEG", quality=jpeg)
        pixels = np.asarray(Image.open(io.BytesIO(file.getvalue())))
    return pixels.astype(np.float32) / np.float32(255)


def best_constant(seed: int) -> Doubles:
    """The isotropic Gaussian with the least median error over other kernels of the same kinds."""
    rng = np.random.default_rng(seed)
    others = [random_gaussian(rng) for _ in range(150)]
    others += [drawn_line(rng.uniform(3, 8), rng.uniform(0, np.pi)) for _ in range(20)]
    tried = [gaussian(np.diag([v, v]), size=SIZE) for v in np.arange(0.6, 5, 0.1)]
    errors = [np.median([np.linalg.norm(one - other) for other in others]) for one in tried]
    return tried[int(np.argmin(errors))]


def blurred(rgb: FloatArray, kernel: Doubles, step: int = 2) -> FloatArray:
    planes = [
        correlate(rgb[..., c], kernel.astype(np.float32), mode="reflect")[::step, ::step]
        for c in range(rgb.shape[2])
    ]
    return (np.rint(np.clip(np.stack(planes, -1), 0, 1) * 255) / 255).astype(np.float32)


def laid(kernel: Doubles) -> Doubles:
    edge = (SIZE - len(kernel)) // 2
    return np.pad(kernel, edge) if edge >= 0 else kernel[-edge:edge, -edge:edge]


def bicubic() -> Doubles:
    return laid(np.pad(np.outer(BICUBIC_HALF, BICUBIC_HALF), ((5, 4), (5, 4))))


def measured(case: Case, methods: list[str], constant: Doubles, sigma: float, jpeg: int | None) -> list[Row]:
    rgb = read(case.photo).rgb
    lr = damaged(blurred(rgb, case.kernel), sigma, jpeg, np.random.default_rng(0))
    crop = rgb[:320, :320] @ np.array([[0.299], [0.587], [0.114]], np.float32)
    truth_lr = blurred(crop, compose_x4(case.kernel), 4)
    constant_mse = float(((blurred(crop, compose_x4(constant), 4) - truth_lr) ** 2).mean())
    rows = []
    for method in methods:
        started = resource.getrusage(resource.RUSAGE_SELF).ru_utime
        estimate = estimate_kernel(lr, method=method, seed=0)  # type: ignore[arg-type]
        seconds = resource.getrusage(resource.RUSAGE_SELF).ru_utime - started
        found_lr = blurred(crop, compose_x4(estimate.kernel), 4)
        mse = max(float(((found_lr - truth_lr) ** 2).mean()), 1e-12)
        rows.append(
            Row(
                case=case,
                method=method,
                estimate=estimate,
                error=float(np.linalg.norm(laid(estimate.kernel) - case.kernel)),
                mirrored=float(
                    np.linalg.norm(laid(estimate.kernel) - centred(case.kernel[::-1, ::-1], size=SIZE))
                ),
                gain=10 * np.log10(max(constant_mse, 1e-12) / mse),
                seconds=seconds,
            )
        )
    return rows


def ellipse(kernel: Doubles) -> tuple[float, float, float]:
    values, axes = np.linalg.eigh(second_moments(kernel))
    return float(values[0]), float(values[1]), float(np.arctan2(axes[1, 1], axes[0, 1]))


def summary(rows: list[Row], constant: Doubles, method: str) -> list[str]:
    rows = [row for row in rows if row.method == method]
    kept = [row for row in rows if row.estimate.reason is None]
    lines = [
        f"### {method}",
        "",
        "| kernels | photos | accepted | bicubic | delta | constant | found | found / constant |",
        "|--|--|--|--|--|--|--|--|",
    ]
    delta = np.zeros((SIZE, SIZE))
    delta[12:14, 12:14] = 0.25  # the centre lies between four pixels
    for group in ("all", "gaussian", "kernels_12", "motion", "comet"):
        every = [row for row in rows if group in ("all", row.case.group)]
        some = [row for row in kept if group in ("all", row.case.group)]
        if not every:
            continue
        base = [
            np.median([np.linalg.norm(answer - row.case.kernel) for row in some or every])
            for answer in (bicubic(), delta, constant)
        ]
        error = float(np.median([row.error for row in some])) if some else float("nan")
        lines.append(
            f"| {group} | {len(every)} | {len(some)} | {base[0]:.4f} | {base[1]:.4f} | {base[2]:.4f} | {error:.4f} | {error / base[2]:.2f} |"
        )
    gauss = [row for row in kept if row.case.group == "gaussian"]
    truth, found = (
        np.array([ellipse(k) for k in ks])
        for ks in ([row.case.kernel for row in gauss], [row.estimate.kernel for row in gauss])
    )
    if len(gauss) >= 4:
        long = truth[:, 1] / truth[:, 0] >= 2
        apart = np.degrees(np.abs((truth[:, 2] - found[:, 2] + np.pi / 2) % np.pi - np.pi / 2))
        lines += [
            "",
            f"- Gaussians: rank correlation of the smaller variance {spearmanr(truth[:, 0], found[:, 0])[0]:.2f}, of the larger "
            f"{spearmanr(truth[:, 1], found[:, 1])[0]:.2f}; median angle error where λmax/λmin ≥ 2: "
            f"{np.median(apart[long]) if long.any() else float('nan'):.1f}° ({np.count_nonzero(long)} photos).",
        ]
    off = [
        max(abs(np.subtract(centre_of_mass(row.estimate.kernel), len(row.estimate.kernel) // 2 + 0.5)))
        for row in rows
    ]
    confidence, error = [row.estimate.confidence for row in rows], [row.error for row in rows]
    comets = [row for row in rows if row.case.group == "comet"]
    sides = sum(row.error < row.mirrored for row in comets)
    lines += [
        f"- Accepted {len(kept)} of {len(rows)}; largest departure from the centre {max(off):.3f} px; rank correlation of "
        f"confidence and error {spearmanr(confidence, error)[0]:.2f} (all), median error of rejected "
        f"{np.median([row.error for row in rows if row.estimate.reason]) if len(kept) < len(rows) else float('nan'):.4f}.",
        f"- The ×4 LR made by it is {np.median([row.gain for row in kept]):.1f} dB (median) closer to the true one than the constant's.",
        f"- Comets nearer to the truth than to its mirror image: {sides} of {len(comets)} (the first two: "
        f"{', '.join(f'{row.error:.3f} and {row.mirrored:.3f}' for row in comets[:2])}).",
        f"- {np.median([row.seconds for row in rows]):.1f} s of one core a photo (median).",
        "",
    ]
    return lines


def scatter(rows: list[Row], method: str) -> str:
    """True against found variances of the Gaussians as SVG."""
    rows = [row for row in rows if row.method == method and row.case.group == "gaussian"]
    marks = []
    for row in rows:
        for which, colour in ((0, "#1f6feb"), (1, "#d1481f")):
            x, y = ellipse(row.case.kernel)[which], ellipse(row.estimate.kernel)[which]
            fill = colour if row.estimate.reason is None else "none"
            marks.append(
                f'<circle cx="{40 + 50 * x:.0f}" cy="{340 - 50 * min(y, 6.5):.0f}" r="4" fill="{fill}" stroke="{colour}"/>'
            )
    return (
        '<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 380 380" font-family="sans-serif" font-size="12">'
        '<rect width="380" height="380" fill="#fff"/><path d="M40,20 V340 H365" fill="none" stroke="#333"/>'
        '<path d="M40,340 L360,20" stroke="#aaa" stroke-dasharray="4"/>'
        + "".join(
            f'<text x="{36 + 50 * v}" y="356">{v}</text><text x="24" y="{344 - 50 * v}">{v}</text>'
            for v in range(1, 7)
        )
        + f'<text x="200" y="374">true variance (px², ×2)</text><text x="46" y="30">found by {method}: smaller axis blue, larger red</text>'
        + "".join(marks)
        + "</svg>\n"
    )


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--photos", type=Path)
    parser.add_argument(
        "--pairs", type=Path, help="folder with HR/ and LR/ of real cameras, instead of --photos"
    )
    parser.add_argument("--kernels", type=Path)
    parser.add_argument("--count", type=int, default=36)
    parser.add_argument("--skip", type=int, default=0, help="photos of the half to pass over first")
    parser.add_argument("--kinds", nargs="*", choices=("gaussian", "motion", "comet"), default=[])
    parser.add_argument("--sigma", type=float, default=0.0, help="of white noise, in levels")
    parser.add_argument("--jpeg", type=int, help="quality")
    parser.add_argument("--methods", nargs="*", default=["spectrum", "auto", "michaeli_irani"])
    parser.add_argument("--half", choices=("dev", "test"), default="test")
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--jobs", type=int, default=1)
    parser.add_argument("--out", type=Path)
    chosen = parser.parse_args()
    if chosen.pairs is not None:
        print("\n".join(pairs.report(chosen.pairs, chosen.methods)))
        return
    if chosen.photos is None:
        parser.error("one of --photos and --pairs is needed")
    photos = half_of(chosen.photos, chosen.half)
    photos = photos[chosen.skip : chosen.skip + chosen.count]
    made = (
        cases_of(chosen.kinds, photos, chosen.seed)
        if chosen.kinds
        else cases(photos, chosen.kernels, chosen.seed)
    )
    constant = best_constant(chosen.seed + 1000)
    started = time.time()
    rows: list[Row] = []
    with ProcessPoolExecutor(chosen.jobs, mp_context=get_context("spawn")) as pool:
        work = partial(
            measured, methods=chosen.methods, constant=constant, sigma=chosen.sigma, jpeg=chosen.jpeg
        )
        for some in pool.map(work, made):
            rows += some
            print(
                *(
                    f"{row.case.group} {row.method} {row.error:.4f} {row.estimate.confidence:.2f} {row.estimate.reason or ''}"
                    for row in some
                ),
                sep="\n",
                flush=True,
            )
    today = datetime.datetime.now(tz=datetime.UTC).date()
    lines = [
        f"{today}, {len(made)} photos of the {chosen.half} half, kernels of seed {chosen.seed}; constant: variance {second_moments(constant)[0, 0]:.1f}.",
        "",
    ]
    for method in chosen.methods:
        lines += summary(rows, constant, method)
    print("\n".join(lines))
    print(f"took {time.time() - started:.0f} s")
    if chosen.out is not None:
        (chosen.out / "profile").mkdir(parents=True, exist_ok=True)
        for method in chosen.methods:
            (chosen.out / "profile" / f"{method}.svg").write_text(scatter(rows, method))
        (chosen.out / "profile" / "tables.md").write_text("\n".join(lines))


if __name__ == "__main__":
    main()
