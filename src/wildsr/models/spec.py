"""What a model file says about itself."""

import json
import unicodedata
from dataclasses import asdict, dataclass, field, fields
from typing import Literal, TypeAlias, get_args

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
    """Overlap in LR pixels at which tiles agree with the whole picture; measured."""

    halo_exact: int = 64
    """Overlap in LR pixels for `--tiling exact`: within 1/255 of the whole picture in fp32 everywhere."""

    tiling: Tiling = "exact"
    """`exact`: tiles agree with the whole; `approximate`: global pooling, nearly; `whole`: never tile."""

    drifts: bool = True
    """Whether its colours may drift from the photo's, as GANs' do; they are drawn back unless told otherwise."""

    licence: str = "unknown"
    """Licence of the weights."""

    source: str = "unknown"
    """Where the weights come from."""

    training: str = ""
    """What the model was trained on, in one line."""

    def __post_init__(self) -> None:
        for name, (low, high) in _BOUNDS.items():
            value = getattr(self, name)
            if isinstance(value, bool) or not isinstance(value, int) or not low <= value <= high:
                raise ModelError(
                    f"the model says {name} = {ascii(value)[:60]}; a whole number from {low} to {high} is allowed"
                )
        if self.tiling not in get_args(Tiling):
            raise ModelError(
                f"the model says tiling = {ascii(self.tiling)[:60]}; {', '.join(get_args(Tiling))} are allowed"
            )
        texts = [self.id, self.architecture, self.licence, self.source, self.training, *self.arguments]
        texts += [value for value in self.arguments.values() if isinstance(value, str)]
        if any(len(text) > _LONGEST or printable(text) != text for text in texts):
            raise ModelError(
                f"the model describes itself in more than {_LONGEST} characters, or in control characters"
            )
        if len(self.arguments) > _MOST_ARGUMENTS or not all(map(_is_finite, self.arguments.values())):
            raise ModelError(
                f"the model has more than {_MOST_ARGUMENTS} arguments, or some that are no numbers"
            )

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
            if len(text) > _MAX_JSON:
                raise ValueError(f"{len(text)} characters; at most {_MAX_JSON} are allowed")
            values = json.loads(text)
            if not isinstance(values, dict):
                raise ValueError("it is no JSON object")
            known = {one.name for one in fields(cls)}
            given = {key: value for key, value in values.items() if key in known}
            return TypeAdapter(ModelSpec).validate_json(json.dumps(given), strict=True)
        except (ValidationError, ValueError, RecursionError) as error:
            told = " ".join(str(error).split())[:300]
            raise ModelError(f"the model's description can't be used: {ascii(told)[1:-1]}") from error


def printable(text: str) -> str:
    """Return a text without control characters and stray halves of characters (as file names may have)."""
    return "".join("_" if unicodedata.category(one) in ("Cc", "Cs", "Zl", "Zp") else one for one in text)


_BOUNDS = {"scale": (1, 16), "multiple": (1, 256), "halo": (0, 4096), "halo_exact": (0, 4096)}
_LONGEST = 10_000
_MOST_ARGUMENTS = 100
_MAX_JSON = 1_000_000
_LARGEST = 1e300


def _is_finite(value: float | str) -> bool:
    return isinstance(value, str) or abs(value) < _LARGEST  # NaN is not
