import math
from collections.abc import Sequence

import numpy as np
import pytest

from reactor_core.data.records import Message, Row
from reactor_core.eval.perplexity import answer_bytes, evaluate_perplexity


def question(prompt: str, answer: str, line: int = 1) -> Row:
    return Row(line=line, messages=(Message("user", prompt), Message("assistant", answer)), prompt_turns=1)


ROWS = [question("a", "yes"), question("b", "no"), question("b", "maybe"), Row(line=4, completion_text="größer")]


def scorer(logprobs: Sequence[float], tokens: Sequence[float]):
    return lambda rows: (np.array(logprobs), np.array(tokens))


def test_perplexity_counts_rows_by_their_tokens():
    report = evaluate_perplexity(scorer([-2.0, -3.0, -4.0, -9.0], [2, 1, 4, 5]), ROWS)
    assert report.likelihood.estimate.mean == pytest.approx(18 / 12)
    assert report.perplexity == pytest.approx(math.exp(1.5))
    low, high = report.interval
    assert low < report.perplexity < high


def test_a_uniform_guess_has_the_perplexity_of_its_vocabulary():
    tokens = np.array([3.0, 1.0, 7.0, 2.0])
    report = evaluate_perplexity(scorer(-tokens * math.log(512), tokens), ROWS)
    assert report.perplexity == pytest.approx(512)
    assert report.interval == pytest.approx((512, 512))


def test_bits_are_counted_by_bytes_of_the_answers():
    report = evaluate_perplexity(scorer([-math.log(2) * 4] * 4, [1, 1, 1, 1]), ROWS)
    assert report.per_byte.weights.tolist() == [3, 2, 5, 8]  # ö and ß have two bytes each
    assert report.per_byte.estimate.mean == pytest.approx(16 / 18)


def test_rows_of_one_prompt_are_one_cluster():
    report = evaluate_perplexity(scorer([-2.0, -3.0, -4.0, -9.0], [2, 1, 4, 5]), ROWS)
    assert report.as_dict()["nats_per_token"]["clusters"] == 3


def test_only_the_assistants_later_turns_have_bytes():
    turns = ("q", "old", "again", "new!")
    messages = tuple(Message(("user", "assistant")[n % 2], text) for n, text in enumerate(turns))
    assert answer_bytes(Row(line=1, messages=messages, prompt_turns=2)) == 4
    assert answer_bytes(Row(line=1, messages=messages)) == 7
    assert answer_bytes(Row(line=1, prompt_text="question", completion_text="answer")) == 6


def test_preferences_have_no_perplexity():
    row = Row(line=1, messages=ROWS[0].messages, prompt_turns=1, rejected=ROWS[1])
    with pytest.raises(ValueError, match="evaluate_preferences"):
        evaluate_perplexity(scorer([-1.0], [1]), [row])


@pytest.mark.parametrize(
    ("logprobs", "tokens", "message"),
    [
        ([-1.0, -1.0], [1, 1], "shapes"),
        ([-1.0, -1.0, -1.0, -math.inf], [1, 1, 1, 1], "not finite"),
        ([-1.0, -1.0, -1.0, -1.0], [1, 1, 1, 0], "without tokens"),
    ],
)
def test_scores_that_mean_nothing_are_refused(logprobs, tokens, message):
    with pytest.raises(ValueError, match=message):
        evaluate_perplexity(scorer(logprobs, tokens), ROWS)


def test_no_rows_are_refused():
    with pytest.raises(ValueError, match="no rows"):
        evaluate_perplexity(scorer([], []), [])
