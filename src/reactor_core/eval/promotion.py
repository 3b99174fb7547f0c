"""Whether a candidate has earned its place: paired tests on the same rows, never a bare score."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np

from reactor_core.errors import PromotionRefused
from reactor_core.eval.duels import WinReport
from reactor_core.eval.measurement import Measurement, Metric
from reactor_core.eval.paired import POWER, PairedTest, paired_test
from reactor_core.eval.verdicts import ACCURACY, VerdictReport

__all__ = ["ALPHA", "Comparison", "NotBetter", "Promotion", "compare", "compare_duels", "decide"]

ALPHA = 0.05
"""Significance level of each comparison.

Every comparison must pass, so that there are several of them makes a wrong promotion less likely, not more
(intersection-union test, Berger 1982), and nothing is corrected for their number. Trying candidate after candidate on
the same rows is another matter: sooner or later one passes by chance. Keep rows for the last one."""


@dataclass(frozen=True, slots=True)
class Comparison:
    """A candidate beside one baseline on the same rows.

    Attributes:
        baseline: Name of the baseline, such as "untuned", "majority" or "current".
        metric: What is compared.
        candidate: The candidate's value.
        opponent: The baseline's value.
        test: The paired test; its gain is above 0 where the candidate is better, whichever direction the metric has.
    """

    baseline: str
    metric: Metric
    candidate: float
    opponent: float
    test: PairedTest

    @property
    def better(self) -> bool:
        """Whether the candidate is better, and significantly so."""
        return self.test.significant

    def sentence(self) -> str:
        """The comparison in words, for messages and pages."""
        test = self.test
        units = "rows" if test.clusters == test.rows else "prompts"
        return (
            f"{self.metric.name} {self.candidate:.3f} against {self.opponent:.3f} ({self.baseline}), {test.name} "
            f"p = {test.p_value:.3g} with {test.gained} {units} gained and {test.lost} lost"
        )

    def power_note(self) -> str:
        """How large a gain these rows can show, and how many rows the measured one would need."""
        test = self.test
        if test.detectable is None:
            return "rows of one prompt show nothing; give rows of several prompts"
        note = f"these {test.rows} rows show a gain of {test.detectable:.3g} in {POWER:.0%} of the cases"
        if test.rows_needed is None:
            return f"{note}, and nothing was gained"
        return f"{note}; the gain of {test.gain.mean:.3g} that was measured would need about {test.rows_needed} rows"

    def as_dict(self) -> dict[str, Any]:
        """Plain data for JSON."""
        return {
            "baseline": self.baseline,
            "metric": self.metric.name,
            "candidate": self.candidate,
            "opponent": self.opponent,
            "better": self.better,
            **self.test.as_dict(),
        }


@dataclass(frozen=True, slots=True)
class Promotion:
    """A candidate that passed every comparison.

    Attributes:
        rows: How many rows were compared.
        comparisons: One per baseline, each of them better.

    Raises:
        PromotionRefused: A comparison is not better, or there is none; the error (a :class:`NotBetter`) carries them.
    """

    rows: int
    comparisons: tuple[Comparison, ...]

    def __post_init__(self) -> None:
        # Checked here and nowhere else, so that no promotion can exist without its evidence.
        if not self.comparisons or not all(c.better for c in self.comparisons):
            raise NotBetter(self.comparisons)

    def as_dict(self) -> dict[str, Any]:
        """Plain data for JSON."""
        return {"rows": self.rows, "comparisons": [c.as_dict() for c in self.comparisons]}


class NotBetter(PromotionRefused):
    """The candidate is not significantly better than every baseline.

    Args:
        comparisons: All comparisons that were made, passed and failed.
    """

    def __init__(self, comparisons: tuple[Comparison, ...]) -> None:
        failed = [c for c in comparisons if not c.better]
        what = "; ".join(c.sentence() for c in failed) or "nothing was compared"
        notes = "".join(f"; against {c.baseline} {c.power_note()}" for c in failed)
        super().__init__(
            f"the candidate is not significantly better: {what}",
            remedy=f"train on more rows or for longer, or evaluate on more rows; nothing was registered{notes}",
        )
        self.comparisons = comparisons


def compare(
    candidate: Measurement, opponent: Measurement, *, baseline: str, alpha: float = ALPHA, seed: int = 0
) -> Comparison:
    """Compare two measurements of one metric on the same rows.

    Args:
        candidate: The candidate's.
        opponent: The baseline's.
        baseline: Its name.
        alpha: Significance level.
        seed: Of the test and of its interval.

    Raises:
        ValueError: The two are of another metric, of other rows, or count the rows otherwise (another tokenizer).
    """
    if candidate.metric != opponent.metric:
        raise ValueError(f"{candidate.metric.name} of the candidate cannot be compared with {opponent.metric.name}")
    if candidate.rows_hash != opponent.rows_hash or candidate.clusters != opponent.clusters:
        raise ValueError(f"the measurement of {baseline} is about other rows than the candidate's")
    if not np.array_equal(candidate.weights, opponent.weights):
        raise ValueError(f"{baseline} counts other tokens than the candidate: compare bits per byte instead")
    direction = 1.0 if candidate.metric.higher_is_better else -1.0
    gains = direction * (candidate.values - opponent.values)
    test = paired_test(gains, candidate.weights, clusters=candidate.clusters, alpha=alpha, seed=seed)
    return Comparison(baseline, candidate.metric, candidate.estimate.mean, opponent.estimate.mean, test)


def compare_duels(report: WinReport, *, baseline: str, alpha: float = ALPHA, seed: int = 0) -> Comparison:
    """Compare a candidate with the opponent of its duels: the sign test of wins against losses.

    Args:
        report: Of the candidate's duels.
        baseline: Name of the opponent.
        alpha: Significance level.
        seed: Of the test and of its interval.
    """
    score = report.score
    test = paired_test(score.values - 0.5, score.weights, clusters=score.clusters, alpha=alpha, seed=seed)
    return Comparison(baseline, score.metric, score.estimate.mean, 1 - score.estimate.mean, test)


def decide(
    candidate: VerdictReport, untuned: VerdictReport, others: Mapping[str, VerdictReport] | None = None
) -> Promotion:
    """Compare a candidate's verdicts with the untuned model's, the majority class and any other that must be beaten.

    Where no two rows share a template the test is McNemar's exact one.

    Args:
        candidate: Report of the fine-tuned model.
        untuned: Report of the base model on the same rows.
        others: Name -> report of further models, such as the adapter now in use.

    Raises:
        PromotionRefused: The candidate is not better than each of them with p < ALPHA; the error (a
            :class:`NotBetter`) carries the comparisons.
        ValueError: The reports are about different rows.
    """
    mine = candidate.measurement()
    majority = Measurement.of(ACCURACY, candidate.majority_correct, rows=mine.rows_hash, clusters=mine.clusters)
    baselines = {"untuned": untuned.measurement(), "majority": majority}
    baselines |= {name: report.measurement() for name, report in (others or {}).items()}
    comparisons = tuple(compare(mine, opponent, baseline=name) for name, opponent in baselines.items())
    return Promotion(rows=candidate.rows, comparisons=comparisons)
