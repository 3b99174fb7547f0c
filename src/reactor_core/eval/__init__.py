"""Evaluation: what a model is worth, how sure that is, and promotion that refuses without evidence."""

from reactor_core.eval.contamination import Overlap, find_overlaps
from reactor_core.eval.duels import Duel, WinReport, choice_judge, evaluate_duels
from reactor_core.eval.measurement import Measurement, Metric
from reactor_core.eval.paired import PairedTest, paired_test
from reactor_core.eval.perplexity import PerplexityReport, evaluate_perplexity
from reactor_core.eval.preference import PreferenceReport, evaluate_preferences
from reactor_core.eval.promotion import Comparison, Promotion, compare, compare_duels, decide
from reactor_core.eval.report import verdict_summary
from reactor_core.eval.statistics import Interval, bootstrap_interval, mcnemar_exact
from reactor_core.eval.verdicts import LABELS, VerdictReport, evaluate_verdicts, verdict_messages

__all__ = [
    "LABELS",
    "Comparison",
    "Duel",
    "Interval",
    "Measurement",
    "Metric",
    "Overlap",
    "PairedTest",
    "PerplexityReport",
    "PreferenceReport",
    "Promotion",
    "VerdictReport",
    "WinReport",
    "bootstrap_interval",
    "choice_judge",
    "compare",
    "compare_duels",
    "decide",
    "evaluate_duels",
    "evaluate_perplexity",
    "evaluate_preferences",
    "evaluate_verdicts",
    "find_overlaps",
    "mcnemar_exact",
    "paired_test",
    "verdict_messages",
    "verdict_summary",
]
