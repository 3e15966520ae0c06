"""Making metadata true of the picture written, and fit what its format holds."""

from dataclasses import dataclass, replace

from wildsr.imaging.containers.jpeg import LARGEST_EXIF
from wildsr.imaging.formats import DEEP_ZOOM, Format
from wildsr.imaging.frame import Frame, WriteOptions
from wildsr.imaging.icc import SRGB_PRIMARIES, IccError, parse, rgb_profile
from wildsr.imaging.metadata import Metadata, TextItem, xmp
from wildsr.imaging.metadata.exif import bare, edited
from wildsr.imaging.metadata.geometry import Change
from wildsr.imaging.metadata.ifd import TiffError
from wildsr.imaging.metadata.rewriting import without_place
from wildsr.imaging.metadata.xmp_tree import XmpError
from wildsr.version import __version__

_COMMENT = "Comment"
_MOST_NAMED = 20


@dataclass(frozen=True, kw_only=True)
class FittedMetadata:
    """What goes beside the pixels, and what does not."""

    metadata: Metadata
    dropped: tuple[str, ...] = ()
    """What the format can't hold, each in a few words."""

    notes: tuple[str, ...] = ()
    """What can't be judged, in sentences."""


def fit_metadata(frame: Frame, form: Format, options: WriteOptions) -> FittedMetadata:
    """Return the metadata to write into a file of a format."""
    given = frame.metadata
    icc = given.icc if form.gray or not frame.gray else _rgb_of_gray(given.icc)
    if options.strip_metadata or form.name == DEEP_ZOOM.name:
        lost = () if options.strip_metadata else _named(given)
        return FittedMetadata(metadata=Metadata(icc=icc), dropped=lost)
    notes: tuple[str, ...] = ()
    lost_iptc = ["IPTC"] if given.iptc and "iptc" not in form.holds else []
    if lost_iptc:  # before anything is said of what was kept
        given = replace(given, iptc=None)
    if options.strip_gps:
        placeless = without_place(given)
        given, notes = placeless.metadata, placeless.notes
    change = Change(before=given.size, after=(frame.width, frame.height))
    kept, mapped = _texts(given.text, form)
    exif, dropped = _exif(given, change, mapped, form, options)
    packet, trouble = _xmp(given, change, form, options)
    dropped += trouble + lost_iptc
    metadata = replace(given, icc=icc, exif=exif, xmp=packet, text=kept)
    return FittedMetadata(metadata=metadata, dropped=tuple(dropped), notes=notes)


def _named(given: Metadata) -> tuple[str, ...]:
    blocks = (("EXIF", given.exif), ("XMP", given.xmp), ("IPTC", given.iptc), ("text", given.text))
    return tuple(name for name, block in blocks if block)


def _texts(text: tuple[TextItem, ...], form: Format) -> tuple[tuple[TextItem, ...], tuple[TextItem, ...]]:
    """Return the texts a format keeps as such, and those that go into EXIF's tags."""
    if form.name == "png":
        return text, ()
    if form.name == "jpeg":
        kept = tuple(item for item in text if item.key == _COMMENT)
        return kept, tuple(item for item in text if item.key != _COMMENT)
    return (), text


def _exif(
    given: Metadata, change: Change, text: tuple[TextItem, ...], form: Format, options: WriteOptions
) -> tuple[bytes, list[str]]:
    software = options.software or f"wildsr {__version__}"
    if options.model:
        software = f"{software} ({options.model})"

    def made(block: bytes | None, text: tuple[TextItem, ...]) -> tuple[bytes, tuple[str, ...]]:
        return edited(
            block,
            change,
            resolution=given.resolution,
            software=software,
            add_resolution=form.name in ("webp", "avif"),  # which state it nowhere else
            strip_place=options.strip_gps,
            text=text,
        )

    found, dropped = bare(given.exif) if given.exif else None, []
    try:
        block, homeless = made(found, text)
    except TiffError as error:
        found, dropped = None, [f"EXIF ({error})"]
        block, homeless = made(None, text)
    if form.name == "jpeg" and len(block) > LARGEST_EXIF and text:  # long texts must not cost all of it
        block, homeless = made(found, ())[0], tuple(dict.fromkeys(item.key for item in text))
    named = [f"text {key!r}" for key in homeless[:_MOST_NAMED]]
    more = [f"{len(homeless) - _MOST_NAMED:,} more texts"] if len(homeless) > _MOST_NAMED else []
    return block, dropped + named + more


def _xmp(
    given: Metadata, change: Change, form: Format, options: WriteOptions
) -> tuple[bytes | None, list[str]]:
    if not given.xmp:
        return None, []
    wanted = xmp.Wanted(
        change=change,
        resolution=given.resolution,
        mime=f"image/{form.name}",
        strip_place=options.strip_gps,
    )
    try:
        return xmp.rewritten(given.xmp, wanted), []
    except XmpError as error:
        return None, [f"XMP ({error})"]


def _rgb_of_gray(icc: bytes | None) -> bytes | None:
    """Return the RGB profile that shows equal channels as a gray profile shows one."""
    if icc is None:
        return None
    try:
        profile = parse(icc)
    except IccError:
        return None
    if profile.space == "RGB":
        return icc
    return (
        rgb_profile(f"RGB of {profile.name}", SRGB_PRIMARIES, profile.curves[0]) if profile.curves else None
    )
