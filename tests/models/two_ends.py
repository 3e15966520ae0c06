"""A folder with both ends of a tiny compact network, made by code without torch."""

from dataclasses import replace
from pathlib import Path

import numpy as np
from safetensors.numpy import save_file

from wildsr.models import ModelSpec
from wildsr.models.compact_graph import compact_shapes
from wildsr.models.two_ends import CRISP, FAITHFUL

SIZE = {"blocks": 1, "channels": 8, "scale": 4}
SPEC = ModelSpec(id="tiny-ends", architecture="compact", arguments=dict(SIZE), halo=6, halo_exact=6)


def weights(seed: int, dtype: type[np.floating] = np.float16, **size: int) -> dict[str, np.ndarray]:
    """Random tensors whose network keeps to the nearest-enlarged input."""
    rng = np.random.default_rng(seed)
    made = {}
    for name, shape in compact_shapes(**(SIZE | size)).items():
        spread = 0.3 / np.sqrt(9 * shape[1]) if len(shape) == 4 else 0.01
        made[name] = rng.normal(0, spread, shape).astype(dtype)
    made["blend.weight"][:] = 0
    for channel in range(3):
        made["blend.weight"][channel, channel, 1, 1] = 1
    return made


def save_ends(folder: Path, *, spec: ModelSpec = SPEC, other: ModelSpec | None = None) -> Path:
    """Write both ends and return the folder."""
    folder.mkdir(parents=True, exist_ok=True)
    for seed, (name, said) in enumerate(((FAITHFUL, spec), (CRISP, other or replace(spec, halo=spec.halo)))):
        save_file(weights(seed), folder / name, metadata={"wildsr": said.to_json()})
    return folder
