"""Whether a fine-tuned adapter has earned its place: paired tests on the same rows, never a bare score."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from reactor_core.errors import PromotionRefused
from reactor_core.eval.statistics import McNemar, mcnemar_exact
from reactor_core.eval.verdicts import VerdictReport

__all__ = ["ALPHA", "Comparison", "NotBetter", "Promotion", "decide"]

ALPHA = 0.05
"""Significance level of each comparison."""


@dataclass(frozen=True, slots=True)
class Comparison:
    """A candidate beside one baseline on the same rows.

    Args:
        baseline: Name of the baseline, "untuned", "majority" or a name the caller gave.
        candidate_accuracy: Share of rows that the candidate answers rightly.
        baseline_accuracy: Share of rows that the baseline answers rightly.
        test: McNemar's test, first the candidate, second the baseline.
    """

    baseline: str
    candidate_accuracy: float
    baseline_accuracy: float
    test: McNemar

    @property
    def better(self) -> bool:
        """Whether the candidate is better, and significantly so."""
        return self.candidate_accuracy > self.baseline_accuracy and self.test.p_value < ALPHA

    def sentence(self) -> str:
        """The comparison in words, for messages and pages."""
        return (
            f"{self.candidate_accuracy:.3f} against {self.baseline_accuracy:.3f} ({self.baseline}), McNemar "
            f"p = {self.test.p_value:.3g} with {self.test.only_first} rows gained and {self.test.only_second} lost"
        )

    def as_dict(self) -> dict[str, Any]:
        """Plain data for JSON."""
        return {
            "baseline": self.baseline,
            "candidate_accuracy": self.candidate_accuracy,
            "baseline_accuracy": self.baseline_accuracy,
            "gained": self.test.only_first,
            "lost": self.test.only_second,
            "p_value": self.test.p_value,
            "better": self.better,
        }


@dataclass(frozen=True, slots=True)
class Promotion:
    """A candidate that passed every comparison; :func:`decide` makes it.

    Args:
        rows: How many rows were compared.
        comparisons: One per baseline, each of them better.

    Raises:
        PromotionRefused: A comparison is not better, or there is none.
    """

    rows: int
    comparisons: tuple[Comparison, ...]

    def __post_init__(self) -> None:
        # Checked here and not only in decide(), so that no promotion can exist without its evidence.
        if not self.comparisons or not all(c.better for c in self.comparisons):
            raise NotBetter(self.comparisons)

    def as_dict(self) -> dict[str, Any]:
        """Plain data for JSON."""
        return {"rows": self.rows, "alpha": ALPHA, "comparisons": [c.as_dict() for c in self.comparisons]}


class NotBetter(PromotionRefused):
    """The candidate is not significantly better than every baseline.

    Args:
        comparisons: All comparisons that were made, passed and failed.
    """

    def __init__(self, comparisons: tuple[Comparison, ...]) -> None:
        failed = "; ".join(c.sentence() for c in comparisons if not c.better) or "nothing was compared"
        super().__init__(
            f"the candidate is not significantly better: {failed}",
            remedy="train on more rows or for longer; nothing was registered",
        )
        self.comparisons = comparisons


def decide(
    candidate: VerdictReport, untuned: VerdictReport, others: Mapping[str, VerdictReport] | None = None
) -> Promotion:
    """Compare a candidate with the untuned model, the majority class and any other model that must be beaten.

    Args:
        candidate: Report of the fine-tuned model.
        untuned: Report of the base model on the same rows.
        others: Name -> report of further models, such as the adapter now in use.

    Raises:
        PromotionRefused: The candidate is not better than each of them with McNemar p < ALPHA; the error
            (a :class:`NotBetter`) carries the comparisons.
        ValueError: The reports are about different rows.
    """
    for name, report in {"untuned": untuned, **(others or {})}.items():
        if report.labels != candidate.labels:
            raise ValueError(f"the report of {name} is about other rows than the candidate's")
    answers = {
        "untuned": untuned.correct,
        "majority": candidate.majority_correct,
        **{name: report.correct for name, report in (others or {}).items()},
    }
    comparisons = tuple(
        Comparison(
            baseline=name,
            candidate_accuracy=candidate.accuracy,
            baseline_accuracy=sum(right) / len(right),
            test=mcnemar_exact(candidate.correct, right),
        )
        for name, right in answers.items()
    )
    return Promotion(rows=candidate.rows, comparisons=comparisons)
