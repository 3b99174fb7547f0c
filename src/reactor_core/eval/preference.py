"""Which of two answers a model prefers, and by how much."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np

from reactor_core.data.records import Row
from reactor_core.eval.measurement import Measurement, Metric, prompt_key, rows_hash
from reactor_core.eval.perplexity import RowScorer, score_rows
from reactor_core.eval.statistics import Floats

__all__ = ["PreferenceReport", "evaluate_preferences", "preference_rewards"]


@dataclass(frozen=True, slots=True)
class PreferenceReport:
    """Preferences of one model over pairs of answers.

    Attributes:
        accuracy: Share of pairs whose chosen answer has the higher reward; equal rewards count half, which is what a
            coin would get. Pairs of one prompt are one cluster.
        margin: Mean reward of the chosen answer less that of the rejected one.
        reward: What a reward is: ``implicit``, beta times the log-ratio to the reference model, or ``log-probability``.
    """

    accuracy: Measurement
    margin: Measurement
    reward: str

    def as_dict(self) -> dict[str, Any]:
        """Plain data for JSON."""
        return {
            "rows": self.accuracy.rows,
            "reward": self.reward,
            "accuracy": self.accuracy.as_dict(),
            "margin": self.margin.as_dict(),
        }


def preference_rewards(scorer: RowScorer, rows: Sequence[Row]) -> tuple[Floats, Floats]:
    """Log-probabilities and lengths of both answers of each row, each shape [N, 2], the chosen answer first.

    Raises:
        ValueError: There are no rows, one holds no preference, or as
            :func:`~reactor_core.eval.perplexity.score_rows`.
    """
    both = []
    for row in rows:
        if row.rejected is None:
            raise ValueError("a row holds no preference: evaluate it with evaluate_perplexity")
        both += [replace(row, rejected=None), row.rejected]
    logprobs, tokens = score_rows(scorer, both)
    return logprobs.reshape(-1, 2), tokens.reshape(-1, 2)


def evaluate_preferences(
    scorer: RowScorer,
    rows: Sequence[Row],
    *,
    reference: RowScorer | None = None,
    beta: float = 0.1,
    per_token: bool = False,
    seed: int = 0,
) -> PreferenceReport:
    """Measure how often, and by how much, a model prefers the chosen answer of each row.

    With a reference the reward of an answer is ``beta * (log p - log q)``, the one that direct preference optimisation
    fits (Rafailov et al. 2023, eq. 5, without the prompt's share, which cancels). A model is then measured by what it
    has learned beyond its reference, and the reference itself gets an accuracy of one half and a margin of 0. Without
    one the reward is the answer's log-probability, which favours short answers unless it is taken per token.

    Args:
        scorer: Scores rows under the model; ``serving.engine.Engine.row_logprobs`` is one.
        rows: With preferences.
        reference: Scores rows under the reference model, or None.
        beta: Factor of the implicit reward, as it was trained with; 1 without a reference.
        per_token: Take log-probabilities by token, as IPO does.
        seed: Of the bootstrap.

    Raises:
        ValueError: As :func:`preference_rewards`, ``beta`` is not above 0, or the reference counts other tokens.
    """
    if not beta > 0:
        raise ValueError(f"beta {beta} is not above 0")
    rewards, lengths = preference_rewards(scorer, rows)
    if reference is not None:
        before, others = preference_rewards(reference, rows)
        if (others != lengths).any():
            raise ValueError("the reference has another tokenizer: its answers have other numbers of tokens")
        rewards = beta * (rewards - before)
    if per_token:
        rewards = rewards / lengths
    margins = rewards[:, 0] - rewards[:, 1]
    right = (np.sign(margins) + 1) / 2
    names, clusters = rows_hash(rows), [prompt_key(row) for row in rows]
    unit = "nats per token" if per_token else "nats"
    reward = "log-probability" if reference is None else "implicit"
    details = {"reward": reward, "per_token": per_token, **({} if reference is None else {"beta": beta})}
    return PreferenceReport(
        accuracy=Measurement.of(
            Metric("preference accuracy", "share of pairs", higher_is_better=True, baseline=0.5),
            right,
            rows=names,
            clusters=clusters,
            details=details,
            seed=seed,
        ),
        margin=Measurement.of(
            Metric("preference margin", unit, higher_is_better=True, baseline=0.0),
            margins,
            rows=names,
            clusters=clusters,
            details=details,
            seed=seed,
        ),
        reward=reward,
    )
