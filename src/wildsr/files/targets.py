"""Checks of a file that is to be written, made before any work is done."""

import os
from collections.abc import Sequence
from contextlib import suppress
from pathlib import Path
from typing import Final

from wildsr.errors import OutputError, UsageError
from wildsr.files.display import shown

LONGEST_NAME: Final = 240
"""Bytes; file systems take 255, and temporary files beside a target have longer names."""


def check_target(
    path: Path, *, label: str, overwrite: bool = False, inputs: Sequence[str | Path] = ()
) -> Path:
    """Return a path that a file can be written to.

    Args:
        path: Where to.
        label: What the file is called in messages: an option, or a noun.
        overwrite: Accept a file that exists.
        inputs: What is read; never overwritten, not even with `overwrite`.

    Raises:
        UsageError: It is a folder, an input, or its name is too long.
        OutputError: Its folder is missing, or it exists.
    """
    if len(os.fsencode(path.name)) > LONGEST_NAME:
        raise UsageError(
            f"{label} {shown(path)}: the name is longer than {LONGEST_NAME} bytes",
            hint="choose a shorter one",
        )
    # unlike pathlib's, os.path's are False for a path too long and in a folder one may not enter
    if os.path.isdir(path):  # noqa: PTH112
        raise UsageError(f"{label}: {shown(path)} is a folder; a file is written", hint="choose a name in it")
    if not os.path.isdir(path.parent):  # noqa: PTH112
        raise OutputError(
            f"there is no folder {shown(path.parent)}", hint=f"make it, or choose another for {label}"
        )
    refuse_input(path, inputs)
    if os.path.lexists(path) and not overwrite:
        raise OutputError(f"{shown(path)} exists", hint="--overwrite replaces it")
    return path


def refuse_input(path: Path, inputs: Sequence[str | Path]) -> None:
    """Refuse to write over a file that is read.

    Raises:
        UsageError: The path is that of an input, by whatever name.
    """
    for one in inputs:
        with suppress(OSError, ValueError):  # whatever can't be looked at isn't there
            if os.path.samefile(path, one):  # noqa: PTH121
                raise UsageError(
                    f"{shown(path)} is one of the inputs and would be replaced", hint="choose another name"
                )
