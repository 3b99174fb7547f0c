import json
from dataclasses import dataclass, replace

import numpy as np
import pytest

from reactor_core.errors import PromotionRefused
from reactor_core.eval.duels import evaluate_duels
from reactor_core.eval.measurement import Measurement, Metric
from reactor_core.eval.promotion import NotBetter, Promotion, compare, compare_duels, decide
from reactor_core.eval.statistics import mcnemar_exact
from reactor_core.eval.verdicts import LABELS, VerdictReport, evaluate_verdicts


@dataclass(frozen=True)
class Row:
    action: str
    kind: str
    label: str
    template: str | None = None


ROWS = [Row(f"action {i}", "shell", LABELS[i % 3]) for i in range(30)]
LOSS = Metric("negative log-likelihood", "nats per token", higher_is_better=False)


def answering(right: int, rows: list[Row] = ROWS) -> VerdictReport:
    """A report whose first ``right`` rows are right and whose others are one label off."""

    def scorer(prompts, choices):
        answer = [i % 3 if i < right else (i + 1) % 3 for i in range(len(prompts))]
        return np.where(np.arange(3) == np.array(answer)[:, None], 0.0, -5.0)

    return evaluate_verdicts(scorer, rows, resamples=10)


def losses(values, weights=None, *, rows="r", clusters=None, metric=LOSS) -> Measurement:
    clusters = clusters or [str(n) for n in range(len(values))]
    return Measurement.of(metric, values, weights=weights, rows=rows, clusters=clusters)


def test_a_clearly_better_candidate_is_promoted_with_its_evidence():
    promotion = decide(answering(27), answering(12))
    assert [c.baseline for c in promotion.comparisons] == ["untuned", "majority"]
    untuned = promotion.comparisons[0]
    # 15 rows gained, none lost: p = 2 / 2^15.
    assert (untuned.test.gained, untuned.test.lost) == (15, 0)
    assert untuned.test.p_value == pytest.approx(2 / 2**15)
    assert untuned.test.gain.mean == pytest.approx(0.5)
    plain = json.loads(json.dumps(promotion.as_dict()))
    assert plain["comparisons"][0]["gained"] == 15
    assert plain["rows"] == 30


def test_five_rows_gained_are_not_enough():
    # 2 / 2^5 = 0.0625.
    with pytest.raises(PromotionRefused, match=r"p = 0\.0625 with 5 rows gained and 0 lost") as refusal:
        decide(answering(25), answering(20))
    assert isinstance(refusal.value, NotBetter)
    assert [c.better for c in refusal.value.comparisons] == [False, True]
    assert "would need about" in str(refusal.value)


def test_better_than_untuned_but_not_than_the_majority_is_refused():
    with pytest.raises(PromotionRefused, match="majority"):
        decide(answering(10), answering(0))


def test_significantly_worse_is_refused():
    with pytest.raises(PromotionRefused, match="nothing was gained"):
        decide(answering(12), answering(27))


def test_an_adapter_in_use_must_be_beaten_too():
    with pytest.raises(PromotionRefused, match="in use"):
        decide(answering(27), answering(5), {"in use": answering(27)})


def test_rows_of_one_template_are_not_independent_evidence():
    templates = [Row(f"action {i}", "shell", LABELS[i % 3], template=str(i // 6)) for i in range(30)]
    with pytest.raises(NotBetter, match="5 prompts gained"):
        decide(answering(30, templates), answering(0, templates))
    assert decide(answering(30), answering(0)).rows == 30


def test_reports_about_other_rows_are_an_error():
    other = evaluate_verdicts(lambda p, c: np.zeros((len(p), 3)), ROWS[:10], resamples=10)
    with pytest.raises(ValueError, match="other rows"):
        decide(answering(27), other)
    same_labels = [replace(row, action=row.action + "!") for row in ROWS]
    with pytest.raises(ValueError, match="other rows"):
        decide(answering(27), answering(12, same_labels))


def test_a_promotion_cannot_be_made_without_evidence():
    with pytest.raises(PromotionRefused, match="nothing was compared"):
        Promotion(rows=30, comparisons=())


def test_a_promotion_cannot_be_made_from_a_failed_comparison():
    failed = compare(losses([2.0] * 9), losses([1.0] * 9), baseline="untuned")
    with pytest.raises(PromotionRefused):
        Promotion(rows=9, comparisons=(failed,))


def test_the_test_on_right_and_wrong_answers_is_mcnemars():
    one, other = answering(22), answering(11)
    found = compare(one.measurement(), other.measurement(), baseline="other")
    assert found.test.p_value == mcnemar_exact(one.correct, other.correct).p_value


def test_a_lower_loss_is_a_gain():
    rng = np.random.default_rng(0)
    tokens = rng.integers(1, 20, 40).astype(float)
    base = tokens * rng.uniform(1, 3, 40)
    found = compare(losses(base - 0.2 * tokens, tokens), losses(base, tokens), baseline="untuned")
    assert found.better
    assert found.test.gain.mean == pytest.approx(0.2)
    assert found.opponent - found.candidate == pytest.approx(0.2)
    assert not compare(losses(base, tokens), losses(base - 0.2 * tokens, tokens), baseline="x").better


def test_a_better_mean_from_one_lucky_row_is_no_evidence():
    lucky = [1.0] * 20
    lucky[3] = -30.0
    found = compare(losses(lucky), losses([1.0] * 20), baseline="untuned")
    assert found.test.gain.mean > 1.5
    assert not found.better


def test_what_cannot_be_compared_is_refused():
    with pytest.raises(ValueError, match="about other rows"):
        compare(losses([1.0], rows="a"), losses([1.0], rows="b"), baseline="untuned")
    with pytest.raises(ValueError, match="bits per byte"):
        compare(losses([1.0], [2.0]), losses([1.0], [3.0]), baseline="untuned")
    other = Metric("accuracy", "share of rows", higher_is_better=True)
    with pytest.raises(ValueError, match="cannot be compared with accuracy"):
        compare(losses([1.0]), losses([1.0], metric=other), baseline="untuned")


def test_wins_are_compared_with_losses_by_the_sign_test():
    prompts = [[{"role": "user", "content": str(n)}] for n in range(14)]
    ours, theirs = ["aa"] * 9 + ["a"] * 2 + ["c"] * 3, ["b"] * 9 + ["bb"] * 2 + ["c"] * 3

    def longer(duels):
        return ["first" if len(duel.first) > len(duel.second) else "second" for duel in duels]

    found = compare_duels(evaluate_duels(longer, prompts, ours, theirs), baseline="current")
    assert (found.candidate, found.opponent) == pytest.approx((0.75, 0.25))
    assert (found.test.gained, found.test.lost) == (9, 2)
    assert found.test.p_value == pytest.approx(0.0654296875)  # scipy 1.17.1: binomtest(9, 11).pvalue
    assert not found.better


def test_one_prompt_alone_is_said_to_show_nothing():
    found = compare(losses([0.0] * 4, clusters=["a"] * 4), losses([1.0] * 4, clusters=["a"] * 4), baseline="untuned")
    assert not found.better
    assert "several prompts" in found.power_note()
