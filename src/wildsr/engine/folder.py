"""Folders of pictures in, results out: the one journey behind the command, the service and a cluster job."""

from collections.abc import Callable, Sequence
from dataclasses import replace
from pathlib import Path

from wildsr.engine.batch import Batch, is_single
from wildsr.engine.compare import comparison_path
from wildsr.engine.enhance import open_enhancer
from wildsr.engine.outcome import OnProgress
from wildsr.engine.resume import recorded_choices
from wildsr.engine.settings import Settings, Size
from wildsr.engine.upscaler import Upscaler
from wildsr.errors import UsageError
from wildsr.files import JOURNAL_NAME, Findings, OutputPlan, find_pictures, plan_outputs, scale_suffix
from wildsr.imaging import Limits, WriteOptions
from wildsr.imaging.formats import DEEP_ZOOM
from wildsr.models import COMPACT_MODEL, Model, load_model


def upscale_folder(
    inputs: str | Path | Sequence[str | Path],
    output: str | Path | None = None,
    *,
    model: str | Path | Model | Upscaler | None = None,
    settings: Settings | None = None,
    fuse_with: str | Path | Model | None = None,
    enhance: str | Path | Model | None = None,
    size: Size | None = None,
    options: WriteOptions | None = None,
    limits: Limits | None = None,
    suffix: str | None = None,
    extension: str | None = None,
    recursive: bool = False,
    overwrite: bool = False,
    resume: bool = True,
    compare: bool = False,
    offline: bool | None = None,
    fetching: Callable[[int, int], None] | None = None,
    progress: OnProgress | None = None,
    cancel: Callable[[], bool] | None = None,
) -> Batch:
    """Super-resolve folders of pictures, and go on where an earlier call was interrupted.

    The work is done by iterating over what is returned: an `Outcome` for each picture, bad ones too.
    A journal in the output folder records each step: the same call again goes on from there, and gives the bytes of
    an undisturbed call (same threads and tiles; other settings are refused).

    Args:
        inputs: Pictures, folders and patterns (`scans/*.tif`).
        output: Folder of the results, made when missing, or a file for one picture; None: beside their pictures.
        model: As for `Upscaler`, or one with settings of its own; None takes what an earlier call here took first.
        settings: Everything that changes the pixels.
        fuse_with: A second model for `settings.fusion`.
        enhance: A ×1 model that pictures go through first, DPED's for example.
        size: How large results are; the model's own scale by default.
        options: How results are written.
        limits: What is refused as input.
        suffix: Added to the stem of each name; `_x4`, or what `size` says, by default.
        extension: Format of the results, PNG by default.
        recursive: Enter folders in folders; results mirror the tree.
        overwrite: Replace existing files; what this batch has finished is kept, unless `resume` is False.
        resume: Go on with the journal of an earlier call; False sets it aside and begins anew.
        compare: Write a before/after picture beside each result.
        offline: True never fetches weights; None follows the environment.
        fetching: Called with (bytes done, bytes in all) while weights are fetched.
        progress: Called when a picture begins, and after each tile.
        cancel: Asked between tiles and pictures; once True the iteration ends, and the same call takes up the rest.

    Returns:
        The work, not yet begun; `outputs.jobs` and `estimates()` say what it is. One thread may iterate, once.

    Raises:
        UsageError, InputError: Arguments that contradict each other, no picture; what `Upscaler` raises.

    Examples:
        >>> for outcome in wildsr.upscale_folder("scans", "large", model="realsr-df2k-jpeg"):
        ...     print(outcome.source, outcome.status)
        scans/1.jpg done
        scans/2.jpg done
    """
    findings = _found(inputs, output, recursive=recursive)
    own = _own(model, settings, fuse_with)
    first, wanted = _loaded(model or COMPACT_MODEL, offline, fetching), size or Size()
    ending = _suffix(suffix, wanted, first.spec.scale)
    planned = plan_outputs(findings.pictures, output, suffix=ending, extension=extension)
    outputs = _without_comparisons(planned, made=compare)
    if own is None:
        second = None if fuse_with is None else _loaded(fuse_with, offline, fetching)
        journal = outputs.folder / JOURNAL_NAME if resume and not is_single(findings, outputs) else None
        own = _open_upscaler(first, settings or Settings(), second, journal)
    enhancer = None if enhance is None else open_enhancer(_loaded(enhance, offline, fetching), own.settings)
    return Batch(
        upscaler=own, enhancer=enhancer, findings=findings, outputs=outputs, size=wanted, limits=limits or Limits(),
        options=replace(options or WriteOptions(), overwrite=overwrite),
        compare=compare, resume=resume, progress=progress, cancel=cancel,
    )  # fmt: skip


def _own(
    model: str | Path | Model | Upscaler | None, settings: Settings | None, second: str | Path | Model | None
) -> Upscaler | None:
    """Return the caller's upscaler; it has settings of its own."""
    if not isinstance(model, Upscaler):
        return None
    if settings is not None or second is not None:
        raise UsageError("an Upscaler was given together with settings or fuse_with; it has its own")
    return model


def _found(
    inputs: str | Path | Sequence[str | Path], output: str | Path | None, *, recursive: bool
) -> Findings:
    given = [inputs] if isinstance(inputs, str | Path) else list(inputs)
    exclude = Path(output) if output is not None and "\0" not in str(output) and str(output) else None
    return find_pictures(given, recursive=recursive, exclude=exclude)


def _open_upscaler(
    model: Model, settings: Settings, second: Model | None, journal_path: Path | None
) -> Upscaler:
    """Compile the model; a batch that goes on uses the threads and tiles it began with."""
    threads, pixels = (None, None) if journal_path is None else recorded_choices(journal_path)
    if settings.threads is None:
        settings = replace(settings, threads=threads)
    return Upscaler(
        model, settings, fuse_with=second, tile_pixels=pixels if settings.max_memory is None else None
    )


def _loaded(
    model: str | Path | Model | Upscaler, offline: bool | None, fetching: Callable[[int, int], None] | None
) -> Model:
    if isinstance(model, Upscaler):
        return model.model
    return model if isinstance(model, Model) else load_model(model, offline=offline, progress=fetching)


def _suffix(suffix: str | None, size: Size, model_scale: int) -> str:
    if suffix is not None:
        return suffix
    if size.width is not None:
        return f"_w{size.width}"
    if size.max_side is not None:
        return f"_max{size.max_side}"
    return scale_suffix(size.scale if size.scale is not None else model_scale)


def _without_comparisons(outputs: OutputPlan, *, made: bool) -> OutputPlan:
    """Leave out the before/after pictures an earlier run put beside results, as a second run finds them.

    Raises:
        UsageError: Such are to be made, of results that aren't read.
    """
    if made and any(job.target.suffix.lower() == f".{DEEP_ZOOM.name}" for job in outputs.jobs):
        raise UsageError(
            "--compare looks into the result, and Deep Zoom's tiles are not read",
            hint="leave out --compare, or write another format",
        )
    paths = {comparison_path(job.target) for job in outputs.jobs}
    earlier = [job.source for job in outputs.jobs if job.source in paths]
    return replace(
        outputs,
        jobs=tuple(job for job in outputs.jobs if job.source not in paths),
        earlier_results=(*outputs.earlier_results, *earlier),
    )
