"""What one turn of the loop measured, as values."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

__all__ = ["Foreign", "Scores", "Step", "Summary", "Trained"]


@dataclass(frozen=True, kw_only=True)
class Scores:
    """Verdicts of one model on the held-out rows."""

    accuracy: float
    """Share of rows with the right verdict."""
    interval: tuple[float, float]
    """95 % bootstrap interval of the accuracy."""
    confusion: tuple[tuple[int, ...], ...]
    """Counts, rows by truth and columns by prediction, in the order of the labels."""
    per_kind: dict[str, float]
    """Accuracy by kind of action."""


@dataclass(frozen=True, kw_only=True)
class Trained:
    """One training run."""

    rows: int
    """Distinct rows that were trained on."""
    pool_rows: int
    """Rows that were there to train on."""
    tokens: int
    seconds: float
    tokens_per_second: float
    peak_memory_bytes: int
    """Largest resident set of this process until the end of training."""
    steps: int
    first_loss: float
    final_loss: float
    stopped: str
    """Why it ended: epochs, max_seconds, max_steps."""


@dataclass(frozen=True, kw_only=True)
class Foreign:
    """Accuracy on a file of another making (``--also``); its rows take part in nothing else."""

    path: str
    rows: int
    before: Scores
    after: Scores


@dataclass(frozen=True, kw_only=True)
class Step:
    """Wall-clock time of one step."""

    name: str
    seconds: float


@dataclass(frozen=True, kw_only=True)
class Summary:
    """Everything that ``reactor demo`` prints. Each value was measured in the run it names."""

    run_id: str
    mode: str
    """``timed`` (at most 150 s of training) or ``full``."""
    seed: int
    machine: str
    model_name: str
    model_source: str
    model_sha256: str
    dataset_hash: str
    event_range: tuple[int, int]
    """First and last journal position of the events that were trained on."""
    heldout_rows: int
    heldout_sha256: str
    majority_accuracy: float
    before: Scores
    after: Scores
    p_untuned: float
    """McNemar's test, tuned against untuned."""
    p_majority: float
    """McNemar's test, tuned against always the most frequent label."""
    labels: tuple[str, ...]
    also: Foreign | None
    trained: Trained
    adapter_dir: Path
    adapter_id: str
    question: str
    """Action that the tuned model was asked about; in neither file."""
    answer: str
    clip: dict[str, Any]
    """What the clip step reports."""
    price: str
    cost_nano_usd: int
    """Wall-clock time of the whole run at that price."""
    events: int
    """Events in the workspace's journal."""
    chain_verified: bool
    chain_head: str
    steps: tuple[Step, ...]
    seconds: float
    report_path: Path

    def as_dict(self) -> dict[str, Any]:
        """The object that ``reactor demo --json`` prints: names that programs read first, then all the rest."""
        everything = asdict(self)
        return {
            "run_id": self.run_id,
            "verdict_accuracy_before": self.before.accuracy,
            "verdict_accuracy_after": self.after.accuracy,
            "majority_accuracy": self.majority_accuracy,
            "heldout_rows": self.heldout_rows,
            "trained_rows": self.trained.rows,
            "tokens_per_second": self.trained.tokens_per_second,
            "peak_memory_bytes": self.trained.peak_memory_bytes,
            "cost_usd": self.cost_nano_usd / 1_000_000_000,
            "events": self.events,
            "chain_verified": self.chain_verified,
            "adapter_dir": str(self.adapter_dir),
            "clip_path": self.clip["clip_path"],
            "regen_frames_changed": self.clip["regen_frames_changed"],
            "regen_frames_untouched": self.clip["regen_frames_untouched"],
            "report_path": str(self.report_path),
            "seconds": self.seconds,
            **{
                name: everything[name]
                for name in (
                    "mode", "seed", "machine", "model_name", "model_source", "model_sha256", "dataset_hash",
                    "event_range", "heldout_sha256", "before", "after", "p_untuned", "p_majority", "labels", "also",
                    "trained", "adapter_id", "question", "answer", "clip", "price", "chain_head", "steps",
                )
            },
        }  # fmt: skip
