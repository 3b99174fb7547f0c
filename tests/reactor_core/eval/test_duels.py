from collections.abc import Sequence

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from reactor_core.eval.duels import Duel, choice_judge, evaluate_duels


def ask(text: str) -> list[dict[str, str]]:
    return [{"role": "user", "content": text}]


PROMPTS = [ask(f"question {n}") for n in range(5)]


def longer(duels: Sequence[Duel]) -> list[str]:
    """Prefers the longer answer, wherever it stands."""
    sizes = [(len(duel.first), len(duel.second)) for duel in duels]
    return ["tie" if a == b else "first" if a > b else "second" for a, b in sizes]


def test_wins_losses_and_ties_are_counted():
    report = evaluate_duels(longer, PROMPTS, ["aaa", "a", "ab", "same", "aaa"], ["b", "bbb", "cd", "same", "b"])
    assert (report.wins, report.losses, report.ties, report.disagreements) == (2, 1, 2, 0)
    assert report.score.values.tolist() == [1.0, 0.0, 0.5, 0.5, 1.0]
    assert report.score.estimate.mean == pytest.approx(0.6)


def test_equal_answers_are_ties_that_nobody_is_asked_about():
    def nobody(duels):
        raise AssertionError("asked")

    report = evaluate_duels(nobody, PROMPTS, ["x"] * 5, ["x"] * 5)
    assert (report.ties, report.asked, report.first_place) == (5, 0, None)


def test_a_judge_who_loves_the_first_place_decides_nothing():
    report = evaluate_duels(lambda duels: ["first"] * len(duels), PROMPTS, ["a"] * 5, ["b"] * 5)
    assert (report.wins, report.losses, report.disagreements) == (0, 0, 5)
    assert (report.score.estimate.mean, report.first_place) == (0.5, 1.0)


def test_a_win_and_a_tie_are_a_win():
    def once(duels):
        return ["first" if duel.first == "a" else "tie" for duel in duels]

    report = evaluate_duels(once, PROMPTS, ["a"] * 5, ["b"] * 5)
    assert (report.wins, report.ties, report.disagreements) == (5, 0, 0)


def test_every_pair_is_shown_in_both_orders():
    shown = []

    def judge(duels):
        shown.extend((duel.prompt[0]["content"], duel.first, duel.second) for duel in duels)
        return ["tie"] * len(duels)

    evaluate_duels(judge, PROMPTS[:2], ["a", "c"], ["b", "d"])
    assert sorted(shown) == sorted(
        [("question 0", "a", "b"), ("question 0", "b", "a"), ("question 1", "c", "d"), ("question 1", "d", "c")]
    )


@given(st.lists(st.tuples(st.text("ab", max_size=3), st.text("ab", max_size=3)), min_size=1, max_size=12))
def test_the_two_sides_share_one_point_a_duel(answers: list[tuple[str, str]]):
    prompts = [ask(str(n)) for n in range(len(answers))]
    ours, theirs = zip(*answers, strict=True)
    one = evaluate_duels(longer, prompts, ours, theirs)
    other = evaluate_duels(longer, prompts, theirs, ours)
    assert np.allclose(one.score.values + other.score.values, 1.0)
    assert one.wins + one.losses + one.ties + one.disagreements == len(answers)


def test_duels_of_one_prompt_are_one_cluster():
    report = evaluate_duels(longer, [*PROMPTS[:1] * 3, PROMPTS[1]], ["aa"] * 4, ["b"] * 4)
    assert report.as_dict()["clusters"] == 2


@pytest.mark.parametrize("given_back", [[], ["first"], ["first", "A"], ["first", "tie", "second"]])
def test_a_judge_must_judge_every_duel(given_back):
    with pytest.raises(ValueError, match="every duel"):
        evaluate_duels(lambda duels: given_back, PROMPTS[:1], ["a"], ["b"])


def test_numbers_that_do_not_match_are_refused():
    with pytest.raises(ValueError, match="5 prompts, 1 and 5 answers"):
        evaluate_duels(longer, PROMPTS, ["a"], ["b"] * 5)
    with pytest.raises(ValueError, match="no prompts"):
        evaluate_duels(longer, [], [], [])


def test_a_served_model_judges_by_the_likelier_letter():
    asked = []

    def scorer(prompts, choices):
        asked.extend(prompts)
        assert tuple(choices) == ("A", "B")
        return np.array([[-1.0, -3.0], [-2.5, -2.0], [-1.0, -1.1]])

    duels = [Duel(ask("why {so}?"), "because {x}", "dunno")] * 3
    assert choice_judge(scorer)(duels) == ["first", "second", "first"]
    assert choice_judge(scorer, tie_below=0.2)(duels) == ["first", "second", "tie"]
    text = asked[0][0]["content"]
    assert "user: why {so}?" in text
    assert text.index("because {x}") < text.index("dunno")


@pytest.mark.parametrize("scores", [np.zeros((2, 2)), np.full((1, 2), np.nan)])
def test_scores_of_a_judge_are_checked(scores):
    with pytest.raises(ValueError, match="the scorer returned"):
        choice_judge(lambda prompts, choices: scores)([Duel(ask("q"), "a", "b")])
