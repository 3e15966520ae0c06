"""Degradations by name, or by the folder of a run that has learnt one."""

import hashlib
import os
from pathlib import Path
from typing import Final

from wildsr.checkpoints import load_network
from wildsr.degradation import PRESETS, Chosen, Downscale, Pipeline, Profile, Round, choose
from wildsr.degradation.learnt import Learnt
from wildsr.degradation.samplers import Range
from wildsr.errors import UsageError

DEGRADER: Final = "dsgan"
"""Preset of the networks that degrade, and their folder inside a `frequency` run's."""

_MARGIN: Final = 10
"""LR pixels: half of what the eighteen convolutions see at most, and all that they look at."""


def chosen_degradation(
    name: str | None,
    *,
    scale: int,
    profile: Profile | None = None,
    sharpened: float = 0.0,
    colour_blur: Range = (0.0, 0.0),
) -> Chosen:
    """Return the degradation of a name or a folder; without one, that of the profile, or else bicubic.

    Args:
        name: A key of `degradation.PRESETS`, or the folder of a run that learnt to degrade (`wildsr train frequency`).
        scale: HR pixels per LR pixel along one side.
        profile: For `realsr`.
        sharpened: Share of the LR that the profile's camera would have sharpened.
        colour_blur: Range of σ, LR pixels, of what blurs the colour of the profile's camera.

    Raises:
        UsageError: No such preset or run, a profile missing, superfluous, empty or of another scale; nothing to
            sharpen.
        ModelError: Weights that can't be read.
    """
    # unlike pathlib's, os.path's is False for a name that can't be
    if name is None or name in PRESETS or not os.path.isdir(name):  # noqa: PTH112
        return choose(name, scale=scale, profile=profile, sharpened=sharpened, colour_blur=colour_blur)
    if profile is not None or sharpened or colour_blur[1]:
        raise UsageError(
            "a learnt degradation uses neither a profile nor its sharpening and blur of colour",
            hint="leave out --profile, data.sharpened and data.colour_blur, or --degradation",
        )
    folder = Path(name)
    if (folder / DEGRADER / "model.safetensors").is_file():
        folder /= DEGRADER
    loaded = load_network(folder)
    if loaded.spec.architecture != DEGRADER:
        raise UsageError(
            f"{name} holds a model to upscale with ({loaded.spec.architecture}), not one that degrades",
            hint="name a run of `wildsr train frequency`, or a degradation: wildsr degrade --list",
        )
    digest = hashlib.sha256((folder / "model.safetensors").read_bytes()).hexdigest()
    return Chosen(
        name=DEGRADER,
        pipeline=Pipeline((Downscale(scale=scale), Round(), Learnt(loaded.network), Round())),
        margin=_MARGIN,
        summary=f"learnt from real photos, {loaded.spec.id}, {digest[:12]}",
        fingerprint=hashlib.sha256(f"{DEGRADER} {scale} {digest}".encode()).hexdigest(),
    )
