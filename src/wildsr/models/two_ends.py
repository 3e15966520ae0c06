"""Models with a dial: one network trained to two ends, faithful and crisp, and every blend of their weights.

Network interpolation (Wang et al., ESRGAN, ECCV 2018, §3.4): the blend runs at the speed of one network.
"""

from dataclasses import dataclass, replace
from functools import cached_property
from pathlib import Path
from typing import Final

import numpy as np
import onnx
from numpy.typing import NDArray
from safetensors import SafetensorError, safe_open

from wildsr.errors import ModelError, UsageError
from wildsr.files import sha256_of, shown
from wildsr.files.opening import open_regular
from wildsr.models.compact_graph import compact_graph
from wildsr.models.onnx_file import embed_spec
from wildsr.models.spec import METADATA_KEY, ModelSpec

FAITHFUL: Final = "faithful.safetensors"
CRISP: Final = "crisp.safetensors"
CARD: Final = "card.md"
DEFAULT_SHARPNESS: Final = 0.75
"""What a model with two ends runs at unless told otherwise; training starts from the crisp end."""
CRISPEST: Final = 1.0

_SIZES: Final = {
    "compact": {"blocks": 16, "channels": 64, "scale": 4},
    "compact-8": {"blocks": 8, "channels": 64, "scale": 4},
}
_LIMITS: Final = {"blocks": (0, 256), "channels": (1, 1024), "scale": (1, 8)}


@dataclass(frozen=True, kw_only=True)
class TwoEnds:
    """The two files of a model with a dial."""

    folder: Path
    """Holds both."""

    @cached_property
    def sha256(self) -> str:
        """Digest of both files."""
        return "".join(sha256_of(self.folder / name)[:32] for name in (FAITHFUL, CRISP))

    @cached_property
    def spec(self) -> ModelSpec:
        """What the faithful end says, with the larger overlap of the two.

        Raises:
            ModelError: An end can't be read or doesn't describe itself, or they are two different networks.
        """
        one, other = (_read_spec(self.folder / name) for name in (FAITHFUL, CRISP))
        if (one.architecture, one.arguments, one.scale) != (other.architecture, other.arguments, other.scale):
            raise ModelError(
                f"the two ends in {shown(self.folder)} are different networks; only one network can be blended"
            )
        return replace(one, halo=max(one.halo, other.halo), halo_exact=max(one.halo_exact, other.halo_exact))

    def weights(self, sharpness: float) -> dict[str, NDArray[np.float32]]:
        """(1 − sharpness)·faithful + sharpness·crisp, tensor by tensor, as float32.

        Raises:
            ModelError: An end can't be read, or the two have different tensors.
        """
        ends = [_read_tensors(self.folder / name) for name in (FAITHFUL, CRISP)]
        shapes = [{name: array.shape for name, array in end.items()} for end in ends]
        if shapes[0] != shapes[1]:
            raise ModelError(
                f"the two ends in {shown(self.folder)} have different tensors; only one network can be blended"
            )
        if sharpness in (0, 1):
            return ends[int(sharpness)]
        share = np.float32(sharpness)
        return {name: (1 - share) * array + share * ends[1][name] for name, array in ends[0].items()}

    def graph(self, sharpness: float) -> onnx.ModelProto:
        """Return the blend as a graph that carries its ModelSpec.

        Raises:
            ModelError: An end can't be read, or is no network that wildsr builds without torch.
        """
        graph = compact_graph(self.weights(sharpness), **_size(self.spec))
        return embed_spec(graph, self.spec)


def has_two_ends(folder: Path) -> bool:
    """Whether a folder holds both ends of a model."""
    return (folder / FAITHFUL).is_file() and (folder / CRISP).is_file()


def check_sharpness(sharpness: float) -> None:
    """Refuse what is no position of the dial.

    Raises:
        UsageError: It is not from 0 to 1.
    """
    if not 0 <= sharpness <= 1:
        raise UsageError(f"sharpness is {sharpness}; it must be from 0 (faithful) to 1 (crisp)")


def _size(spec: ModelSpec) -> dict[str, int]:
    if spec.architecture not in _SIZES:
        raise ModelError(f"a model with two ends must be one of {', '.join(_SIZES)}, not {spec.architecture}")
    sizes = dict(_SIZES[spec.architecture])
    for name, value in spec.arguments.items():
        low, high = _LIMITS.get(name, (0, -1))
        if isinstance(value, bool) or not isinstance(value, int) or not low <= value <= high:
            raise ModelError(f"{spec.architecture} can't have {name} = {value!r}")
        sizes[name] = value
    if sizes["scale"] != spec.scale:
        raise ModelError(f"the model says it enlarges ×{spec.scale}, its network ×{sizes['scale']}")
    return sizes


def _read_spec(path: Path) -> ModelSpec:
    try:
        open_regular(path).close()
        with safe_open(path, framework="numpy") as file:
            text = (file.metadata() or {}).get(METADATA_KEY)
    except (SafetensorError, OSError, ValueError) as error:
        raise ModelError(f"{shown(path)} can't be read as safetensors: {error}") from error
    if text is None:
        raise ModelError(f"{shown(path)} doesn't describe itself", hint="it must be written by wildsr")
    return ModelSpec.from_json(text)


def _read_tensors(path: Path) -> dict[str, NDArray[np.float32]]:
    try:
        open_regular(path).close()
        with safe_open(path, framework="numpy") as file:
            tensors = {name: file.get_tensor(name) for name in file.keys()}  # noqa: SIM118 -- not a mapping
    except (SafetensorError, OSError, ValueError, TypeError, MemoryError) as error:
        raise ModelError(f"{shown(path)} can't be read as safetensors: {error}") from error
    wide = {name: np.asarray(array, np.float32) for name, array in tensors.items()}
    bad = next((name for name, array in wide.items() if not np.isfinite(array).all()), None)
    if bad is not None:
        raise ModelError(f"{shown(path)}: {bad} has values that are not finite")
    return wide
