"""What a picture file's first bytes say: its format, or what it is instead, and its size."""

from wildsr.errors import InputError
from wildsr.files.extensions import READABLE
from wildsr.files.other_kinds import other_kind
from wildsr.files.signatures import sniff


def require(head: bytes, name: str) -> str:
    """Return the format of a file's first bytes, or raise InputError saying what it is instead."""
    found = sniff(head)
    if found in READABLE:
        return found
    kind = other_kind(head)
    given = f"{name} is {kind.name}" if kind else f"{name} is no picture wildsr knows"
    raise InputError(
        f"{given}; {', '.join(f.upper() for f in READABLE)} are read", hint=kind.hint if kind else None
    )


def stated_size(form: str, head: bytes) -> tuple[int, int] | None:
    """Return the width and height a file's first 32 bytes state, or None where they lie deeper in.

    Read here so that a picture too large is refused before any library sees the file.
    """
    if form == "png" and head[12:16] == b"IHDR" and len(head) >= 24:
        return int.from_bytes(head[16:20], "big"), int.from_bytes(head[20:24], "big")
    if form == "gif" and len(head) >= 10:
        return int.from_bytes(head[6:8], "little"), int.from_bytes(head[8:10], "little")
    if form == "webp" and head[12:16] == b"VP8X" and len(head) >= 30:
        return int.from_bytes(head[24:27], "little") + 1, int.from_bytes(head[27:30], "little") + 1
    if form == "bmp" and len(head) >= 26 and int.from_bytes(head[14:18], "little") >= 40:
        height = int.from_bytes(head[22:26], "little", signed=True)
        return int.from_bytes(head[18:22], "little"), abs(height)
    return None
