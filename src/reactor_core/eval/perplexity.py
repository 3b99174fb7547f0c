"""How surprised a model is by answers it has not seen: perplexity per token, bits per byte."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from reactor_core.data.records import Row
from reactor_core.eval.measurement import Measurement, Metric, prompt_key, rows_hash
from reactor_core.eval.statistics import Floats

__all__ = ["LIKELIHOOD", "PerplexityReport", "RowScorer", "answer_bytes", "evaluate_perplexity", "score_rows"]

LIKELIHOOD = Metric("negative log-likelihood", "nats per token", higher_is_better=False)
"""What is compared: the logarithm of the perplexity."""

RowScorer = Callable[[Sequence[Row]], tuple[Floats, Floats]]
"""(rows) -> log-probability of each row's answer in nats, shape [N], and its number of tokens, shape [N]."""


@dataclass(frozen=True, slots=True)
class PerplexityReport:
    """Perplexity of one model over some rows.

    Attributes:
        likelihood: Mean negative log-likelihood in nats per token; rows count by their tokens, and rows of one prompt
            are one cluster.
        per_byte: The same in bits per byte of the answers' text, which models of other tokenizers can be compared by.
            The stop token counts as information and has no bytes.
    """

    likelihood: Measurement
    per_byte: Measurement

    @property
    def perplexity(self) -> float:
        """``exp`` of the mean negative log-likelihood."""
        return math.exp(self.likelihood.estimate.mean)

    @property
    def interval(self) -> tuple[float, float]:
        """Bounds of the perplexity: those of the likelihood, through ``exp``."""
        return math.exp(self.likelihood.estimate.low), math.exp(self.likelihood.estimate.high)

    def as_dict(self) -> dict[str, Any]:
        """Plain data for JSON."""
        return {
            "rows": self.likelihood.rows,
            "tokens": int(self.likelihood.weights.sum()),
            "bytes": int(self.per_byte.weights.sum()),
            "perplexity": self.perplexity,
            "perplexity_interval": list(self.interval),
            "nats_per_token": self.likelihood.as_dict(),
            "bits_per_byte": self.per_byte.as_dict(),
        }


def answer_bytes(row: Row) -> int:
    """UTF-8 bytes of what is trained in a row: the completion, or the assistant's turns after the prompt."""
    if row.completion_text is not None:
        return len(row.completion_text.encode())
    turns = row.messages[row.prompt_turns :]
    return sum(len(turn.content.encode()) for turn in turns if turn.role == "assistant")


def evaluate_perplexity(scorer: RowScorer, rows: Sequence[Row], *, seed: int = 0) -> PerplexityReport:
    """Measure the perplexity of a model on the answers of some rows; prompts are read and not counted.

    Args:
        scorer: Scores rows; ``serving.engine.Engine.row_logprobs`` is one.
        rows: Without preferences.
        seed: Of the bootstrap.

    Raises:
        ValueError: There are no rows, one holds a preference, or the scores have another shape or are not finite.
    """
    if any(row.rejected is not None for row in rows):
        raise ValueError("a row holds a preference: evaluate it with evaluate_preferences")
    logprobs, tokens = score_rows(scorer, rows)
    names, clusters = rows_hash(rows), [prompt_key(row) for row in rows]
    sizes = np.array([answer_bytes(row) for row in rows], dtype=np.float64)
    bits = Metric("bits per byte", "bits per byte", higher_is_better=False)
    return PerplexityReport(
        likelihood=Measurement.of(LIKELIHOOD, -logprobs, weights=tokens, rows=names, clusters=clusters, seed=seed),
        per_byte=Measurement.of(bits, -logprobs / math.log(2), weights=sizes, rows=names, clusters=clusters, seed=seed),
    )


def score_rows(scorer: RowScorer, rows: Sequence[Row]) -> tuple[Floats, Floats]:
    """Ask a scorer and check its answer.

    Raises:
        ValueError: There are no rows, or the scores have another shape or are not finite.
    """
    if not rows:
        raise ValueError("no rows to evaluate")
    logprobs, tokens = (np.asarray(part, dtype=np.float64) for part in scorer(rows))
    if logprobs.shape != (len(rows),) or tokens.shape != (len(rows),):
        raise ValueError(f"the scorer returned shapes {logprobs.shape} and {tokens.shape}, not {(len(rows),)} twice")
    if not np.isfinite(logprobs).all() or not (tokens > 0).all():
        raise ValueError("the scorer returned log-probabilities that are not finite, or rows without tokens")
    return logprobs, tokens
