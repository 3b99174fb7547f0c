"""How the verdict model of the main job is trained: within 150 s, or on every row."""

from __future__ import annotations

from reactor_core.training.config import TrainingConfig

__all__ = ["MODEL", "demo_config", "full_config"]

MODEL = "smollm2-135m"


def demo_config(*, seed: int = 0) -> TrainingConfig:
    """Training for at most 150 s."""
    return TrainingConfig(
        model_name=MODEL,
        chat_template="bare",
        shuffle=False,
        learning_rate=1e-3,
        batch_size=8,
        max_seconds=150,
        seed=seed,
    )


def full_config(*, seed: int = 0) -> TrainingConfig:
    """Training on every row."""
    return TrainingConfig(
        model_name=MODEL, chat_template="bare", shuffle=False, learning_rate=1e-3, batch_size=8, num_epochs=2, seed=seed
    )
