"""The seed's evidence made again, small: `wildsr reproduce`. Each experiment is one story in one file."""

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import wildsr.experiments.ablation as ablation_experiment
import wildsr.experiments.generic as generic_experiment
import wildsr.experiments.motivation as motivation_experiment
import wildsr.experiments.tracks as tracks_experiment
from wildsr.experiments.asked import Asked


@dataclass(frozen=True, kw_only=True)
class Experiment:
    """What can be reproduced."""

    summary: str
    """In one line."""

    run: Callable[[Asked], Path]
    """Trains, measures, writes; returns the page."""


EXPERIMENTS: dict[str, Experiment] = {
    "motivation": Experiment(summary=motivation_experiment.SUMMARY, run=motivation_experiment.run),
    "generic": Experiment(summary=generic_experiment.SUMMARY, run=generic_experiment.run),
    "ablation": Experiment(summary=ablation_experiment.SUMMARY, run=ablation_experiment.run),
    "tracks": Experiment(summary=tracks_experiment.SUMMARY, run=tracks_experiment.run),
}
"""Name → experiment."""

__all__ = ["EXPERIMENTS", "Asked", "Experiment"]
