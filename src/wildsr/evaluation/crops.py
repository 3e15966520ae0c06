"""Pieces of pictures, cut where the methods differ most."""

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from wildsr.errors import WildsrError
from wildsr.evaluation.pixels import load
from wildsr.evaluation.results import Evaluation, Row
from wildsr.metrics import Image
from wildsr.report.pictures import jpeg_uri, thumbnail
from wildsr.report.places import brightness, difference, strongest_window

_SIDES = (96, 192)


@dataclass(frozen=True, kw_only=True)
class CropComparison:
    """One place of one picture, as every method shows it."""

    image: str
    """The picture's name."""

    whole: str
    """A small version of it (data URI)."""

    frame: tuple[float, float, float, float]
    """Where the place is: left, top, width, height in percent."""

    lr: str | None
    """The same place of the LR picture."""

    hr: str | None
    """And of the ground truth."""

    methods: Mapping[str, str]
    """And of each method's result."""


@dataclass(frozen=True, kw_only=True)
class _Place:
    rows: Mapping[str, Row]
    score: float
    top: int
    left: int
    side: int


def comparisons(found: Evaluation, *, most: int = 6, quality: int = 90) -> list[CropComparison]:
    """Return the places where methods differ most, one a picture, strongest first, as JPEGs of a quality."""
    places = [place for rows in found.by_image.values() if (place := _find(rows)) is not None]
    places.sort(key=lambda place: -place.score)
    return [_cut(place, quality) for place in places[:most]]


def _find(rows: Mapping[str, Row]) -> _Place | None:
    """The window with the largest deviation between the results (with one result: from the ground truth)."""
    try:
        planes = [brightness(load(row.sr).pixels) for row in rows.values() if row.sr is not None]
        truth = next(iter(rows.values())).picture.hr
        if len(planes) == 1 and truth is not None:
            planes.append(brightness(load(truth).pixels))
    except WildsrError:
        return None  # named in the report's errors already
    if not planes:
        return None
    height, width = min(p.shape[0] for p in planes), min(p.shape[1] for p in planes)
    planes = [plane[:height, :width] for plane in planes]
    side = min(height, width, max(_SIDES[0], min(_SIDES[1], round(min(height, width) / 3.2))))
    side -= side % 4 if side >= 8 else 0
    top, left, score = strongest_window(difference(planes), side, side)
    return _Place(rows=rows, score=score, top=top, left=left, side=side)


def _cut(place: _Place, quality: int) -> CropComparison:
    picture = next(iter(place.rows.values())).picture
    results = {row.method: load(row.sr).pixels for row in place.rows.values() if row.sr is not None}
    any_result = next(iter(results.values()))
    height, width = any_result.shape[:2]
    truth = None if picture.hr is None else load(picture.hr).pixels
    percent = (place.left / width, place.top / height, place.side / width, place.side / height)
    left, top, across, down = (100 * part for part in percent)
    return CropComparison(
        image=picture.name,
        whole=jpeg_uri(thumbnail(any_result if truth is None else truth), quality=80),
        frame=(left, top, across, down),
        lr=None if picture.lr is None else _lr_piece(picture.lr, place, height),
        hr=None if truth is None else jpeg_uri(_piece(truth, place), quality=quality),
        methods={
            method: jpeg_uri(_piece(pixels, place), quality=quality) for method, pixels in results.items()
        },
    )


def _lr_piece(path: Path, place: _Place, sr_height: int) -> str:
    pixels = load(path).pixels
    scale = max(1, round(sr_height / pixels.shape[0]))
    rows = slice(place.top // scale, -(-(place.top + place.side) // scale))
    columns = slice(place.left // scale, -(-(place.left + place.side) // scale))
    return jpeg_uri(pixels[rows, columns])


def _piece(pixels: Image, place: _Place) -> Image:
    return pixels[place.top : place.top + place.side, place.left : place.left + place.side]
