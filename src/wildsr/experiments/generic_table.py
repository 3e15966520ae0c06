"""The table and the page of the experiment on generic degradation."""

from collections.abc import Callable
from typing import Final

import numpy as np

from wildsr.experiments.asked import Asked
from wildsr.experiments.measuring import Row
from wildsr.experiments.writing import label, mean_of, table, written
from wildsr.metrics.intervals import Interval, interval
from wildsr.models import FusionRule
from wildsr.report.plots import Dot, Quantity, Spread, plane
from wildsr.training.durations import duration

NETWORK: Final = "rcan-small"
BICUBIC_GAN: Final = "GAN trained on bicubic"
PSNR_GENERIC: Final = "PSNR-oriented generic"
FUSED: Final = "fused generic GAN"
PUBLISHED: Final = {
    BICUBIC_GAN: (19.06, 0.2424, 0.7552),
    PSNR_GENERIC: (27.36, 0.7620, 0.3680),
    FUSED: (25.78, 0.7119, 0.2482),
}
MEASURES: Final = ("psnr", "ssim", "lpips")
DARK: Final = "dark"
METHODS: Final = (
    "bicubic enlargement",
    "L1 trained on bicubic",
    BICUBIC_GAN,
    PSNR_GENERIC,
    "standard GAN alone (y_S)",
    "relativistic GAN alone (y_R)",
    FUSED,
)


def order_holds(means: dict[str, dict[str, float]]) -> bool:
    """Whether PSNR and LPIPS order the three methods as published.

    PSNR: PSNR-oriented > fused > bicubic GAN; LPIPS: fused < PSNR-oriented < bicubic GAN.
    """
    gan_, psnr_, fused = (means[name] for name in (BICUBIC_GAN, PSNR_GENERIC, FUSED))
    return psnr_["psnr"] > fused["psnr"] > gan_["psnr"] and fused["lpips"] < psnr_["lpips"] < gan_["lpips"]


def fusion_gain(rows: list[Row], dark: Callable[[str], bool]) -> Interval | None:
    """LPIPS of the fused pictures less that of the better GAN alone, over dark pictures; paired."""
    found: dict[str, list[float]] = {}
    for method in (METHODS[4], METHODS[5], FUSED):
        found[method] = [
            row.values["lpips"]
            for row in rows
            if row.condition == DARK and row.method == method and dark(row.picture)
        ]
    if not found[FUSED]:
        return None
    better = min((METHODS[4], METHODS[5]), key=lambda method: float(np.mean(found[method])))
    return interval([a - b for a, b in zip(found[FUSED], found[better], strict=True)])


def differences(rows: list[Row]) -> str:
    """The three methods of the published table, two by two, paired by picture."""
    lines = []
    for one, other in ((FUSED, PSNR_GENERIC), (PSNR_GENERIC, BICUBIC_GAN), (FUSED, BICUBIC_GAN)):
        parts = []
        for measure, digits in (("psnr", 2), ("lpips", 4)):
            first, second = (
                {
                    row.picture: row.values[measure]
                    for row in rows
                    if row.method == method and not row.condition
                }
                for method in (one, other)
            )
            apart = interval([first[name] - second[name] for name in sorted(first)])
            parts.append(f"{label(measure)} {written(apart, digits)}")
        lines.append(f"- {one} − {other}: {', '.join(parts)}")
    return "\n".join(lines)


def _means(rows: list[Row], condition: str) -> dict[str, dict[str, float]]:
    return {
        method: {
            measure: found.mean
            for measure in MEASURES
            if (found := mean_of(rows, measure, method=method, condition=condition)) is not None
        }
        for method in METHODS
    }


def plane_plot(rows: list[Row]) -> str:
    """Return every method in the plane of PSNR and LPIPS."""
    dots = []
    for number, method in enumerate(METHODS):
        x, y = (mean_of(rows, measure, method=method, condition="") for measure in ("psnr", "lpips"))
        assert x is not None
        assert y is not None
        dots.append(
            Dot(
                number=number,
                name=method,
                x=Spread(mean=x.mean, low=x.low, high=x.high),
                y=Spread(mean=y.mean, low=y.low, high=y.high),
            )
        )
    return plane(
        dots, Quantity(label="PSNR in dB"), Quantity(label="LPIPS", rising=False), title="PSNR and LPIPS"
    )


def _table(rows: list[Row], condition: str, published: bool) -> str:
    head = ["method", *(label(measure) for measure in MEASURES), *(["published"] if published else [])]
    body = []
    for method in METHODS:
        line = [method]
        line += [
            written(mean_of(rows, measure, method=method, condition=condition), 2 if measure == "psnr" else 4)
            for measure in MEASURES
        ]
        if published:
            figures = PUBLISHED.get(method)
            line.append(
                ""
                if figures is None
                else f"{figures[0]:.2f} / {figures[1]:.4f} / {figures[2]:.4f}".replace(" 0.", " .")
            )
        body.append(line)
    return table(head, body)  # fmt: skip


def generic_page(
    asked: Asked,
    rows: list[Row],
    steps: dict[str, int],
    shown: str,
    rule: FusionRule,
    medians: dict[str, float],
) -> str:
    """Return the page in Markdown.

    Args:
        asked: What was asked for.
        rows: Every value.
        steps: Of each training.
        shown: The picture of the crops.
        rule: What the sweep chose.
        medians: Median luma of each darkened picture.
    """
    numbers = f"α {rule.alpha:g}, β {rule.beta:g}, γ {rule.gamma:g}"
    order = "holds" if order_holds(_means(rows, "")) else "does **not** hold"
    dark = [name for name, median in medians.items() if rule.applies(median)]
    found = fusion_gain(rows, lambda name: name in dark)
    if found is None:
        verdict = f"The sweep chose {numbers}: none of the darkened pictures is below γ, so nothing is fused."
    else:
        word = (
            "better" if found.high < 0 else "worse" if found.low > 0 else "neither better nor worse for sure"
        )
        verdict = (
            f"The [sweep](sweep.csv) on photos held out from training chose {numbers}. {len(dark)} of the "
            f"{len(medians)} darkened pictures are below γ; on them the fused result is {word} in LPIPS than the "
            f"better GAN alone: {written(found, 4)} (paired; below 0 is better)."
        )
    trained = "; ".join(f"{name} {number:,}" for name, number in steps.items())
    count = len(medians)
    return "\n".join(
        [
            "# Generic degradation against hidden artefacts",
            "",
            "```sh",
            f"wildsr reproduce generic --hr photos/ --test {asked.test.name}/ --budget {asked.budget / 60:g}m",
            "```",
            "",
            f"×4; {count} pictures (the middle 512² of larger ones), made small by bicubic and then processed in a way "
            "that no training knew: white noise (σ 8 levels), sharpening by .6, which makes its finest frequencies the "
            "strongest, JPEG 85. RGB PSNR and SSIM without 4 border pixels, LPIPS (AlexNet, v0.1); means with 95 % "
            "intervals (bootstrap over pictures).",
            "",
            _table(rows, "", published=True),
            "",
            f"The published order {order}: in PSNR the PSNR-oriented generic network first, the fused GAN second, the "
            "GAN trained on bicubic last; in LPIPS the fused GAN first, the PSNR-oriented second, the GAN trained on "
            "bicubic last. Paired differences:",
            "",
            differences(rows),
            "",
            "![PSNR and LPIPS](plane.svg)",
            "",
            f"`{shown}`: HR, then {', '.join(METHODS)}.",
            "",
            "![crops](crops.jpg)",
            "",
            "## In the dark",
            "",
            "The same pictures three exposure steps darker (in linear light, before the processing):",
            "",
            _table(rows, DARK, published=False),
            "",
            verdict,
            "",
            "## Scaled down",
            "",
            f"`{NETWORK}` in place of RCAN, VGG16 in place of VGG19, a discriminator of half the width, and "
            f"{duration(asked.budget)} of processor time for all trainings together (steps: {trained}), where the "
            "paper's took days. The artefacts are not the challenge's, which are not published; so heights can't be "
            "compared.",
            "",
        ]
    )
