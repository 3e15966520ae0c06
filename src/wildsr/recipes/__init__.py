"""Recipes: how a network is trained, one file each. What they share is `wildsr.training`; none imports another."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, TypeAlias

from wildsr.recipes import adapt, dped, frequency, gan, generic, mobile, psnr, realsr

if TYPE_CHECKING:
    from _typeshed import DataclassInstance

    Config: TypeAlias = DataclassInstance
    """A recipe's own: `psnr.PsnrConfig`, `gan.GanConfig`, …"""


@dataclass(frozen=True, kw_only=True)
class Recipe:
    """What is needed to configure and start one."""

    summary: str
    """In one line."""

    presets: "Mapping[str, Config]"
    """Named configurations."""

    default: str
    """Preset taken when none is named."""

    run: Callable[..., Path]
    """(config, folder, *, resume, say) → folder."""

    stages: tuple[str, ...] = ()
    """Folders inside a run's in which stages keep checkpoints of their own, the last first."""


RECIPES: dict[str, Recipe] = {
    "psnr": Recipe(summary=psnr.SUMMARY, presets=psnr.PRESETS, default="compact-cpu", run=psnr.run),
    "gan": Recipe(summary=gan.SUMMARY, presets=gan.PRESETS, default="esrgan-cpu", run=gan.run),
    "realsr": Recipe(
        summary=realsr.SUMMARY,
        presets=realsr.PRESETS,
        default="track2-cpu",
        run=realsr.run,
        stages=(realsr.WARM_START,),
    ),
    "adapt": Recipe(summary=adapt.SUMMARY, presets=adapt.PRESETS, default="adapt", run=adapt.run),
    "dped": Recipe(summary=dped.SUMMARY, presets=dped.PRESETS, default="dped-cpu", run=dped.run),
    "generic": Recipe(
        summary=generic.SUMMARY,
        presets=generic.PRESETS,
        default="samsung-cpu",
        run=generic.run,
        stages=generic.STAGES[::-1],
    ),
    "frequency": Recipe(
        summary=frequency.SUMMARY,
        presets=frequency.PRESETS,
        default="esrgan-fs-cpu",
        run=frequency.run,
        stages=frequency.STAGES[::-1],
    ),
    "mobile": Recipe(
        summary=mobile.SUMMARY, presets=mobile.PRESETS, default="samsung-mobile-cpu", run=mobile.run
    ),
}
"""Name → recipe."""
