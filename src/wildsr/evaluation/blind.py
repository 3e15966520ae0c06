"""Two methods compared by eye, blind: a page of random-sided crops, and what its choices say.

The page holds no method's name. Which side shows which method stands in a key that stays with whoever made the page;
choices are downloaded from the page as a small file and scored with the key.
"""

import json
import math
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Final, Literal, TypeAlias, TypeGuard

import numpy as np

from wildsr.errors import InputError, UsageError
from wildsr.evaluation.crops import comparisons
from wildsr.evaluation.results import Evaluation
from wildsr.files import shown
from wildsr.report.page import page

Choice: TypeAlias = Literal["left", "right", "same"]

_MOST_CROPS: Final = 30
_MOST_BYTES: Final = 1 << 20
_QUALITY: Final = 100
_SCRIPT: Final = """
document.getElementById("save").addEventListener("click", () => {
  const pairs = [...document.querySelectorAll("fieldset")];
  const choices = pairs.map((pair) => (pair.querySelector("input:checked") || {value: null}).value);
  const result = {wildsr_blind_choices: 1, test: document.body.querySelector("form").dataset.test, choices};
  const link = document.createElement("a");
  link.href = "data:application/json," + encodeURIComponent(JSON.stringify(result));
  link.download = "choices-" + result.test + ".json";
  link.click();
});
document.addEventListener("change", () => {
  const left = document.querySelectorAll("fieldset").length - document.querySelectorAll("input:checked").length;
  document.getElementById("left").textContent = left ? left + " to go" : "all chosen";
});
"""
_STYLE: Final = (
    "fieldset{border:0;padding:0;margin:0 0 56px}"
    ".sides{display:grid;grid-template-columns:1fr 1fr;gap:14px}"
    ".sides.true,.sides.true+.answers{grid-template-columns:1fr 1fr 1fr}"
    ".sides img{width:100%;image-rendering:pixelated;border-radius:4px}"
    ".answers{display:grid;grid-template-columns:1fr auto 1fr;gap:14px;text-align:center;padding-top:8px}"
    "#done{position:sticky;bottom:0;padding:12px 0;background:var(--paper)}"
    "button{font:inherit;padding:8px 18px}"
)


@dataclass(frozen=True, kw_only=True)
class BlindTest:
    """A page to choose on and the key to its sides."""

    page: str
    """HTML, pictures and all."""

    key: str
    """JSON: which method every side shows."""

    crops: int
    """Pairs on the page."""


@dataclass(frozen=True, kw_only=True)
class BlindScore:
    """What people chose."""

    methods: tuple[str, str]
    """The two methods."""

    preferred: tuple[int, int]
    """How often each was chosen."""

    same: int
    """How often neither was."""

    open: int
    """Pairs that were left open."""

    choices: tuple[tuple[str, str], ...]
    """Picture and the chosen method (`same` for neither), in the order of the page."""

    @property
    def share(self) -> float | None:
        """Part of the choices that fell on the first method, of those that fell on one; None without any."""
        total = sum(self.preferred)
        return self.preferred[0] / total if total else None

    @property
    def interval(self) -> tuple[float, float] | None:
        """95 % interval of `share` (Wilson, JASA 1927); choices of several people count as independent."""
        total = sum(self.preferred)
        if not total:
            return None
        z = 1.959964
        middle = (self.preferred[0] + z * z / 2) / (total + z * z)
        spread = self.preferred[0] * self.preferred[1] / total + z * z / 4
        half = z / (total + z * z) * math.sqrt(spread)
        return middle - half, middle + half

    @property
    def p_value(self) -> float:
        """Two-sided sign test: how probable so uneven a split is where nobody sees a difference."""
        total, least = sum(self.preferred), min(self.preferred)
        tail = sum(math.comb(total, count) for count in range(least + 1)) / (1 << total)
        return min(1.0, 2 * tail)


_BETTER: Final = (
    "Which is better?",
    "Two results of the same place, side by side. Choose the one you would rather have: what is there should be clear "
    "and look natural. Take “no difference” where you don't prefer one.",
)
_TRUER: Final = (
    "Which is nearer to the truth?",
    "Two results of the same place, and the true picture between them. Choose the one that is more like it. Take “no "
    "difference” where neither is.",
)


def blind_test(
    found: Evaluation, rng: np.random.Generator, *, reference: bool = False, most: int = _MOST_CROPS
) -> BlindTest:
    """Return a page that shows where two methods differ most, one place a picture, sides and order at random.

    Args:
        found: An evaluation of two methods.
        rng: Decides sides, order and the test's identity.
        reference: Show the true picture between the two, and ask which is more like it.
        most: Pairs at most.

    Raises:
        UsageError: Not two methods, or nothing to show.
    """
    check_two(found.methods)
    places = [one for one in comparisons(found, most=most, quality=_QUALITY) if len(one.methods) == 2]
    if reference:
        places = [one for one in places if one.hr is not None]
    if not places:
        raise UsageError(
            "there is no picture that both methods have a result for"
            + (" and whose truth is known" if reference else "")
            + "; a blind page needs one"
        )
    test = rng.bytes(8).hex()
    order = [places[index] for index in rng.permutation(len(places))]
    crops: list[dict[str, str]] = []
    sections = []
    for number, place in enumerate(order):
        left, right = (found.methods[side] for side in rng.permutation(2))
        crops.append({"image": place.image, "left": left, "right": right})
        truth = place.hr if reference else None
        sections.append(_pair(number, place.methods[left], place.methods[right], truth))
    title, task = _TRUER if reference else _BETTER
    heading = f"<style>{_STYLE}</style><h1>{title}</h1><p>{task}</p>"
    done = (
        f'<div id="done"><button type="button" id="save">Save choices</button> '
        f'<span class="quiet" id="left">{len(order)} to go</span></div>'
    )
    form = f'<form data-test="{test}">{"".join(sections)}{done}</form>'
    key = {
        "wildsr_blind_key": 1,
        "test": test,
        "reference_shown": reference,
        "methods": list(found.methods),
        "crops": crops,
    }
    return BlindTest(
        page=page(title, [heading, form, f"<script>{_SCRIPT}</script>"]),
        key=json.dumps(key, indent=1) + "\n",
        crops=len(crops),
    )


def check_two(methods: Sequence[str]) -> None:
    """Refuse other than two methods.

    Raises:
        UsageError: There are more or fewer.
    """
    if len(methods) != 2:
        raise UsageError(
            f"a blind page compares two methods, not {len(methods)}",
            hint="wildsr evaluate ONE TWO --hr HR --blind-page choose.html",
        )


def key_path(page_path: Path) -> Path:
    """Return where the key of a page is kept: beside it, `choose.html` → `choose.key.json`."""
    return page_path.with_suffix(".key.json")


def score_blind(key: Path, results: Sequence[Path]) -> BlindScore:
    """Return what the choices of one or several people say.

    Args:
        key: The key that was written with the page.
        results: Files of choices that were downloaded from the page.

    Raises:
        InputError: A file can't be read, is something else, or belongs to another page.
    """
    test, methods, crops = _read_key(key)
    counts = dict.fromkeys((*methods, "same", "open"), 0)
    chosen: list[tuple[str, str]] = []
    for result in results:
        found = _read_json(result)
        if found.get("wildsr_blind_choices") != 1:
            raise InputError(f"{shown(result.name)} holds no choices of a blind page")
        if found.get("test") != test:
            raise InputError(
                f"{shown(result.name)} belongs to another page than {shown(key.name)}",
                hint="every page has its own key, written beside it",
            )
        choices = found.get("choices")
        if not _are_choices(choices) or len(choices) != len(crops):
            raise InputError(f"{shown(result.name)} does not hold {len(crops)} choices")
        for crop, choice in zip(crops, choices, strict=True):
            word = "open" if choice is None else "same" if choice == "same" else crop[choice]
            counts[word] += 1
            if choice is not None:
                chosen.append((crop["image"], word))
    first, second = methods
    return BlindScore(
        methods=(first, second),
        preferred=(counts[first], counts[second]),
        same=counts["same"],
        open=counts["open"],
        choices=tuple(chosen),
    )


def blind_json(score: BlindScore) -> str:
    """Return a score as JSON."""
    found = {
        "preferred": dict(zip(score.methods, score.preferred, strict=True)),
        "same": score.same,
        "open": score.open,
        "share": score.share,
        "confidence_95": score.interval,
        "p_value": score.p_value,
        "choices": [{"image": image, "preferred": method} for image, method in score.choices],
    }
    return json.dumps(found, indent=2) + "\n"


def _pair(number: int, left: str, right: str, truth: str | None) -> str:
    answers = "".join(
        f'<label><input type="radio" name="pair{number}" value="{value}"> {text}</label>'
        for value, text in (("left", "left"), ("same", "no difference"), ("right", "right"))
    )
    between, layout = ("", "sides") if truth is None else (f'<img alt="truth" src="{truth}">', "sides true")
    return (
        f'<fieldset><div class="{layout}"><img alt="left" src="{left}">{between}<img alt="right" src="{right}"></div>'
        f'<div class="answers">{answers}</div></fieldset>'
    )


def _read_key(path: Path) -> tuple[str, tuple[str, str], list[dict[str, str]]]:
    found = _read_json(path)
    test, methods, crops = found.get("test"), found.get("methods"), found.get("crops")
    sound = (
        found.get("wildsr_blind_key") == 1
        and isinstance(test, str)
        and isinstance(methods, list)
        and len(methods) == 2
        and isinstance(crops, list)
    )
    if not (sound and isinstance(test, str) and isinstance(methods, list) and isinstance(crops, list)):
        raise InputError(f"{shown(path.name)} is no key of a blind page")
    names = {str(method) for method in methods}
    for crop in crops:
        if not isinstance(crop, dict) or {crop.get("left"), crop.get("right")} != names:
            raise InputError(f"{shown(path.name)} is a broken key: a pair does not show both methods")
    pairs = [{str(name): str(value) for name, value in crop.items()} for crop in crops]
    if any("image" not in pair for pair in pairs):
        raise InputError(f"{shown(path.name)} is a broken key: a pair has no picture")
    return test, (str(methods[0]), str(methods[1])), pairs


def _read_json(path: Path) -> dict[str, object]:
    try:
        with path.open("rb") as file:
            text = file.read(_MOST_BYTES + 1)
        found = json.loads(text) if len(text) <= _MOST_BYTES else None
    except OSError as error:
        raise InputError(f"can't read {shown(path.name)}: {error.strerror or error}") from error
    except (ValueError, RecursionError) as error:
        raise InputError(f"{shown(path.name)} is no JSON: {shown(str(error))}") from error
    if not isinstance(found, dict):
        raise InputError(f"{shown(path.name)} is neither a key nor the choices of a blind page")
    return found


def _are_choices(values: object) -> TypeGuard[list[Choice | None]]:
    return isinstance(values, list) and all(value in ("left", "right", "same", None) for value in values)
