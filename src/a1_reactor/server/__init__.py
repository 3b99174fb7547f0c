"""The HTTP API of the clips: jobs that make them, the clips themselves, and choosing among takes."""

from typing import TYPE_CHECKING

from reactor_core.utils.lazy import attach

if TYPE_CHECKING:
    from a1_reactor.server.api import create_app as create_app

# Lazy: the web framework costs a second to import.
__getattr__, __dir__, __all__ = attach(__name__, {"create_app": ".api"})
