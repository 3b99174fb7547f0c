"""The HTTP API of a workspace.

Run it with ``python -m reactor_core.api.server``, or give :data:`app` or :func:`create_app` to any ASGI server.
"""

from __future__ import annotations

import contextlib
import sys
import time
from collections.abc import AsyncIterator
from typing import Any

from cyclopts import App
from fastapi import FastAPI
from starlette.middleware import Middleware

from reactor_core import __version__
from reactor_core.api import (
    problems,
    routes_audit,
    routes_confirmations,
    routes_events,
    routes_health,
    routes_hub,
    routes_kill,
    routes_stream,
)
from reactor_core.api.figures import Measure, RequestFigures
from reactor_core.api.guard import Guard
from reactor_core.api.headers import AnswerHeaders
from reactor_core.api.limits import ApiLimits, BodyLimit, RateLimit
from reactor_core.api.schemas import ProblemOut
from reactor_core.api.services import Services, on_signals
from reactor_core.errors import ConfigError
from reactor_core.utils.command import run_app
from reactor_core.utils.ports import check_address
from reactor_core.utils.settings import Settings, load_settings
from reactor_core.utils.tokens import is_loopback

__all__ = ["app", "create_app", "main"]

app: FastAPI
"""The application with the environment's settings, made when it is first looked up."""

GRACEFUL_SECONDS = 10
"""How long our own server waits for answers that are under way before it goes down."""

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

    @contextlib.asynccontextmanager
    async def lifespan(app: FastAPI) -> AsyncIterator[None]:
        services = await Services.start(chosen, bounds, figures)
        app.state.services = services
        try:
            with on_signals(services.end_streams):
                yield
        finally:
            app.state.services = None
            await services.stop()

    def token() -> str | None:
        services: Services | None = made.state.services
        return None if services is None else services.token.value

    made = FastAPI(
        title="Reactor",
        version=__version__,
        description=_DESCRIPTION,
        lifespan=lifespan,
        docs_url=None,  # its scripts would come from another site
        redoc_url=None,
        responses={code: _problem_response(text) for code, text in (("4XX", "Refused"), ("5XX", "Failed"))},
        middleware=[
            Middleware(AnswerHeaders),
            Middleware(Measure, figures=figures, clock=time.perf_counter),
            Middleware(RateLimit, limits=bounds),
            Middleware(Guard, token=token),
            Middleware(BodyLimit, limits=bounds),
        ],
    )
    made.state.services = None
    problems.install(made)
    for router in _ROUTERS:
        made.include_router(router)
    return made


def serve(*, host: str | None = None, port: int | None = None) -> None:
    """Serve the API of the workspace.

    Args:
        host: Address to listen on; REACTOR_CORE_HOST otherwise. One beyond loopback needs REACTOR_API_TOKEN.
        port: Port to listen on; REACTOR_CORE_PORT otherwise.

    Raises:
        ConfigError: Other machines can reach the address and no token is configured, or there is no such port.
        EnvironmentMissing: Something listens there already, or the address is not this machine's.
    """
    import uvicorn

    from reactor_core.events.hub import MAX_FRAME

    settings = load_settings()
    address = host or settings.host
    if not is_loopback(address) and settings.api_token is None:
        raise ConfigError(
            f"{address} can be reached by other machines, and no token is configured",
            remedy="set REACTOR_API_TOKEN, or listen on 127.0.0.1",
        )
    number = settings.port if port is None else port
    check_address(address, number)  # uvicorn would tell in a trace, after everything was opened
    uvicorn.run(
        create_app(settings),
        host=address,
        port=number,
        proxy_headers=False,  # a request that was passed on needs the token, see guard.py
        server_header=False,
        timeout_graceful_shutdown=GRACEFUL_SECONDS,
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


def _problem_response(description: str) -> dict[str, Any]:
    content = {problems.PROBLEM_JSON: {"schema": {"$ref": f"#/components/schemas/{ProblemOut.__name__}"}}}
    return {"description": description, "content": content}


if __name__ == "__main__":
    sys.exit(main())
