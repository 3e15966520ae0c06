"""EXIF and XMP of a WebP file (RIFF chunks); its profile is libvips' to read."""

from wildsr.errors import LimitError
from wildsr.imaging.containers import Edit, Found
from wildsr.imaging.containers.jpeg import EXIF
from wildsr.imaging.containers.webp import EXIF_FLAG, XMP_FLAG
from wildsr.imaging.metadata import Metadata
from wildsr.imaging.metadata.budget import Budget
from wildsr.imaging.opening import BinaryFile

_FLAGS_AT = 20
"""Offset of VP8X's flags, which is a file's first chunk where there is one."""


def read_metadata(file: BinaryFile, name: str, budget: Budget) -> Found:
    """Return EXIF and XMP; the decoder is to see neither.

    Raises:
        LimitError: More chunks than the budget allows.
    """
    found: dict[bytes, bytes] = {}
    edits: list[Edit] = []
    notes: tuple[str, ...] = ()
    file.seek(4)
    end = 8 + int.from_bytes(file.read(4), "little")
    at = 12
    while at + 8 <= end:
        file.seek(at)
        head = file.read(9)
        if len(head) < 8:
            break
        if not budget.step():
            raise LimitError(f"{name} has more chunks than any picture; they were not read")
        kind, size = head[:4], int.from_bytes(head[4:8], "little")
        if kind == b"VP8X" and at == 12 and len(head) == 9:
            edits.append((_FLAGS_AT, _FLAGS_AT + 1, bytes([head[8] & ~(EXIF_FLAG | XMP_FLAG)])))
        elif kind in (b"EXIF", b"XMP "):
            edits.append((at, at + 4, b"skip"))  # a chunk nobody knows is passed over
            if budget.take(size):
                file.seek(at + 8)
                found.setdefault(kind, file.read(size))
            else:
                notes = (budget.refusal("EXIF" if kind == b"EXIF" else "XMP"),)
        at += 8 + size + size % 2
    exif = found.get(b"EXIF")
    metadata = Metadata(exif=exif.removeprefix(EXIF) if exif else None, xmp=found.get(b"XMP "))
    return Found(metadata=metadata, edits=tuple(edits), notes=notes)
