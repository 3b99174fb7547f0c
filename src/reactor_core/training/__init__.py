"""Fine-tuning: configuration, LoRA, the loop, checkpoints, cards."""

from reactor_core.utils.lazy import attach

__getattr__, __dir__, __all__ = attach(
    __name__,
    {
        "EventHook": ".hooks",
        "RunInfo": ".hooks",
        "StepInfo": ".hooks",
        "Trainer": ".trainer",
        "TrainingConfig": ".config",
        "TrainingHook": ".hooks",
        "TrainingResult": ".result",
    },
)
