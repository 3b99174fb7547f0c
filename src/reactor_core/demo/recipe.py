"""How the verdict model of the main job is trained: within 150 s, or on every row.

The values were found by the runs in docs/notes/2026-11-21-verdict-recipe.md. The prompt stands in
:func:`reactor_core.eval.verdict_messages`, since evaluation and chat ask in the same words.
"""

from __future__ import annotations

from typing import Any

from reactor_core.training.config import TrainingConfig

__all__ = ["MODEL", "demo_config", "full_config"]

MODEL = "smollm2-135m"

_SHARED: dict[str, Any] = {
    "model_name": MODEL,
    "chat_template": "bare",
    # The file's own order: every prefix is balanced, and the first pass has one row of every template.
    "shuffle": False,
    # The top third learns faster per row than all layers at any rate tried, and no gradient flows below it.
    "layers": 10,
    "lora_rank": 16,
    "lora_alpha": 32.0,
    "learning_rate": 2.5e-3,
    "lr_schedule": "linear",
    "warmup_ratio": 0.05,
    "adam_beta2": 0.99,
    "batch_size": 8,
    "max_length": 256,
}


def demo_config(*, seed: int = 0) -> TrainingConfig:
    """Training for at most 150 s, on as many rows as fit."""
    return TrainingConfig(**_SHARED, max_seconds=150, seed=seed)


def full_config(*, seed: int = 0) -> TrainingConfig:
    """Training on every row, once: two or three rows of each template are as many passes over what they teach."""
    return TrainingConfig(**_SHARED, num_epochs=1, seed=seed)
