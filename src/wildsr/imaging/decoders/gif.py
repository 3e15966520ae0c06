"""The first picture of a GIF: found here to be whole, decoded by libvips."""

import io
from dataclasses import replace

from wildsr.errors import InputError, LimitError
from wildsr.imaging.containers.gif import Gif, GifError, read_gif
from wildsr.imaging.decoders.libvips import VipsDecoder
from wildsr.imaging.decoders.raw import Raw
from wildsr.imaging.decoders.vips_image import COPY_AGAIN
from wildsr.imaging.limits import Limits
from wildsr.imaging.opening import BinaryFile

_TRAILER = b";"
_FREE_PIXELS, _CANVAS_PER_PICTURE = 1 << 24, 16
"""A screen of more than 16 MP may have 16 times the pixels of its first picture: the rest is a claim without data."""
_BASE_BYTES, _BYTES_PER_PIXEL = 64 << 20, 16


class GifDecoder:
    """libvips' library takes a picture cut short for a whole one, and holds all of an animation: it sees the first."""

    def __init__(self, file: BinaryFile, name: str, limits: Limits) -> None:
        try:
            self._gif = read_gif(file)
        except GifError as error:
            raise InputError(f"{name} can't be read as GIF: {error}", hint=COPY_AGAIN) from error
        _check(self._gif, name, limits)
        file.seek(0)
        # a copy of the first picture's bytes, whose number `_check` has bounded
        first = io.BytesIO(file.read(self._gif.stop) + _TRAILER)
        self._decoder = VipsDecoder(first, name, "gif", limits)
        self.header = replace(
            self._decoder.header, frames=self._gif.frames, file_bytes=file.seek(0, io.SEEK_END)
        )

    def decode(self) -> Raw:
        """Return all pixels; raise InputError where any part is damaged."""
        raw, gif = self._decoder.decode(), self._gif
        notes = [f"only the first of {gif.frames} frames was read"] if gif.frames > 1 else []
        if not gif.whole:
            notes.append("the file ends in the middle of a later frame")
        return replace(raw, notes=(*raw.notes, *notes))


def _check(gif: Gif, name: str, limits: Limits) -> None:
    """Raise where the first picture is not whole, or stands on a far larger empty screen."""
    (canvas_width, canvas_height), (width, height) = gif.canvas, gif.size
    limits.check_size(name, canvas_width, canvas_height)
    limits.check_size(name, width, height)
    if gif.pixels < width * height or not gif.pixels:
        raise InputError(
            f"{name} is damaged: {gif.pixels:,} of {width * height:,} pixels of its picture are there",
            hint=COPY_AGAIN,
        )
    held = _BASE_BYTES + _BYTES_PER_PIXEL * width * height
    if gif.stop > held:
        raise LimitError(
            f"{name} has {gif.stop:,} bytes for a picture of {width} × {height} pixels; at most {held:,} are read",
            hint="save the picture as PNG with the program that made it",
        )
    most = max(_FREE_PIXELS, _CANVAS_PER_PICTURE * width * height)
    if canvas_width * canvas_height > most:
        raise LimitError(
            f"{name} claims a screen of {canvas_width} × {canvas_height} pixels for a picture of {width} × {height}; "
            f"at most {most / 1e6:,.0f} megapixels are made for it",
            hint="save the picture as PNG with the program that made it",
        )
