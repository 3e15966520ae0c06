"""Model recommendation for a photo, from its estimated degradations, with reasons.

The rules follow a comparison of the models on photos damaged on purpose (LPIPS against the undamaged photo, made by
`benchmarks/damage.py`): realsr-df2k is best on clean, sharp pictures and on nothing else; realesrgan-x4plus on blurred
or badly compressed ones, and it paints. In between what keeps closer to the photo is advised: for compression the
realsr-df2k-jpeg that learnt it, for noise and a little blur the compact model that comes with wildsr and runs where no
model is named. Strong noise goes by what pictures show: realsr-df2k-jpeg draws it as worms, and realesrgan-x4plus
clears most of it.
"""

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from wildsr.evaluation.photo import PhotoFacts, examine
from wildsr.models import COMPACT_MODEL, is_cached

CLEAN: Final = "realsr-df2k"
COMPRESSED: Final = "realsr-df2k-jpeg"
HEAVY: Final = "realesrgan-x4plus"

_SLIGHT_NOISE: Final = 1.5
_PLAIN_NOISE: Final = 4.0
_STRONG_NOISE: Final = 10.0
_FINE_QUALITY: Final = 93
_POOR_QUALITY: Final = 60
_SHARP: Final = 0.75
_SOFT: Final = 0.6
_SHRINKS: Final = (0.5, 0.4, 1 / 3, 0.25)


@dataclass(frozen=True, kw_only=True)
class Advice:
    """What to do with a photo."""

    model: str
    """Name in the catalog."""

    downscale: float | None
    """Factor to shrink the photo by before super-resolving it; None to take it as it is."""

    reasons: tuple[str, ...]
    """Why, in sentences."""

    facts: PhotoFacts
    """What was measured."""

    fetched: bool
    """Whether the model's weights are there, so that it runs without fetching anything."""

    @property
    def shrink_to(self) -> tuple[int, int] | None:
        """Width and height to shrink to."""
        if self.downscale is None:
            return None
        return max(1, round(self.facts.width * self.downscale)), max(
            1, round(self.facts.height * self.downscale)
        )


def advise(path: str | Path) -> Advice:
    """Measure a photo and suggest what to do with it.

    Raises:
        InputError: It can't be read, or is too small to be measured.
    """
    return advice_for(examine(path))


def advice_for(facts: PhotoFacts, *, fetched: Callable[[str], bool] = is_cached) -> Advice:
    """Suggest what to do with a photo of which this was measured.

    Args:
        facts: What was measured.
        fetched: Says whether a model of the catalog can run offline.
    """
    quality = _quality(facts)
    downscale = None
    if facts.detail < _SOFT:
        downscale = min(_SHRINKS, key=lambda factor: abs(factor - facts.detail))
    poor = quality is not None and quality < _POOR_QUALITY
    fine = quality is None or quality >= _FINE_QUALITY
    if facts.detail < _SOFT or poor or facts.noise >= _STRONG_NOISE:
        model = HEAVY
    elif facts.noise < _SLIGHT_NOISE and fine and facts.detail >= _SHARP:
        model = CLEAN
    elif facts.detail >= _SHARP and (not fine or facts.noise < _PLAIN_NOISE):
        model = COMPRESSED
    else:
        model = COMPACT_MODEL
    here = fetched(model)
    reasons = [_about_noise(facts), _about_jpeg(facts), _about_detail(facts, downscale), _WHY[model]]
    if model != COMPACT_MODEL and fetched(COMPACT_MODEL):
        reasons.append(_about_time(facts, model, here=here))
    return Advice(model=model, downscale=downscale, reasons=tuple(reasons), facts=facts, fetched=here)


_WHY: Final = {
    CLEAN: f"{CLEAN}: clean and sharp; the model with the lightest hand keeps most of the photo's own detail",
    COMPRESSED: f"{COMPRESSED}: made for photos with noise and compression like this, and close to the original",
    COMPACT_MODEL: f"{COMPACT_MODEL}: made for the blur and noise of cameras, and close to the original",
    HEAVY: f"{HEAVY}: the strongest at clearing away blur, noise and compression; look whether it flattens texture, "
    f"and try {COMPACT_MODEL} if it does",
}


def _about_time(facts: PhotoFacts, model: str, *, here: bool) -> str:
    quick = f"in a hurry: {COMPACT_MODEL}, which comes with wildsr and is sixteen times faster"
    if facts.noise >= _STRONG_NOISE:
        quick += ", and leaves more of noise this strong"
    return quick if here else f"{quick}; {model} is not fetched yet (wildsr models pull {model})"


def _quality(facts: PhotoFacts) -> int | None:
    """The worse of what the file says and what its pixels show; None without any sign of JPEG."""
    known = [one for one in (facts.file_quality, facts.seen_quality) if one is not None]
    return min(known) if known else None


def _about_noise(facts: PhotoFacts) -> str:
    strength = f"σ {facts.noise:.1f} of 255 levels"
    if facts.noise < _SLIGHT_NOISE:
        return f"noise: none to speak of ({strength})"
    word = (
        "slight"
        if facts.noise < _PLAIN_NOISE
        else "plain to see"
        if facts.noise < _STRONG_NOISE
        else "strong"
    )
    return f"noise: {word} ({strength})"


def _about_jpeg(facts: PhotoFacts) -> str:
    said, seen = facts.file_quality, facts.seen_quality
    if said is None and seen is None:
        return "JPEG: no trace of it"
    if said is None:
        return f"JPEG: no JPEG file, but its pixels show 8×8 blocks, as of quality {seen}"
    if seen is None or seen >= said - 15:
        return f"JPEG: saved at quality {said}" + (
            ", blocks hardly show" if seen is None else ", blocks show"
        )
    return f"JPEG: saved at quality {said}, but its blocks are older, as of quality {seen}"


def _about_detail(facts: PhotoFacts, downscale: float | None) -> str:
    share = f"{100 * facts.detail:.0f} % of its resolution"
    if facts.detail >= _SHARP:
        return f"detail: sharp, up to {share}"
    if downscale is None:
        return f"detail: a little soft; it ends at {share}, as after a blur of σ {facts.blur:.1f} pixels"
    return (
        f"detail: it ends at {share}, as after enlarging or a blur of σ {facts.blur:.1f} pixels; shrunk to "
        f"{100 * downscale:.0f} % first it gives as good a result, {1 / downscale**2:.0f} times faster"
    )
