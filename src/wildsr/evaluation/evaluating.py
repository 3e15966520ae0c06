"""`evaluate`: resolves results, models, test set and metrics to a plan, and runs it."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from wildsr.assets import cache_dir
from wildsr.engine import Settings
from wildsr.errors import UsageError
from wildsr.evaluation.existing import existing_results, results_for
from wildsr.evaluation.measures import NO_REFERENCE_METRICS, REFERENCE_METRICS, Measures
from wildsr.evaluation.methods import BICUBIC, BicubicEnlargement, Method, Network, method_name
from wildsr.evaluation.results import Evaluation
from wildsr.evaluation.run import Watcher, judge
from wildsr.evaluation.sets import TestSet, find_set, infer_scale
from wildsr.evaluation.store import Store
from wildsr.files import shown
from wildsr.models import CATALOG, Model, holds_model, load_model


@dataclass(frozen=True, kw_only=True)
class EvaluationPlan:
    """What an evaluation will judge, known before anything runs."""

    test_set: TestSet
    """The pictures."""

    methods: tuple[Method, ...]
    """What makes, or has, the SR pictures."""

    measures: Measures
    """What is measured."""

    scale: int | None
    """Enlargement; None for results that exist."""

    store: Store
    """Where results are kept."""

    def run(self, watch: Watcher | None = None) -> Evaluation:
        """Judge the methods; see `evaluate`."""
        return judge(
            self.test_set, self.methods, self.measures, store=self.store, scale=self.scale, watch=watch
        )


def evaluate(
    sr: Sequence[str | Path] = (),
    *,
    hr: str | Path | None = None,
    lr: str | Path | None = None,
    models: Sequence[str] = (),
    test_set: str | Path | None = None,
    metrics: Sequence[str] | None = None,
    crop_border: int = 0,
    crop: bool = False,
    scale: int | None = None,
    settings: Settings | None = None,
    resume: bool = True,
    load: Callable[[str], Model] = load_model,
    watch: Watcher | None = None,
) -> Evaluation:
    """Judge results that exist, or run models on a test set and judge what they make.

    Args:
        sr: Results: folders (each is a method) or files; with `models`, folders judged beside them.
        hr: Ground truth of the results: a folder or a file.
        lr: LR pictures of the results, for metrics that compare with them.
        models: Models to run: catalog names, files, folders of training runs, folders of results, or `bicubic`.
        test_set: Set to run the models on: a name, or a folder.
        metrics: Names of `wildsr.metrics.METRICS`; None takes the usual ones.
        crop_border: Pixels cropped from each side of result and ground truth before measuring.
        crop: Cut result and ground truth to their common size where they differ by a few pixels.
        scale: Enlargement; None takes HR : LR of the set, else 4.
        settings: How models are run; None takes the engine's defaults. A sharpness holds for the models that have
            two ends.
        resume: Take from the cache what an earlier run made.
        load: Loads a model by name; the default fetches weights that are not there.
        watch: Called after each picture.

    Returns:
        A row a picture and method, means with intervals, ranks, and the protocol. A picture that fails is named
        in its row's errors.

    Raises:
        UsageError: Nothing to judge, unknown metrics, or metrics that need pictures which are not given.
        InputError: Pictures that can't be read or don't fit together, all named before anything runs.
        AssetError: Weights or parameters can't be had.

    Examples:
        >>> found = wildsr.evaluate(["results"], hr="originals", metrics=["psnr_y", "ssim_y"])
        >>> 20 < found.means["results"]["psnr_y"].mean < 60
        True
    """
    plan = plan_evaluation(
        sr,
        hr=hr,
        lr=lr,
        models=models,
        test_set=test_set,
        metrics=metrics,
        crop_border=crop_border,
        crop=crop,
        scale=scale,
        settings=settings,
        resume=resume,
        load=load,
    )
    return plan.run(watch)


def plan_evaluation(
    sr: Sequence[str | Path] = (),
    *,
    hr: str | Path | None = None,
    lr: str | Path | None = None,
    models: Sequence[str] = (),
    test_set: str | Path | None = None,
    metrics: Sequence[str] | None = None,
    crop_border: int = 0,
    crop: bool = False,
    scale: int | None = None,
    settings: Settings | None = None,
    resume: bool = True,
    load: Callable[[str], Model] = load_model,
) -> EvaluationPlan:
    """Return what `evaluate` of the same arguments will do; models are loaded, nothing is run.

    Raises:
        UsageError: Nothing to judge, or unknown metrics.
        InputError: Pictures that don't fit together.
        AssetError: Weights can't be had.
    """
    store = Store(cache_dir() / "evaluation", reuse=resume)
    methods: Sequence[Method]
    if models or test_set is not None:
        if not models or test_set is None or hr is not None or lr is not None:
            raise UsageError(
                "models are run on a test set: --models A B --set NAME or FOLDER",
                hint="to judge results that exist: wildsr evaluate SR --hr HR",
            )
        pictures = find_set(test_set, scale=scale or 4)
        scale = scale or infer_scale(pictures)
        names = [*models, *map(str, sr)]
        methods = _methods(names, pictures, settings or Settings(), store, scale=scale, load=load)
    elif sr:
        pictures, methods = existing_results(
            [Path(one) for one in sr], hr=Path(hr) if hr else None, lr=Path(lr) if lr else None
        )
    else:
        raise UsageError(
            "nothing to judge", hint="wildsr evaluate SR --hr HR, or wildsr evaluate --models A B --set NAME"
        )
    default = REFERENCE_METRICS if pictures.has_reference else NO_REFERENCE_METRICS
    measures = Measures(
        metrics=default if metrics is None else tuple(metrics), crop_border=crop_border, crop=crop
    )
    return EvaluationPlan(
        test_set=pictures, methods=tuple(methods), measures=measures, scale=scale, store=store
    )


def _methods(
    names: Sequence[str],
    pictures: TestSet,
    settings: Settings,
    store: Store,
    *,
    scale: int,
    load: Callable[[str], Model],
) -> list[Method]:
    methods: list[Method] = []
    with_dial = 0
    for given in names:
        taken = {method.name for method in methods}
        path = Path(given)
        if given == BICUBIC:
            method_name(given, taken)
            methods.append(BicubicEnlargement(store, scale=scale))
        elif given not in CATALOG and path.is_dir() and not holds_model(path):
            methods.append(results_for(pictures, path))
        else:
            name = method_name(given, taken)
            model = load(given)
            with_dial += model.ends is not None
            own = settings if model.ends is not None else replace(settings, sharpness=None)
            methods.append(Network(name, model, own, store, scale=scale))
    if settings.sharpness is not None and not with_dial:
        raise UsageError(
            f"none of {', '.join(map(shown, names))} has two ends to set a sharpness between",
            hint="leave out the sharpness",
        )
    return methods
