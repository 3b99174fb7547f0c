"""Training, events, cost and safety for models and agents that get better from use.

Names are imported when they are first used, so ``import reactor_core`` costs milliseconds and never imports torch.
"""

from typing import TYPE_CHECKING

from reactor_core.utils.lazy import attach

if TYPE_CHECKING:
    from reactor_core.training.config import TrainingConfig as TrainingConfig
    from reactor_core.training.trainer import Trainer as Trainer

__version__ = "0.1.0"

__getattr__, __dir__, __all__ = attach(
    __name__,
    {
        "Trainer": ".training.trainer",
        "TrainingConfig": ".training.config",
    },
)
