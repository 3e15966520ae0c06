"""Making rows and metadata fit what a format holds, and saying what did not."""

from dataclasses import dataclass, replace

import numpy as np

from wildsr.imaging.formats import Format
from wildsr.imaging.frame import Frame, Rows, WriteOptions
from wildsr.imaging.icc import SRGB_PRIMARIES, IccError, parse, rgb_profile
from wildsr.imaging.metadata import Metadata
from wildsr.imaging.metadata.exif import bare, stamped
from wildsr.imaging.metadata.ifd import TiffError
from wildsr.imaging.metadata.xmp import corrected
from wildsr.version import __version__

_KINDS = ("icc", "exif", "xmp", "iptc")
_CALLED = {"icc": "colour profile", "exif": "EXIF", "xmp": "XMP", "iptc": "IPTC"}


@dataclass(frozen=True, kw_only=True)
class Fitted:
    """What goes to the encoder."""

    given: Frame
    """Channels and depth of the rows as they come."""

    frame: Frame
    """Channels and depth of the rows as they are stored."""

    background: tuple[float, float, float] | None
    """The colour transparency is blended onto; None where the format holds it."""

    bits: int
    """Bits a channel the file is to have."""

    metadata: Metadata
    """What goes beside the pixels."""

    dropped: tuple[str, ...]
    """What the format could not hold."""

    def stored(self, band: Rows) -> Rows:
        """Return a band of rows in the stored depth's type and channels."""
        return _fitted_band(band, self.given, self.bits, self.background)


def fit(frame: Frame, form: Format, options: WriteOptions) -> Fitted:
    """Return frame and metadata as the format holds them."""
    dropped: list[str] = []
    wanted = options.depth or frame.depth
    bits = max((d for d in form.depths if d <= wanted), default=min(form.depths))
    if bits < wanted:
        dropped.append(f"{wanted}-bit depth ({bits} bits kept)")
    flat = frame.alpha and not form.alpha
    if flat:
        dropped.append("transparency (blended onto the background)")
    channels = frame.channels - flat
    stored = replace(frame, depth=8 if bits == 8 else 16, channels=channels)
    return Fitted(
        given=frame,
        frame=stored,
        background=options.background if flat else None,
        bits=bits,
        metadata=_metadata(frame, form, options, dropped),
        dropped=tuple(dropped),
    )


def _fitted_band(band: Rows, frame: Frame, bits: int, background: tuple[float, float, float] | None) -> Rows:
    if background is not None:
        band = _blended(band, frame, background)
    if frame.depth == 8:
        return band if bits == 8 else band.astype(np.uint16) * np.uint16(257)
    wide = band.astype(np.uint32)
    if bits == 8:
        return ((wide + 128) // 257).astype(np.uint8)
    if bits < 16:  # rounded here: libvips cuts the low bits off
        top = (1 << bits) - 1
        return (((wide * top + 32767) // 65535) << (16 - bits)).astype(np.uint16)
    return band


def _blended(band: Rows, frame: Frame, background: tuple[float, float, float]) -> Rows:
    top = np.float32((1 << frame.depth) - 1)
    colour = np.asarray(background, dtype=np.float32) * top
    if frame.gray:
        colour = colour.mean(keepdims=True)
    opacity = band[..., -1:].astype(np.float32) / top
    mixed = band[..., :-1] * opacity + colour * (1 - opacity)
    return np.asarray(np.rint(mixed), dtype=band.dtype)


def _metadata(frame: Frame, form: Format, options: WriteOptions, dropped: list[str]) -> Metadata:
    """Return the metadata to write; what can't be is named in `dropped`."""
    given = frame.metadata
    wanted = Metadata(icc=given.icc if form.gray or not frame.gray else _rgb_of_gray(given.icc))
    if not options.strip_metadata:
        size = (frame.width, frame.height)
        wanted = replace(
            wanted,
            exif=_exif(given.exif, size, options, dropped),
            xmp=_xmp(given.xmp, size, options),
            iptc=given.iptc,
        )
    for kind in _KINDS:
        if getattr(wanted, kind) and kind not in form.holds:
            dropped.append(_CALLED[kind])
            wanted = replace(wanted, **{kind: None})
    return wanted


def _xmp(packet: bytes | None, size: tuple[int, int], options: WriteOptions) -> bytes | None:
    if not packet:
        return None
    return corrected(packet, width=size[0], height=size[1], strip_gps=options.strip_gps)


def _exif(block: bytes | None, size: tuple[int, int], options: WriteOptions, dropped: list[str]) -> bytes:
    software = options.software or f"wildsr {__version__}"
    if options.model:
        software = f"{software} ({options.model})"
    width, height = size
    try:
        return stamped(
            bare(block) if block else None,
            width=width,
            height=height,
            software=software,
            strip_gps=options.strip_gps,
        )
    except TiffError as error:
        dropped.append(f"EXIF ({error})")
        return stamped(None, width=width, height=height, software=software)


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
