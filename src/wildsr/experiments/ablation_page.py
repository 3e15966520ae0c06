"""The table and the page of the ablation of RealSR."""

from typing import Final

from wildsr.experiments.asked import Asked
from wildsr.experiments.measuring import RECOVERY, Row
from wildsr.experiments.writing import label, mean_of, table, written
from wildsr.files import counted
from wildsr.metrics.intervals import Interval, interval
from wildsr.recipes.realsr_pool import Parts
from wildsr.report.plots import Dot, Quantity, Spread, plane
from wildsr.training.durations import duration

CAMERA: Final = "hidden"
PAIRS: Final = "pairs"
BICUBIC: Final = "bicubic enlargement"
BOTH: Final = "kernels and noise (RealSR)"
NOISE: Final = "noise only"
KERNELS: Final = "kernels only"
NEITHER: Final = "neither (trained on bicubic)"
PARTS: Final[dict[str, Parts]] = {BOTH: "both", NOISE: "noise", KERNELS: "kernel", NEITHER: "neither"}
"""Method → what LR gets. The first estimates the kernels, which the others take."""

_GAINS: Final = (
    ("noise, alone", NOISE, NEITHER),
    ("kernels, alone", KERNELS, NEITHER),
    ("both", BOTH, NEITHER),
    ("noise, where there are kernels", BOTH, KERNELS),
    ("kernels, where there is noise", BOTH, NOISE),
)
_TITLES: Final = {
    CAMERA: "A hidden camera",
    PAIRS: "Real pairs",
}


def gain(rows: list[Row], measure: str, condition: str, method: str, other: str) -> Interval | None:
    """A measure of one method less that of another, picture by picture, with its 95 % interval."""
    found: dict[str, dict[str, float]] = {method: {}, other: {}}
    for row in rows:
        if row.condition == condition and row.method in found:
            found[row.method][row.picture] = row.values[measure]
    return interval(
        [value - found[other][name] for name, value in found[method].items() if name in found[other]]
    )


def gains_plot(rows: list[Row]) -> str:
    """Return every variant in the plane of PSNR and LPIPS, on the hidden camera."""
    dots = []
    for number, method in enumerate((BICUBIC, *PARTS)):
        x, y = (mean_of(rows, measure, method=method, condition=CAMERA) for measure in ("psnr_y", "lpips"))
        assert x is not None
        assert y is not None
        across, up = (Spread(mean=one.mean, low=one.low, high=one.high) for one in (x, y))
        dots.append(Dot(number=number, name=method, x=across, y=up))
    return plane(
        dots, Quantity(label="PSNR-Y in dB"), Quantity(label="LPIPS", rising=False), title="Hidden camera"
    )


def ablation_page(asked: Asked, rows: list[Row], steps: tuple[int, int, int], shown: dict[str, str]) -> str:
    """Return the page in Markdown.

    Args:
        asked: What was asked for.
        rows: Every value.
        steps: On bicubic LR, of a variant's warm start, of its GAN.
        shown: Condition → picture of the crops.
    """
    pairs = "" if asked.pairs is None else f" --pairs {asked.pairs.name}/"
    lines = [
        "# What kernels and noise give",
        "",
        "```sh",
        f"wildsr reproduce ablation --hr photos/ --test {asked.test.name}/{pairs} --budget {asked.budget / 60:g}m",
        "```",
        "",
        "The recipe `realsr` with kernels and noise of the camera's own photos, with one of them, and with neither, "
        "from the same start with the same steps. ×4; PSNR and SSIM of the luma without 4 border pixels, LPIPS "
        "(AlexNet, v0.1), DISTS; means with 95 % intervals (bootstrap over pictures).",
        "",
    ]
    for condition, picture in shown.items():
        lines += _section(rows, condition, picture)
    start, warm, gan = steps
    return "\n".join(
        [
            *lines,
            "## Scaled down",
            "",
            f"`srvgg-16` in place of RRDB, VGG16 in place of VGG19, and {duration(asked.budget)} of processor time "
            f"for all trainings together: {start:,} steps on bicubic LR, then {warm:,} on L1 and {gan:,} of the GAN a "
            "variant (the paper: 60,000 of the GAN, from published weights). Noise patches are of 32² in place of "
            "256², since the photos are small; kernels are estimated by `auto` in place of KernelGAN.",
            "",
        ]
    )


def _section(rows: list[Row], condition: str, picture: str) -> list[str]:
    tested = {row.picture for row in rows if row.condition == condition}
    about = (
        f"{counted(len(tested), 'picture')} as a simulated camera takes them (blur of 2.6 × 1.9 HR pixels at 30°, "
        "noise with a "
        "grain), of which the trainings know only other photos by the same camera."
        if condition == CAMERA
        else f"{counted(len(tested), 'pair')} (the middle 512²); the LR photos of the others are learnt from."
    )
    body = [
        [
            method,
            *(
                written(mean_of(rows, measure, method=method, condition=condition), digits)
                for measure, digits in RECOVERY.items()
            ),
        ]
        for method in (BICUBIC, *PARTS)
    ]
    gains = [
        [
            name,
            *(written(gain(rows, measure, condition, *two), digits) for measure, digits in RECOVERY.items()),
        ]
        for name, *two in _GAINS
    ]
    verdicts = [
        f"- {name.capitalize()}: LPIPS {_verdict(gain(rows, 'lpips', condition, *two), RECOVERY['lpips'])}; "
        f"PSNR-Y {_verdict(gain(rows, 'psnr_y', condition, *two), RECOVERY['psnr_y'])}."
        for name, *two in _GAINS
    ]
    plot = ["![PSNR and LPIPS](gains.svg)", ""] if condition == CAMERA else []
    return [
        f"## {_TITLES[condition]}",
        "",
        about,
        "",
        table(["LR of the training", *(label(measure) for measure in RECOVERY)], body),
        "",
        "What each part gives, paired by picture (LPIPS and DISTS: below 0 is better):",
        "",
        table(["", *(label(measure) for measure in RECOVERY)], gains),
        "",
        *verdicts,
        "",
        *plot,
        f"`{picture}`: HR, then {', '.join((BICUBIC, *PARTS))}.",
        "",
        f"![crops]({condition}.jpg)",
        "",
    ]


def _verdict(found: Interval | None, digits: int) -> str:
    if found is None:
        return "unknown"
    word = "falls" if found.high < 0 else "rises" if found.low > 0 else "neither falls nor rises for sure"
    return f"{word}, {written(found, digits)}"
