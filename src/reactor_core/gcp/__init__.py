"""Google Cloud machines: checkpoints that outlive a spot VM, and a rehearsal of its end."""

from typing import TYPE_CHECKING

from reactor_core.utils.lazy import attach

if TYPE_CHECKING:
    from reactor_core.gcp.checkpointer import SpotVMCheckpointer as SpotVMCheckpointer

__getattr__, __dir__, __all__ = attach(__name__, {"SpotVMCheckpointer": ".checkpointer"})
