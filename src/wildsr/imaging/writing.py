"""Writing pictures: rows are pulled by the encoder, the file appears whole or not at all."""

from collections.abc import Generator, Iterable, Iterator
from pathlib import Path

from wildsr.errors import OutputError
from wildsr.files.atomic import AtomicFile
from wildsr.files.tile_folder import TileFolder
from wildsr.imaging.encoders import encoding
from wildsr.imaging.formats import (
    DEEP_ZOOM,
    DEEP_ZOOM_JPEG,
    PYRAMIDS,
    Format,
    check_output,
    format_named,
    format_of,
)
from wildsr.imaging.frame import Frame, Rows, WriteOptions, WriteReport
from wildsr.imaging.picture import Picture
from wildsr.imaging.source import quantise

_BAND = 64


def write(picture: Picture, path: str | Path, *, options: WriteOptions | None = None) -> WriteReport:
    """Write a Picture at its depth, with its profile and metadata.

    Alpha that is opaque everywhere is left out of formats that have none.

    Args:
        picture: Values beyond [0, 1] are clipped.
        path: The file to write; its extension says the format. It appears whole, or not at all.
        options: How; `WriteOptions()` when not given.

    Raises:
        OutputError: The format can't hold the picture, or the file exists or can't be written.

    Examples:
        >>> picture = wildsr.read("photo.jpg")
        >>> report = wildsr.write(picture, "copy.png")
        >>> bool((wildsr.read("copy.png").rgb == picture.rgb).all())
        True
    """
    options = options or WriteOptions()
    opaque = picture.alpha is not None and float(picture.alpha.min()) >= 1
    if opaque and not chosen_format(Path(path), options).alpha:
        picture = picture.with_pixels(picture.rgb, None)
    frame = Frame(
        width=picture.width,
        height=picture.height,
        channels=(1 if picture.gray else 3) + (picture.alpha is not None),
        depth=picture.depth,
        neutral=_neutral(picture),
        metadata=picture.metadata,
    )
    return write_rows(_bands(picture), frame, path, options=options)


def write_rows(
    rows: Iterable[Rows], frame: Frame, path: str | Path, *, options: WriteOptions | None = None
) -> WriteReport:
    """Encode rows as they come, in bounded memory for formats that stream (`Format.streams`).

    Args:
        rows: Bands of rows, h_i × width × channels, uint8 (depth 8) or uint16 (depth 16), top to bottom. They
            are pulled in the caller's thread, at most a few bands ahead of the encoder.
        frame: Size, depth, profile and metadata.
        path: The file to write; it appears whole, or not at all.
        options: How; `WriteOptions()` when not given.

    Raises:
        OutputError: The format can't hold the picture, or the file can't be written (full disk, permission).
        Exception: Whatever `rows` raises, unchanged; nothing is left behind.
    """
    options = options or WriteOptions()
    target = Path(path)
    form = chosen_format(target, options)
    check_output(form, frame.width, frame.height, frame.depth, frame.alpha and options.background is None)
    if min(frame.width, frame.height) < 1:
        raise OutputError(f"a picture of {frame.width} × {frame.height} pixels can't be written")
    try:
        with _opened(target, form, options) as out:
            with encoding(frame, form, options, out) as encoder:
                for band in rows:
                    encoder.write(band)
            size = out.size()
    finally:
        if isinstance(rows, Generator):  # let go of what it holds now, not when the garbage is collected
            rows.close()
    return WriteReport(path=target, bytes=size, dropped=encoder.dropped, notes=encoder.notes)


def chosen_format(path: Path, options: WriteOptions) -> Format:
    """Return the format to write: the one asked for, else the one the file name says.

    Raises:
        OutputError: There is no such format, or it holds no pyramid and one is asked for.
    """
    form = format_named(options.format) if options.format else format_of(path)
    if options.pyramid and form.name not in PYRAMIDS:
        raise OutputError(
            f"{form.name.upper()} can't hold a pyramid; TIFF and Deep Zoom do",
            hint="name the output .tif or .dzi",
        )
    return DEEP_ZOOM_JPEG if form == DEEP_ZOOM and options.quality is not None else form


def _opened(path: Path, form: Format, options: WriteOptions) -> AtomicFile | TileFolder:
    kind = TileFolder if form.name == DEEP_ZOOM.name else AtomicFile
    return kind(path, overwrite=options.overwrite)


def _neutral(picture: Picture) -> bool:
    red, green, blue = (picture.rgb[..., channel] for channel in range(3))
    return picture.gray or bool((red == green).all() and (green == blue).all())


def _bands(picture: Picture) -> Iterator[Rows]:
    for y in range(0, picture.height, _BAND):
        rows = slice(y, y + _BAND)
        alpha = None if picture.alpha is None else picture.alpha[rows]
        yield quantise(picture.rgb[rows], alpha, gray=picture.gray, depth=picture.depth)
