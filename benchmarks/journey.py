"""The journey: a hidden camera, its profile from its photos alone, and what networks trained with it gain.

    python benchmarks/journey.py --scenes SCENES --hr CLEAN --start RUN -o WORK [--steps 1500] [--held-out 16]
                                 [--variances 10 5] [--angle 35] [--sigma 6] [--seed 1]
                                 [--show PHOTO … --crops crops.jpg]

The camera is a Gaussian blur (variances along its axes in HR pixels at ×4), every fourth pixel, and white noise of
σ/255. SCENES (none of them in CLEAN) are sorted by the hash of their names: the first are photographed as held-out
pairs, of the rest `wildsr profile` sees the camera's photos and nothing else. Three networks go on from RUN for as many
steps with the same settings; they differ only in how LR is made: bicubic, the profile that was found, and one that
holds the camera's own kernel and noise. All goes through the commands a user has; what exists is not made again.
"""

import argparse
import hashlib
import shutil
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from PIL import Image

from wildsr import Settings, Upscaler, read
from wildsr.data import array_degrader
from wildsr.degradation import GaussianNoise, Pipeline, Profile, kernels
from wildsr.degradation.blur import BlurSubsample, FromPool
from wildsr.degradation.levels import Round

SCALE = 4
PATCHES = 128
"""Of white noise, in the camera's own profile."""
TRAININGS = ("bicubic", "found", "truth")
CUT = 72
"""Side of the crops that are shown, in LR pixels."""


@dataclass(frozen=True, kw_only=True)
class Camera:
    """What nobody is told."""

    variances: tuple[float, float]
    angle: float
    sigma: float

    def kernel(self) -> np.ndarray:
        """25×25, at ×4."""
        return kernels.gaussian(25, self.variances, self.angle, scale=SCALE).astype(np.float32)

    def profile(self, seed: int) -> Profile:
        """What a perfect estimate would hold."""
        noise = np.random.default_rng(seed).normal(0, self.sigma / 255, (PATCHES, 3, 64, 64))
        noise -= noise.mean(axis=(2, 3), keepdims=True)
        return Profile(kernels=self.kernel()[None], noise=noise.astype(np.float32), scale=SCALE)

    def photograph(self, scenes: list[Path], lr: Path, hr: Path | None, seed: int) -> None:
        """Write what the camera makes of the scenes, and the scenes as ground truth where asked for."""
        pipeline = Pipeline(
            (
                BlurSubsample(FromPool(self.kernel()[None]), SCALE),
                GaussianNoise(sigma=(self.sigma / 255,) * 2),
                Round(),
            )
        )
        degrade = array_degrader(pipeline)
        lr.mkdir(parents=True)
        if hr is not None:
            hr.mkdir(parents=True)
        for number, scene in enumerate(scenes):
            rgb = read(scene).rgb
            height, width = (side // SCALE * SCALE for side in rgb.shape[:2])
            rgb = np.ascontiguousarray(rgb[:height, :width])
            made = np.asarray(degrade(rgb, np.random.default_rng((seed, number))))
            save(made, lr / f"{scene.stem}.png")
            if hr is not None:
                save(rgb, hr / f"{scene.stem}.png")


def save(pixels: np.ndarray, path: Path) -> None:
    if pixels.dtype != np.uint8:
        pixels = np.rint(np.clip(pixels, 0, 1) * 255).astype(np.uint8)
    Image.fromarray(pixels).save(path)


def wildsr(*arguments: object) -> str:
    command = [sys.executable, "-m", "wildsr", *map(str, arguments)]
    print("$ wildsr", *arguments, flush=True)
    return subprocess.run(command, check=True, stdout=subprocess.PIPE, text=True).stdout


def train(work: Path, name: str, chosen: argparse.Namespace) -> None:
    run = work / "runs" / f"by-{name}"
    if (run / "model.onnx").exists():
        return
    how = [] if name == "bicubic" else ["--profile", work / f"{name}.profile"]
    more = ["--resume"] if run.exists() else ["--start", chosen.start]
    sets = [part for one in chosen.set for part in ("--set", one)]
    wildsr("train", "psnr", "--preset", "compact-cpu", "--hr", chosen.hr, "-o", run, *how, *more, *sets,
           "--steps", chosen.steps)  # fmt: skip


def crops(work: Path, camera: Camera, scenes: list[Path], target: Path) -> None:
    """One row a scene: enlarged by bicubic, the three networks, the ground truth."""
    shutil.rmtree(work / "shown", ignore_errors=True)
    camera.photograph(scenes, work / "shown/LR", work / "shown/HR", seed=0)
    rows = []
    for scene in scenes:
        lr, hr = (Image.open(work / "shown" / kind / f"{scene.stem}.png") for kind in ("LR", "HR"))
        left, top = (lr.width - CUT) // 2, (lr.height - CUT) // 2
        box = (left, top, left + CUT, top + CUT)
        part = work / "shown/part.png"
        lr.crop(box).save(part)
        cells = [np.asarray(lr.crop(box).resize((CUT * SCALE,) * 2, Image.Resampling.BICUBIC))]
        for training in TRAININGS:
            upscaler = Upscaler(work / "runs" / f"by-{training}", Settings(color_fix=False))
            result = upscaler(read(part))
            cells.append(np.rint(np.clip(result.rgb, 0, 1) * 255).astype(np.uint8))
        cells.append(np.asarray(hr.crop(tuple(SCALE * edge for edge in box))))
        rows.append(np.concatenate(cells, axis=1))
    Image.fromarray(np.concatenate(rows)).save(target, quality=90)


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--scenes", type=Path, required=True)
    parser.add_argument("--hr", type=Path, required=True)
    parser.add_argument("--start", type=Path, required=True)
    parser.add_argument("-o", "--work", type=Path, required=True)
    parser.add_argument("--steps", type=int, default=1500)
    parser.add_argument("--set", action="append", default=[])
    parser.add_argument("--held-out", type=int, default=16)
    parser.add_argument("--variances", type=float, nargs=2, default=(10.0, 5.0))
    parser.add_argument("--angle", type=float, default=35.0, help="degrees")
    parser.add_argument("--sigma", type=float, default=6.0, help="of the noise, in levels of 255")
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--only", choices=("profile", *TRAININGS), help="stop after this part")
    parser.add_argument("--show", type=Path, nargs="*", default=[], help="scenes to show crops of")
    parser.add_argument("--crops", type=Path, help="where")
    chosen = parser.parse_args()
    camera = Camera(
        variances=tuple(chosen.variances), angle=float(np.radians(chosen.angle)), sigma=chosen.sigma
    )
    clean = {one.name for one in chosen.hr.iterdir()}
    scenes = [one for one in chosen.scenes.iterdir() if one.suffix in (".jpg", ".png", ".webp")]
    scenes = [one for one in scenes if one.name not in clean]
    scenes.sort(key=lambda one: hashlib.sha256(one.name.encode()).hexdigest())
    work: Path = chosen.work
    work.mkdir(parents=True, exist_ok=True)
    if not (work / "truth.profile").exists():
        shutil.rmtree(work / "held-out", ignore_errors=True)
        shutil.rmtree(work / "photos", ignore_errors=True)
        camera.photograph(scenes[: chosen.held_out], work / "held-out/LR", work / "held-out/HR", chosen.seed)
        camera.photograph(scenes[chosen.held_out :], work / "photos", None, chosen.seed + 1)
        camera.profile(chosen.seed + 2).save(work / "truth.profile")
    if not (work / "found.profile").exists():
        print(wildsr("profile", work / "photos", "-o", work / "found.profile", "--html", work / "found.html"))
    found = Profile.load(work / "found.profile")
    apart = [float(np.linalg.norm(laid(one) - laid(camera.kernel()))) for one in found.kernels]
    print(
        f"{len(scenes) - chosen.held_out} photos: {len(found.kernels)} kernels, {np.median(apart):.4f} (median L2) "
        f"from the camera's; {len(found.noise)} noise patches of σ {255 * found.noise.std():.2f}"
    )
    if chosen.only == "profile":
        return
    for name in TRAININGS:
        train(work, name, chosen)
        if name == chosen.only:
            return
    models = [work / "runs" / f"by-{name}" for name in TRAININGS]
    print(
        wildsr("evaluate", "--models", "bicubic", *models, "--set", work / "held-out", "--metrics",
               "psnr_y,ssim_y,lpips", "--crop-border", SCALE, "--no-color-fix", "--json", work / "scores.json")
    )  # fmt: skip
    if chosen.crops:
        crops(work, camera, chosen.show, chosen.crops)


def laid(kernel: np.ndarray, size: int = 41) -> np.ndarray:
    return np.pad(kernel, (size - len(kernel)) // 2)


if __name__ == "__main__":
    main()
