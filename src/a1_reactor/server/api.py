"""The HTTP API of the clips of a workspace.

Run it with ``uvicorn a1_reactor.server.api:app --port 8080`` or ``a1-reactor serve``.
"""

from __future__ import annotations

import contextlib
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

from fastapi import FastAPI
from starlette.middleware import Middleware

from a1_reactor.server import routes_about, routes_branches, routes_clips, routes_files, routes_jobs, ui
from a1_reactor.server.services import Services
from reactor_core import __version__
from reactor_core.api import problems
from reactor_core.api.guard import Guard
from reactor_core.api.headers import AnswerHeaders
from reactor_core.api.limits import ApiLimits, BodyLimit, RateLimit
from reactor_core.api.schemas import ProblemOut
from reactor_core.api.services import on_signals
from reactor_core.errors import ConfigError
from reactor_core.utils.ports import check_address
from reactor_core.utils.settings import Settings, load_settings
from reactor_core.utils.tokens import is_loopback

__all__ = ["GRACEFUL_SECONDS", "app", "create_app", "serve"]

app: FastAPI
"""The application with the environment's settings, made when it is first looked up."""

GRACEFUL_SECONDS = 10
"""How long our own server waits for answers that are under way before it goes down."""

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

    @contextlib.asynccontextmanager
    async def lifespan(app: FastAPI) -> AsyncIterator[None]:
        services = await Services.start(chosen, bounds)
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
        title="A1 Reactor",
        version=__version__,
        description=_DESCRIPTION,
        lifespan=lifespan,
        docs_url=None,  # its scripts would come from another site
        redoc_url=None,
        responses={code: problem_response(text) for code, text in (("4XX", "Refused"), ("5XX", "Failed"))},
        middleware=[
            Middleware(AnswerHeaders),
            Middleware(RateLimit, limits=bounds),
            Middleware(Guard, token=token),
            Middleware(BodyLimit, limits=bounds, larger={routes_files.IMPORTS: chosen.a1_upload_mb << 20}),
        ],
    )
    made.state.services = None
    problems.install(made)
    for router in _ROUTERS:
        made.include_router(router)
    return made


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
    import uvicorn

    settings = load_settings()
    if workspace is not None:
        settings = settings.model_copy(update={"a1_workspace": workspace})
    if not is_loopback(host) and settings.api_token is None:
        raise ConfigError(
            f"{host} can be reached by other machines, and no token is configured",
            remedy="set REACTOR_API_TOKEN, or listen on 127.0.0.1",
        )
    check_address(host, port)  # uvicorn would tell in a trace, after everything was opened
    uvicorn.run(
        create_app(settings),
        host=host,
        port=port,
        proxy_headers=False,  # a request that was passed on needs the token
        server_header=False,
        timeout_graceful_shutdown=GRACEFUL_SECONDS,
    )


def problem_response(description: str) -> dict[str, Any]:
    """The description of an answer that is a problem."""
    content = {problems.PROBLEM_JSON: {"schema": {"$ref": f"#/components/schemas/{ProblemOut.__name__}"}}}
    return {"description": description, "content": content}


def __getattr__(name: str) -> Any:
    if name != "app":
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    globals()["app"] = create_app()
    return globals()["app"]
