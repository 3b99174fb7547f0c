"""Providers by name: those that are built in, and those of the operator's ``providers.toml``."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from a1_reactor.config import ReactorConfig
from a1_reactor.providers.base import Capabilities, Provider
from a1_reactor.providers.diffusion import pipeline_name
from a1_reactor.providers.flow import FlowInterpolator
from a1_reactor.providers.http_provider import HTTPProvider
from a1_reactor.providers.http_v2 import HTTPProviderV2
from a1_reactor.providers.inbetween import InBetweenProvider
from a1_reactor.providers.mock import MockProvider
from a1_reactor.providers.operator import DiffusersEntry, Entry, build_entry, load_entries
from a1_reactor.providers.rife import RifeInterpolator
from a1_reactor.providers.rife_weights import find_rife
from a1_reactor.providers.wire import Wire, no_pulse
from reactor_core.errors import ConfigError, EnvironmentMissing, Halted, MissingExtra, NotFound
from reactor_core.events.latch import Latch
from reactor_core.utils.extras import installed

__all__ = ["PROVIDERS", "ProviderInfo", "build_provider", "list_providers", "provider_names"]

PROVIDERS = ("mock", "http", "http2", "flow", "rife")
"""Those that are built in."""
_ABOUT = {
    "mock": "a deterministic moving scene, without a model",
    "http": "a server that speaks the HTTP contract, version 1",
    "http2": "a server that speaks the HTTP contract, version 2",
    "flow": "the frames beside a window, moved into it by optical flow",
    "rife": "the frames beside a window, moved into it by a small network",
}


@dataclass(frozen=True, slots=True, kw_only=True)
class ProviderInfo:
    """What is known of a provider without calling it or loading its weights."""

    name: str
    kind: str
    about: str
    capabilities: Capabilities | None
    """None where only the server or the loaded model can tell."""
    missing: str | None
    """Why it cannot be used now, with the remedy; None if it can."""

    def to_json(self) -> dict[str, Any]:
        """For ``a1-reactor providers --json``."""
        return {
            "name": self.name,
            "kind": self.kind,
            "about": self.about,
            "available": self.missing is None,
            "missing": self.missing,
            "capabilities": None if self.capabilities is None else self.capabilities.to_json(),
        }


def provider_names(config: ReactorConfig) -> tuple[str, ...]:
    """All names that a job may give.

    Raises:
        ConfigError: ``providers.toml`` cannot be used.
    """
    return (*PROVIDERS, *load_entries(config.workspace, taken=PROVIDERS))


def build_provider(name: str, config: ReactorConfig, *, pulse: Callable[[], None] = no_pulse) -> Provider:
    """Make a provider.

    Args:
        pulse: Called now and then while it is at work, as is the look at the kill switch; what it raises ends a call.

    Raises:
        ConfigError: The name is unknown, an HTTP provider has no endpoint, or ``providers.toml`` cannot be used.
        MissingExtra: A library that the provider needs is not installed.
        NotFound: Its weights are not on this machine.
    """
    pulse = _pulse(config, pulse)
    if name == "mock":
        return MockProvider()
    if name in ("http", "http2"):
        if config.http_endpoint is None:
            raise ConfigError(f"the {name} provider has no endpoint", remedy="pass --endpoint http(s)://host:port/path")
        if name == "http":
            return HTTPProvider(config.http_endpoint, config.http_timeout_s, allow=config.provider_allow, pulse=pulse)
        wire = Wire(config.http_endpoint, timeout_s=config.http_timeout_s, allow=config.provider_allow, pulse=pulse)
        return HTTPProviderV2(wire)
    if name == "flow":
        if not installed("cv2"):
            raise MissingExtra("frames by optical flow", "media")
        return InBetweenProvider(FlowInterpolator())
    if name == "rife":
        if not installed("torch"):
            raise MissingExtra("RIFE", "train")
        return InBetweenProvider(RifeInterpolator(find_rife(config.cache_dir)))
    entry = load_entries(config.workspace, taken=PROVIDERS).get(name)
    if entry is None:
        raise ConfigError(f"provider {name!r} is unknown", remedy=f"one of: {', '.join(provider_names(config))}")
    return build_entry(name, entry, folder=config.workspace, allow=config.provider_allow, pulse=pulse)


def list_providers(config: ReactorConfig) -> list[ProviderInfo]:
    """Every provider, with what it can do and what it lacks. No server is called and no weights are loaded.

    Raises:
        ConfigError: ``providers.toml`` cannot be used.
    """
    found = [_built_in(name, config) for name in PROVIDERS]
    return found + [
        _entry(name, entry, config) for name, entry in load_entries(config.workspace, taken=PROVIDERS).items()
    ]


def _built_in(name: str, config: ReactorConfig) -> ProviderInfo:
    capabilities, missing = None, None
    try:
        provider = build_provider(name, config)
        # The server of http2 would have to be asked.
        capabilities = None if name == "http2" else provider.capabilities
    except (ConfigError, EnvironmentMissing, MissingExtra, NotFound) as error:
        missing = str(error)
    return ProviderInfo(name=name, kind=name, about=_ABOUT[name], capabilities=capabilities, missing=missing)


def _entry(name: str, entry: Entry, config: ReactorConfig) -> ProviderInfo:
    stated = getattr(entry, "capabilities", None)
    capabilities = None if stated is None else stated.capabilities()
    about, missing = getattr(entry, "endpoint", ""), None
    try:
        build_entry(name, entry, folder=config.workspace, allow=config.provider_allow, pulse=_pulse(config))
        if isinstance(entry, DiffusersEntry):
            about = pipeline_name(config.workspace / entry.folder.expanduser())
            if not (installed("diffusers") and installed("torch")):
                raise MissingExtra("a pipeline of diffusers", "generate")
    except (ConfigError, MissingExtra) as error:
        missing = str(error)
    return ProviderInfo(name=name, kind=entry.kind, about=about, capabilities=capabilities, missing=missing)


def _pulse(config: ReactorConfig, more: Callable[[], None] = no_pulse) -> Callable[[], None]:
    """Ends a call once the kill switch is tripped, or ``more`` raises."""
    latch = None if config.halted_by is None else Latch(config.halted_by)

    def pulse() -> None:
        more()
        if latch is not None and (state := latch.state()).tripped:
            raise Halted(f"the kill switch is tripped: {state.reason}", remedy="reactor kill status")

    return pulse
