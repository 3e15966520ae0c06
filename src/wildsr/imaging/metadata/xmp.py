"""XMP made true of the picture written, by the table in `fields`; what no rule names stays as it was."""

from collections.abc import Callable
from dataclasses import dataclass

from wildsr.imaging.metadata import Resolution, regions
from wildsr.imaging.metadata.fields import NAMESPACES, XMP, XMP_PARTS, Rule
from wildsr.imaging.metadata.geometry import Change
from wildsr.imaging.metadata.places import UNJUDGED_XMP, names_a_place
from wildsr.imaging.metadata.xmp_tree import RDF, Attribute, Element, Name, Packet, XmpError, parse


def _named(key: str) -> Name:
    prefix, _, local = key.partition(":")
    return NAMESPACES[prefix], local.removesuffix("*")


_EXACT: dict[Name, Rule] = {_named(key): rule for key, rule in XMP.items() if not key.endswith("*")}
_BEGINNINGS: tuple[tuple[Name, Rule], ...] = tuple(
    (_named(key), rule) for key, rule in XMP.items() if key.endswith("*")
)

_SPATIAL = ("x pixels", "y pixels", "points", "density", "region", "dimensions", "rectangle", "boundary")
"""Rules that need to know how the picture was turned and scaled; after a crop nobody does."""
_INCH = "2"
_FRAME = ("xmlns", RDF, NAMESPACES["x"])
"""Namespaces of what holds properties, and is none."""


@dataclass(frozen=True, kw_only=True)
class Wanted:
    """What a packet is to say."""

    change: Change
    """What was done to the picture it speaks of."""

    resolution: Resolution | None
    """Dots per inch, or None for a file that states none."""

    mime: str | None = None
    """Type of the file written; None leaves what is said of it."""

    strip_place: bool = False
    """Leave out where the picture was taken."""


def rule_of(name: Name) -> Rule | None:
    """Return what becomes of a property; None for one that is copied."""
    exact = _EXACT.get(name)
    if exact is not None:
        return exact
    fits = (
        rule for (namespace, start), rule in _BEGINNINGS if namespace == name[0] and name[1].startswith(start)
    )
    return next(fits, None)


def rewritten(packet: bytes, wanted: Wanted) -> bytes:
    """Return a packet that says what is wanted; byte for byte the one given where nothing had to change.

    Raises:
        XmpError: It is no XML that can be followed.
    """
    tree = parse(packet)
    before, spoken = tree.serialised(), _namespaces(tree)
    for element in list(tree.root.walk()):
        element.attributes = [one for one in element.attributes if _kept(one, wanted)]
        element.children = [one for one in element.children if isinstance(one, str) or _kept(one, wanted)]
    silent = spoken - _namespaces(tree)
    for element in tree.root.walk():  # a namespace alone would still say that there is a gain map
        element.attributes = [
            one for one in element.attributes if one.name[0] != "xmlns" or one.value not in silent
        ]
    after = tree.serialised()
    return packet if after == before else after


def _namespaces(tree: Packet) -> set[str]:
    """Return the namespaces of all elements and attributes."""
    return {
        namespace
        for element in tree.root.walk()
        for namespace, _ in (element.name, *(one.name for one in element.attributes))
    }


def joined(packet: bytes, extension: bytes) -> bytes:
    """Return a packet with the properties of its extension (XMP part 3, §1.1.3.1) in it.

    Where either can't be followed the packet is returned as it is.
    """
    try:
        tree, more = parse(packet), parse(extension)
    except XmpError:
        return packet
    home, source = _rdf(tree), _rdf(more)
    if home is None or source is None:
        return packet
    bound = {one.name for one in home.attributes}
    scopes = [one for element in (more.root, source) for one in element.attributes if one.name[0] == "xmlns"]
    for description in source.elements:
        own = {one.name for one in description.attributes}
        description.attributes += [
            one for one in {s.name: s for s in scopes}.values() if one.name not in own | bound
        ]
        home.children.append(description)
    return tree.serialised()


def parts(packet: bytes) -> tuple[str, ...]:
    """Return notes on the parts of a file that a packet speaks of, which are never read: videos, gain maps."""
    found: dict[str, None] = {}
    try:
        root = parse(packet).root
    except XmpError:
        return ()
    starts = [
        (NAMESPACES[key.partition(":")[0]], key.partition(":")[2], note) for key, note in XMP_PARTS.items()
    ]
    for element in root.walk():
        for namespace, local in (element.name, *(one.name for one in element.attributes)):
            for uri, start, note in starts:
                if namespace == uri and local.startswith(start):
                    found[note] = None
    return tuple(found)


def unjudged(packet: bytes) -> tuple[str, ...]:
    """Return the properties in words that may name a place, as `dc:description`."""
    known = {local.lower(): f"{prefix}:{local}" for prefix, local in UNJUDGED_XMP}
    names = (
        name
        for element in parse(packet).root.walk()
        for name in (element.name, *(one.name for one in element.attributes))
        if name[0] not in _FRAME
    )
    return tuple(dict.fromkeys(known[local.lower()] for _, local in names if local.lower() in known))


def _rdf(tree: Packet) -> Element | None:
    return next((element for element in tree.root.walk() if element.name == (RDF, "RDF")), None)


def _kept(one: Attribute | Element, wanted: Wanted) -> bool:
    """Apply a property's rule to it; return False where it is to go."""
    if one.name[0] in _FRAME:
        return True
    if wanted.strip_place and names_a_place(one.name[1]):
        return False
    rule = rule_of(one.name)
    if rule is None:
        return True
    if rule in _SPATIAL and not wanted.change.uniform:
        return False
    if rule in _STRUCTURES:
        return not isinstance(one, Element) or _STRUCTURES[rule](one, wanted.change)
    return _SIMPLE[rule](one, wanted) if rule in _SIMPLE else False


def _fixed(value: Callable[[Wanted], str | None]) -> Callable[[Attribute | Element, Wanted], bool]:
    """Return the rule that sets a property to a value, or leaves it out where there is none."""

    def apply(one: Attribute | Element, wanted: Wanted) -> bool:
        text = value(wanted)
        if text is not None:
            one.value = text
        return text is not None

    return apply


def _resolution(one: Attribute | Element, wanted: Wanted) -> bool:
    if wanted.resolution is None:
        return False
    if one.name[1] == "ResolutionUnit":
        one.value = _INCH
    else:
        dots = wanted.resolution.x if one.name[1] == "XResolution" else wanted.resolution.y
        one.value = f"{round(dots * 10_000)}/10000" if dots % 1 else f"{round(dots)}/1"
    return True


def _pixels(axis: int) -> Callable[[Attribute | Element, Wanted], bool]:
    def apply(one: Attribute | Element, wanted: Wanted) -> bool:
        number = regions.number(one.value)
        if number is None or wanted.change.orientation != 1:
            return False
        scale = wanted.change.scale[axis]
        if scale != 1:
            one.value = str(round(number * scale))
        return True

    return apply


def _density(one: Attribute | Element, wanted: Wanted) -> bool:
    fraction = regions.fraction(one.value)
    if fraction is None:
        return False
    if wanted.change.quarter:
        x_becomes_y = "FocalPlaneXResolution", "FocalPlaneYResolution"
        other = x_becomes_y[1 - x_becomes_y.index(one.name[1])]
        one.prefixed = one.prefixed.replace(one.name[1], other)
        one.name = (one.name[0], other)
    grown = fraction * wanted.change.scale[0 if "X" in one.name[1] else 1]
    if grown != fraction:
        grown = grown.limit_denominator(1_000_000)
        one.value = f"{grown.numerator}/{grown.denominator}"
    return True


def _mime(one: Attribute | Element, wanted: Wanted) -> bool:
    if wanted.mime is not None:
        one.value = wanted.mime
    return True


_SIMPLE: dict[Rule, Callable[[Attribute | Element, Wanted], bool]] = {
    "upright": _fixed(lambda wanted: "1"),
    "width": _fixed(lambda wanted: str(wanted.change.after[0])),
    "height": _fixed(lambda wanted: str(wanted.change.after[1])),
    "resolution": _resolution,
    "x pixels": _pixels(0),
    "y pixels": _pixels(1),
    "density": _density,
    "mime": _mime,
}
_STRUCTURES: dict[Rule, Callable[[Element, Change], bool]] = {
    "points": regions.move_points,
    "region": regions.move_region,
    "dimensions": regions.set_dimensions,
    "rectangle": regions.move_rectangle,
    "boundary": regions.move_boundary,
}
