"""Making rows and metadata fit what a format holds, and saying what did not."""

from dataclasses import dataclass, replace

import numpy as np

from wildsr.imaging.background import colour_name
from wildsr.imaging.fitting_metadata import fit_metadata
from wildsr.imaging.formats import Format
from wildsr.imaging.frame import Frame, Rows, WriteOptions
from wildsr.imaging.metadata import Metadata


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

    notes: tuple[str, ...] = ()
    """What can't be judged, in sentences for the user."""

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
        dropped.append(f"transparency (blended onto {colour_name(options.background)})")
    channels = frame.channels - flat
    stored = replace(frame, depth=8 if bits == 8 else 16, channels=channels)
    beside = fit_metadata(frame, form, options)
    return Fitted(
        given=frame,
        frame=stored,
        background=options.background if flat else None,
        bits=bits,
        metadata=beside.metadata,
        dropped=(*dropped, *beside.dropped),
        notes=beside.notes,
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
