"""From a recipe's name, options and files to its configuration, and to a run."""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from wildsr.errors import UsageError, did_you_mean
from wildsr.recipes import RECIPES
from wildsr.training.checkpoint import checkpoints_in, load_checkpoint
from wildsr.training.config import configure, from_toml
from wildsr.training.session import Say, say_on_stderr

if TYPE_CHECKING:
    from wildsr.recipes import Config


@dataclass(frozen=True, kw_only=True)
class Configured:
    """A recipe, ready to be run."""

    recipe: str
    """Its name in `RECIPES`."""

    config: "Config"
    """Its configuration, checked."""

    def run(self, folder: Path, *, resume: bool = False, say: Say = say_on_stderr) -> Path:
        """Train, export, describe.

        Args:
            folder: The run's folder.
            resume: Go on with the training that is there.
            say: Takes messages.

        Returns:
            The folder, which `wildsr upscale -m` takes.

        Raises:
            UsageError: Settings that don't go together; a folder that holds another training.
            InputError: No usable photos.
            TrainingError: Nothing could be learnt, or a run that can't be resumed.
        """
        return RECIPES[self.recipe].run(self.config, folder, resume=resume, say=say)


def find_recipe(name: str) -> tuple[str, str] | None:
    """A recipe and its preset, by either's name: `rcan` is preset `rcan` of recipe `psnr`. None: there is no such."""
    if name in RECIPES:
        return name, RECIPES[name].default
    owners = [recipe for recipe, value in RECIPES.items() if name in value.presets]
    return (owners[0], name) if len(owners) == 1 else None


def configured(
    name: str,
    *,
    preset: str | None = None,
    file: Path | None = None,
    sets: Sequence[str] = (),
    resumed: Path | None = None,
) -> Configured:
    """Find a recipe and configure it.

    Args:
        name: Of a recipe, or of one of the presets.
        preset: Named configuration to start from; the recipe's default when not given.
        file: TOML with settings to change.
        sets: `name=value` texts, applied after the file.
        resumed: A run's folder; its own configuration takes the preset's place.

    Raises:
        UsageError: No such recipe, preset or setting; nothing to resume, or another recipe's training.
    """
    found = find_recipe(name)
    if found is None:
        names = [*RECIPES, *(known for item in RECIPES.values() for known in item.presets)]
        raise UsageError(f"there is no recipe `{name}`", hint=did_you_mean(name, names))
    recipe, default = found
    presets = RECIPES[recipe].presets
    chosen = preset or default
    if chosen not in presets:
        raise UsageError(
            f"recipe `{recipe}` has no preset `{chosen}`", hint=did_you_mean(chosen, list(presets))
        )
    base = presets[chosen]
    if resumed is not None:
        kept = _kept(resumed)
        if not kept:
            raise UsageError(f"{resumed} holds nothing to resume", hint="leave out --resume to start it")
        context = load_checkpoint(kept[-1]).context
        if context.recipe != recipe:
            raise UsageError(f"{resumed} is a `{context.recipe}` training, not `{recipe}`")
        base = from_toml(type(base), context.config)
    return Configured(recipe=recipe, config=configure(base, file=file, sets=sets))


def _kept(folder: Path) -> list[Path]:
    """Checkpoints of a run, of its last stage that has any."""
    stages = dict.fromkeys(("", *(stage for recipe in RECIPES.values() for stage in recipe.stages)))
    return next((found for stage in stages if (found := checkpoints_in(folder / stage))), [])
