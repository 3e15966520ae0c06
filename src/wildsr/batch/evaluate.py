"""Results measured on many workers; a picture with its ground truth is what a worker measures at a time."""

import json
import math
import tempfile
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Final

from wildsr.batch.comparisons import Comparison, matched, name_of
from wildsr.batch.fate import fate, told
from wildsr.batch.listing import kept_of
from wildsr.batch.manifest import Record, Status, read_of
from wildsr.batch.places import Place, place_of
from wildsr.errors import ModelError
from wildsr.evaluation import (
    NO_REFERENCE_METRICS,
    REFERENCE_METRICS,
    Evaluation,
    Measures,
    Results,
    Row,
    Store,
    TestPicture,
    TestSet,
)
from wildsr.evaluation.protocol import describe
from wildsr.evaluation.run import check_needs
from wildsr.evaluation.scores import measured_by, score, try_metrics
from wildsr.evaluation.store import Setting, key_of
from wildsr.imaging import RESULT_LIMITS, probe
from wildsr.machine import cores

_SIDES: Final = ("sr", "hr", "lr")
_VERB: Final = "evaluate"


@dataclass(frozen=True, kw_only=True)
class EvaluateWork:
    """What all measurements of a run have in common."""

    input: Place
    output: Place
    hr: Place | None
    lr: Place | None
    measures: Measures
    digest: str
    """Of all that decides a value; a worker that would measure otherwise refuses."""

    def worker(self) -> "Measurer":
        """Open a worker."""
        return Measurer(self)

    def unfinished(self, task: Comparison, status: Status, reason: str, *, attempts: int) -> list[Record]:
        """Return the record of a result without measures."""
        record = Record(
            source=task.source,
            version=task.version,
            target="",
            status=status,
            settings=self.digest,
            model="",
            attempts=attempts,
            reason=reason,
        )
        return [record]


@dataclass(frozen=True, kw_only=True)
class EvaluatePlan:
    """What is left to measure, and how."""

    work: EvaluateWork
    tasks: Sequence[Comparison]
    kept: Mapping[str, Record]
    """Of earlier runs, by source."""

    every: Sequence[Comparison]
    """Of the whole table, in the order of its rows."""

    test_set: TestSet
    method: str
    """The results' folder."""

    workers: int


def plan_evaluate(
    input: str,  # noqa: A002
    output: str,
    *,
    hr: str | None = None,
    lr: str | None = None,
    metrics: Sequence[str] | None = None,
    crop_border: int = 0,
    crop: bool = False,
    retry: bool = False,
    workers: int | None = None,
) -> EvaluatePlan:
    """Match results with ground truth by name, as `wildsr evaluate` does, and leave out what is measured.

    Args:
        input: URL of a folder of results, which are those of one method.
        output: URL of a folder for the manifest.
        hr: URL of the folder of ground truth.
        lr: URL of the folder of LR pictures, for metrics that compare with them.
        metrics: Names of `wildsr.metrics.METRICS`; None takes the usual ones.
        crop_border: Pixels cropped from each side of result and ground truth before measuring.
        crop: Cut result and ground truth to their common size where they differ by a few pixels.
        retry: Measure again what could not be measured.
        workers: Processes; by default one a core.

    Raises:
        InputError: No such folder, or pictures without counterparts.
        UsageError: Unknown metrics, or metrics that need pictures which are not given.
        WildsrError: A metric's parameters can't be had.
    """
    target = place_of(output)
    usual = NO_REFERENCE_METRICS if hr is None else REFERENCE_METRICS
    measures = Measures(
        metrics=usual if metrics is None else tuple(metrics), crop_border=crop_border, crop=crop
    )
    places = [None if one is None else place_of(one) for one in (input, hr, lr)]
    every, test_set = matched(places, target)
    check_needs(test_set, measures)
    try_metrics(measures.metrics)
    work = EvaluateWork(
        input=place_of(input), output=target, hr=places[1], lr=places[2], measures=measures,
        digest=_digest(measures),
    )  # fmt: skip
    earlier = read_of(target, _VERB)
    kept = kept_of(every, earlier, work.digest, retry=retry)
    return EvaluatePlan(
        work=work,
        tasks=[one for one in every if one.source not in kept],
        kept=kept,
        every=every,
        test_set=test_set,
        method=name_of(places[0]),
        workers=workers or cores(),
    )


class Measurer:
    """Keeps the metrics' networks.

    Args:
        work: Of the run.

    Raises:
        ModelError: This machine would measure otherwise (other versions of wildsr or of libraries).
    """

    def __init__(self, work: EvaluateWork) -> None:
        if _digest(work.measures) != work.digest:
            raise ModelError(
                "a worker has another version of wildsr, or of libraries that pixels pass through, than the machine "
                "that planned",
                hint="give all machines the same",
            )
        self._work = work

    def records(self, task: Comparison, *, attempts: int) -> list[Record]:
        """Measure one result; never raises, whatever a picture or a store does."""
        begun = time.monotonic()
        (record,) = self._work.unfinished(task, "done", "", attempts=attempts)
        try:
            record = self._measured(task, record)
        except Exception as error:  # broad: one picture's fault must not cost the run
            record = replace(record, status=fate(error), reason=told(error))
        return [replace(record, seconds=round(time.monotonic() - begun, 4))]

    def _measured(self, task: Comparison, record: Record) -> Record:
        work = self._work
        with tempfile.TemporaryDirectory(prefix="wildsr-batch-") as name:
            files: dict[str, Path | None] = {}
            for side, place, path in zip(
                _SIDES, (work.input, work.hr, work.lr), (task.source, task.hr, task.lr), strict=True
            ):
                (Path(name) / side).mkdir()
                files[side] = place.fetch(path, Path(name) / side) if place is not None and path else None
            sr = files["sr"]
            assert sr is not None
            found = score(
                sr,
                TestPicture(name=task.name, hr=files["hr"], lr=files["lr"]),
                work.measures.metrics,
                border=work.measures.crop_border,
                crop=work.measures.crop,
                store=Store(Path(name) / "scores"),
            )
            header = probe(sr, limits=RESULT_LIMITS)
        values = {metric: "inf" if value == math.inf else value for metric, value in found.values.items()}
        facts = {"values": values, "errors": dict(found.errors), "notes": list(found.notes)}
        return replace(
            record,
            status="quarantined" if found.errors else "done",
            reason="; ".join(found.errors.values()),
            width=header.width,
            height=header.height,
            found=json.dumps(facts, allow_nan=False),
        )


def evaluation_of(plan: EvaluatePlan, records: Sequence[Record]) -> Evaluation:
    """Return what `wildsr evaluate` of the same pictures gives, from the records of a run.

    Args:
        plan: Of the run.
        records: What it gave.
    """
    by_source = {one.source: one for one in records}
    pictures = {one.name: one for one in plan.test_set.pictures}
    rows = tuple(_row(pictures[one.name], plan.method, by_source[one.source]) for one in plan.every)
    measures = plan.work.measures
    found = Evaluation(methods=(plan.method,), metrics=measures.metrics, rows=rows, protocol={})
    method = Results(plan.method, {})
    return replace(found, protocol=describe(plan.test_set, [method], measures, found, scale=None))


def _row(picture: TestPicture, method: str, record: Record) -> Row:
    if not record.found:
        return Row(picture=picture, method=method, sr=None, errors={"picture": record.reason})
    facts = json.loads(record.found)
    return Row(
        picture=picture,
        method=method,
        sr=None,
        values={metric: float(value) for metric, value in facts["values"].items()},
        errors=facts["errors"],
        notes=tuple(facts["notes"]),
    )


def _digest(measures: Measures) -> str:
    asked: dict[str, Setting] = {
        "metrics": ",".join(measures.metrics),
        "border": measures.crop_border,
        "crop": measures.crop,
    }
    return f"{_VERB}-{key_of({**asked, **measured_by()})[:16]}"
