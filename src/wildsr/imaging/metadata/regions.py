"""Areas inside a picture, as XMP has them, where they are after it was turned and scaled.

Each function changes an element and returns True, or returns False where it says nothing that could be followed.
"""

import math
from fractions import Fraction

from wildsr.imaging.metadata.geometry import Change
from wildsr.imaging.metadata.xmp_tree import RDF, Attribute, Element

_LONGEST_NUMBER = 40


def number(text: str) -> float | None:
    """Return a finite number, or None."""
    try:
        value = float(text) if len(text) <= _LONGEST_NUMBER else math.nan
    except ValueError:
        return None
    return value if math.isfinite(value) and abs(value) < 1e12 else None


def fraction(text: str) -> Fraction | None:
    """Return a positive rational written as `a/b` or as a number, or None."""
    above, slash, below = text.strip().partition("/")
    top, bottom = number(above), number(below) if slash else 1.0
    if top is None or bottom is None or top <= 0 or bottom <= 0:
        return None
    return Fraction(top) / Fraction(bottom)


def move_points(element: Element, change: Change) -> bool:
    """Exif's SubjectArea: centre, then nothing, a diameter, or width and height; in pixels, in a list."""
    items = [one for one in element.walk() if one.name == (RDF, "li")]
    values = [number(one.value) for one in items]
    known = [value for value in values if value is not None]
    if not 2 <= len(known) == len(values) <= 4:
        return False
    moved = moved_area(known, change)
    if moved != known:
        for one, value in zip(items, moved, strict=True):
            one.value = str(round(value))
    return True


def moved_area(values: list[float], change: Change) -> list[float]:
    """Return 2 to 4 numbers in pixels, a centre and what Exif lets follow it, where they are now."""
    centre, rest = change.pixel_point((values[0], values[1])), values[2:]
    if len(rest) == 2:
        rest = list(change.pixel_size((rest[0], rest[1])))
    elif rest:
        rest = [rest[0] * math.sqrt(math.prod(change.scale))]
    return [*centre, *rest]


def move_region(element: Element, change: Change) -> bool:
    """MWG's and ACDSee's areas: centre x, y with w, h or a diameter d."""
    found = _members(element)
    pixels = "unit" in found and found["unit"].value.strip() == "pixel"
    centre = _numbers(found, "x", "y")
    size = _numbers(found, "w", "h")
    if centre is None:
        return False
    _write(found, ("x", "y"), change.pixel_point(centre) if pixels else change.unit_point(centre), pixels)
    if size is not None:
        _write(found, ("w", "h"), change.pixel_size(size) if pixels else change.unit_size(size), pixels)
    diameter = number(found["d"].value) if "d" in found else None
    if diameter is not None and pixels:
        _write(found, ("d",), (diameter * math.sqrt(math.prod(change.scale)),), pixels)
    return True


def set_dimensions(element: Element, change: Change) -> bool:
    """The size of the picture that regions apply to."""
    found = _members(element)
    if not {"w", "h"} <= set(found):
        return False
    _write(found, ("w", "h"), change.after, True)
    return True


def move_rectangle(element: Element, change: Change) -> bool:
    """Microsoft's rectangle: `x, y, w, h` of a corner and size, in shares of the picture."""
    values = [number(text) for text in element.value.split(",")]
    known = [value for value in values if value is not None]
    if len(known) != 4 or len(values) != 4:
        return False
    if change.orientation != 1:
        element.value = ", ".join(_text(value, False) for value in _corner(known, change, False))
    return True


def move_boundary(element: Element, change: Change) -> bool:
    """IPTC's image region boundary: a rectangle from its corner, a circle, or the corners of a polygon."""
    found = _members(element)
    pixels = "rbUnit" in found and found["rbUnit"].value.strip() == "pixel"
    corner, size = _numbers(found, "rbX", "rbY"), _numbers(found, "rbW", "rbH")
    moved = False
    if corner is not None and size is not None:
        x, y, width, height = _corner([*corner, *size], change, pixels)
        _write(found, ("rbX", "rbY", "rbW", "rbH"), (x, y, width, height), pixels)
        moved = True
    elif corner is not None:
        _write(found, ("rbX", "rbY"), _point(corner, change, pixels), pixels)
        radius = number(found["rbRx"].value) if "rbRx" in found else None
        if radius is not None and (pixels or change.quarter):
            # relative radii are shares of the width
            _write(found, ("rbRx",), (radius * _radius_growth(change, pixels),), pixels)
        moved = True
    for item in (one for one in element.walk() if one.name == (RDF, "li")):
        inside = _members(item)
        vertex = _numbers(inside, "rbX", "rbY")
        if vertex is not None:
            _write(inside, ("rbX", "rbY"), _point(vertex, change, pixels), pixels)
            moved = True
    return moved


def _radius_growth(change: Change, pixels: bool) -> float:
    if pixels:
        return math.sqrt(math.prod(change.scale))
    return change.after[1] / change.after[0]


def _point(point: tuple[float, float], change: Change, pixels: bool) -> tuple[float, float]:
    return change.pixel_point(point) if pixels else change.unit_point(point)


def _corner(values: list[float], change: Change, pixels: bool) -> list[float]:
    """Return corner and size of a rectangle given by its top left corner and size."""
    x, y, width, height = values
    centre = _point((x + width / 2, y + height / 2), change, pixels)
    size = change.pixel_size((width, height)) if pixels else change.unit_size((width, height))
    return [centre[0] - size[0] / 2, centre[1] - size[1] / 2, *size]


def _members(element: Element) -> dict[str, Attribute | Element]:
    """Return a structure's fields by local name, however they are written."""
    holders = [element, *(one for one in element.elements if one.name == (RDF, "Description"))]
    found: dict[str, Attribute | Element] = {}
    for holder in holders:
        inside: list[Attribute | Element] = [*holder.attributes, *holder.elements]
        for one in inside:
            if one.name[0] not in ("xmlns", RDF):
                found.setdefault(one.name[1], one)
    return found


def _numbers(found: dict[str, Attribute | Element], first: str, second: str) -> tuple[float, float] | None:
    values = [number(found[key].value) if key in found else None for key in (first, second)]
    return None if values[0] is None or values[1] is None else (values[0], values[1])


def _write(
    found: dict[str, Attribute | Element], keys: tuple[str, ...], values: tuple[float, ...], pixels: bool
) -> None:
    for key, value in zip(keys, values, strict=True):
        before = number(found[key].value)
        if before is None or not math.isclose(before, value, rel_tol=1e-9, abs_tol=1e-9):
            found[key].value = _text(value, pixels)


def _text(value: float, pixels: bool) -> str:
    return str(round(value)) if pixels else f"{value:.6f}".rstrip("0").rstrip(".") or "0"
