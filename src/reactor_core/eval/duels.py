"""Win rate: which of two models' answers a judge prefers, asked both ways round.

Judges prefer a place as well as an answer (Wang et al. 2023, https://arxiv.org/abs/2305.17926). So every pair is judged
twice, with the places swapped, and only a judgement that stays with the answer counts as a win.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any, Literal

import numpy as np

from reactor_core.eval.measurement import Measurement, Metric
from reactor_core.eval.verdicts import ChoiceScorer, Messages
from reactor_core.utils.canonical import content_hash

__all__ = ["Duel", "Judge", "Judgement", "WinReport", "choice_judge", "evaluate_duels"]

Judgement = Literal["first", "second", "tie"]
"""Which place holds the better answer."""


@dataclass(frozen=True, slots=True)
class Duel:
    """Two answers to one prompt, as a judge sees them.

    Attributes:
        prompt: The conversation that was answered.
        first: The answer in the first place.
        second: The answer in the second place.
    """

    prompt: Messages
    first: str
    second: str


Judge = Callable[[Sequence[Duel]], Sequence[Judgement]]
"""(duels) -> a judgement of each. A function over any model or person will do; :func:`choice_judge` makes one."""


@dataclass(frozen=True, slots=True)
class WinReport:
    """Outcome of a candidate's duels with an opponent.

    Attributes:
        score: Mean of 1 for a win, 1/2 for a tie or a disagreement, 0 for a loss; duels of one prompt are one cluster.
        wins: Duels that the candidate won in one order at least and lost in none.
        losses: Duels that it lost in one order at least and won in none.
        ties: Duels that were called a tie in both orders; equal answers are ties that no judge was asked about.
        disagreements: Duels in which the judge stayed with the place and not with the answer.
        asked: Duels that the judge saw, each twice.
        first_place: Share of the judgements for a place that were for the first; 0.5 is a judge without bias. None if
            there were none.
    """

    score: Measurement
    wins: int
    losses: int
    ties: int
    disagreements: int
    asked: int
    first_place: float | None

    def as_dict(self) -> dict[str, Any]:
        """Plain data for JSON."""
        return self.score.as_dict()


def evaluate_duels(
    judge: Judge,
    prompts: Sequence[Messages],
    candidate: Sequence[str],
    opponent: Sequence[str],
    *,
    seed: int = 0,
) -> WinReport:
    """Let a judge compare two models' answers to the same prompts, each pair in both orders.

    A win in one order and a tie in the other is a win; a win in one order and a loss in the other is a disagreement and
    counts half.

    Args:
        judge: Asked once, with all duels; equal answers are not among them.
        prompts: N conversations.
        candidate: The candidate's answers, N of them.
        opponent: The opponent's.
        seed: Of the bootstrap.

    Raises:
        ValueError: There are no prompts, the numbers differ, or the judge returns something else than a judgement of
            each duel.
    """
    if not prompts:
        raise ValueError("no prompts to judge")
    if not len(prompts) == len(candidate) == len(opponent):
        raise ValueError(f"{len(prompts)} prompts, {len(candidate)} and {len(opponent)} answers: give one of each")
    different = [n for n, (ours, theirs) in enumerate(zip(candidate, opponent, strict=True)) if ours != theirs]
    duels = [Duel(prompts[n], candidate[n], opponent[n]) for n in different]
    swapped = [Duel(duel.prompt, duel.second, duel.first) for duel in duels]
    given = list(judge([*duels, *swapped])) if duels else []
    if len(given) != 2 * len(duels) or not set(given) <= {"first", "second", "tie"}:
        raise ValueError("the judge must return first, second or tie for every duel")
    forward = np.array([_POINTS[judgement] for judgement in given[: len(duels)]], dtype=int)
    backward = np.array([-_POINTS[judgement] for judgement in given[len(duels) :]], dtype=int)
    outcome = np.zeros(len(prompts), dtype=int)
    outcome[different] = np.sign(forward + backward)
    disagreements = int((forward * backward < 0).sum())
    placed = [judgement for judgement in given if judgement != "tie"]
    wins, losses = int((outcome > 0).sum()), int((outcome < 0).sum())
    counts = {
        "wins": wins,
        "losses": losses,
        "ties": len(prompts) - wins - losses - disagreements,
        "disagreements": disagreements,
        "asked": len(duels),
        "first_place": placed.count("first") / len(placed) if placed else None,
    }
    score = Measurement.of(
        Metric("win rate", "share of duels", higher_is_better=True, baseline=0.5),
        (outcome + 1) / 2,
        rows=content_hash(list(prompts)),
        clusters=[content_hash(prompt) for prompt in prompts],
        details=counts,
        seed=seed,
    )
    return WinReport(score=score, **counts)  # type: ignore[arg-type]


_POINTS = {"first": 1, "second": -1, "tie": 0}

_QUESTION = (
    "Two assistants answered the same request. Which answer is more helpful, correct and to the point?\n"
    "Answer with one letter, A or B.\n\n[Request]\n{request}\n\n[Answer A]\n{first}\n\n[Answer B]\n{second}"
)


def choice_judge(scorer: ChoiceScorer, *, tie_below: float = 0.0, question: str = _QUESTION) -> Judge:
    """A judge out of a served model: the likelier of the answers A and B, read from their log-probabilities.

    A small model is a poor judge; ``WinReport.first_place`` and ``disagreements`` tell how poor.

    Args:
        scorer: ``serving.engine.Engine.choice_logprobs`` is one.
        tie_below: Difference of the two log-probabilities, in nats, up to which the answers are called equal.
        question: What is asked, with the fields ``request``, ``first`` and ``second``.

    Returns:
        The judge; it raises ValueError where the scorer's answer has another shape or is not finite.
    """

    def judge(duels: Sequence[Duel]) -> list[Judgement]:
        asked: list[Messages] = []
        for duel in duels:
            request = "\n\n".join(f"{turn['role']}: {turn['content']}" for turn in duel.prompt)
            text = question.format(request=request, first=duel.first, second=duel.second)
            asked.append([{"role": "user", "content": text}])
        scores = np.asarray(scorer(asked, ("A", "B")), dtype=np.float64)
        if scores.shape != (len(duels), 2) or not np.isfinite(scores).all():
            raise ValueError(f"the scorer returned shape {scores.shape}, not {(len(duels), 2)}, or is not finite")
        leads = scores[:, 0] - scores[:, 1]
        return ["tie" if abs(lead) <= tie_below else "first" if lead > 0 else "second" for lead in leads]

    return judge
