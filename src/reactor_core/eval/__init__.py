"""Evaluation: verdicts on actions, how sure a number is, and promotion that refuses without evidence."""

from reactor_core.eval.promotion import Promotion, decide
from reactor_core.eval.report import verdict_summary
from reactor_core.eval.statistics import bootstrap_interval, mcnemar_exact
from reactor_core.eval.verdicts import LABELS, VerdictReport, evaluate_verdicts, verdict_messages

__all__ = [
    "LABELS",
    "Promotion",
    "VerdictReport",
    "bootstrap_interval",
    "decide",
    "evaluate_verdicts",
    "mcnemar_exact",
    "verdict_messages",
    "verdict_summary",
]
