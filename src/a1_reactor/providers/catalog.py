"""Providers by name."""

from __future__ import annotations

from a1_reactor.config import ReactorConfig
from a1_reactor.providers.base import Provider
from a1_reactor.providers.http_provider import HTTPProvider
from a1_reactor.providers.mock import MockProvider
from reactor_core.errors import ConfigError

__all__ = ["PROVIDERS", "build_provider"]

PROVIDERS = ("mock", "http")


def build_provider(name: str, config: ReactorConfig) -> Provider:
    """Make a provider.

    Raises:
        ConfigError: The name is unknown, or the HTTP provider has no endpoint.
    """
    if name == "mock":
        return MockProvider()
    if name == "http":
        if config.http_endpoint is None:
            raise ConfigError("the http provider has no endpoint", remedy="pass --endpoint http(s)://host:port/path")
        return HTTPProvider(config.http_endpoint, config.http_timeout_s, allow=config.provider_allow)
    raise ConfigError(f"provider {name!r} is unknown", remedy=f"one of: {', '.join(PROVIDERS)}")
