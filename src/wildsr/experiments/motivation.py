"""Why degradations matter: a network that learnt from bicubic LR, given LR that was made in other ways.

Published (a figure of the Samsung paper, two pictures): 20.27, 24.13, 24.26, 24.27 dB and 25.70, 28.77, 29.56, 29.53 dB
for nearest, bilinear, bicubic and Lanczos downscaling.
"""

from pathlib import Path
from typing import Final, get_args

import numpy as np
import torch

from wildsr.degradation import resize
from wildsr.degradation.resampling import Method
from wildsr.experiments.asked import Asked
from wildsr.experiments.budget import psnr_steps
from wildsr.experiments.measuring import Bytes, Row, clean_picture, enlarger, measured, to_bytes, to_floats
from wildsr.experiments.training import once
from wildsr.experiments.writing import detailed_place, mean_of, table, write_crops, write_results, written
from wildsr.files import make_folder
from wildsr.recipes import psnr
from wildsr.recipes.psnr import PsnrConfig
from wildsr.report.plots import Curve, curves
from wildsr.training.durations import duration
from wildsr.training.settings import DataSettings, OptimiserSettings, RunSettings

SUMMARY: Final = (
    "networks trained on bicubic LR, given LR by nearest, bilinear, bicubic and Lanczos downscaling"
)
METHODS: Final[tuple[Method, ...]] = ("nearest", "bilinear", "bicubic", "lanczos")
NETWORKS: Final = ("rcan-small", "rrdb-small")
PUBLISHED: Final = ((20.27, 24.13, 24.26, 24.27), (25.70, 28.77, 29.56, 29.53))
ENLARGEMENT: Final = "bicubic enlargement"
_SIDE: Final = 96
_NEAR: Final = 0.3
"""Decibels within which bicubic and Lanczos count as equal; the paper's differ by .03."""


def run(asked: Asked) -> Path:
    """Train both networks, enlarge every test picture from every LR, write the page."""
    tests = {path.stem: clean_picture(path) for path in asked.tests()}
    steps = {name: _steps(asked, name, asked.budget / len(NETWORKS)) for name in NETWORKS}
    for name in NETWORKS:
        _trained(asked, name, steps[name])
    rows: list[Row] = []
    crops: list[Bytes] = []
    shown = max(tests, key=lambda name: float(np.std(tests[name])))
    top, left = detailed_place(tests[shown], _SIDE)
    for network in (None, *NETWORKS):
        enlarge = enlarger(None if network is None else _place(asked, network))
        for name, hr in tests.items():
            for method in METHODS:
                sr = enlarge(lr_by(method, hr))
                values = measured(sr, hr, ("psnr_y", "ssim_y"))
                rows.append(Row(picture=name, method=network or ENLARGEMENT, condition=method, values=values))
                if name == shown and network == NETWORKS[0]:
                    crops.append(sr[top : top + _SIDE, left : left + _SIDE])
    folder = asked.output / "motivation"
    write_crops(
        folder / "crops.jpg", [tests[shown][top : top + _SIDE, left : left + _SIDE].repeat(2, 0).repeat(2, 1)]
        + [crop.repeat(2, 0).repeat(2, 1) for crop in crops]
    )  # fmt: skip
    return write_results(
        folder,
        page=_page(asked, rows, steps, shown, len(tests)),
        rows=rows,
        plots={"psnr": _plot(rows)},
        facts={"experiment": "motivation", "budget": asked.budget, "steps": steps, "published": PUBLISHED},
    )


def lr_by(method: Method, hr: Bytes) -> Bytes:
    """LR ×¼ of a picture by one way to resize, antialiased (nearest takes one pixel of sixteen)."""
    assert method in get_args(Method)
    pictures = torch.from_numpy(to_floats(hr)).permute(2, 0, 1)[None]
    small = resize(pictures, (hr.shape[0] // 4, hr.shape[1] // 4), method=method, scale=1 / 4)
    return to_bytes(small[0].permute(1, 2, 0).numpy())


def order_holds(means: dict[str, float]) -> bool:
    """Whether nearest is worst, bilinear next, and bicubic and Lanczos are best and nearly equal, as published."""
    best = min(means["bicubic"], means["lanczos"])
    near = abs(means["bicubic"] - means["lanczos"]) <= _NEAR
    return means["nearest"] < means["bilinear"] < best and near


def _place(asked: Asked, network: str) -> Path:
    return asked.runs / f"motivation-{network}"


def _data(asked: Asked) -> DataSettings:
    return DataSettings(
        hr=asked.hr,
        patch=96,
        batch=8,
        validation_photos=4,
        validation_side=192,
        cache=asked.runs / "cache",
    )


def _steps(asked: Asked, network: str, seconds: float) -> int:
    """Decided once."""
    kept = _place(asked, network) / "steps.txt"
    if kept.is_file():
        return int(kept.read_text())
    steps = psnr_steps(seconds, network, _data(asked))
    make_folder(kept.parent)
    kept.write_text(f"{steps}\n")
    return steps


def _trained(asked: Asked, network: str, steps: int) -> None:
    """Train on bicubic LR, or go on."""
    folder = _place(asked, network)
    optimiser = OptimiserSettings(
        learning_rate=1e-3 if network.startswith("rcan") else 5e-4,
        schedule="cosine",
        floor=0.02,
        warm_up=30,
        clip=1.0,
    )
    asked.say(f"{network} on bicubic LR: {steps} steps")
    config = PsnrConfig(
        network=network,
        data=_data(asked),
        optimiser=optimiser,
        run=RunSettings(steps=steps, ema=0.99, validate_every=max(steps // 3, 1), checkpoint_every=100),
    )
    once(folder, lambda place, resume: psnr.run(config, place, resume=resume, say=asked.say))


def _means(rows: list[Row], network: str) -> dict[str, float]:
    found = {method: mean_of(rows, "psnr_y", method=network, condition=method) for method in METHODS}
    return {method: one.mean for method, one in found.items() if one is not None}


def _plot(rows: list[Row]) -> str:
    series = [
        Curve(
            points=[(number, _means(rows, network)[method]) for number, method in enumerate(METHODS)],
            name=network,
        )
        for network in NETWORKS
    ]
    series += [
        Curve(points=list(enumerate(values)), name=f"published, picture {number + 1}")
        for number, values in enumerate(PUBLISHED)
    ]
    names = ", ".join(f"{number} {method}" for number, method in enumerate(METHODS))
    return curves(
        series, (f"LR by: {names}", "PSNR in dB"), title="PSNR by the way LR is made", from_zero=False
    )


def _verdict(rows: list[Row], network: str) -> str:
    """What a network's row says."""
    psnr = _means(rows, network)
    gain = psnr["bicubic"] - _means(rows, ENLARGEMENT)["bicubic"]
    trained = "" if gain > 0 else ": **it was trained too little** to be judged by"
    return (
        f"- `{network}`: the order {'holds' if order_holds(psnr) else 'does **not** hold'}; LR by nearest costs "
        f"{psnr['bicubic'] - psnr['nearest']:.2f} dB against the LR it learnt from. On that it is {abs(gain):.2f} dB "
        f"{'above' if gain > 0 else 'below'} bicubic enlargement{trained}."
    )


def _page(asked: Asked, rows: list[Row], steps: dict[str, int], shown: str, count: int) -> str:
    body = [
        [
            network,
            *(written(mean_of(rows, "psnr_y", method=network, condition=method), 2) for method in METHODS),
        ]
        for network in (ENLARGEMENT, *NETWORKS)
    ]
    body += [
        [f"published, RCAN, picture {number + 1}", *(f"{value:.2f}" for value in values)]
        for number, values in enumerate(PUBLISHED)
    ]
    verdicts = [_verdict(rows, network) for network in NETWORKS]
    trained = ", ".join(f"{name} {number:,} steps" for name, number in steps.items())
    return "\n".join(
        [
            "# Motivation: networks that learnt from bicubic LR, given other LR",
            "",
            "```sh",
            f"wildsr reproduce motivation --hr photos/ --test {asked.test.name}/ --budget {asked.budget / 60:g}m",
            "```",
            "",
            f"×4, Y-PSNR in dB, 4 border pixels left out, mean over {count} pictures (the middle 512² of larger "
            "ones) with its 95 % interval (bootstrap over pictures). LR is made with antialiasing; nearest takes one "
            "pixel of 16.",
            "",
            table(["network", *METHODS], body),
            "",
            *verdicts,
            "",
            "![PSNR by the way LR is made](psnr.svg)",
            "",
            f"`{shown}`, HR and then `{NETWORKS[0]}` from LR by {', '.join(METHODS)}:",
            "",
            "![crops](crops.jpg)",
            "",
            "## Scaled down",
            "",
            f"The networks are small ones (`rcan-small`: 3 × 4 blocks of 48 channels in place of 10 × 20 of 64; "
            f"`rrdb-small`: 4 blocks of 32 in place of 23 of 64), trained for {duration(asked.budget)} of "
            f"processor time together ({trained}; the papers: 1,000,000 each). The published figures are of two "
            "pictures that are not at hand, so only the order can be compared, not the height.",
            "",
        ]
    )
