"""Encoding a stream of rows with libvips, one saver a format."""

import io
from collections.abc import Iterable
from typing import TYPE_CHECKING

from wildsr.errors import OutputError
from wildsr.imaging.formats import Format
from wildsr.imaging.frame import Frame, WriteOptions
from wildsr.imaging.framing import Rows, frame_png
from wildsr.imaging.pump import Pipe, pump
from wildsr.imaging.vips import complaint, vips

if TYPE_CHECKING:
    import pyvips


def encode(
    rows: Iterable[Rows], frame: Frame, form: Format, options: WriteOptions, out: io.FileIO
) -> tuple[str, ...]:
    """Encode `rows` into `out`; return what the format could not hold."""
    trouble: list[Exception] = []

    def consume(pipe: Pipe) -> None:
        pyvips = vips()
        source = pyvips.SourceCustom()
        source.on_read(pipe.read)
        try:
            image = pyvips.Image.pngload_source(source, access="sequential", fail_on="error")
            image = _with_metadata(image, frame, form)
            _save(image, _target(out, trouble), form, options)
        except pyvips.Error as error:
            if trouble:
                raise trouble[0] from error
            raise OutputError(f"the {form.name.upper()} encoder failed: {complaint(error)}") from error

    pump(frame_png(rows, frame.width, frame.height, frame.channels, frame.depth), consume)
    return _dropped(frame, form)


def _target(out: io.FileIO, trouble: list[Exception]) -> "pyvips.TargetCustom":
    """Return a target that writes to `out` and remembers why it could not."""

    def write(data: bytes) -> int:
        try:
            view = memoryview(data)
            while view:
                view = view[out.write(view) :]
        except OSError as error:
            trouble.append(error)
            return -1
        return len(data)

    target = vips().TargetCustom()
    target.on_write(write)
    target.on_seek(out.seek)
    target.on_read(out.read)
    return target


def _with_metadata(image: "pyvips.Image", frame: Frame, form: Format) -> "pyvips.Image":
    blob = vips().GValue.blob_type
    image = image.copy()
    names = {"icc": "icc-profile-data", "exif": "exif-data", "xmp": "xmp-data", "iptc": "iptc-data"}
    for kind, value in (("icc", frame.icc), ("exif", frame.exif), ("xmp", frame.xmp), ("iptc", frame.iptc)):
        if value and kind in form.holds:
            image.set_type(blob, names[kind], value)
    return image


def _save(image: "pyvips.Image", target: "pyvips.TargetCustom", form: Format, options: WriteOptions) -> None:
    quality = options.quality
    if form.name == "png":
        level = 2 if options.compression is None else options.compression
        image.pngsave_target(target, compression=level, filter=16)
    elif form.name == "jpeg":
        image.jpegsave_target(target, Q=quality or 95, subsample_mode="off", optimize_coding=True)
    elif form.name == "tiff":
        big = image.width * image.height * image.bands * (2 if image.format == "ushort" else 1) > 3 << 30
        image.tiffsave_target(target, compression="deflate", predictor="horizontal", bigtiff=big)
    elif form.name == "webp":
        image.webpsave_target(target, Q=quality or 90, lossless=options.lossless)
    else:
        bits = 12 if image.format == "ushort" else 8
        image.heifsave_target(
            target, compression="av1", Q=quality or 80, lossless=options.lossless, bitdepth=bits, effort=4
        )


def _dropped(frame: Frame, form: Format) -> tuple[str, ...]:
    lost = []
    for kind, value in (("icc", frame.icc), ("exif", frame.exif), ("xmp", frame.xmp), ("iptc", frame.iptc)):
        if value and kind not in form.holds:
            lost.append(f"{kind.upper()} metadata")
    if frame.depth > max(form.depths):
        lost.append(f"16-bit depth ({max(form.depths)} bits kept)")
    return tuple(lost)
