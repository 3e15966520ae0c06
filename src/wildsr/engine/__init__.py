"""Run a model over pictures: plan → tiles → backend → guards → rows.  No torch."""

from wildsr.engine.batch import Batch
from wildsr.engine.estimate import Estimate
from wildsr.engine.folder import upscale_folder
from wildsr.engine.outcome import BatchProgress, Outcome
from wildsr.engine.plan import Plan
from wildsr.engine.report import Report
from wildsr.engine.settings import Settings, Size
from wildsr.engine.upscaler import Upscaler, upscale_file
from wildsr.models import FusionRule

__all__ = [
    "Batch",
    "BatchProgress",
    "Estimate",
    "FusionRule",
    "Outcome",
    "Plan",
    "Report",
    "Settings",
    "Size",
    "Upscaler",
    "upscale_file",
    "upscale_folder",
]
