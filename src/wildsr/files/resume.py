"""Whether a run can go on with what an earlier one left: both must have the same settings."""

import json
from collections.abc import Collection, Mapping

from wildsr.files.display import shown


def differences(
    recorded: Mapping[str, object], now: Mapping[str, object], *, ignored: Collection[str] = ()
) -> list[str]:
    """Return what differs between recorded settings and those of this run, in words.

    1 and 1.0 are one number; True and 1, "2" and 2 are not the same.

    Args:
        recorded: Settings as JSON gave them back.
        now: Settings of this run, values that JSON knows.
        ignored: Names that may differ.
    """
    return [
        shown(f"{name} was {_text(recorded, name)}, now {_text(now, name)}")
        for name in sorted({*recorded, *now} - set(ignored))
        if _text(recorded, name, alike=True) != _text(now, name, alike=True)
    ]


def _text(settings: Mapping[str, object], name: str, *, alike: bool = False) -> str:
    if name not in settings:
        return "not set"
    return json.dumps(_floating(settings[name]) if alike else settings[name], sort_keys=alike)


def _floating(value: object) -> object:
    """Whole numbers as floats, wherever that loses nothing."""
    if isinstance(value, dict):
        return {key: _floating(one) for key, one in value.items()}
    if isinstance(value, list | tuple):
        return [_floating(one) for one in value]
    if isinstance(value, int) and not isinstance(value, bool) and abs(value) <= 1 << 53:
        return float(value)
    return value
