"""Durations as people write and read them."""

import re

from wildsr.errors import UsageError

_UNITS = {"s": 1, "m": 60, "min": 60, "h": 3600}


def seconds(text: str) -> float:
    """`40m`, `1h30m`, `90s` or `2400` as seconds.

    Raises:
        UsageError: Not a time.
    """
    pieces = re.findall(r"(\d{1,12}(?:\.\d{1,12})?)\s*(h|min|m|s)?", text.strip().lower())
    whole = "".join(number + unit for number, unit in pieces)
    half_said = len(pieces) > 1 and not all(unit for _, unit in pieces)  # `1h30`: minutes or seconds?
    if not pieces or half_said or whole != re.sub(r"\s", "", text.lower()):
        raise UsageError(f"{text!r} is not a time", hint="for example 40m, 1h30m or 90s")
    return sum(float(number) * _UNITS[unit or "s"] for number, unit in pieces)


def duration(seconds: float) -> str:
    """`2 h 05 min`, `3 min 10 s`, `12 s`."""
    whole = round(seconds)
    if whole >= 3600:
        return f"{whole // 3600} h {whole % 3600 // 60:02d} min"
    return f"{whole // 60} min {whole % 60:02d} s" if whole >= 60 else f"{whole} s"
