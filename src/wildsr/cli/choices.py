"""Options whose values are the words of a table: what a table allows is what `--help` shows."""

from collections.abc import Sequence
from typing import Annotated

import typer
from typer.models import OptionInfo

from wildsr.cli.fields import field_help
from wildsr.engine import Settings
from wildsr.engine.backends import BACKENDS, DEVICES


def _choice(field: str, allowed: Sequence[str]) -> OptionInfo:
    """Return the option of a field of `Settings`, which refuses other words itself."""
    option: OptionInfo = typer.Option(
        f"--{field}",
        help=field_help(Settings, field),
        metavar=f"[{'|'.join(allowed)}]",
        autocompletion=lambda: list(allowed),
    )
    return option


Backend = Annotated[str, _choice("backend", BACKENDS)]
Device = Annotated[str, _choice("device", DEVICES)]
