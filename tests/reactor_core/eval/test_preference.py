import numpy as np
import pytest

from reactor_core.data.records import Message, Row
from reactor_core.eval.preference import evaluate_preferences, preference_rewards


def pair(prompt: str, chosen: str, rejected: str) -> Row:
    ask = Message("user", prompt)
    worse = Row(line=1, messages=(ask, Message("assistant", rejected)), prompt_turns=1)
    return Row(line=1, messages=(ask, Message("assistant", chosen)), prompt_turns=1, rejected=worse)


ROWS = [pair("a", "good", "bad"), pair("b", "better", "worse"), pair("b", "best", "worst")]


def model(**scores: float):
    """Log-probabilities by answer; lengths are those of the answers."""

    def scorer(rows):
        answers = [row.messages[-1].content for row in rows]
        return np.array([scores.get(a, -1.0) for a in answers]), np.array([float(len(a)) for a in answers])

    return scorer


def test_the_likelier_answer_is_the_preferred_one():
    report = evaluate_preferences(model(good=-1.0, bad=-3.0, better=-5.0, worse=-4.0, best=-2.0, worst=-2.0), ROWS)
    assert report.accuracy.values.tolist() == [1.0, 0.0, 0.5]  # equal counts half
    assert report.margin.values.tolist() == [2.0, -1.0, 0.0]
    assert report.margin.estimate.mean == pytest.approx(1 / 3)
    assert report.reward == "log-probability"


def test_with_a_reference_what_was_learned_is_counted():
    tuned, base = model(good=-1.0, bad=-3.0), model(good=-2.0, bad=-2.5)
    report = evaluate_preferences(tuned, ROWS[:1], reference=base, beta=0.5)
    # The chosen answer gained 1, the rejected one lost a half; half of the difference.
    assert report.margin.values.tolist() == [pytest.approx(0.75)]
    assert report.as_dict()["margin"]["beta"] == 0.5


def test_the_reference_itself_is_at_chance():
    base = model(good=-2.0, bad=-7.0)
    report = evaluate_preferences(base, ROWS, reference=base)
    assert report.accuracy.estimate.mean == 0.5
    assert report.margin.estimate.mean == 0.0


def test_per_token_rewards_do_not_favour_short_answers():
    scores = {"better": -6.0, "worse": -5.5}  # -1.0 and -1.1 a letter
    assert evaluate_preferences(model(**scores), ROWS[1:2]).accuracy.estimate.mean == 0.0
    assert evaluate_preferences(model(**scores), ROWS[1:2], per_token=True).accuracy.estimate.mean == 1.0


def test_accuracy_and_margin_agree_with_the_trainers_own():
    torch = pytest.importorskip("torch")
    from reactor_core.training.preference import pair_metrics

    rng = np.random.default_rng(0)
    ours, base = rng.normal(-9, 2, (3, 2)), rng.normal(-9, 2, (3, 2))

    def scorer(table):
        return lambda rows: (table.reshape(-1), np.ones(6))

    report = evaluate_preferences(scorer(ours), ROWS, reference=scorer(base), beta=0.3)
    expected = pair_metrics(torch.tensor(ours - base), beta=0.3)
    assert report.margin.estimate.mean == pytest.approx(expected["margin"])
    assert report.accuracy.estimate.mean == pytest.approx(expected["accuracy"])


def test_pairs_of_one_prompt_are_one_cluster():
    assert evaluate_preferences(model(), ROWS).as_dict()["accuracy"]["clusters"] == 2


def test_the_scorer_is_asked_about_both_answers_as_plain_rows():
    asked = []

    def scorer(rows):
        asked.extend(rows)
        return np.zeros(len(rows)), np.ones(len(rows))

    logprobs, _ = preference_rewards(scorer, ROWS)
    assert logprobs.shape == (3, 2)
    assert [row.messages[-1].content for row in asked] == ["good", "bad", "better", "worse", "best", "worst"]
    assert all(row.rejected is None for row in asked)


def test_a_row_without_a_preference_is_refused():
    with pytest.raises(ValueError, match="evaluate_perplexity"):
        evaluate_preferences(model(), [ROWS[0].rejected])


def test_a_reference_of_another_tokenizer_is_refused():
    def other(rows):
        return np.zeros(len(rows)), np.full(len(rows), 7.0)

    with pytest.raises(ValueError, match="another tokenizer"):
        evaluate_preferences(model(), ROWS, reference=other)


def test_beta_must_be_above_zero():
    with pytest.raises(ValueError, match="beta"):
        evaluate_preferences(model(), ROWS, beta=0.0)
