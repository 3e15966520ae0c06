"""A file opened by a libvips loader: what the decoders built on libvips share."""

import io
import re
from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, Literal, TypeVar

from wildsr.errors import InputError
from wildsr.imaging.containers import Edit
from wildsr.imaging.edited_file import EditedFile
from wildsr.imaging.header import Colour, Header
from wildsr.imaging.opening import BinaryFile
from wildsr.imaging.vips import FileBridge, vips
from wildsr.imaging.vips_errors import VipsFailure, attempt

if TYPE_CHECKING:
    from pyvips import Image

COLOURS: dict[Colour, int] = {"gray": 1, "rgb": 3, "cmyk": 4, "lab": 3}
"""Channels of each colour model, alpha not counted."""
COPY_AGAIN = "copy or download it again; half a picture is never used"
_ANOTHER_KIND = re.compile(r"not supported|unsupported|not implemented|unimplemented", re.IGNORECASE)
"""In what a library says of a sound file of a kind that it does not read."""

_LOADERS = {
    "jpeg": "jpegload_source",
    "png": "pngload_source",
    "webp": "webpload_source",
    "tiff": "tiffload_source",
    "gif": "gifload_source",
    "avif": "heifload_source",
}
_MESSAGE_PREFIXES = {
    "jpeg": ("VipsJpeg", "jpegload"),
    "png": ("vipspng", "pngload", "libpng"),
    "webp": ("webp",),
    "tiff": ("tiff", "vips__tiff"),
    "gif": ("gif", "nsgif"),
    "avif": ("heif",),
}
_MODELS: dict[str, Colour] = {
    "b-w": "gray",
    "grey16": "gray",
    "srgb": "rgb",
    "rgb": "rgb",
    "rgb16": "rgb",
    "scrgb": "rgb",
    "cmyk": "cmyk",
    "lab": "lab",
    "labs": "lab",
    "labq": "lab",
}
_BITS = {"uchar": 8, "char": 8, "ushort": 16, "short": 16, "uint": 32, "int": 32, "float": 32, "double": 64}

T = TypeVar("T")
FailOn = Literal["none", "truncated", "error", "warning"]


class OpenedFile:
    """A picture file and the libvips image of it, whose pixels are not decoded yet."""

    def __init__(
        self, file: BinaryFile, name: str, form: str, fail_on: FailOn, edits: Sequence[Edit] = ()
    ) -> None:
        """Open it, seen with `edits` made to it."""
        self.file, self.name, self.form = file, name, form
        self._seen = EditedFile(file, sorted(edits)) if edits else file
        try:
            self.image = attempt(lambda: self._load(fail_on), _MESSAGE_PREFIXES[form])
        except VipsFailure as failure:
            raise self.damaged(f"can't be read as {form.upper()}", failure) from failure
        self._fail_on: FailOn | None = fail_on

    def _load(self, fail_on: FailOn) -> "Image":
        """Return the image, opened from the file's beginning."""
        self._bridge = FileBridge(self._seen)
        loader = getattr(vips().Image, _LOADERS[self.form])
        return loader(self._bridge.source, access="sequential", fail_on=fail_on)

    def decode(self, pixels: Callable[["Image"], T], fail_on: FailOn) -> T:
        """Return what `pixels` makes of the image; raise VipsFailure where any part is damaged."""

        def action() -> T:
            if self._fail_on != fail_on:  # an image is read once, from top to bottom
                self.image = self._load(fail_on)
            self._fail_on = None
            return pixels(self.image)

        return attempt(action, _MESSAGE_PREFIXES[self.form])

    def damaged(self, what: str, failure: VipsFailure) -> InputError:
        """Return the error that names the file and what libvips, or the disk, said; a kind not read isn't damage."""
        if not self._bridge.error and _ANOTHER_KIND.search(str(failure)):
            return InputError(
                f"{self.name} is a kind of {self.form.upper()} that is not read: {failure}",
                hint="save it as PNG, or in the plainest way its program offers",
            )
        reason = self._bridge.error.strerror if self._bridge.error else str(failure)
        return InputError(f"{self.name} {what}: {reason}", hint=COPY_AGAIN)

    def field(self, name: str, default: int) -> int:
        """Return a whole-number field of the image's header."""
        return int(self.image.get(name)) if self.image.get_typeof(name) else default

    def blob(self, name: str) -> bytes | None:
        """Return a metadata field."""
        return bytes(self.image.get(name)) if self.image.get_typeof(name) else None

    def colour(self) -> Colour:
        """Return the colour model of the file."""
        model = _MODELS.get(self.image.interpretation)
        if model is None:
            raise InputError(
                f"{self.name} has {self.image.interpretation} pixels; gray, RGB, CMYK and Lab are read"
            )
        return model

    def header(
        self, colour: Colour, *, alpha: bool, orientation: int, frames: int, rows: int | None = None
    ) -> Header:
        """Return the header of the picture as it is looked at; `rows` are its rows where the image has more."""
        image = self.image
        rows = image.height if rows is None else rows
        bits = self.field("bits-per-sample", _BITS[image.format])
        orientation = orientation if 1 <= orientation <= 8 else 1
        turned = orientation >= 5
        return Header(
            format=self.form,
            width=rows if turned else image.width,
            height=image.width if turned else rows,
            channels=(1 if colour == "gray" else 3) + alpha,
            bits=bits,
            depth=8 if bits <= 8 else 16,
            colour=colour,
            alpha=alpha,
            frames=frames,
            orientation=orientation,
            file_bytes=self.file.seek(0, io.SEEK_END),
        )
