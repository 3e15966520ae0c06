"""EXIF blocks made true of the picture written, by the table in `fields`; what no rule names stays as it was."""

import struct
from collections.abc import Sequence

from wildsr.imaging.metadata import Resolution, TextItem
from wildsr.imaging.metadata.exif_editor import (
    INCHES,
    RESOLUTION_UNIT,
    X_RESOLUTION,
    Y_RESOLUTION,
    Editor,
)
from wildsr.imaging.metadata.geometry import Change
from wildsr.imaging.metadata.ifd import (
    EXIF_IFD,
    Directory,
    Layout,
    TiffError,
    Value,
    read_entries,
    read_start,
    reader,
    write_directory,
)
from wildsr.imaging.metadata.places import UNJUDGED_EXIF

PREFIX = b"Exif\0\0"
_ORIENTATION = 0x0112
_CENTIMETRES, _CM_PER_INCH = 3, 2.54
_ASCII, _BYTES, _UNDEFINED = 2, 1, 7
_USER_COMMENT, _TITLE = 0x9286, 0x9C9B
_TAGS_OF_TEXT = {"Description": 0x010E, "Author": 0x013B, "Copyright": 0x8298}
_COMMENTS = ("Comment", "parameters")


def bare(block: bytes) -> bytes:
    """Return an EXIF block without the prefix some containers put before it."""
    return block[len(PREFIX) :] if block.startswith(PREFIX) else block


def orientation_of(block: bytes) -> int:
    """Return the orientation a block states, 1 to 8; 1 where it states none that makes sense."""
    value = _numbers(block, (_ORIENTATION,)).get(_ORIENTATION, 1)
    return int(value) if value in range(1, 9) else 1


def resolution_of(block: bytes) -> Resolution | None:
    """Return the dots per inch a block states, or None."""
    found = _numbers(block, (X_RESOLUTION, Y_RESOLUTION, RESOLUTION_UNIT))
    x, y = found.get(X_RESOLUTION, 0), found.get(Y_RESOLUTION, 0)
    factor = {INCHES: 1.0, _CENTIMETRES: _CM_PER_INCH}.get(int(found.get(RESOLUTION_UNIT, INCHES)))
    return Resolution.found(x * factor, y * factor) if factor else None


def _numbers(block: bytes, tags: tuple[int, ...]) -> dict[int, float]:
    """Return the first number of each of the tags that directory 0 has."""
    found: dict[int, float] = {}
    try:
        read = reader(block)
        layout, offset = read_start(read)
        entries, _ = read_entries(read, layout, offset)
        for entry in entries:
            if entry.tag not in tags or entry.tag in found:
                continue
            if entry.kind == 3:
                found[entry.tag] = layout.unpack("H", read(entry.at, 2))
            elif entry.kind == 5:
                below = layout.unpack("I", read(entry.at + 4, 4))
                found[entry.tag] = layout.unpack("I", read(entry.at, 4)) / below if below else 0
    except TiffError:
        return {}
    return found


def edited(
    block: bytes | None,
    change: Change,
    *,
    resolution: Resolution | None,
    software: str | None = None,
    add_resolution: bool = False,
    strip_place: bool = False,
    text: Sequence[TextItem] = (),
) -> tuple[bytes, tuple[str, ...]]:
    """Return a block true of the pixels now, and the keywords of the texts that found no tag.

    It is upright, its sizes and places are corrected, and its thumbnail is gone.

    Args:
        block: What was read, or None to begin a new one.
        change: What was done to the pixels it speaks of.
        resolution: Dots per inch to state in place of those it states; None leaves them out.
        software: Goes to the Software tag where given.
        add_resolution: State the resolution also where the block stated none.
        strip_place: Blank where the picture was taken.
        text: Texts to put into tags that are free.

    Raises:
        TiffError: The block can't be followed.
    """
    block = _new_block() if block is None else block
    editor = Editor(block, change)
    editor.follow_rules()
    if strip_place:
        editor.blank_gps()  # before anything is added, which a damaged place may point at
    if (editor.states_resolution or add_resolution) and (
        resolution is None or resolution_of(block) != resolution
    ):
        editor.set_resolution(resolution)
    if software is not None:
        editor.set_software(software.encode("ascii", "replace") + b"\0")
    homeless = _add_texts(editor, text)
    whole = editor.finish()
    read = reader(whole)  # what was blanked or overwritten may have lain over the header or a directory
    layout, offset = read_start(read)
    read_entries(read, layout, offset)
    return whole, homeless


def _add_texts(editor: Editor, text: Sequence[TextItem]) -> tuple[str, ...]:
    """Put texts into tags; return the keywords of those without one."""
    homeless: list[str] = []
    comments = [item for item in text if item.key in _COMMENTS]
    if comments and editor.has(_USER_COMMENT):
        homeless += [item.key for item in comments]
    elif comments:
        whole = "\n".join(item.text for item in comments)
        coded = (
            b"ASCII\0\0\0" + whole.encode() if whole.isascii() else b"UNICODE\0" + whole.encode(editor.utf16)
        )
        editor.add_to_exif(_USER_COMMENT, _UNDEFINED, coded)
    for item in text:
        tag = _TAGS_OF_TEXT.get(item.key)
        if item.key == "Title" and not editor.has(_TITLE):
            editor.add(_TITLE, _BYTES, (item.text + "\0").encode("utf-16-le", "replace"))
        elif tag is not None and not editor.has(tag):
            editor.add(tag, _ASCII, item.text.encode("utf-8", "replace") + b"\0")
        elif item.key not in _COMMENTS:
            homeless.append(item.key)
    return tuple(dict.fromkeys(homeless))


def unjudged(block: bytes) -> tuple[str, ...]:
    """Return the names of tags in words, or in a maker's own form, that may say where a picture was taken."""
    try:
        editor = Editor(block, Change(before=None, after=(1, 1)))
    except TiffError:
        return ()
    entries = [*editor.entries, *editor.below(EXIF_IFD)]
    return tuple(
        dict.fromkeys(UNJUDGED_EXIF[e.tag] for e in entries if e.tag in UNJUDGED_EXIF and e.size > 1)
    )


def _new_block() -> bytes:
    body, table = write_directory(
        Directory(values={_ORIENTATION: Value(3, b"\x01\x00")}), "<", Layout("<"), 8
    )
    return struct.pack("<2sHI", b"II", 42, table) + body
