"""Which results, ground truth and LR pictures of stores belong together: by name, as in `wildsr evaluate`."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path, PurePosixPath

from wildsr.batch.listing import list_pictures
from wildsr.batch.manifest import MANIFEST
from wildsr.batch.places import Place
from wildsr.errors import InputError, UsageError
from wildsr.evaluation import TestPicture, TestSet
from wildsr.files import shown
from wildsr.files.matching import match, refuse_missing, same_depth


@dataclass(frozen=True, kw_only=True)
class Comparison:
    """A result to measure."""

    source: str
    """The result, below the input."""

    version: str
    """Of its content and of what it is compared with."""

    name: str
    """Of the picture in the table."""

    hr: str = ""
    """Its ground truth, below the folder of these."""

    lr: str = ""
    target: str = MANIFEST


def matched(places: Sequence[Place | None], target: Place) -> tuple[list[Comparison], TestSet]:
    """Return every result with what it is compared with, in the order of the ground truth; and the set.

    Args:
        places: Folders of results, of ground truth and of LR pictures; None for what isn't given.
        target: Where the manifest goes.

    Raises:
        InputError: No such folder, or pictures without counterparts.
        UsageError: A list instead of a folder.
    """
    trees: list[dict[str, tuple[str, str]]] = []
    for place in places:
        trees.append({} if place is None else _pictures(place, target))
    names = [{name: Path(name) for name in tree} for tree in trees]
    results, truths = name_of(places[0]), name_of(places[1] or places[0])
    deep = same_depth(names[1], names[0]) if names[1] else (names[0], names[0])
    wanted, given = list(deep[0]), list(deep[1])
    pairs = match(wanted, given)
    refuse_missing(pairs.unmatched, results)
    refuse_missing(pairs.spare, truths)
    inputs: Mapping[str, str] = {}
    if places[2] is not None:
        _, low = same_depth(deep[0], names[2])
        lows = match(wanted, list(low))
        refuse_missing(lows.unmatched, name_of(places[2]))
        inputs = lows.pairs
    every = []
    for name in wanted:
        chosen = [
            trees[0][pairs.pairs[name]],
            trees[1].get(name, ("", "")),
            trees[2].get(inputs.get(name, ""), ("", "")),
        ]
        (sr, _), (hr, _), (lr, _) = chosen
        version = " / ".join(one for _, one in chosen)
        every.append(Comparison(source=sr, version=version, name=name, hr=hr, lr=lr))
    pictures = tuple(
        TestPicture(name=one.name, hr=Path(one.hr) if one.hr else None, lr=Path(one.lr) if one.lr else None)
        for one in every
    )
    return every, TestSet(name=truths, pictures=pictures)


def _pictures(place: Place, target: Place) -> dict[str, tuple[str, str]]:
    """Name → what fetches it, and its version."""
    listing = list_pictures(place.url, target)
    if listing.problems:
        raise InputError(listing.problems[0], hint="a set is judged whole or not at all")
    found = {
        one.relative.as_posix(): (source, version)
        for one, source, version in zip(listing.found, listing.sources, listing.versions, strict=True)
    }
    if any(place.whole(source) != place.whole(name) for name, (source, _) in found.items()):
        raise UsageError(f"{shown(place.url)} is a list", hint="results are judged by folders")
    return found


def name_of(place: Place | None) -> str:
    """Return the last part of a folder's name."""
    return "" if place is None else PurePosixPath(place.url).name
