"""The HTTP API of the clips of a workspace.

Run it with ``uvicorn a1_reactor.server.api:app --port 8080`` or ``a1-reactor serve``.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

from fastapi import FastAPI

from a1_reactor.server import routes_about, routes_branches, routes_clips, routes_files, routes_jobs, ui
from a1_reactor.server.services import Services
from reactor_core.api.application import build_app, serve_app
from reactor_core.api.limits import ApiLimits
from reactor_core.utils.settings import Settings, load_settings

__all__ = ["app", "create_app", "serve"]

app: FastAPI
"""The application with the environment's settings, made when it is first looked up."""

_DESCRIPTION = """
Clips over HTTP: ask for one, follow the work, regenerate a window, choose among takes. Clients on this machine need no
credentials; all others send the workspace's token as `Authorization: Bearer`. Every error is a problem document
(RFC 9457).
"""
_ROUTERS = (
    routes_about.router, routes_jobs.router, routes_clips.router, routes_files.router, routes_branches.router,
    ui.router,
)  # fmt: skip


def create_app(settings: Settings | None = None, *, limits: ApiLimits | None = None) -> FastAPI:
    """The application. Nothing is opened or written before it starts.

    Args:
        settings: None reads the environment.
        limits: What a client may ask; None takes the defaults.

    Raises:
        ConfigError: An environment variable has a value that cannot be used.
    """
    chosen, bounds = settings or load_settings(), limits or ApiLimits()
    return build_app(
        lambda: Services.start(chosen, bounds),
        _ROUTERS,
        title="A1 Reactor",
        description=_DESCRIPTION,
        limits=bounds,
        larger={routes_files.IMPORTS: chosen.a1_upload_mb << 20},
    )


def serve(*, host: str = "127.0.0.1", port: int = 8080, workspace: Path | None = None) -> None:
    """Serve the API of the workspace until the process is told to end.

    Args:
        host: Address to listen on. One beyond loopback needs REACTOR_API_TOKEN.
        port: Port to listen on.
        workspace: Folder of the clips; None takes that of the settings.

    Raises:
        ConfigError: Other machines can reach the address and no token is configured, or there is no such port.
        EnvironmentMissing: Something listens there already, or the address is not this machine's.
    """
    settings = load_settings()
    if workspace is not None:
        settings = settings.model_copy(update={"a1_workspace": workspace})
    serve_app(lambda: create_app(settings), settings, host=host, port=port)


def __getattr__(name: str) -> Any:
    if name != "app":
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    globals()["app"] = create_app()
    return globals()["app"]
