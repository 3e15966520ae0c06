"""One run: its folder, its devices, what it resumes from, and where its messages go."""

import json
import sys
from collections.abc import Callable, Mapping
from contextlib import ExitStack
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Self, TypeAlias

import torch

from wildsr.errors import TrainingError, UsageError
from wildsr.files import counted, make_folder, shown
from wildsr.training.checkpoint import Checkpoint, RunContext, checkpoints_in, load_checkpoint
from wildsr.training.config import differences
from wildsr.training.hardware import chosen_device, chosen_precision, chosen_processes, device_name
from wildsr.training.settings import RunSettings

if TYPE_CHECKING:
    from lightning_fabric import Fabric
    from torch.utils.tensorboard import SummaryWriter

Say: TypeAlias = Callable[[str], None]
Point: TypeAlias = dict[str, float]


def say_on_stderr(line: str) -> None:
    """Print a message where it doesn't mix with data."""
    print(line, file=sys.stderr, flush=True)


def silent(_line: str) -> None:
    """Say nothing, in all processes but the first."""


@dataclass(kw_only=True)
class Session:
    """What stays the same during a run (and the curves, which grow)."""

    fabric: "Fabric"
    """Device, precision, processes."""

    folder: Path
    """The run's folder."""

    settings: RunSettings
    """How long, on what."""

    context: RunContext
    """What a resumed run must agree with."""

    resumed: Checkpoint | None = None
    """Where the run goes on from."""

    say: Say = say_on_stderr
    """Takes messages."""

    curves: list[Point] = field(default_factory=list)
    """Points of all curves so far, each with its `step`."""

    writer: "SummaryWriter | None" = None
    """TensorBoard, in the first process."""

    resources: ExitStack = field(default_factory=ExitStack)
    """What is closed with the session: loops, TensorBoard."""

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.resources.close()

    @property
    def leads(self) -> bool:
        """Whether this is the process that writes and talks."""
        return self.fabric.is_global_zero

    def tell(self, line: str) -> None:
        """Say a line, once for all processes."""
        if self.leads:
            self.say(line)

    def mean(self, values: Mapping[str, float]) -> dict[str, float]:
        """Mean over all processes, so that all decide alike."""
        if self.fabric.world_size == 1:
            return dict(values)
        packed = torch.tensor(list(values.values()), dtype=torch.float64, device=self.fabric.device)
        reduced = self.fabric.all_reduce(packed, reduce_op="mean")
        assert isinstance(reduced, torch.Tensor)
        return dict(zip(values, reduced.tolist(), strict=True))

    def record(self, point: Point) -> None:
        """Add a point to the curves: in memory, `curves.jsonl` and TensorBoard."""
        self.curves.append(point)
        if not self.leads:
            return
        with (self.folder / "curves.jsonl").open("a", encoding="utf-8") as file:
            file.write(json.dumps(point) + "\n")
        if self.writer is not None:
            for name, value in point.items():
                if name != "step":
                    self.writer.add_scalar(name, value, int(point["step"]))


def open_fabric(settings: RunSettings) -> "Fabric":
    """Device, precision and processes; `launch` of the result runs a function in each process.

    On the CPU several processes talk over gloo, whether started here or by torchrun, on one machine or several.
    Several GPUs take the same code, untested for want of them.

    Raises:
        UsageError: As `chosen_processes`.
    """
    device, processes = chosen_device(settings), chosen_processes(settings)
    from lightning_fabric import Fabric  # seconds, which a list of recipes and its settings need not wait
    from lightning_fabric.strategies.ddp import DDPStrategy

    return Fabric(
        accelerator=device,
        devices=processes.devices,
        num_nodes=processes.machines,
        precision=chosen_precision(settings, device),
        # buffers stay each process's own: a discriminator is run twice before its gradients are taken
        strategy=DDPStrategy(
            start_method="popen" if processes.started else "spawn", broadcast_buffers=False
        )  # "popen" starts none where torchrun has
        if processes.devices * processes.machines > 1
        else "auto",
    )


def open_session(
    fabric: "Fabric",
    *,
    folder: Path,
    recipe: str,
    config: str,
    data: str,
    settings: RunSettings,
    resume: bool,
    say: Say,
) -> Session:
    """Make or open the run's folder, and enforce what a resumed run must keep.

    Raises:
        UsageError: The folder holds a run and `resume` is off, or another configuration; all differences are listed.
        TrainingError: Other photos, other processes, or nothing to resume.
    """
    make_folder(folder)
    existing = checkpoints_in(folder)
    if existing and not resume:
        raise UsageError(
            f"{shown(folder)} holds a training already ({existing[-1].stem})",
            hint="--resume goes on with it; or choose another folder with -o",
        )
    resumed = load_checkpoint(existing[-1]) if existing else None
    threads = resumed.context.threads if resumed else settings.threads or torch.get_num_threads()
    torch.set_num_threads(threads)
    torch.manual_seed(settings.seed + fabric.global_rank)
    context = RunContext(
        recipe=recipe,
        config=config,
        data=data,
        threads=threads,
        processes=fabric.world_size,
        precision=str(fabric._precision.precision),
        torch_version=torch.__version__,
    )
    session = Session(
        fabric=fabric, folder=folder, settings=settings, context=context, resumed=resumed, say=say
    )
    if resumed:
        _check_same(resumed.context, context, session)
    _open_curves(session)
    session.tell(
        f"training on {device_name()}: {fabric.device.type}, {context.precision}, {counted(threads, 'thread')}, "
        f"{counted(fabric.world_size, 'process')}"
    )
    return session


def _check_same(before: RunContext, now: RunContext, session: Session) -> None:
    if before.recipe != now.recipe:
        raise UsageError(f"{session.folder} is a `{before.recipe}` training, not `{now.recipe}`")
    changed = differences(before.config, now.config)
    if changed:
        listed = "\n  ".join(changed)
        raise UsageError(
            f"{session.folder} was started with another configuration:\n  {listed}",
            hint="resume without these options, or start anew in another folder (-o)",
        )
    photos, _, degradation = before.data.partition(" ")
    if (photos, degradation) != now.data.partition(" ")[::2] and photos == now.data.partition(" ")[0]:
        raise TrainingError(
            "the degradation is not the one the training was started with: the profile's content, or wildsr's "
            "preset, has changed",
            hint="put the profile back as it was, or start anew in another folder (-o)",
        )
    if before.data != now.data:
        raise TrainingError(
            "the photos are not those the training was started with: names or sizes differ",
            hint="put the folder back as it was, or start anew in another folder (-o)",
        )
    for name in ("processes", "precision"):
        then, today = getattr(before, name), getattr(now, name)
        if then != today:
            raise TrainingError(f"the training was started with {name} {then}, this machine gives {today}")
    if before.torch_version != now.torch_version:
        session.tell(
            f"note: started with torch {before.torch_version}, now {now.torch_version}: the last bits may differ"
        )


def _open_curves(session: Session) -> None:
    """Take up the curves up to the checkpoint; later points belong to steps that will be done again."""
    path = session.folder / "curves.jsonl"
    step = session.resumed.step if session.resumed else 0
    if path.exists():
        for line in path.read_text(encoding="utf-8").splitlines():
            try:
                point = json.loads(line)
            except json.JSONDecodeError:  # half a line: killed while writing
                continue
            if point["step"] <= step:
                session.curves.append(point)
        if session.leads:
            path.write_text("".join(json.dumps(point) + "\n" for point in session.curves), encoding="utf-8")
    if session.leads:
        session.writer = _tensorboard(session.folder / "tensorboard", step)
        if session.writer is not None:
            session.resources.callback(session.writer.close)


def _tensorboard(folder: Path, step: int) -> "SummaryWriter | None":
    try:
        from torch.utils.tensorboard import SummaryWriter
    except ImportError:
        return None
    return SummaryWriter(str(folder), purge_step=step)
