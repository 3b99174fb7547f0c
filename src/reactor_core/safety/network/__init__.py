"""Network actions: a request with its method, address and body, a connection, a listening address."""

from reactor_core.safety.network.judge import judge

__all__ = ["judge"]
