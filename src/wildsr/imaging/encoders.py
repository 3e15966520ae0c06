"""Encoding a stream of rows with libvips, one saver a format; metadata goes in by our own hand."""

import io
from collections.abc import Callable, Iterable
from typing import TYPE_CHECKING

from wildsr.errors import OutputError
from wildsr.imaging.containers import avif, jpeg, png, tiff, webp
from wildsr.imaging.encoder_thread import Pipe, pump
from wildsr.imaging.fitting import Fitted, fit
from wildsr.imaging.formats import Format
from wildsr.imaging.frame import Frame, WriteOptions
from wildsr.imaging.metadata import Metadata
from wildsr.imaging.metadata.ifd import TiffError
from wildsr.imaging.png_stream import Rows, frame_png
from wildsr.imaging.target import AtomicFile
from wildsr.imaging.vips import vips
from wildsr.imaging.vips_errors import complaint

if TYPE_CHECKING:
    from pyvips import Image, TargetCustom

_BIG_TIFF = 3 << 30
"""Bytes of pixels from which offsets may not fit 32 bits."""
_SMALL = 1 << 22
"""Pixels up to which a JPEG is held whole for a slightly smaller file."""
_DOTS_PER_MM = 72 / 25.4


def encode(
    rows: Iterable[Rows], frame: Frame, form: Format, options: WriteOptions, out: AtomicFile
) -> tuple[str, ...]:
    """Encode `rows` into `out`; return what the format could not hold."""
    fitted = fit(rows, frame, form, options)
    held = fitted.frame
    framed = frame_png(fitted.rows, held.width, held.height, held.channels, held.depth)
    if form.streams:
        dropped = _stream(framed, fitted, form, options, out)
    else:
        dropped = _at_once(framed, fitted, form, options, out)
    return (*fitted.dropped, *dropped)


def _stream(
    framed: Iterable[bytes], fitted: Fitted, form: Format, options: WriteOptions, out: AtomicFile
) -> tuple[str, ...]:
    """Encode row by row; metadata goes in as the bytes pass, or behind them."""
    dropped: tuple[str, ...] = ()
    write: Callable[[bytes], int] = out.write
    if form.name == "png":
        write = _Insert(out.write, png.chunks(fitted.metadata), lambda _: png.INSERTION_POINT)
    elif form.name == "jpeg":
        blob, dropped = jpeg.segments(fitted.metadata)
        write = _Insert(out.write, blob, jpeg.insertion_point)
    _run(framed, _Sink(write, out.seek, out.read), fitted, form, options)
    if form.name == "tiff" and fitted.metadata != Metadata():
        try:
            tiff.add_metadata(out, fitted.metadata)
        except TiffError as error:
            raise OutputError(f"the TIFF just written can't be followed: {error}") from error
    return dropped


def _at_once(
    framed: Iterable[bytes], fitted: Fitted, form: Format, options: WriteOptions, out: AtomicFile
) -> tuple[str, ...]:
    """Encode into memory, for formats whose encoder holds the whole frame anyway."""
    whole = io.BytesIO()
    dropped: tuple[str, ...] = ()
    _run(framed, _Sink(whole.write, whole.seek, whole.read), fitted, form, options)
    data, frame = whole.getvalue(), fitted.frame
    if form.name == "webp":
        data = webp.with_metadata(data, fitted.metadata, frame.width, frame.height, frame.alpha)
    else:
        try:
            data = avif.with_metadata(data, fitted.metadata)
        except avif.BoxError as error:
            dropped = (f"EXIF and XMP ({error})",)
    out.write(data)
    return dropped


def _run(framed: Iterable[bytes], sink: "_Sink", fitted: Fitted, form: Format, options: WriteOptions) -> None:
    """Pump the framed rows through libvips into a sink."""

    def consume(pipe: Pipe) -> None:
        library = vips()
        source = library.SourceCustom()
        source.on_read(pipe.read)
        try:
            image = library.Image.pngload_source(source, access="sequential", fail_on="error")
            image = image.copy(xres=_DOTS_PER_MM, yres=_DOTS_PER_MM)
            if fitted.metadata.icc and not form.streams:
                image.set_type(library.GValue.blob_type, "icc-profile-data", fitted.metadata.icc)
            _save(image, sink.target(), form, options, fitted.bits)
        except library.Error as error:
            if sink.trouble is not None:
                raise sink.trouble from error
            raise OutputError(
                f"the {form.name.upper()} encoder failed: {complaint(error) or 'no reason given'}"
            ) from error

    pump(framed, consume)


def _save(image: "Image", target: "TargetCustom", form: Format, options: WriteOptions, bits: int) -> None:
    quality = options.quality or form.quality
    if form.name == "png":
        level = 2 if options.compression is None else options.compression
        # Paeth at level 2: half the size of level 1 and no slower than libvips' default at level 1
        image.pngsave_target(target, compression=level, filter="paeth", bitdepth=bits, keep="none")
    elif form.name == "jpeg":
        # optimal tables cost a copy of the whole frame in the encoder
        optimal = image.width * image.height <= _SMALL
        image.jpegsave_target(target, Q=quality, optimize_coding=optimal, keep="none")
    elif form.name == "tiff":
        big = image.width * image.height * image.bands * (bits // 8) > _BIG_TIFF
        image.tiffsave_target(
            target, compression="deflate", level=3, predictor="horizontal", bigtiff=big, keep="none"
        )
    elif form.name == "webp":
        image.webpsave_target(target, Q=quality, lossless=options.lossless, exact=True, keep="icc")
    else:
        image.heifsave_target(
            target,
            compression="av1",
            Q=quality,
            lossless=options.lossless,
            bitdepth=bits,
            effort=3,
            keep="icc",
        )


class _Sink:
    """Where libvips writes: exceptions are kept, since none may cross it."""

    def __init__(
        self,
        write: Callable[[bytes], int],
        seek: Callable[[int, int], int],
        read: Callable[[int], bytes],
    ) -> None:
        self._write, self._seek, self._read = write, seek, read
        self.trouble: Exception | None = None

    def target(self) -> "TargetCustom":
        """Return a libvips target; keep it while libvips uses it."""
        self._target = vips().TargetCustom()
        self._target.on_write(self._on_write)
        self._target.on_seek(self._on_seek)
        self._target.on_read(self._on_read)
        return self._target

    def _on_write(self, data: bytes) -> int:
        try:
            self._write(data)
        except (
            Exception
        ) as error:  # called from C, which no exception may cross; raised again when libvips returns
            self.trouble = error
            return -1
        return len(data)

    def _on_seek(self, offset: int, whence: int) -> int:
        try:
            return self._seek(offset, whence)
        except Exception as error:  # as above
            self.trouble = error
            return -1

    def _on_read(self, size: int) -> bytes | None:
        try:
            return self._read(size)
        except Exception as error:  # as above
            self.trouble = error
            return None


class _Insert:
    """Passes bytes on, with a blob put in at a point told by the first of them."""

    def __init__(self, write: Callable[[bytes], int], blob: bytes, point: Callable[[bytes], int]) -> None:
        self._write, self._blob, self._point = write, blob, point
        self._head = b""
        self._done = not blob

    def __call__(self, data: bytes) -> int:
        if self._done:
            return self._write(data)
        self._head += bytes(data)
        point = self._point(self._head) if len(self._head) >= _HEAD else _HEAD
        if len(self._head) >= point and len(self._head) >= _HEAD:
            self._write(self._head[:point] + self._blob + self._head[point:])
            self._done = True
        return len(data)


_HEAD = 40
"""Bytes after which every container's insertion point is known; no file is shorter."""
