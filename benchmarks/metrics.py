"""Speed of the metrics against well-known packages, side by side in one run.

    python benchmarks/metrics.py [--picture FILE] [--size 512] [--rounds 7] [--only niqe,lpips] [--markdown FILE]

The peers (lpips, DISTS-pytorch, piq, brisque, pypiqe, scikit-image, torchmetrics, and pyiqa only as a peer to measure)
are installed into an environment of the benchmark's own. Every peer gets its input ready-made (tensors), we get uint8
arrays. Peers whose weights would be downloaded get ours, or random ones of the same shape: their time is the same.
Figures are medians of interleaved rounds; quote the ratios, machines are noisy.
"""

import argparse
import datetime
import os
import platform
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, TypeAlias

if TYPE_CHECKING:
    import numpy as np
    import torch
    from numpy.typing import NDArray

    Pixels: TypeAlias = NDArray[np.uint8]

REPOSITORY = Path(__file__).resolve().parents[1]
VENV = REPOSITORY / ".venv-bench-metrics"
PEERS = ["torch==2.13.0", "lpips", "dists-pytorch", "piq", "brisque", "opencv-python-headless", "pypiqe"]
PEERS += ["scikit-image", "torchmetrics", "pyiqa", "numpy<2.3"]  # brisque 0.2.0 fails on newer numpy
GOALS = {"niqe": 2.0, "brisque": 2.0, "brisque_wheel": 2.0, "lpips": 1.0, "lpips_vgg": 1.0, "dists": 1.0}
OTHERS = 1 / 1.5
Run = Callable[[], float]


@dataclass(frozen=True, kw_only=True)
class Race:
    """One of our metrics against one peer."""

    metric: str
    peer: str
    ours: Run
    theirs: Run
    alike: bool
    """Whether the two must give the same number (not where weights are random or definitions differ)."""


def main() -> None:
    options = parse()
    if not options.inside:
        sys.exit(subprocess.call([str(prepare()), "-W", "ignore", __file__, "--inside", *sys.argv[1:]]))
    text = "\n".join(table(options))
    print(text)
    if options.markdown:
        options.markdown.write_text(text + "\n")


def parse() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--picture", type=Path, help="picture to judge; a sample photo when not given")
    parser.add_argument("--size", type=int, default=512, help="side of the square cut from its middle")
    parser.add_argument("--rounds", type=int, default=7)
    parser.add_argument("--only", help="comma-separated metrics")
    parser.add_argument("--markdown", type=Path, help="also write the report here")
    parser.add_argument("--inside", action="store_true", help=argparse.SUPPRESS)
    return parser.parse_args()


def prepare() -> Path:
    """Make the benchmark's own environment."""
    python = VENV / "bin" / "python"
    if not python.exists():
        subprocess.check_call([sys.executable, "-m", "venv", str(VENV)])
    subprocess.check_call([str(python), "-m", "pip", "install", "-q", "-e", str(REPOSITORY), *PEERS])
    return python


def table(options: argparse.Namespace) -> list[str]:
    """Run every race, interleaved, and describe the results."""
    sr, hr = pictures(options)
    wanted = set(options.only.split(",")) if options.only else None
    races = [race for race in all_races(sr, hr) if wanted is None or race.metric in wanted]
    values = {id(race): (race.ours(), race.theirs()) for race in races}  # and warm up
    times: dict[int, tuple[list[float], list[float]]] = {id(race): ([], []) for race in races}
    for number in range(options.rounds):
        for race in races:
            if number and race.metric == "nrqm":
                continue  # minutes a round, and no close race
            for run, kept in zip((race.ours, race.theirs), times[id(race)], strict=True):
                start = time.perf_counter()
                run()
                kept.append(time.perf_counter() - start)
    lines = [
        f"Metrics on {hr.shape[1]}×{hr.shape[0]} pixels, {datetime.date.today().isoformat()}, {machine()}; "
        f"medians of {options.rounds} interleaved rounds.",
        "",
        "| metric | peer | ours, ms | peer, ms | peer/ours | goal | ours | peer's |",
        "|---|---|--:|--:|--:|--:|--:|--:|",
    ]
    for race in races:
        ours, theirs = (1000 * statistics.median(kept) for kept in times[id(race)])
        goal, ratio = GOALS.get(race.metric, OTHERS), theirs / ours
        mark = "" if ratio >= goal else " **missed**"
        own, other = values[id(race)]
        shown = f"{other:.5g}" if race.alike else "–"
        lines.append(
            f"| {race.metric} | {race.peer} | {ours:.1f} | {theirs:.1f} | {ratio:.2f}{mark} | ≥ {goal:.2g} "
            f"| {own:.5g} | {shown} |"
        )
    return lines


def pictures(options: argparse.Namespace) -> tuple["Pixels", "Pixels"]:
    """Return a noisy picture and its original, uint8."""
    import numpy as np

    from wildsr.imaging import read

    path = options.picture
    if path is None:
        from wildsr.assets import SAMPLE_PHOTOS, fetch

        path = fetch(next(iter(SAMPLE_PHOTOS.values())))
    hr = np.round(read(path).rgb * 255).astype(np.uint8)
    repeats = [-(-options.size // side) for side in hr.shape[:2]]
    hr = np.concatenate([hr, hr[:, ::-1]] * repeats[1], axis=1)
    hr = np.concatenate([hr, hr[::-1]] * repeats[0], axis=0)[: options.size, : options.size]
    noise = np.random.default_rng(0).normal(0, 6, hr.shape)
    return np.clip(hr + noise, 0, 255).astype(np.uint8), np.ascontiguousarray(hr)


def all_races(sr: "Pixels", hr: "Pixels") -> list[Race]:
    """Build every pair of callables."""
    import torch

    repair_torchvision()
    torch.set_grad_enabled(False)
    return [*fidelity_races(sr, hr), *learned_races(sr, hr), *natural_races(sr), *nrqm_race(sr[:192, :192])]


def repair_torchvision() -> None:
    """Declare the operators that torchvision's binary lacks beside a CPU build of torch, so that it imports."""
    import torch

    try:
        import torchvision  # noqa: F401
    except RuntimeError:
        for name in [name for name in sys.modules if name.startswith("torchvision")]:
            del sys.modules[name]
        library = torch.library.Library("torchvision", "FRAGMENT")
        for operator in ("nms", "qnms"):
            library.define(f"{operator}(Tensor dets, Tensor scores, float iou_threshold) -> Tensor")
        KEPT.append(library)


KEPT: list[object] = []


def tensor(picture: "Pixels") -> "torch.Tensor":
    import torch

    return torch.tensor(picture).permute(2, 0, 1)[None].float() / 255


def fidelity_races(sr: "Pixels", hr: "Pixels") -> list[Race]:
    import piq
    import torchmetrics.functional.image as functional
    from skimage import metrics as skimage

    from wildsr.metrics import psnr, ssim, ssim_rgb
    from wildsr.metrics.pixels import gray_8bit

    x, y = tensor(sr), tensor(hr)
    gray = [gray_8bit(picture) for picture in (sr, hr)]
    gaussian = {"gaussian_weights": True, "sigma": 1.5, "use_sample_covariance": False, "data_range": 255}
    return [
        race("psnr", "scikit-image", lambda: psnr(sr, hr), lambda: skimage.peak_signal_noise_ratio(hr, sr)),
        race("psnr", "piq", lambda: psnr(sr, hr), lambda: piq.psnr(x, y)),
        race(
            "ssim",
            "scikit-image (gray given)",
            lambda: ssim(sr, hr),
            lambda: skimage.structural_similarity(*gray, **gaussian),
        ),
        race(
            "ssim_rgb",
            "scikit-image",
            lambda: ssim_rgb(sr, hr),
            lambda: skimage.structural_similarity(sr, hr, channel_axis=2, **gaussian),
        ),
        race("ssim_rgb", "piq", lambda: ssim_rgb(sr, hr), lambda: piq.ssim(x, y, downsample=False)),
        race(
            "ssim_rgb",
            "torchmetrics",
            lambda: ssim_rgb(sr, hr),
            lambda: functional.structural_similarity_index_measure(x, y, data_range=1.0),
        ),
    ]


def learned_races(sr: "Pixels", hr: "Pixels") -> list[Race]:
    import lpips as package
    import torch
    import torchvision
    from DISTS_pytorch import DISTS_pt

    from wildsr.assets.backbones import BackboneName, backbone_weights
    from wildsr.metrics import dists, lpips, lpips_vgg

    def network(name: BackboneName) -> torch.nn.Module:
        """Torchvision's network with our weights instead of a download."""
        made = getattr(torchvision.models, name)()
        weights = {key: torch.tensor(value) for key, value in backbone_weights(name).items()}
        made.load_state_dict(weights, strict=False)
        return made.eval()

    def lpips_peer(short: str, name: BackboneName) -> torch.nn.Module:
        peer = package.LPIPS(net=short, pnet_rand=True, verbose=False).eval()
        features = network(name).features
        for part in peer.net.children():  # slice1 … slice5 keep torchvision's numbers
            for index, layer in part.named_children():
                layer.load_state_dict(features[int(index)].state_dict())
        return peer

    alex, vgg = lpips_peer("alex", "alexnet"), lpips_peer("vgg", "vgg16")
    backbone = network("vgg16")
    DISTS_pt.models.vgg16 = lambda pretrained: backbone
    distance = DISTS_pt.DISTS().eval()
    x, y = tensor(sr), tensor(hr)
    sx, sy = x * 2 - 1, y * 2 - 1
    return [
        race("lpips", "lpips", lambda: lpips(sr, hr), lambda: alex(sx, sy)),
        race("lpips_vgg", "lpips", lambda: lpips_vgg(sr, hr), lambda: vgg(sx, sy)),
        race("dists", "DISTS-pytorch", lambda: dists(sr, hr), lambda: distance(x, y)),
    ]


def natural_races(sr: "Pixels") -> list[Race]:
    import numpy as np
    import piq
    import torch
    from brisque import BRISQUE
    from pyiqa.archs.niqe_arch import NIQE
    from pyiqa.archs.piqe_arch import PIQE
    from pypiqe import piqe as pypiqe
    from scipy.io import savemat

    from wildsr.metrics import Regression, brisque, brisque_wheel, niqe, piqe
    from wildsr.metrics.niqe import release_model

    dice = np.random.default_rng(0)
    vectors, coefficients = dice.uniform(-1, 1, (774, 36)), dice.normal(size=774)
    own = Regression(
        vectors=vectors, coefficients=coefficients, bias=0, gamma=0.05, low=np.zeros(36), high=np.ones(36)
    )
    sys.modules["piq.brisque"].load_url = lambda *_, **__: (
        torch.tensor(coefficients).float(),
        torch.tensor(vectors).float(),
    )
    folder = Path(tempfile.mkdtemp())
    pristine = release_model()
    savemat(folder / "niqe.mat", {"mu_prisparam": pristine.mean[None], "cov_prisparam": pristine.covariance})
    niqe_peer, piqe_peer = NIQE(pretrained_model_path=str(folder / "niqe.mat")), PIQE()
    wheel = BRISQUE(url=False)
    x = tensor(sr)
    return [
        race("niqe", "pyiqa", lambda: niqe(sr), lambda: niqe_peer(x)),
        race("brisque_wheel", "brisque", lambda: brisque_wheel(sr), lambda: wheel.score(sr)),
        race("brisque", "piq", lambda: brisque(sr, own), lambda: piq.brisque(x), alike=False),
        race("piqe", "pyiqa", lambda: piqe(sr), lambda: piqe_peer(x)),
        race("piqe", "pypiqe", lambda: piqe(sr), lambda: pypiqe(sr)[0]),
    ]


def nrqm_race(sr: "Pixels") -> list[Race]:
    import numpy as np
    from pyiqa.archs.nrqm_arch import NRQM
    from scipy.io import savemat

    from wildsr.metrics import nrqm
    from wildsr.metrics.nrqm_model import load_nrqm

    leaf = np.zeros((3, 500))
    leaf[0] = 1
    nodes = leaf.astype(np.int32)
    tree = {"lDau": nodes * 2, "rDau": nodes * 3, "nodestatus": leaf, "nrnodes": 3, "upper": leaf}
    tree |= {"avnode": leaf, "mbest": nodes, "ndtree": 3}
    cell = np.empty((1, 3), object)
    cell[0, :] = [tree, tree, tree]
    path = Path(tempfile.mkdtemp()) / "nrqm.mat"
    savemat(path, {"model": {"rf": cell, "linear": np.ones((4, 1))}})
    model, peer, x = load_nrqm(path), NRQM(pretrained_model_path=str(path)), tensor(sr)
    return [race("nrqm", "pyiqa (192×192)", lambda: nrqm(sr, model), lambda: peer(x), alike=False)]


def race(metric: str, peer: str, ours: Run, theirs: Callable[[], object], *, alike: bool = True) -> Race:
    return Race(metric=metric, peer=peer, ours=ours, theirs=lambda: float(theirs()), alike=alike)


def machine() -> str:
    model = platform.processor() or platform.machine()
    info = Path("/proc/cpuinfo")
    if info.exists():
        names = [
            line.split(":", 1)[1].strip() for line in info.read_text().splitlines() if "model name" in line
        ]
        model = names[0] if names else model
    return f"{model}, {os.cpu_count()} cores, Python {platform.python_version()}"


if __name__ == "__main__":
    main()
