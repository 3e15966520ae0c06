"""One decoder a library: `decoder(path, limits)` picks by content and checks the header against limits."""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Protocol

from wildsr.imaging.decoders.raw import Raw
from wildsr.imaging.header import Header
from wildsr.imaging.limits import Limits
from wildsr.imaging.opening import BinaryFile, display_name, open_file
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
        if form in ("avif", "heic"):  # containers of many parts, each read by C++ and a video codec
            from wildsr.imaging.decoders.heic import check_installed
            from wildsr.imaging.decoders.heif import read_heif
            from wildsr.imaging.decoders.isolated import isolated

            heif = read_heif(file, name, form, limits)
            if heif.form == "heic":
                check_installed(name)
            with isolated(file, name, heif.form, limits, size=heif.size, pixels=heif.pixels) as opened:
                yield opened
        else:
            yield in_process(file, name, form, limits)


def in_process(file: BinaryFile, name: str, form: str, limits: Limits) -> Decoder:
    """Return a decoder of `form` that works in this process."""
    if form == "bmp":
        from wildsr.imaging.decoders.bmp import BmpDecoder

        return BmpDecoder(file, name, limits)
    if form == "pnm":
        from wildsr.imaging.decoders.pnm import PnmDecoder

        return PnmDecoder(file, name, limits)
    if form == "heic":
        from wildsr.imaging.decoders.heic import HeicDecoder

        return HeicDecoder(file, name, limits)
    if form == "jpeg":
        from wildsr.imaging.decoders.jpeg import JpegDecoder

        return JpegDecoder(file, name, limits)
    if form == "gif":
        from wildsr.imaging.decoders.gif import GifDecoder

        return GifDecoder(file, name, limits)
    if form == "tiff":
        from wildsr.imaging.decoders.tiff import TiffDecoder

        return TiffDecoder(file, name, limits)
    from wildsr.imaging.decoders.libvips import VipsDecoder

    return VipsDecoder(file, name, form, limits)
