"""Checkpoints: safetensors files that hold all a training needs to go on exactly where it was. Nothing is pickled."""

import json
import re
from dataclasses import asdict, dataclass
from pathlib import Path

from safetensors import SafetensorError, safe_open
from safetensors.torch import save_file
from torch import Tensor

from wildsr.errors import OutputError, TrainingError
from wildsr.files import atomic_write, make_folder, output_error, remove_stale_temporaries, shown
from wildsr.training.health import Health
from wildsr.training.state import State, tensors_of

_KEY = "wildsr-training"
_NAME = re.compile(r"step-(\d{8})\.safetensors")


@dataclass(frozen=True, kw_only=True)
class RunContext:
    """What must be the same when a training goes on."""

    recipe: str
    """Name of the recipe."""

    config: str
    """The whole configuration, as TOML."""

    data: str
    """Fingerprint of the photos: sample i is only the same over the same photos."""

    threads: int
    """CPU threads: sums are grouped by them, so results depend on them in the last bit."""

    processes: int
    """Data-parallel processes."""

    precision: str
    """In lightning-fabric's words."""

    torch_version: str
    """Version of torch; another one may round otherwise."""


@dataclass(frozen=True, kw_only=True)
class Checkpoint:
    """What a file held."""

    path: Path
    context: RunContext
    step: int
    total: int | None
    seconds: float
    cpu_seconds: float
    health: Health
    tensors: dict[str, Tensor]


def folder_of(run: Path) -> Path:
    """Where a run keeps its checkpoints."""
    return run / "checkpoints"


def save_checkpoint(run: Path, state: State, context: RunContext, *, keep: int) -> Path:
    """Write the state, then drop all but the newest `keep` checkpoints; an older one is never lost to a failed write.

    Raises:
        OutputError: Full disk, missing permission.
    """
    folder = folder_of(run)
    make_folder(folder)
    remove_stale_temporaries(folder)
    path = folder / f"step-{state.step:08d}.safetensors"
    description = {
        "context": asdict(context),
        "step": state.step,
        "total": state.total,
        "seconds": state.seconds,
        "cpu_seconds": state.cpu_seconds,
        "health": asdict(state.health),
    }
    with atomic_write(path) as temporary:
        try:
            save_file(tensors_of(state), temporary, metadata={_KEY: json.dumps(description)})
        except SafetensorError as error:  # wraps the system's error in text
            number = re.search(r"os error (\d+)", str(error))
            raise output_error(OSError(int(number[1]) if number else 0, str(error)), path) from error
    for old in checkpoints_in(run)[:-keep]:
        try:
            old.unlink()
        except OSError as error:
            raise OutputError(f"can't remove the old checkpoint {old}: {error.strerror}") from error
    return path


def checkpoints_in(run: Path) -> list[Path]:
    """Checkpoints of a run, oldest first."""
    folder = folder_of(run)
    return sorted(path for path in folder.glob("step-*.safetensors") if _NAME.fullmatch(path.name))


def load_checkpoint(path: Path) -> Checkpoint:
    """Read a checkpoint.

    Raises:
        TrainingError: Not a checkpoint, or a damaged one.
    """
    try:
        with safe_open(path, framework="pt") as file:
            description = json.loads((file.metadata() or {})[_KEY])
            tensors = {key: file.get_tensor(key) for key in file.keys()}  # noqa: SIM118 -- not a mapping
        return Checkpoint(
            path=path,
            context=RunContext(**description["context"]),
            step=int(description["step"]),
            total=None if description["total"] is None else int(description["total"]),
            seconds=float(description["seconds"]),
            cpu_seconds=float(description.get("cpu_seconds", 0.0)),
            health=Health(**description["health"]),
            tensors=tensors,
        )
    except (SafetensorError, KeyError, TypeError, ValueError, OSError) as error:
        raise TrainingError(
            f"{shown(path)} can't be read as a checkpoint: {error}",
            hint="remove it, and the one before it is used",
        ) from error
