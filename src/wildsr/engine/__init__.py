"""Run a model over pictures: plan → tiles → backend → guards → rows.  No torch."""

from wildsr.engine.compose import FusionRule
from wildsr.engine.plan import Plan
from wildsr.engine.report import Report
from wildsr.engine.settings import Settings, Size
from wildsr.engine.upscaler import Upscaler, upscale_file

__all__ = ["FusionRule", "Plan", "Report", "Settings", "Size", "Upscaler", "upscale_file"]
