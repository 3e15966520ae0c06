"""What adapting a network to a camera gains on real pairs of it, which the adaptation never sees.

    python benchmarks/adapt.py WORK --pairs PAIRS --hr CLEAN [--side 64] [--only NAME …] [--page docs/results]

PAIRS has HR/ and LR/ (a quarter of the size). The profile is made of the LR photos alone, by `wildsr profile`; CLEAN
are photos of anything else, which are learnt from and judge the states. Each run of `RUNS` is an adaptation by a
command a user has; then all LR photos are enlarged without colour fix, and scored. What exists in WORK is not made
again, so that the benchmark can be interrupted, and tables can be drawn anew. `--side` takes the middle of each LR
photo alone: with RRDB's networks whole photos take hours where no bf16 is.
"""

import argparse
import json
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path

import adapt_page
from PIL import Image

from wildsr.evaluation import evaluate

SCALE = 4
METRICS = ("psnr_y", "ssim_y", "lpips", "dists", "niqe", "grid", "ringing", "blotches")


@dataclass(frozen=True, kw_only=True)
class Run:
    """One adaptation."""

    name: str
    start: str
    """Name in the catalog, crisp or faithful."""
    how: str
    """A profile in WORK/profiles (by its stem), or the name of a degradation."""
    steps: int

    @property
    def before(self) -> str:
        """Method that it is compared with."""
        return {"crisp": "realesrgan-x4plus", "faithful": "realsr-df2k"}.get(self.start, self.start)


SMALL = "realesr-animevideov3-x4"
RUNS = (
    Run(name="crisp", start="crisp", how="all", steps=40),
    Run(name="faithful", start="faithful", how="all", steps=60),
    Run(name="small", start=SMALL, how="all", steps=60),
    Run(name="small-other", start=SMALL, how="other", steps=60),
    Run(name="small-bsrgan", start=SMALL, how="bsrgan", steps=60),
    Run(name="small-bicubic", start=SMALL, how="bicubic", steps=60),
)


def wildsr(*arguments: str | Path) -> None:
    """Run the command."""
    subprocess.run([sys.executable, "-m", "wildsr", *map(str, arguments)], check=True)


def cut(pairs: Path, work: Path, side: int) -> Path:
    """The middle of each pair, as PNG; the pairs themselves where `side` is 0."""
    if not side:
        return pairs
    folder = work / f"pairs{side}"
    for kind, length in (("LR", side), ("HR", SCALE * side)):
        (folder / kind).mkdir(parents=True, exist_ok=True)
        for path in sorted((pairs / kind).iterdir()):
            target = folder / kind / f"{path.stem}.png"
            if not target.exists():
                picture = Image.open(path).convert("RGB")
                left, top = ((whole - length) // 2 for whole in picture.size)
                picture.crop((left, top, left + length, top + length)).save(target)
    return folder


def adapted(run: Run, work: Path, lr: Path, hr: Path) -> Path:
    """The run's model, made where it is missing."""
    folder = work / "models" / run.name
    if (folder / "model.onnx").exists():
        return folder
    profile = work / "profiles" / f"{run.how}.profile"
    if run.how == "all" and not profile.exists():
        profile.parent.mkdir(parents=True, exist_ok=True)
        wildsr("profile", lr, "-o", profile)
    common = ["-o", folder, "--start", run.start, "--hr", hr, "--steps", str(run.steps)]
    if profile.exists():
        wildsr("adapt", lr, "--profile", profile, *common)
    else:
        wildsr("train", "adapt", "--degradation", run.how, *common)
    return folder


def enlarged(model: str | Path, name: str, work: Path, lr: Path) -> Path:
    """The method's pictures, made where they are missing."""
    folder = work / "sr" / name
    have = {path.stem for path in folder.glob("*.png")}
    if have >= {path.stem for path in lr.iterdir()}:
        return folder
    if model == "bicubic":
        folder.mkdir(parents=True, exist_ok=True)
        for path in lr.iterdir():
            picture = Image.open(path).convert("RGB")
            size = (SCALE * picture.width, SCALE * picture.height)
            picture.resize(size, Image.Resampling.BICUBIC).save(folder / f"{path.stem}.png")
    else:
        wildsr("upscale", lr, "-m", model, "-o", folder, "--no-color-fix", "--suffix", "")
    return folder


def scored(folder: Path, work: Path, hr: Path) -> dict[str, dict[str, float]]:
    """Picture → metric → value; kept in WORK/scores."""
    target = work / "scores" / f"{folder.name}.json"
    if target.exists():
        known: dict[str, dict[str, float]] = json.loads(target.read_text())
        return known
    found = evaluate([folder], hr=hr, metrics=METRICS)
    values = {Path(row.image).stem: dict(row.values) for row in found.rows}
    target.parent.mkdir(parents=True, exist_ok=True)
    target.write_text(json.dumps(values, indent=1))
    return values


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("work", type=Path)
    parser.add_argument("--pairs", type=Path, required=True)
    parser.add_argument("--hr", type=Path, required=True)
    parser.add_argument("--side", type=int, default=0, help="of the middle of LR photos that is used; 0: all")
    parser.add_argument("--only", nargs="*", help="names of runs")
    parser.add_argument("--page", type=Path, help="folder for adapt.md and adapt/")
    chosen = parser.parse_args()
    pairs = cut(chosen.pairs, chosen.work, chosen.side)
    runs = [run for run in RUNS if chosen.only is None or run.name in chosen.only]
    scores = {
        "bicubic": scored(
            enlarged("bicubic", "bicubic", chosen.work, pairs / "LR"), chosen.work, pairs / "HR"
        )
    }
    for run in runs:
        model = adapted(run, chosen.work, chosen.pairs / "LR", chosen.hr)
        for source, name in ((run.before, run.before), (model, run.name)):
            scores[name] = scored(
                enlarged(source, name, chosen.work, pairs / "LR"), chosen.work, pairs / "HR"
            )
        print(adapt_page.row(run.name, scores[run.name], scores[run.before]), flush=True)
    if chosen.page is not None:
        compared = [(run.name, run.before) for run in runs]
        adapt_page.write(chosen.page, scores, compared, chosen.work / "sr", pairs)


if __name__ == "__main__":
    main()
