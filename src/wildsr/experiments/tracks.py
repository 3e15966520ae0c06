"""Tables as the challenge's (NTIRE 2020 Real-World SR): track 1 with ground truth, track 2 of real photos without.

Track 1 is judged by PSNR, SSIM and LPIPS; track 2 by NIQE, BRISQUE, PIQE (NRQM and PI where their files are), the mean
rank over them, and people: a study of the same pictures is made.
"""

import importlib.util
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Final

import numpy as np
from PIL import Image

from wildsr.errors import UsageError
from wildsr.evaluation import Evaluation, evaluate, to_csv, to_markdown
from wildsr.evaluation.measures import TRACK_1_METRICS, TRACK_2_METRICS, TRACK_2_OWN_METRICS
from wildsr.evaluation.tables import json_text, write_text
from wildsr.experiments.asked import Asked
from wildsr.experiments.hidden import LEAST_SIDE, processed
from wildsr.experiments.measuring import Bytes, clean_picture
from wildsr.experiments.real import halves, link
from wildsr.experiments.tracks_models import (
    GENERIC_SHARE,
    PUBLISHED,
    enlargers,
    published_models,
    shared_models,
    track_models,
    track_steps,
)
from wildsr.experiments.tracks_page import tracks_page
from wildsr.experiments.writing import detailed_place, write_crops
from wildsr.files import atomic_write, counted, find_pictures, make_folder
from wildsr.imaging import probe
from wildsr.metrics.nrqm import FILE as NRQM_FILE

SUMMARY: Final = (
    "tables as the challenge's: with ground truth, and of real photos without, many methods, a study"
)
MOST: Final = 20
"""Pictures of a track at most."""

_LARGEST: Final = 512
_SIDE: Final = 128
Enlarge = Callable[[Bytes], Bytes]


@dataclass(frozen=True, kw_only=True)
class Track:
    """Photos to learn from, and pictures to enlarge."""

    name: str
    source: Path
    lr: Mapping[str, Bytes]
    hr: Mapping[str, Bytes]
    """Empty without ground truth."""


def run(asked: Asked) -> Path:
    """Train, enlarge every picture by every method, judge, make the study, write the page."""
    tracks = _tracks(asked)
    steps = track_steps(asked, asked.budget * (1 - GENERIC_SHARE) / len(tracks))
    models = shared_models(asked)
    published = published_models(asked)
    folder = asked.output / "tracks"
    found: dict[str, Evaluation] = {}
    for track in tracks:
        learnt = track_models(asked, track.name, track.source, steps)
        made = _enlarged(asked, track, enlargers({**models, **learnt}, published))
        found[track.name] = _judged(track, made)
        _write_crops(folder / f"{track.name}.jpg", track, made)
        write_text(folder / f"{track.name}.csv", to_csv(found[track.name]))
        write_text(folder / f"{track.name}.json", json_text(found[track.name]))
    study = _study(asked, tracks[-1], published)
    missing = [name for name in PUBLISHED if name not in published]
    tables = {name: to_markdown(one) for name, one in found.items()}
    page = folder / "README.md"
    write_text(page, tracks_page(asked, tracks=_sizes(tracks), tables=tables, missing=missing, study=study))
    return page


def _tracks(asked: Asked) -> list[Track]:
    """Track 1: the pairs, or hidden processing of the test pictures; track 2: the photos, where there are some."""
    if asked.pairs is not None:
        source, tests = halves(asked.pairs, asked.runs / "pairs-learnt", largest=_LARGEST)
        tests = dict(list(tests.items())[:MOST])
        hr = {name: one for name, (one, _) in tests.items()}
        lr = {name: one for name, (_, one) in tests.items()}
    else:
        source = asked.runs / "tracks-hidden"
        make_folder(source)
        for one in find_pictures([asked.hr], recursive=True).pictures:
            target, seen = source / f"{one.path.stem}.png", probe(one.path)
            if min(seen.height, seen.width) >= LEAST_SIDE and not target.exists():
                _write(target, processed(clean_picture(one.path, largest=10_000), one.path.stem))
        hr = {path.stem: clean_picture(path, largest=_LARGEST) for path in asked.tests()[:MOST]}
        lr = {name: processed(one, name) for name, one in hr.items()}
    tracks = [Track(name="track1", source=source, lr=lr, hr=hr)]
    if asked.photos is not None:
        photos = [one.path for one in find_pictures([asked.photos], recursive=True).pictures]
        link(photos, asked.runs / "photos-learnt")
        lr = {path.stem: clean_picture(path, multiple=1, largest=_LARGEST // 4) for path in photos[:MOST]}
        tracks.append(Track(name="track2", source=asked.runs / "photos-learnt", lr=lr, hr={}))
    return tracks


def _enlarged(asked: Asked, track: Track, methods: Mapping[str, Callable[[], Enlarge]]) -> dict[str, Path]:
    """Method → folder of its results; what is there is kept."""
    made = {}
    for method, opened in methods.items():
        folder = asked.runs / "tracks" / track.name / method
        make_folder(folder)
        wanted = {name: folder / f"{Path(name).stem}.png" for name in track.lr}
        left = [name for name, path in wanted.items() if not path.exists()]
        if left:
            asked.say(f"{track.name}: {method}, {counted(len(left), 'picture')}")
            enlarge = opened()
            for name in left:
                _write(wanted[name], enlarge(track.lr[name]))
        made[method] = folder
    return made


def _judged(track: Track, made: Mapping[str, Path]) -> Evaluation:
    if not track.hr:
        metrics = TRACK_2_METRICS + (TRACK_2_OWN_METRICS if NRQM_FILE.exists() else ())
        return evaluate(list(made.values()), metrics=metrics)
    truth = next(iter(made.values())).parent / "HR"
    make_folder(truth)
    for name, hr in track.hr.items():
        _write(truth / f"{Path(name).stem}.png", hr)
    return evaluate(list(made.values()), hr=truth, metrics=TRACK_1_METRICS, crop_border=4)


def _write_crops(path: Path, track: Track, made: Mapping[str, Path]) -> None:
    """The place with the most detail of the picture with the most contrast, by every method."""
    name = _shown(track)
    pictures = [np.asarray(Image.open(folder / f"{Path(name).stem}.png")) for folder in made.values()]
    if track.hr:
        pictures.insert(0, track.hr[name])
    top, left = detailed_place(pictures[0], _SIDE)
    write_crops(path, [one[top : top + _SIDE, left : left + _SIDE] for one in pictures])


def _shown(track: Track) -> str:
    return max(track.lr, key=lambda name: float(np.std(track.lr[name])))


def _sizes(tracks: list[Track]) -> dict[str, tuple[int, str]]:
    return {track.name: (len(track.lr), _shown(track)) for track in tracks}


def _study(asked: Asked, track: Track, published: Mapping[str, str]) -> str | None:
    """Make a study of mean opinion ranks on a track's pictures; its database's name, or None without the extra."""
    if importlib.util.find_spec("sqlalchemy") is None:
        return None
    from wildsr.study.design import MOST_ORDERED, Design, StudyMethod
    from wildsr.study.stimuli import find_material
    from wildsr.study.store import StudyStore

    database = asked.runs / "tracks.sqlite"
    folders = sorted((asked.runs / "tracks" / track.name).iterdir())
    chosen = [one for one in folders if one.name != "HR"]
    material = find_material(sorted(chosen, key=lambda one: one.name in published)[:MOST_ORDERED])
    design = Design(
        protocol="mor",
        methods=tuple(StudyMethod(name=name) for name in material.methods),
        pictures=material.pictures,
        reference_shown=False,
    )
    store = StudyStore(str(database))
    try:
        try:
            store.create(track.name, design, material.stimuli(_LARGEST), title="Which results are better?")
        except UsageError as error:
            asked.say(f"note: {error}")
    finally:
        store.close()
    return database.name


def _write(path: Path, picture: Bytes) -> None:
    with atomic_write(path) as temporary:
        Image.fromarray(picture).save(temporary, "PNG")
