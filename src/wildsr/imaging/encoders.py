"""Encoding a stream of rows with libvips, one saver a format; metadata goes in by our own hand."""

import io
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING

from wildsr.errors import OutputError
from wildsr.files.atomic import AtomicFile
from wildsr.files.tile_folder import TileFolder
from wildsr.imaging.containers import avif, jpeg, png, tiff, webp
from wildsr.imaging.containers.isobmff import BoxError
from wildsr.imaging.encoder_thread import EncoderThread, Read
from wildsr.imaging.fitting import Fitted, fit
from wildsr.imaging.formats import Format
from wildsr.imaging.frame import Frame, Rows, WriteOptions
from wildsr.imaging.metadata.ifd import TiffError
from wildsr.imaging.png_stream import PngStream
from wildsr.imaging.pyramids import refusal, save_deep_zoom, save_tiff
from wildsr.imaging.vips import vips
from wildsr.imaging.vips_errors import complaint

if TYPE_CHECKING:
    from pyvips import Image, TargetCustom

_BIG_TIFF = 3 << 30
"""Bytes of pixels from which offsets may not fit 32 bits."""
_SMALL = 1 << 22
"""Pixels up to which a JPEG is held whole for a slightly smaller file."""


class Encoder:
    """Takes the rows of one picture, top to bottom; see `encoding`."""

    def __init__(self, fitted: Fitted, thread: EncoderThread) -> None:
        self._fitted = fitted
        self._thread = thread
        self._stream = PngStream(fitted.frame)
        self.dropped: tuple[str, ...] = fitted.dropped
        """What the format could not hold; complete when the encoder has ended."""
        self.notes = fitted.notes
        """What can't be judged, in sentences for the user."""

    def write(self, band: Rows) -> None:
        """Encode the next rows.

        Raises:
            OutputError: A band of another shape or type, or more rows than promised; or encoding failed.
        """
        for chunk in self._stream.chunks(self._fitted.stored(band)):
            self._thread.put(chunk)

    def end(self) -> None:
        """Say that no more rows come.

        Raises:
            OutputError: Fewer rows came than promised.
        """
        self._thread.put(self._stream.end())


@contextmanager
def encoding(
    frame: Frame, form: Format, options: WriteOptions, out: AtomicFile | TileFolder
) -> Iterator[Encoder]:
    """Give an encoder that writes into `out`; when the block ends without an exception, all is encoded."""
    fitted = fit(frame, form, options)
    held = io.BytesIO()
    dropped: tuple[str, ...] = ()
    sink: _Sink | AtomicFile | TileFolder
    if isinstance(out, TileFolder) or options.pyramid:
        sink = out
    elif form.streams:
        write, dropped = _beside_pixels(fitted, form, out)
        sink = _Sink(write, out.seek, out.read)
    else:
        sink = _Sink(held.write, held.seek, held.read)
    with EncoderThread(lambda read: _run(read, sink, fitted, form, options)) as thread:
        encoder = Encoder(fitted, thread)
        yield encoder
        encoder.end()
    if isinstance(out, TileFolder):
        pass
    elif not form.streams:
        data, dropped = _with_metadata(held.getvalue(), fitted, form)
        out.write(data)
    elif form.name == "tiff":
        try:
            tiff.add_metadata(out, fitted.metadata)
        except TiffError as error:
            raise OutputError(f"the TIFF just written can't be followed: {error}") from error
    encoder.dropped += dropped


def _beside_pixels(
    fitted: Fitted, form: Format, out: AtomicFile
) -> tuple[Callable[[bytes], int], tuple[str, ...]]:
    """Return the function that writes encoded bytes, metadata put in as they pass, and what it can't hold."""
    if form.name == "png":
        return _Head(out.write, lambda head: png.with_metadata(head, fitted.metadata)), ()
    if form.name == "jpeg":
        blob, dropped = jpeg.segments(fitted.metadata)
        return _Head(out.write, lambda head: jpeg.with_segments(head, blob)), dropped
    return out.write, ()


def _with_metadata(data: bytes, fitted: Fitted, form: Format) -> tuple[bytes, tuple[str, ...]]:
    """Return a file whose encoder holds the whole frame anyway, with its metadata, and what it can't hold."""
    frame = fitted.frame
    if form.name == "webp":
        return webp.with_metadata(data, fitted.metadata, frame.width, frame.height, frame.alpha), ()
    try:
        return avif.with_metadata(data, fitted.metadata), ()
    except BoxError as error:
        return data, (f"EXIF and XMP ({error})",)


def _run(
    read: Read, sink: "_Sink | AtomicFile | TileFolder", fitted: Fitted, form: Format, options: WriteOptions
) -> None:
    """Let libvips pull the framed rows into a sink."""
    library = vips()
    source = library.SourceCustom()
    source.on_read(read)
    try:
        image = library.Image.pngload_source(source, access="sequential", fail_on="error")
        if fitted.metadata.icc and (not form.streams or isinstance(sink, TileFolder)):
            image.set_type(library.GValue.blob_type, "icc-profile-data", fitted.metadata.icc)
        if isinstance(sink, TileFolder):
            save_deep_zoom(image, sink, options)
        elif isinstance(sink, AtomicFile):
            save_tiff(image, sink, big=_is_big(image, fitted.bits, share=4 / 3))
        else:
            _save(image, sink.target(), form, options, fitted)
    except library.Error as error:
        trouble = sink.trouble if isinstance(sink, _Sink) else refusal(str(error), sink)
        if trouble is not None:
            raise trouble from error
        raise OutputError(
            f"the {form.name.upper()} encoder failed: {complaint(error) or 'no reason given'}"
        ) from error


def _save(
    image: "Image", target: "TargetCustom", form: Format, options: WriteOptions, fitted: Fitted
) -> None:
    quality, bits = options.quality or form.quality, fitted.bits
    neutral = fitted.given.gray or fitted.given.neutral
    if form.name == "png":
        level = 2 if options.compression is None else options.compression
        # Paeth at level 2: half the size of level 1 and no slower than libvips' default at level 1
        image.pngsave_target(target, compression=level, filter="paeth", bitdepth=bits, keep="none")
    elif form.name == "jpeg":
        # optimal tables cost a copy of the whole frame in the encoder
        optimal = image.width * image.height <= _SMALL
        image.jpegsave_target(target, Q=quality, optimize_coding=optimal, keep="none")
    elif form.name == "tiff":
        image.tiffsave_target(
            target,
            compression="deflate",
            level=3,
            predictor="horizontal",
            bigtiff=_is_big(image, bits),
            keep="none",
        )
    elif form.name == "webp":
        # lossy WebP rounds green apart from red and blue, even where they are equal
        lossless = options.lossless or (neutral and options.quality is None)
        image.webpsave_target(target, Q=quality, lossless=lossless, exact=True, keep="icc")
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


def _is_big(image: "Image", bits: int, *, share: float = 1.0) -> bool:
    """Whether a TIFF may outgrow 32-bit offsets; `share` is its pixels, in all sizes, for each of the picture's."""
    return bool(image.width * image.height * image.bands * (bits // 8) * share > _BIG_TIFF)


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


class _Head:
    """Passes bytes on, the first of them changed."""

    def __init__(self, write: Callable[[bytes], int], change: Callable[[bytes], bytes]) -> None:
        self._write, self._change = write, change
        self._head = b""
        self._done = False

    def __call__(self, data: bytes) -> int:
        if self._done:
            return self._write(data)
        self._head += bytes(data)
        if len(self._head) >= _HEAD:
            self._write(self._change(self._head))
            self._done = True
        return len(data)


_HEAD = 54
"""Bytes that hold what comes before metadata in every container: a PNG's IHDR and pHYs; no file is shorter."""
