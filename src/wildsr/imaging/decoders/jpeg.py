"""JPEG by libvips: strict about lost pixels, lenient about what costs none."""

import re
from typing import TYPE_CHECKING

from wildsr.errors import InputError
from wildsr.imaging.containers import Edit, jpeg_reader
from wildsr.imaging.containers.jpeg_frame import END_MARKER, JpegFrame, read_frame, read_scans
from wildsr.imaging.decoders.raw import Raw
from wildsr.imaging.decoders.vips_image import COLOURS, FailOn, OpenedFile
from wildsr.imaging.limits import Limits
from wildsr.imaging.metadata.budget import Budget
from wildsr.imaging.metadata.exif import bare, orientation_of
from wildsr.imaging.opening import BinaryFile
from wildsr.imaging.picture import Samples
from wildsr.imaging.vips import integers
from wildsr.imaging.vips_errors import VipsFailure

if TYPE_CHECKING:
    from pyvips import Image

_ODD = re.compile(r"JFIF revision|Adobe color|Invalid SOS parameters")
_EXTRANEOUS = re.compile(r"(\d+) extraneous bytes before marker 0x(\w\w)")
_ODDITIES = "it has oddities that cost no pixels"
_STRIP, _MOST_ROWS = 8, 65_500
_MOST_EXTRANEOUS = 32
"""Between scans; more are a scan that was decoded to nonsense and ended before its data did."""


def _harmless(failure: VipsFailure) -> bool:
    """Tell whether a warning costs no pixels: bytes before a marker, odd version numbers. All others are damage."""
    found = _EXTRANEOUS.search(str(failure))
    if found is None:
        return _ODD.search(str(failure)) is not None
    count, marker = int(found[1]), found[2]
    return marker == "d9" or (count <= _MOST_EXTRANEOUS and not "d0" <= marker <= "d7")


def _taller(frame: JpegFrame) -> tuple[Edit, ...]:
    """Return the edit that adds a strip below the picture, where damage in the last one would be missed.

    libvips looks for libjpeg's warnings before each strip of eight rows, and never after the last. A picture of
    one scan is decoded as its rows are asked for; where nothing is sampled down vertically, or all is one strip, the
    last strip is decoded last. The strip added is decoded from nothing, and cut off.
    """
    rows = frame.height if frame.vertical == 1 or frame.height <= _STRIP else 0
    taller = -(-rows // _STRIP) * _STRIP + 1
    if not frame.one_scan or not rows or taller > _MOST_ROWS:
        return ()
    return ((frame.height_at, frame.height_at + 2, taller.to_bytes(2, "big")),)


class JpegDecoder:
    """A JPEG of 8 bits a sample."""

    def __init__(self, file: BinaryFile, name: str, limits: Limits) -> None:
        self._file, self._name = file, name
        self._found = jpeg_reader.read_metadata(file, name, Budget(limits.max_metadata_bytes))
        self._frame = read_frame(file)
        if self._frame.unread:
            raise InputError(
                f"{name} is {self._frame.unread}, a kind that is not read; 8-bit baseline and progressive ones are",
                hint="convert it to PNG or TIFF first, with the program it comes from",
            )
        self._edits: tuple[Edit, ...] = (*self._found.edits, *self._frame.stray)
        self._taller = _taller(self._frame)
        if self._frame.vertical == 1:
            self._edits += self._taller
        # libjpeg says no more than a warning when a part of the picture is lost
        self._opened = self._open("warning")
        image = self._opened.image
        limits.check_size(name, image.width, self._frame.height)
        exif = self._found.metadata.exif
        colour = self._opened.colour()
        self.header = self._opened.header(
            colour,
            alpha=image.bands > COLOURS[colour],
            orientation=orientation_of(bare(exif)) if exif else 1,
            frames=1,
            rows=self._frame.height,
        )

    def _open(self, fail_on: FailOn, *edits: Edit) -> OpenedFile:
        return OpenedFile(self._file, self._name, "jpeg", fail_on, (*self._edits, *edits))

    def decode(self) -> Raw:
        """Return all pixels and metadata; raise InputError where any part is damaged."""
        notes = list(self._found.notes)
        if self._frame.stray:
            notes.append("bytes between its segments that belong to none were passed over")
        if (
            self._frame.vertical > 1 and self._taller
        ):  # a second look, since the rows below show in those above
            self._decoded(self._open("warning", *self._taller), (), [])
        scans = read_scans(self._file, self._frame)
        if scans.hole:
            raise self._opened.damaged("is damaged", VipsFailure("zeros stand where its data should be"))
        # with an end where the data end, the decoder tells a picture that is whole from one that is cut
        end = (scans.zeros if scans.oddity is None else scans.stop, self.header.file_bytes, END_MARKER)
        if scans.oddity is None:
            samples = self._decoded(self._opened, (), notes)
            if scans.zeros < scans.stop and notes[-1:] == [_ODDITIES]:  # more zeros than it took
                self._decoded(self._open("warning", end), (end,), [])
            if not scans.complete:
                notes.append("its last scans are missing: it is coarser than it was meant to be")
        else:
            samples = self._decoded(self._open("warning", end), (end,), notes)
            if not scans.complete:
                raise self._opened.damaged("is damaged", VipsFailure("it ends between two of its scans"))
            notes.append(f"{scans.oddity}; all of its pixels are there")
        cmyk = self.header.colour == "cmyk"
        return Raw(samples=samples, cmyk=cmyk, metadata=self._found.metadata, notes=tuple(notes))

    def _decoded(self, opened: OpenedFile, end: tuple[Edit, ...], notes: list[str]) -> Samples:
        """Return the pixels; a warning that costs none becomes a note."""
        try:
            return opened.decode(self._pixels, "warning")
        except VipsFailure as failure:
            if not _harmless(failure):
                raise opened.damaged("is damaged", failure) from failure
        notes.append(_ODDITIES)
        lenient = self._open("truncated", *end)
        try:
            return lenient.decode(self._pixels, "truncated")
        except VipsFailure as failure:
            raise lenient.damaged("is damaged", failure) from failure

    def _pixels(self, image: "Image") -> Samples:
        wanted = COLOURS[self.header.colour] + self.header.alpha
        samples = integers(image.extract_band(0, n=wanted) if image.bands > wanted else image)
        return samples[: self._frame.height]
