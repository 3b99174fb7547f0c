"""Serving: a base model with an adapter, and the registry of adapters that have earned their place."""

from reactor_core.utils.lazy import attach

__getattr__, __dir__, __all__ = attach(
    __name__,
    {
        "AdapterEntry": ".registry",
        "AdapterRegistry": ".registry",
        "Engine": ".engine",
        "load_engine": ".engine",
    },
)
