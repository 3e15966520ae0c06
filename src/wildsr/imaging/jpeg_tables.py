"""The quality a JPEG file was saved at, from its quantisation tables (ITU-T T.81, B.2.4.1)."""

from pathlib import Path
from typing import Final

from wildsr.files.opening import open_regular

_STANDARD: Final = (
    *(16, 11, 12, 14, 12, 10, 16, 14, 13, 14, 18, 17, 16, 19, 24, 40),
    *(26, 24, 22, 22, 24, 49, 35, 37, 29, 40, 58, 51, 61, 60, 57, 51),
    *(56, 55, 64, 72, 92, 78, 64, 68, 87, 69, 55, 56, 80, 109, 81, 87),
    *(95, 98, 103, 104, 103, 62, 77, 113, 121, 112, 100, 120, 92, 101, 103, 99),
)
"""The luminance table of T.81 annex K in zigzag order, which libjpeg scales and cuts off at 255."""

_MOST_BYTES: Final = 1 << 22
_DQT, _SOS = 0xDB, 0xDA


def jpeg_quality(path: Path) -> int | None:
    """Return the quality (1…100, libjpeg's scale) of a JPEG file's luminance table; None for other files.

    Encoders with tables of their own (cameras, Photoshop) get the libjpeg quality of equal mean step.
    """
    try:
        with open_regular(path) as file:
            head = file.read(_MOST_BYTES) or b""
    except OSError:
        return None
    table = _luminance_table(head)
    if table is None:
        return None
    whole = [(step, standard) for step, standard in zip(table, _STANDARD, strict=True) if step < 255]
    if not whole:
        return 1
    percent = 100 * sum(step for step, _ in whole) / sum(standard for _, standard in whole)
    quality = (200 - percent) / 2 if percent <= 100 else 5000 / percent
    return max(1, min(100, round(quality)))


def _luminance_table(head: bytes) -> list[int] | None:
    """The 64 steps of table 0."""
    if head[:2] != b"\xff\xd8":
        return None
    place = 2
    while place + 4 <= len(head) and head[place] == 0xFF:
        marker = head[place + 1]
        if marker == 0xFF:  # a fill byte
            place += 1
            continue
        length = int.from_bytes(head[place + 2 : place + 4])
        if marker == _SOS or length < 2:
            return None
        if marker == _DQT:
            found = _table_zero(head[place + 4 : place + 2 + length])
            if found is not None:
                return found
        place += 2 + length
    return None


def _table_zero(segment: bytes) -> list[int] | None:
    place = 0
    while place < len(segment):
        wide, number = segment[place] >> 4, segment[place] & 15
        size = 2 if wide else 1
        steps = segment[place + 1 : place + 1 + 64 * size]
        if len(steps) < 64 * size:
            return None
        if number == 0:
            return [int.from_bytes(steps[k : k + size]) for k in range(0, 64 * size, size)]
        place += 1 + 64 * size
    return None
