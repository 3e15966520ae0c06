"""Recipes: one story, one file. What they share are the verbs of `wildsr.training`; a recipe never imports a recipe."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TypeAlias

from wildsr.recipes import gan, psnr

Config: TypeAlias = psnr.PsnrConfig | gan.GanConfig


@dataclass(frozen=True, kw_only=True)
class Recipe:
    """What the command line needs to know of one."""

    summary: str
    """In one line."""

    presets: Mapping[str, Config]
    """Named configurations."""

    default: str
    """Preset taken when none is named."""

    run: Callable[..., Path]
    """(config, folder, *, resume, say) → folder."""


RECIPES: dict[str, Recipe] = {
    "psnr": Recipe(
        summary="any network on pixels; the classic story, and the start of every game",
        presets=psnr.PRESETS,
        default="compact-cpu",
        run=psnr.run,
    ),
    "gan": Recipe(
        summary="SRGAN, ESRGAN, EnhanceNet: pixels, perceptual features, texture, a game against a discriminator",
        presets=gan.PRESETS,
        default="esrgan-cpu",
        run=gan.run,
    ),
}
"""Name → recipe."""


def find_recipe(name: str) -> tuple[str, str] | None:
    """A recipe's name, or a preset's: `wildsr train rcan` means recipe `psnr`, preset `rcan`."""
    if name in RECIPES:
        return name, RECIPES[name].default
    owners = [recipe for recipe, value in RECIPES.items() if name in value.presets]
    return (owners[0], name) if len(owners) == 1 else None
