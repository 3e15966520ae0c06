"""Which parts of which pictures are to be made, and which are there already."""

import tempfile
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path

from wildsr.batch.fate import fate, told
from wildsr.batch.manifest import Record
from wildsr.batch.places import Place
from wildsr.batch.planning import Plan
from wildsr.batch.split import PARTS, PartTask, part_name, parts_folder
from wildsr.batch.step import Task, open_upscaler, unfinished
from wildsr.engine import Upscaler
from wildsr.engine.parts import parts_of
from wildsr.engine.plan import Shape
from wildsr.errors import UsageError
from wildsr.files import shown
from wildsr.imaging import probe


@dataclass(frozen=True, kw_only=True)
class SplitPlan:
    """What is left to do."""

    parts: Sequence[PartTask]
    """To make."""

    joins: Sequence[PartTask]
    """To do when all parts are there."""

    there: int
    """Parts that earlier runs made."""

    unusable: Sequence[Record]
    """Pictures that can't be upscaled."""


def plan_split(plan: Plan) -> SplitPlan:
    """Look at each picture's header, and at the parts that are there.

    Raises:
        UsageError: A picture that can't be parted: its enlargement takes several runs of the network.
    """
    work, upscaler = plan.work, open_upscaler(plan.work)
    there = _there(work.output)
    parts: list[PartTask] = []
    joins: list[PartTask] = []
    unusable: list[Record] = []
    for task in plan.tasks:
        try:
            count = _count(plan, task, upscaler)
        except UsageError as error:
            raise UsageError(f"{shown(task.source)}: {error}", hint=error.hint) from error
        except Exception as error:  # broad: whatever a picture or a store does, the others are done
            unusable.append(unfinished(work, task, fate(error), told(error), attempts=1))
            continue
        joins.append(PartTask(picture=task, parts=count))
        parts += [PartTask(picture=task, parts=count, number=number) for number in range(count)]
    left = [
        one for one in parts if part_name(one.picture, work.digest, one.number or 0, one.parts) not in there
    ]
    return SplitPlan(parts=left, joins=joins, there=len(parts) - len(left), unusable=unusable)


def remove_parts(output: Place, records: Iterable[Record]) -> None:
    """Remove the parts of pictures that are done."""
    done = {parts_folder(one.source, one.version, one.settings) for one in records if one.status == "done"}
    for name in _there(output):
        if name.rpartition("/")[0] in done:
            output.remove(name)
    if (folder := output.local) is not None:
        for one in done:
            _remove_empty(folder / one)
        _remove_empty(folder / PARTS)


def _count(plan: Plan, task: Task, upscaler: Upscaler) -> int:
    with tempfile.TemporaryDirectory(prefix="wildsr-batch-") as folder:
        header = probe(plan.work.input.fetch(task.source, Path(folder)))
    shape = Shape(header.height, header.width, header.channels, header.depth)
    return parts_of(upscaler.plan_shape(shape, plan.work.size))


def _there(output: Place) -> set[str]:
    if not output.exists(PARTS):
        return set()
    return {f"{PARTS}/{one.path}" for one in Place(url=f"{output.url}/{PARTS}").stored()}


def _remove_empty(folder: Path) -> None:
    if folder.is_dir() and not any(folder.iterdir()):
        folder.rmdir()
