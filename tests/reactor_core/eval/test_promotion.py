from dataclasses import dataclass

import numpy as np
import pytest

from reactor_core.errors import PromotionRefused
from reactor_core.eval.promotion import Comparison, NotBetter, Promotion, decide
from reactor_core.eval.statistics import McNemar
from reactor_core.eval.verdicts import LABELS, VerdictReport, evaluate_verdicts


@dataclass(frozen=True)
class Row:
    action: str
    kind: str
    label: str


ROWS = [Row(f"action {i}", "shell", LABELS[i % 3]) for i in range(30)]


def answering(right: int) -> VerdictReport:
    """A report whose first ``right`` rows are right and whose others are one label off."""

    def scorer(prompts, choices):
        answer = [i % 3 if i < right else (i + 1) % 3 for i in range(len(prompts))]
        return np.where(np.arange(3) == np.array(answer)[:, None], 0.0, -5.0)

    return evaluate_verdicts(scorer, ROWS, resamples=10)


def test_a_clearly_better_candidate_is_promoted_with_its_evidence():
    promotion = decide(answering(27), answering(12))
    assert [c.baseline for c in promotion.comparisons] == ["untuned", "majority"]
    untuned = promotion.comparisons[0]
    # 15 rows gained, none lost: p = 2 / 2^15.
    assert (untuned.test.only_first, untuned.test.only_second) == (15, 0)
    assert untuned.test.p_value == pytest.approx(2 / 2**15)
    assert promotion.as_dict()["comparisons"][0]["gained"] == 15


def test_five_rows_gained_are_not_enough():
    # 2 / 2^5 = 0.0625.
    with pytest.raises(PromotionRefused, match=r"p = 0\.0625 with 5 rows gained and 0 lost") as refusal:
        decide(answering(25), answering(20))
    assert isinstance(refusal.value, NotBetter)
    assert [c.better for c in refusal.value.comparisons] == [False, True]


def test_better_than_untuned_but_not_than_the_majority_is_refused():
    with pytest.raises(PromotionRefused, match="majority"):
        decide(answering(10), answering(0))


def test_significantly_worse_is_refused():
    with pytest.raises(PromotionRefused, match="untuned"):
        decide(answering(12), answering(27))


def test_an_adapter_in_use_must_be_beaten_too():
    with pytest.raises(PromotionRefused, match="in use"):
        decide(answering(27), answering(5), {"in use": answering(27)})


def test_reports_about_other_rows_are_an_error():
    other = evaluate_verdicts(lambda p, c: np.zeros((len(p), 3)), ROWS[:10], resamples=10)
    with pytest.raises(ValueError, match="other rows"):
        decide(answering(27), other)


def test_a_promotion_cannot_be_made_without_evidence():
    with pytest.raises(PromotionRefused, match="nothing was compared"):
        Promotion(rows=30, comparisons=())


def test_a_promotion_cannot_be_made_from_a_failed_comparison():
    failed = Comparison("untuned", 0.4, 0.5, McNemar(1, 4, 0.375))
    with pytest.raises(PromotionRefused):
        Promotion(rows=30, comparisons=(failed,))
