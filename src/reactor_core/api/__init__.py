"""The HTTP API: one file of routes per subject, and what guards them all."""

from typing import TYPE_CHECKING

from reactor_core.utils.lazy import attach

if TYPE_CHECKING:
    from reactor_core.api.limits import ApiLimits as ApiLimits
    from reactor_core.api.server import create_app as create_app

# Lazy: the web framework costs a second to import.
__getattr__, __dir__, __all__ = attach(
    __name__,
    {
        "ApiLimits": ".limits",
        "create_app": ".server",
    },
)
