"""Settings that name an entry of a table: what is allowed is read off the table, so that a new entry is one line."""

import os
import typing
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Annotated, Literal, TypeAlias

from pydantic import GetCoreSchemaHandler
from pydantic_core import CoreSchema, PydanticCustomError, core_schema

from wildsr.degradation import PRESETS as DEGRADATIONS
from wildsr.errors import did_you_mean
from wildsr.networks import DISCRIMINATORS, NETWORKS
from wildsr.training.losses import OBJECTIVES, PERCEPTUAL, PIXEL


@dataclass(frozen=True, eq=False)
class OneOf:
    """Marks a text as a key of a table."""

    what: str
    """What the table holds, for messages."""

    table: Mapping[str, object]
    """Whose keys are allowed."""

    or_folder: bool = False
    """Whether a folder that exists is allowed too."""

    def __get_pydantic_core_schema__(self, source: type, handler: GetCoreSchemaHandler) -> CoreSchema:
        return core_schema.no_info_after_validator_function(self.check, handler(source))

    def check(self, name: str) -> str:
        """Return the name if the table has it.

        Raises:
            PydanticCustomError: It has not; `hint` in its context gives the nearest names.
        """
        # unlike pathlib's, os.path's is False for a name that can't be
        if name not in self.table and not (self.or_folder and os.path.isdir(name)):  # noqa: PTH112
            hint = did_you_mean(name, list(self.table))
            raise PydanticCustomError(
                "choice", f"unknown {self.what} `{{name}}`", {"name": name, "hint": hint}
            )
        return name


NetworkName: TypeAlias = Annotated[str, OneOf("network", NETWORKS)]
DiscriminatorName: TypeAlias = Annotated[str, OneOf("discriminator", DISCRIMINATORS)]
DegradationName: TypeAlias = Annotated[str, OneOf("degradation", DEGRADATIONS, or_folder=True)]
PixelName: TypeAlias = Annotated[str, OneOf("pixel loss", PIXEL)]
PerceptualName: TypeAlias = Annotated[str, OneOf("perceptual loss", PERCEPTUAL)]
ObjectiveName: TypeAlias = Annotated[str, OneOf("objective", OBJECTIVES)]


def choices(hint: object) -> Sequence[str]:
    """What a field with this type (`get_type_hints` with extras) may be set to; empty where anything may."""
    if typing.get_origin(hint) is Literal:
        return [str(value) for value in typing.get_args(hint)]
    for mark in getattr(hint, "__metadata__", ()):
        if isinstance(mark, OneOf):
            return list(mark.table)
    return [name for part in typing.get_args(hint) for name in choices(part)]
