"""Metadata made true twice: when its picture is read (turned upright), and when it is written (scaled)."""

from dataclasses import dataclass, replace

from wildsr.imaging.metadata import Metadata, Resolution, exif, iptc, xmp
from wildsr.imaging.metadata.geometry import Change
from wildsr.imaging.metadata.ifd import TiffError
from wildsr.imaging.metadata.places import JUDGED_TEXT, names_a_place
from wildsr.imaging.metadata.xmp_tree import XmpError

_MOST_NAMED = 20
_NO_RESOLUTION = 72.0
"""What programs write that know of none; any other that is stated beside it is believed instead."""


@dataclass(frozen=True, kw_only=True)
class Rewritten:
    """Metadata, and what came of making it true."""

    metadata: Metadata
    notes: tuple[str, ...] = ()
    """What was left out, or could not be judged, in sentences."""


def settled(found: Metadata, *, orientation: int, width: int, height: int) -> Rewritten:
    """Return what was found in a file, true of its pixels once they are upright.

    Args:
        found: As the file had it.
        orientation: EXIF orientation that was applied to the pixels, 1 to 8.
        width: Pixels now.
        height: Pixels now.
    """
    notes: list[str] = []
    before = (height, width) if orientation >= 5 else (width, height)
    change = Change(orientation=orientation, before=before, after=(width, height))
    block = exif.bare(found.exif) if found.exif else None
    resolution = _resolution(found.resolution, exif.resolution_of(block) if block else None)
    if resolution is not None and change.quarter:
        resolution = Resolution(x=resolution.y, y=resolution.x)
    if block:
        try:
            block, _ = exif.edited(block, change, resolution=resolution)
        except TiffError as error:
            notes.append(f"its EXIF can't be followed ({error}) and was left out")
            block = None
    packet = found.xmp
    if packet:
        try:
            notes += xmp.parts(packet)
            packet = xmp.rewritten(packet, xmp.Wanted(change=change, resolution=resolution))
        except XmpError as error:
            notes.append(f"its XMP can't be followed ({error}) and was left out")
            packet = None
    records = iptc.unwrapped(found.iptc) if found.iptc else None
    return Rewritten(
        metadata=replace(
            found,
            exif=block or None,
            xmp=packet or None,
            iptc=iptc.rewritten(records) if records else None,
            resolution=resolution,
            size=(width, height),
        ),
        notes=tuple(notes),
    )


def without_place(given: Metadata) -> Rewritten:
    """Return metadata that says nowhere where a picture was taken, and a note on what can't be judged.

    EXIF and XMP are stripped where they are rewritten; here are the others.
    """
    text = tuple(item for item in given.text if not names_a_place(item.key.rpartition(":")[2]))
    records = iptc.rewritten(given.iptc, strip_place=True) if given.iptc else None
    words = [f"text {key!r}" for key in dict.fromkeys(item.key for item in text) if key not in JUDGED_TEXT]
    words += [f"EXIF {name}" for name in (exif.unjudged(given.exif) if given.exif else ())]
    words += [f"XMP {name}" for name in (_unjudged_xmp(given.xmp) if given.xmp else ())]
    words += [f"IPTC {name}" for name in (iptc.unjudged(records) if records else ())]
    if len(words) > _MOST_NAMED:
        words = [*words[:_MOST_NAMED], f"and {len(words) - _MOST_NAMED:,} more"]
    notes = (f"whether these name the place can't be judged, and they were kept: {', '.join(words)}",)
    return Rewritten(metadata=replace(given, text=text, iptc=records), notes=notes if words else ())


def _unjudged_xmp(packet: bytes) -> tuple[str, ...]:
    try:
        return xmp.unjudged(packet)
    except XmpError:
        return ()


def _resolution(container: Resolution | None, block: Resolution | None) -> Resolution | None:
    """Return the one resolution that counts of the container's and EXIF's."""
    if container is None or (block is not None and container.x == container.y == _NO_RESOLUTION):
        return block
    return container
