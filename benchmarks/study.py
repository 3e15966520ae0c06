"""How often a study's intervals hold the truth, whether it finds the planted order, and whom it leaves out.

1,000 simulated studies a kind, 20 raters × 30 pictures × 5 methods, pictures and raters drawn anew each time, 1,000
bootstrap resamples. The truth is computed, not simulated: rounding a normal feeling to six levels (MOS), the chance
that one is felt better than another (MOR, pairs). A fourth kind has anchors, ten repeats and five
careless raters.

usage: python benchmarks/study.py [--studies 1000] [--only mos-both] [--json FILE]
"""

import argparse
import datetime
import json
import platform
import time
from collections import Counter
from pathlib import Path

import numpy as np

from wildsr.study.bootstrap import Over, Weights, bootstrap, draw, means, resampled_means
from wildsr.study.design import Design, Protocol, StudyMethod
from wildsr.study.judgements import Floats
from wildsr.study.screening import check_raters
from wildsr.study.simulation import (
    Population,
    Truth,
    World,
    always_the_same,
    at_random,
    draw_world,
    simulate,
    simulate_opinions,
)

RATERS, PICTURES, RESAMPLES = 20, 30, 1000
QUALITY = (1.0, 1.6, 2.2, 2.8, 3.4)
WITH_ANCHORS = (0.3, 1.6, 2.2, 2.8, 4.0)
KINDS: dict[str, tuple[Protocol, Over]] = {
    "mos-both": ("mos", "both"),
    "mos-raters": ("mos", "raters"),
    "mor-both": ("mor", "both"),
    "pairwise-both": ("pairwise", "both"),
}
CARELESS = ("at random",) * 3 + ("the same",) + ("upside down",)


def design(protocol: Protocol) -> Design:
    roles = ("best", *("candidate",) * 3, "worst")
    return Design(
        protocol=protocol,
        methods=tuple(StudyMethod(name=f"m{place}", role=role) for place, role in enumerate(roles)),  # type: ignore[arg-type]
        pictures=tuple(f"p{one}" for one in range(PICTURES)),
        duplicates=10,
    )


def wanted(protocol: Protocol, over: Over, truth: Truth, world: World) -> Floats:
    if protocol == "mos":
        return truth.opinion(world if over == "raters" else None)
    return truth.rank() if protocol == "mor" else truth.wins().T.sum(axis=1) / (len(QUALITY) - 1)


def coverage(kind: str, studies: int) -> dict[str, float]:
    protocol, over = KINDS[kind]
    people = Population(quality=QUALITY)
    truth = Truth(population=people)
    held, apart, ordered, widths = np.zeros(5), 0, 0, []
    for study in range(studies):
        rng = np.random.default_rng((2020, study))
        world = draw_world(people, PICTURES, RATERS, rng)
        table = simulate_opinions(protocol, world, rng)
        target = wanted(protocol, over, truth, world)
        weights = draw((RATERS, PICTURES), over=over, resamples=RESAMPLES, rng=rng)

        def statistic(chosen: Weights, values: Floats = table) -> Floats:
            return resampled_means(values, chosen)

        drawn = bootstrap(statistic, weights)
        middle = means(table)
        ordered += bool((np.argsort(middle) == np.arange(5)).all())
        for method in range(5):
            one = drawn.interval(float(middle[method]), method)
            held[method] += one.low <= target[method] <= one.high
            widths.append(one.high - one.low)
        for method in range(4):
            gap = drawn.interval(float(middle[method + 1] - middle[method]), method + 1, minus=method)
            apart += gap.low <= target[method + 1] - target[method] <= gap.high
    return {
        "studies": studies,
        "coverage": float(held.sum() / (5 * studies)),
        "least of a method": float(held.min() / studies),
        "coverage of differences": float(apart / (4 * studies)),
        "planted order found": ordered / studies,
        "mean width": float(np.mean(widths)),
    }


def upside_down(shown: int, rng: np.random.Generator) -> Floats:
    return -np.arange(shown, dtype=float) + rng.uniform(0, 0.1)


def screened(protocol: Protocol, studies: int) -> dict[str, float]:
    asked, people = design(protocol), Population(quality=WITH_ANCHORS)
    out: Counter[str] = Counter()
    for study in range(studies):
        rng = np.random.default_rng((2021, study))
        careless = [at_random] * 3 + [always_the_same, upside_down]
        found = simulate(asked, draw_world(people, PICTURES, RATERS, rng), rng, careless=careless)
        for number, one in enumerate(check_raters(found)):
            kind = "careful" if number < RATERS else CARELESS[number - RATERS]
            out[kind] += bool(one.reasons)
    count = {"careful": RATERS, **Counter(CARELESS)}
    return {"studies": studies, **{kind: out[kind] / (number * studies) for kind, number in count.items()}}


def main() -> None:
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--studies", type=int, default=1000)
    parser.add_argument("--screened", type=int, default=100)
    parser.add_argument("--only")
    parser.add_argument("--json", type=Path)
    options = parser.parse_args()
    found: dict[str, dict[str, float]] = {}
    print(
        f"{datetime.date.today()}, {platform.machine()}, Python {platform.python_version()}, NumPy {np.__version__}"
    )
    for kind in KINDS:
        if options.only in (None, kind):
            start = time.perf_counter()
            found[kind] = coverage(kind, options.studies)
            print(kind, found[kind], f"{time.perf_counter() - start:.0f} s", flush=True)
    for protocol in ("mos", "mor", "pairwise"):
        if options.only in (None, "screening"):
            found[f"left out, {protocol}"] = screened(protocol, options.screened)  # type: ignore[arg-type]
            print("left out", protocol, found[f"left out, {protocol}"], flush=True)
    if options.json is not None:
        options.json.write_text(json.dumps(found, indent=1) + "\n")


if __name__ == "__main__":
    main()
