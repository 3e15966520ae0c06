"""Methods × test sets → rows → report: numbers to quote, with their protocol and pictures.  No torch."""

from wildsr.evaluation.blind import (
    BlindScore,
    BlindTest,
    blind_json,
    blind_test,
    check_two,
    key_path,
    score_blind,
)
from wildsr.evaluation.evaluating import EvaluationPlan, evaluate, plan_evaluation
from wildsr.evaluation.existing import existing_results, results_for
from wildsr.evaluation.measures import NO_REFERENCE_METRICS, REFERENCE_METRICS, Measures
from wildsr.evaluation.methods import (
    BICUBIC,
    BicubicEnlargement,
    Method,
    Network,
    Results,
    SrPicture,
    method_name,
)
from wildsr.evaluation.page import html_report
from wildsr.evaluation.results import Evaluation, Row
from wildsr.evaluation.run import judge
from wildsr.evaluation.sets import TestPicture, TestSet, find_set, infer_scale, read_set
from wildsr.evaluation.store import Store
from wildsr.evaluation.tables import json_text, to_csv, to_json, to_markdown, write_text
from wildsr.metrics.intervals import Interval

__all__ = [
    "BICUBIC",
    "NO_REFERENCE_METRICS",
    "REFERENCE_METRICS",
    "BicubicEnlargement",
    "BlindScore",
    "BlindTest",
    "Evaluation",
    "EvaluationPlan",
    "Interval",
    "Measures",
    "Method",
    "Network",
    "Results",
    "Row",
    "SrPicture",
    "Store",
    "TestPicture",
    "TestSet",
    "blind_json",
    "blind_test",
    "check_two",
    "evaluate",
    "existing_results",
    "find_set",
    "html_report",
    "infer_scale",
    "json_text",
    "judge",
    "key_path",
    "method_name",
    "plan_evaluation",
    "read_set",
    "results_for",
    "score_blind",
    "to_csv",
    "to_json",
    "to_markdown",
    "write_text",
]
