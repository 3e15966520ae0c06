"""Many pictures on many machines: stores by URL, workers by Ray, a manifest in Parquet.  No torch."""

from wildsr.batch.cost import Cost, cost_of
from wildsr.batch.manifest import MANIFEST, Record, read_all
from wildsr.batch.places import Place, place_of
from wildsr.batch.planning import Plan, plan_batch
from wildsr.batch.run import upscale_batch
from wildsr.batch.split_planning import SplitPlan, plan_split
from wildsr.batch.split_run import split_batch
from wildsr.batch.step import Task, Work, Worker

__all__ = [
    "MANIFEST",
    "Cost",
    "Place",
    "Plan",
    "Record",
    "SplitPlan",
    "Task",
    "Work",
    "Worker",
    "cost_of",
    "place_of",
    "plan_batch",
    "plan_split",
    "read_all",
    "split_batch",
    "upscale_batch",
]
