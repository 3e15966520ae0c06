"""One decoder a library: `decoder(path, limits)` picks by content and checks the header against limits."""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Protocol

from wildsr.imaging.decoders.raw import Raw
from wildsr.imaging.header import Header
from wildsr.imaging.limits import Limits
from wildsr.imaging.opening import display_name, open_file
from wildsr.imaging.sniff import require, stated_size


class Decoder(Protocol):
    """An opened picture: its header is known, its pixels are not yet decoded."""

    @property
    def header(self) -> Header:
        """What the file says about itself."""
        ...

    def decode(self) -> Raw:
        """Return all pixels and metadata; raise InputError where any part is damaged."""
        ...


@contextmanager
def decoder(path: str | Path, limits: Limits) -> Iterator[Decoder]:
    """Open a picture file with the decoder its content asks for, its header checked against `limits`."""
    name = display_name(path)
    with open_file(path, limits) as file:
        head = file.read(64)
        file.seek(0)
        form = require(head, name)
        stated = stated_size(form, head)
        if stated is not None:
            limits.check_size(name, *stated)
        opened: Decoder
        if form == "bmp":
            from wildsr.imaging.decoders.bmp import BmpDecoder

            opened = BmpDecoder(file, name, limits)
        elif form == "pnm":
            from wildsr.imaging.decoders.pnm import PnmDecoder

            opened = PnmDecoder(file, name, limits)
        elif form == "heic":
            from wildsr.imaging.decoders.heic import HeicDecoder

            opened = HeicDecoder(file, name, limits)
        elif form == "tiff":
            from wildsr.imaging.decoders.tiff import TiffDecoder

            opened = TiffDecoder(file, name, limits)
        else:
            from wildsr.imaging.decoders.libvips import VipsDecoder

            opened = VipsDecoder(file, name, form, limits)
        yield opened
