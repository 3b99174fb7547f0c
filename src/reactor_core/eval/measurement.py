"""One metric of one model on some rows, with what each row contributes: what two models can be compared by."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from reactor_core.data.records import Row
from reactor_core.eval.statistics import Floats, Interval, bootstrap_interval
from reactor_core.utils.canonical import content_hash

__all__ = ["Measurement", "Metric", "prompt_key", "rows_hash"]


@dataclass(frozen=True, slots=True)
class Metric:
    """What is measured.

    Attributes:
        name: Such as ``accuracy``.
        unit: What its values are in, such as ``nats per token``.
        higher_is_better: Whether a larger value is a better model.
        baseline: Value of a model that knows nothing, drawn as a line in pictures; None where there is no such value.
    """

    name: str
    unit: str
    higher_is_better: bool
    baseline: float | None = None


@dataclass(frozen=True, slots=True, eq=False)
class Measurement:
    """A metric on some rows: ``sum(values) / sum(weights)`` with its interval.

    Attributes:
        metric: What was measured.
        rows_hash: SHA-256 of the rows' contents; only measurements of the same rows can be compared.
        values: What each row contributes, shape [N].
        weights: What each row counts for, shape [N].
        clusters: What each row belongs to, N of them; rows of one cluster are not independent.
        estimate: The metric with its bootstrap interval.
        details: Further figures as plain data.
    """

    metric: Metric
    rows_hash: str
    values: Floats
    weights: Floats
    clusters: tuple[str, ...]
    estimate: Interval
    details: dict[str, Any] = field(default_factory=dict)

    @classmethod
    def of(
        cls,
        metric: Metric,
        values: Sequence[float] | np.ndarray,
        *,
        rows: str,
        clusters: Sequence[str],
        weights: Sequence[float] | np.ndarray | None = None,
        details: dict[str, Any] | None = None,
        seed: int = 0,
    ) -> Measurement:
        """Measure: the interval is a BCa bootstrap over clusters.

        Args:
            metric: What was measured.
            values: What each row contributes, shape [N].
            rows: Hash of the rows (:func:`rows_hash`).
            clusters: What each row belongs to.
            weights: What each row counts for, shape [N]; None counts each once.
            details: Further figures as plain data.
            seed: Of the bootstrap.

        Raises:
            ValueError: As :func:`~reactor_core.eval.statistics.bootstrap_interval`.
        """
        sample = np.asarray(values, dtype=np.float64)
        counts = np.ones_like(sample) if weights is None else np.asarray(weights, dtype=np.float64)
        return cls(
            metric=metric,
            rows_hash=rows,
            values=sample,
            weights=counts,
            clusters=tuple(clusters),
            estimate=bootstrap_interval(sample, counts, clusters=clusters, method="bca", seed=seed),
            details=details or {},
        )

    @property
    def rows(self) -> int:
        """Number of rows."""
        return len(self.values)

    def as_dict(self) -> dict[str, Any]:
        """Plain data for JSON, without single rows."""
        return {
            "metric": self.metric.name,
            "unit": self.metric.unit,
            "higher_is_better": self.metric.higher_is_better,
            "value": self.estimate.mean,
            "interval": [self.estimate.low, self.estimate.high],
            "level": self.estimate.level,
            "rows": self.rows,
            "clusters": len(set(self.clusters)),
            "rows_sha256": self.rows_hash,
            **self.details,
        }


def prompt_key(row: Row) -> str:
    """What a row asks, as one hash; a plain text without a prompt is asked for by itself."""
    if row.completion_text is not None:
        return content_hash(["text", row.prompt_text or row.completion_text])
    first = next(n for n, turn in enumerate(row.messages) if turn.role == "assistant" and n >= row.prompt_turns)
    return content_hash([[turn.role, turn.content] for turn in row.messages[:first]])


def rows_hash(rows: Sequence[Row]) -> str:
    """SHA-256 over the contents of rows in their order, whatever file and line they stand in."""
    return content_hash([_content(row) for row in rows])


def _content(row: Row) -> list[Any]:
    turns = [[turn.role, turn.content] for turn in row.messages]
    rejected = None if row.rejected is None else _content(row.rejected)
    return [turns, row.prompt_turns, row.prompt_text, row.completion_text, rejected]
