"""TOML files people give: read in time and memory that follow their size."""

import re
import tomllib
from pathlib import Path
from typing import Final

from wildsr.errors import UsageError
from wildsr.files.display import shown
from wildsr.files.opening import read_text

_MOST_BYTES: Final = 1 << 18
_DEEPEST: Final = 20
_QUOTED: Final = re.compile(r"\"[^\"\n]*\"|'[^'\n]*'")
_BETWEEN_KEYS: Final = re.compile(r"[=,{}\[\]\n]")


def read_toml(path: Path) -> dict[str, object]:
    """Return what a TOML file says.

    Raises:
        UsageError: It can't be read, is no TOML, or larger or deeper nested than any settings are.
    """
    try:
        return parsed_toml(read_text(path, most=_MOST_BYTES))
    except OSError as error:
        raise UsageError(f"can't read {shown(path)}: {error.strerror}") from error
    except ValueError as error:
        raise UsageError(
            f"{shown(path)} is not TOML: {error}", hint="--print-config shows the form"
        ) from error


def parsed_toml(text: str) -> dict[str, object]:
    """Return what a TOML text says.

    Raises:
        ValueError: It is no TOML, has numbers of thousands of digits, or keys nested more than 20 deep, which the
            parser needs more than proportional time for.
    """
    bare = _QUOTED.sub("x", text)
    if any(between.count(".") >= _DEEPEST for between in _BETWEEN_KEYS.split(bare)):
        raise ValueError(f"a key of more than {_DEEPEST} parts")
    try:
        return tomllib.loads(text)
    except RecursionError:
        raise ValueError("values nested too deep") from None
