"""What a model file says about itself."""

from dataclasses import asdict, dataclass, field, fields
from typing import Literal, TypeAlias

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
