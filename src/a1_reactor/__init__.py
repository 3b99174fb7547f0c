"""Generate a clip, then regenerate a window of it until it is right; every frame outside stays the same file.

Names are imported when they are first used; none of them needs torch.
"""

from typing import TYPE_CHECKING

from reactor_core.utils.lazy import attach

if TYPE_CHECKING:
    from a1_reactor.config import ReactorConfig as ReactorConfig
    from a1_reactor.engine.engine import ClipResult as ClipResult
    from a1_reactor.engine.engine import ReactorEngine as ReactorEngine
    from a1_reactor.types import JobSpec as JobSpec
    from a1_reactor.types import Window as Window

__getattr__, __dir__, __all__ = attach(
    __name__,
    {
        "ClipResult": ".engine.engine",
        "JobSpec": ".types",
        "ReactorConfig": ".config",
        "ReactorEngine": ".engine.engine",
        "Window": ".types",
    },
)
