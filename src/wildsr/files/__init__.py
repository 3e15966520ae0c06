"""Folders of pictures in, results out: what to work on, where results go, and what is done already."""

from wildsr.files.atomic import AtomicFile, atomic_write
from wildsr.files.digest import sha256_of
from wildsr.files.display import counted, shown
from wildsr.files.journal import JOURNAL_NAME, Journal, Settings, recorded_settings
from wildsr.files.names import Job, OutputPlan, make_folder, plan_outputs, refuse_existing, scale_suffix
from wildsr.files.outcome import Failure, Pending, Summary
from wildsr.files.refusals import output_error
from wildsr.files.targets import check_target, refuse_input
from wildsr.files.temporaries import remove_stale_temporaries
from wildsr.files.walk import Findings, Found, Problem, find_pictures

__all__ = [
    "JOURNAL_NAME",
    "AtomicFile",
    "Failure",
    "Findings",
    "Found",
    "Job",
    "Journal",
    "OutputPlan",
    "Pending",
    "Problem",
    "Settings",
    "Summary",
    "atomic_write",
    "check_target",
    "counted",
    "find_pictures",
    "make_folder",
    "output_error",
    "plan_outputs",
    "recorded_settings",
    "refuse_existing",
    "refuse_input",
    "remove_stale_temporaries",
    "scale_suffix",
    "sha256_of",
    "shown",
]
