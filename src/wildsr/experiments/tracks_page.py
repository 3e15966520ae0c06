"""The page of the challenge-style tables."""

from collections.abc import Mapping, Sequence
from typing import Final

from wildsr.experiments.asked import Asked
from wildsr.experiments.tracks_models import MEANT
from wildsr.experiments.writing import table
from wildsr.files import counted
from wildsr.training.durations import duration

_TITLES: Final = {
    "track1": "Track 1: with ground truth",
    "track2": "Track 2: real photos",
}


def tracks_page(
    asked: Asked,
    *,
    tracks: Mapping[str, tuple[int, str]],
    tables: Mapping[str, str],
    missing: Sequence[str],
    study: str | None,
) -> str:
    """Return the page in Markdown.

    Args:
        asked: What was asked for.
        tracks: Track → number of pictures, and the one of the crops.
        tables: Track → its table.
        missing: Published models that were not fetched.
        study: Database of the study, if one was made.
    """
    options = "" if asked.pairs is None else f" --pairs {asked.pairs.name}/"
    options += "" if asked.photos is None else f" --photos {asked.photos.name}/"
    lines = [
        "# Tables as the challenge's",
        "",
        "```sh",
        f"wildsr reproduce tracks --hr photos/ --test {asked.test.name}/{options} --budget {asked.budget / 60:g}m",
        "```",
        "",
        "×4, the middle of each picture (at most 512² SR pixels), networks alone (no colour fix).",
        "",
        table(["method", "what it is"], [[f"`{name}`", what] for name, what in MEANT.items()]),
        "",
        "The others are published weights of the catalog, as they are."
        + (f" Not fetched, so left out: {', '.join(missing)}." if missing else ""),
        "",
    ]
    for name, (count, picture) in tracks.items():
        lines += [f"## {_TITLES[name]}", "", _about(asked, name, count), "", tables[name].rstrip(), ""]
        order = "HR, then the methods" if name == "track1" else "The methods"
        lines += [f"{order} in the order of the table, `{picture}`:", "", f"![crops]({name}.jpg)", ""]
    if study is not None:
        lines += [
            "## People",
            "",
            f"The study `{list(tracks)[-1]}` of mean opinion ranks on the same pictures is in `{study}` beside the "
            f"trainings: `wildsr study serve --database {study}`. Nobody has been asked yet.",
            "",
        ]
    return "\n".join(
        [
            *lines,
            "## Scaled down",
            "",
            f"All trainings together took at most {duration(asked.budget)} of processor time on small networks; the "
            "challenge's entries trained for days on others. The tables compare the methods at equal, small means.",
            "",
        ]
    )


def _about(asked: Asked, track: str, count: int) -> str:
    if track == "track2":
        return (
            f"{counted(count, 'photo')} without ground truth; the methods that learn a degradation learn it from "
            "these very "
            "photos, as the challenge allowed. Metrics without reference follow what people see only loosely."
        )
    if asked.pairs is None:
        return (
            f"{counted(count, 'picture')} with hidden processing (noise with a grain, sharpening, JPEG); learnt "
            "from are other "
            "photos so processed."
        )
    return f"{counted(count, 'real pair')}; learnt from are the LR photos of other pairs. 4 border pixels are left out."
