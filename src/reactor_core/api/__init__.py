"""The HTTP API: one file of routes per subject, and what guards them all."""

from reactor_core.utils.lazy import attach as _attach

__getattr__, __dir__, __all__ = _attach(
    __name__,
    {
        "ApiLimits": ".limits",
        "create_app": ".server",
    },
)
