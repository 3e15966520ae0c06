"""What a model file says about itself."""

import json
from dataclasses import asdict, dataclass, field, fields
from typing import Literal, TypeAlias

from pydantic import TypeAdapter, ValidationError

from wildsr.errors import ModelError

Tiling: TypeAlias = Literal["exact", "approximate", "whole"]
METADATA_KEY = "wildsr"


@dataclass(frozen=True, kw_only=True)
class ModelSpec:
    """Carried inside every model file (ONNX metadata, safetensors header) as JSON under the key `wildsr`."""

    id: str
    """Name the model goes by, `realsr-df2k` for example."""

    architecture: str
    """Network family: a preset name of `wildsr.networks`, or `graph` for an imported graph."""

    arguments: dict[str, int | float | str | bool] = field(default_factory=dict)
    """Arguments that rebuild the network."""

    scale: int = 4
    """SR pixels per LR pixel along one side."""

    multiple: int = 1
    """Input sides must be multiples of this many LR pixels."""

    halo: int = 48
    """Overlap in LR pixels at which tiles agree with the whole picture (DESIGN §8); measured."""

    halo_exact: int = 64
    """Overlap in LR pixels for `--tiling exact`: within 1/255 of the whole picture in fp32 everywhere."""

    tiling: Tiling = "exact"
    """`exact`: tiles agree with the whole; `approximate`: global pooling, nearly; `whole`: never tile."""

    licence: str = "unknown"
    """Licence of the weights."""

    source: str = "unknown"
    """Where the weights come from."""

    training: str = ""
    """What the model was trained on, in one line."""

    def __post_init__(self) -> None:
        for name, low, high in (
            ("scale", 1, 16),
            ("multiple", 1, 256),
            ("halo", 0, 4096),
            ("halo_exact", 0, 4096),
        ):
            if not low <= getattr(self, name) <= high:
                raise ModelError(
                    f"the model says {name} = {getattr(self, name)}; from {low} to {high} is allowed"
                )
        if any(
            len(getattr(self, name)) > _LONGEST
            for name in ("id", "architecture", "licence", "source", "training")
        ):
            raise ModelError(f"the model describes itself in more than {_LONGEST} characters")

    def to_json(self) -> str:
        """Write as JSON, keys sorted."""
        return json.dumps(asdict(self), sort_keys=True)

    @classmethod
    def from_json(cls, text: str) -> "ModelSpec":
        """Read from JSON; unknown keys of later versions are ignored.

        Raises:
            ModelError: If it isn't JSON or a value can't be.
        """
        try:
            values = json.loads(text)
            if not isinstance(values, dict):
                raise ModelError("the model's description is no JSON object")
            known = {one.name for one in fields(cls)}
            return _adapter().validate_python({key: value for key, value in values.items() if key in known})
        except (ValidationError, ValueError, RecursionError) as error:
            raise ModelError(
                f"the model's description can't be used: {' '.join(str(error).split())[:300]}"
            ) from error


def _adapter() -> TypeAdapter[ModelSpec]:
    return TypeAdapter(ModelSpec)


_LONGEST = 10_000
