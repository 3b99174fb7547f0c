"""The HTTP API of a workspace.

Run it with ``python -m reactor_core.api.server``, or give :data:`app` or :func:`create_app` to any ASGI server.
"""

from __future__ import annotations

import sys
import time
from typing import Any

from cyclopts import App
from fastapi import FastAPI
from starlette.middleware import Middleware

from reactor_core import __version__
from reactor_core.api import (
    routes_audit,
    routes_confirmations,
    routes_events,
    routes_health,
    routes_hub,
    routes_kill,
    routes_stream,
)
from reactor_core.api.application import build_app, serve_app
from reactor_core.api.figures import Measure, RequestFigures
from reactor_core.api.limits import ApiLimits
from reactor_core.api.services import Services
from reactor_core.utils.command import run_app
from reactor_core.utils.settings import Settings, load_settings

__all__ = ["app", "create_app", "main"]

app: FastAPI
"""The application with the environment's settings, made when it is first looked up."""

_DESCRIPTION = """
The events of a workspace over HTTP. Clients on this machine need no credentials; all others send the workspace's token
as `Authorization: Bearer`. Every error is a problem document (RFC 9457).
"""
_ROUTERS = (
    routes_health.router, routes_stream.router, routes_events.router, routes_audit.router, routes_hub.router,
    routes_confirmations.router, routes_kill.router,
)  # fmt: skip


def create_app(settings: Settings | None = None, *, limits: ApiLimits | None = None) -> FastAPI:
    """The application. Nothing is opened or written before it starts.

    Args:
        settings: None reads the environment.
        limits: What a client may ask; None takes the defaults.

    Raises:
        ConfigError: An environment variable has a value that cannot be used.
    """
    chosen, bounds, figures = settings or load_settings(), limits or ApiLimits(), RequestFigures()
    return build_app(
        lambda: Services.start(chosen, bounds, figures),
        _ROUTERS,
        title="Reactor",
        description=_DESCRIPTION,
        limits=bounds,
        measure=[Middleware(Measure, figures=figures, clock=time.perf_counter)],
    )


def serve(*, host: str | None = None, port: int | None = None) -> None:
    """Serve the API of the workspace.

    Args:
        host: Address to listen on; REACTOR_CORE_HOST otherwise. One beyond loopback needs REACTOR_API_TOKEN.
        port: Port to listen on; REACTOR_CORE_PORT otherwise.

    Raises:
        ConfigError: Other machines can reach the address and no token is configured, or there is no such port.
        EnvironmentMissing: Something listens there already, or the address is not this machine's.
    """
    from reactor_core.events.hub import MAX_FRAME

    settings = load_settings()
    serve_app(
        lambda: create_app(settings),
        settings,
        host=host or settings.host,
        port=settings.port if port is None else port,
        ws_max_size=MAX_FRAME,
        ws_per_message_deflate=False,  # little that inflates to much costs more than it saves
    )


def main() -> int:
    """``python -m reactor_core.api.server``; returns the exit status."""
    command = App(name="python -m reactor_core.api.server", version=__version__, help="Serve the API of a workspace.")
    command.default(serve)
    return run_app(command)


def __getattr__(name: str) -> Any:
    if name != "app":
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    globals()["app"] = create_app()
    return globals()["app"]


if __name__ == "__main__":
    sys.exit(main())
