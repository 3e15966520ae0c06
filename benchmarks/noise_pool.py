# ruff: noqa: E501 -- rows of tables are long
"""How well noise is found: known noise added to clean photos, and real noise of pairs.

    python benchmarks/noise_pool.py --photos PHOTOS [--noisy PAIRS] [--count 24] [--half test]

Profiles are made of the noisy photos as a user makes them; their pools are compared with what was added at the same
places. PAIRS holds `*_real.*` beside `*_mean.*`, a shot and the mean of many.
"""

import argparse
import datetime
import tempfile
from pathlib import Path

import numpy as np
from profiles import half_of

from wildsr.estimation.noise.patches import noise_patches
from wildsr.estimation.profile.make import ProfileSettings, profile_photos
from wildsr.estimation.profile.photo import PhotoSettings
from wildsr.imaging import FloatArray, Picture, read, write

QUIET = 1.0
"""σ in levels: clean photos with less noise of their own are also reported apart."""


def added(photos: list[Path]) -> list[str]:
    lines = [
        "| added | photos | giving patches | patches | pooled σ / added σ | pooled σ / σ of added and the photo's own grain | power by octave, coarse to fine (white: 1) |",
        "|--|--|--|--|--|--|--|",
    ]
    quiet = [photo for photo in photos if own_grain(photo) <= QUIET]
    for kind in ("σ 2", "σ 5", "σ 10", "Poisson 400"):
        for name, some in (("all", photos), (f"own σ ≤ {QUIET:.0f}", quiet)):
            with tempfile.TemporaryDirectory() as home:
                lines.append(f"| {kind} | {len(some)} ({name}) | {noise_row(kind, some, Path(home))} |")
    return [*lines, ""]


def own_grain(photo: Path) -> float:
    """σ in levels of the noise the clean photo itself gives; none counts as much."""
    patches = noise_patches(read(photo).rgb).patches
    return 255 * float(np.median(patches.std(axis=(1, 2, 3)))) if len(patches) else np.inf


def noise_row(kind: str, photos: list[Path], home: Path) -> str:
    """Add noise, make a profile as a user does, and compare its pool with what was added at those places."""
    rng = np.random.default_rng(0)
    clean, files = {}, []
    for photo in photos:
        rgb = read(photo).rgb
        white = rng.normal(0, float(kind[2:]) / 255, rgb.shape) if kind[0] == "σ" else 0
        noisy = rgb + white if kind[0] == "σ" else rng.poisson(rgb * 400) / 400
        files.append(home / f"{photo.stem}.png")
        write(Picture(rgb=np.clip(noisy, 0, 1).astype(np.float32)), files[-1])
        clean[files[-1].name] = rgb
    profile = profile_photos(files, ProfileSettings(photo=PhotoSettings(method="spectrum")))
    sums = []
    for patch, note in zip(profile.noise, profile.meta.noise, strict=True):
        here = clean[note.photo][note.row : note.row + 64, note.column : note.column + 64]
        added = (float(kind[2:]) / 255) ** 2 if kind[0] == "σ" else float(here.mean()) / 400
        sums.append((float((patch**2).mean()), added, grain_of(here)))
    pooled, added, grain = np.sum(sums, axis=0)
    giving = len({note.photo for note in profile.meta.noise})
    return (
        f"{giving} | {len(sums)} | {np.sqrt(pooled / added):.3f} | {np.sqrt(pooled / (added + grain)):.3f} | "
        f"{octaves(profile.noise)}"
    )


def grain_of(patch: FloatArray) -> float:
    """Variance of what a clean patch holds beside a cubic surface: the photo's own grain, and texture."""
    axis = np.linspace(-1, 1, patch.shape[0])
    powers = np.linalg.qr(np.vander(axis, 4, increasing=True))[0].T
    planes = patch.transpose(2, 0, 1).astype(np.float64)
    weights = (powers @ planes @ powers.T) * (np.add.outer(range(4), range(4)) <= 3)
    return float(((planes - powers.T @ weights @ powers) ** 2).mean())


def octaves(patches: FloatArray) -> str:
    scaled = patches / patches.std(axis=(1, 2, 3), keepdims=True)
    power = (np.abs(np.fft.fft2(scaled)) ** 2).mean(axis=(0, 1)) / patches.shape[2] ** 2
    radius = np.hypot(np.fft.fftfreq(64)[:, None], np.fft.fftfreq(64)[None])
    edges = (0.0625, 0.125, 0.25, 0.5)
    return ", ".join(
        f"{power[(radius >= low) & (radius < 2 * low)].mean():.2f}" for low in (0.03125, *edges[:3])
    )


def pairs_of(folder: Path) -> list[str]:
    """Pooled variance against that of (noisy − mean), by brightness."""
    found, true = [], []
    files = sorted(folder.glob("*_real.*"))
    used = 0
    for file in files:
        noisy, mean = read(file).rgb, read(file.with_name(file.name.replace("_real", "_mean"))).rgb
        patches = noise_patches(noisy)
        difference = noisy - mean
        used += bool(len(patches.patches))
        for patch, level, (a, b) in zip(patches.patches, patches.brightness, patches.corners, strict=True):
            there = difference[a : a + 64, b : b + 64]
            found.append((level, patch.var(axis=(1, 2)).mean()))
            true.append(there.var(axis=(0, 1)).mean())
    levels, values, truth = np.array(found)[:, 0], np.array(found)[:, 1], np.array(true)
    lines = [
        f"PolyU pairs: patches from {used} of {len(files)} photos. Variance of the pooled noise against that of (noisy − mean) at the same places:",
        "",
        "| brightness | patches | pooled / true |",
        "|--|--|--|",
    ]
    for low in np.arange(0, 1, 0.125):
        here = (levels >= low) & (levels < low + 0.125)
        if np.count_nonzero(here) >= 3:
            lines.append(
                f"| {low:.3f}–{low + 0.125:.3f} | {np.count_nonzero(here)} | {values[here].sum() / truth[here].sum():.2f} |"
            )
    return [*lines, f"| all | {len(values)} | {values.sum() / truth.sum():.2f} |", ""]


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--photos", type=Path, required=True)
    parser.add_argument("--noisy", type=Path)
    parser.add_argument("--count", type=int, default=24)
    parser.add_argument("--half", choices=("dev", "test"), default="test")
    chosen = parser.parse_args()
    photos = half_of(chosen.photos, chosen.half)[: chosen.count]
    print(
        f"{datetime.datetime.now(tz=datetime.UTC).date()}, {len(photos)} photos of the {chosen.half} half",
        "",
        sep="\n",
    )
    print("\n".join([*added(photos), *(pairs_of(chosen.noisy) if chosen.noisy else [])]))


if __name__ == "__main__":
    main()
