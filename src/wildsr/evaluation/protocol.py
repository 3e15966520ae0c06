"""The protocol of an evaluation: settings, versions and hardware, written with its numbers."""

import datetime
import platform
from collections.abc import Sequence
from importlib import metadata

from wildsr.evaluation.measures import Measures
from wildsr.evaluation.methods import Method
from wildsr.evaluation.results import Evaluation, Json
from wildsr.evaluation.sets import TestSet
from wildsr.machine import cores, processor
from wildsr.metrics import METRICS
from wildsr.version import __version__


def describe(
    test_set: TestSet,
    methods: Sequence[Method],
    measures: Measures,
    found: Evaluation,
    *,
    scale: int | None,
) -> dict[str, Json]:
    """Return the protocol of an evaluation, with what must be said about its numbers."""
    referenced = test_set.has_reference and any(METRICS[name].reference == "hr" for name in measures.metrics)
    return {
        "set": test_set.name,
        "pictures": len(test_set.pictures),
        "reference": "HR pictures" if referenced else None,
        "scale": scale,
        "crop_border": measures.crop_border,
        "crop_to_common_size": measures.crop,
        "pixels": "as encoded, R'G'B', 8 bits (16 where the file has them); results of models are rounded to "
        "the depth of their input; gray as three equal channels, transparency not judged",
        "metrics": {
            name: {
                "protocol": METRICS[name].protocol,
                "family": METRICS[name].family,
                "better": METRICS[name].direction,
                "compares_with": METRICS[name].reference,
            }
            for name in measures.metrics
        },
        "methods": {method.name: dict(method.facts()) for method in methods},
        "mean": "arithmetic mean over pictures; infinite values and pictures that lack a value are left out, "
        "and noted",
        "ranks": "per picture and metric over the methods, ties share the mean of their ranks; means over "
        "pictures; iqa_rank is the mean over all metrics asked for",
        "confidence_95": _intervals(found),
        "notes": list[Json](found.notes),
        "errors": list[Json](found.failures),
        "versions": {
            "wildsr": __version__,
            "python": platform.python_version(),
            **{name: metadata.version(name) for name in ("numpy", "openvino")},
        },
        "hardware": {"processor": processor(), "cores": cores()},
        "date": datetime.datetime.now(tz=datetime.UTC).date().isoformat(),
    }


def _intervals(found: Evaluation) -> Json:
    """Bootstrap intervals of the means: method → metric → [low, high]."""
    return {
        method: {name: None if one is None else [one.low, one.high] for name, one in row.items()}
        for method, row in found.means.items()
    }
