"""Judge methods on a test set: check everything, make the SR pictures, measure them in parallel."""

from collections.abc import Callable, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import replace
from queue import SimpleQueue
from typing import Literal, TypeAlias

from wildsr.errors import InputError, OutputError, UsageError, WildsrError
from wildsr.evaluation.measures import NO_REFERENCE_METRICS, Measures
from wildsr.evaluation.methods import Method, Results, SrPicture
from wildsr.evaluation.pixels import check_sizes
from wildsr.evaluation.protocol import describe
from wildsr.evaluation.results import Evaluation, Row
from wildsr.evaluation.scores import score, try_metrics
from wildsr.evaluation.sets import TestPicture, TestSet
from wildsr.evaluation.store import Store
from wildsr.files import shown
from wildsr.imaging import RESULT_LIMITS, probe
from wildsr.machine import cores
from wildsr.metrics import METRICS

Stage: TypeAlias = Literal["super-resolving", "measuring"]
Watcher: TypeAlias = Callable[[Stage, int, int], None]
"""Called with (stage, pictures done, pictures in total)."""

_MOST_NAMED = 5


def judge(
    test_set: TestSet,
    methods: Sequence[Method],
    measures: Measures,
    *,
    store: Store,
    scale: int | None = None,
    workers: int | None = None,
    watch: Watcher | None = None,
) -> Evaluation:
    """Judge methods on a set.

    Args:
        test_set: The pictures.
        methods: What makes, or has, the SR pictures.
        measures: What is measured.
        store: Where results are kept; a rerun takes them from there.
        scale: Enlargement, for the protocol and for checking sizes before a model runs.
        workers: Pictures measured at once; None takes one a core.
        watch: Called after each picture.

    Returns:
        A row a picture and method. A picture that fails at one of them is named in its row's errors.

    Raises:
        UsageError: A metric that needs ground truth or LR pictures the set doesn't have.
        InputError: Pictures that can't be read or whose sizes don't fit, all named before anything runs.
        MetricError: A metric's parameters can't be had.
    """
    check_needs(test_set, measures)
    _check_pictures(test_set, methods, measures, scale)
    try_metrics(measures.metrics)
    jobs = [(picture, method) for picture in test_set.pictures for method in methods]
    total = len(jobs)
    made: dict[tuple[str, str], SrPicture | WildsrError] = {}
    by_method = sorted(jobs, key=lambda job: methods.index(job[1]))  # one network in memory after another
    for done, (picture, method) in enumerate(by_method):
        if watch is not None and not isinstance(method, Results):
            watch("super-resolving", done, total)
        made[picture.name, method.name] = _make(picture, method)
    rows: dict[tuple[str, str], Row] = {}
    measured = SimpleQueue[
        Future[Row]
    ]()  # unlike `as_completed`, safe where a signal may raise KeyboardInterrupt
    with ThreadPoolExecutor(workers or cores(), thread_name_prefix="wildsr-measure") as pool:
        try:
            for picture, method in jobs:
                one = pool.submit(
                    _row, picture, method.name, made[picture.name, method.name], measures, store
                )
                one.add_done_callback(measured.put)
            for done in range(total):
                row = measured.get().result()
                rows[row.image, row.method] = row
                if watch is not None:
                    watch("measuring", done + 1, total)
        except BaseException:
            pool.shutdown(wait=False, cancel_futures=True)
            raise
    found = Evaluation(
        methods=tuple(method.name for method in methods),
        metrics=measures.metrics,
        rows=tuple(rows[picture.name, method.name] for picture, method in jobs),
        protocol={},
    )
    return replace(found, protocol=describe(test_set, methods, measures, found, scale=scale))


def _make(picture: TestPicture, method: Method) -> SrPicture | WildsrError:
    try:
        return method.make(picture)
    except OutputError:
        raise  # the cache can't be written: no picture will do better
    except WildsrError as error:
        return error


def _row(
    picture: TestPicture, method: str, made: SrPicture | WildsrError, measures: Measures, store: Store
) -> Row:
    if isinstance(made, WildsrError):
        return Row(picture=picture, method=method, sr=None, errors={"picture": str(made)})
    row = Row(picture=picture, method=method, sr=made.path, seconds=made.seconds, notes=made.notes)
    try:
        found = score(
            made.path, picture, measures.metrics, border=measures.crop_border, crop=measures.crop, store=store
        )
    except InputError as error:
        return replace(row, errors={"picture": str(error)})
    return replace(row, values=found.values, errors=found.errors, notes=(*made.notes, *found.notes))


def check_needs(test_set: TestSet, measures: Measures) -> None:
    """Refuse metrics that compare with pictures which the set doesn't have.

    Raises:
        UsageError: Names them.
    """
    for role, what, option in (("hr", "ground truth", "--hr"), ("lr", "LR pictures", "--lr")):
        names = [name for name in measures.metrics if METRICS[name].reference == role]
        if names and any(getattr(picture, role) is None for picture in test_set.pictures):
            raise UsageError(
                f"{', '.join(names)} compare with {what}, which {shown(test_set.name)} doesn't have",
                hint=f"give it with {option}, or choose others: --metrics {','.join(NO_REFERENCE_METRICS)}",
            )


def _check_pictures(
    test_set: TestSet, methods: Sequence[Method], measures: Measures, scale: int | None
) -> None:
    """Read every header; refuse with all that don't fit, before anything runs."""
    problems: list[WildsrError] = []
    for picture in test_set.pictures:
        for method in methods:
            try:
                _check_picture(picture, method, measures, scale)
            except WildsrError as error:
                if str(error) not in {str(one) for one in problems}:
                    problems.append(error)
    if problems:
        more = len(problems) - _MOST_NAMED
        text = "\n".join(str(one) for one in problems[:_MOST_NAMED]) + (
            f"\nand {more} more" if more > 0 else ""
        )
        raise InputError(text, hint=next((one.hint for one in problems if one.hint), None))


def _check_picture(picture: TestPicture, method: Method, measures: Measures, scale: int | None) -> None:
    if isinstance(method, Results):
        header = probe(method.files[picture.name], limits=RESULT_LIMITS)
        size = (header.height, header.width)
    elif picture.lr is not None:
        header = probe(picture.lr)
        size = ((scale or 1) * header.height, (scale or 1) * header.width)
    else:
        return
    if picture.hr is not None:
        truth = probe(picture.hr, limits=RESULT_LIMITS)
        check_sizes(picture.name, size, (truth.height, truth.width), crop=measures.crop)
