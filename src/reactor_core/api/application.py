"""What the applications of this distribution have in common: who may ask, how much, how errors look, how they end."""

from __future__ import annotations

import contextlib
from collections.abc import AsyncIterator, Awaitable, Callable, Iterable, Mapping
from typing import Any, Protocol

from fastapi import APIRouter, FastAPI
from starlette.middleware import Middleware

from reactor_core import __version__
from reactor_core.api import problems
from reactor_core.api.guard import Guard
from reactor_core.api.headers import AnswerHeaders
from reactor_core.api.limits import ApiLimits, BodyLimit, RateLimit
from reactor_core.api.schemas import ProblemOut
from reactor_core.api.services import on_signals
from reactor_core.errors import ConfigError
from reactor_core.utils.ports import check_address
from reactor_core.utils.settings import Settings
from reactor_core.utils.tokens import Token, is_loopback

__all__ = ["GRACEFUL_SECONDS", "Standing", "build_app", "serve_app"]

GRACEFUL_SECONDS = 10
"""How long our own servers wait for answers that are under way before they go down."""


class Standing(Protocol):
    """What an application stands on, opened once for its life; its routes find it as ``app.state.services``."""

    token: Token
    """What clients beyond this machine show."""

    def end_streams(self) -> None:
        """Let answers that never end by themselves end."""
        ...

    async def stop(self) -> None:
        """Close everything."""
        ...


def build_app(
    start: Callable[[], Awaitable[Standing]],
    routers: Iterable[APIRouter],
    *,
    title: str,
    description: str,
    limits: ApiLimits,
    larger: Mapping[str, int] | None = None,
    measure: Iterable[Middleware] = (),
) -> FastAPI:
    """An application. Nothing is opened or written before it starts.

    Args:
        start: Opens what the routes stand on.
        routers: The routes.
        title: Of the description.
        description: What it is for, as Markdown.
        limits: What a client may ask.
        larger: Path -> bytes, for routes that take larger bodies.
        measure: What counts the requests; it sees those too that are refused.
    """

    @contextlib.asynccontextmanager
    async def lifespan(app: FastAPI) -> AsyncIterator[None]:
        services = await start()
        app.state.services = services
        try:
            with on_signals(services.end_streams):
                yield
        finally:
            app.state.services = None
            await services.stop()

    def token() -> str | None:
        services: Standing | None = made.state.services
        return None if services is None else services.token.value

    made = FastAPI(
        title=title,
        version=__version__,
        description=description,
        lifespan=lifespan,
        docs_url=None,  # its scripts would come from another site
        redoc_url=None,
        responses={code: _problem_response(text) for code, text in (("4XX", "Refused"), ("5XX", "Failed"))},
        middleware=[
            Middleware(AnswerHeaders),
            *measure,
            Middleware(RateLimit, limits=limits),
            Middleware(Guard, token=token),
            Middleware(BodyLimit, limits=limits, larger=larger),
        ],
    )
    made.state.services = None
    problems.install(made)
    for router in routers:
        made.include_router(router)
    return made


def serve_app(create: Callable[[], FastAPI], settings: Settings, *, host: str, port: int, **options: Any) -> None:
    """Serve an application until the process is told to end.

    Args:
        create: Makes it.
        settings: Where a token may be.
        host: Address to listen on.
        port: Port to listen on.
        options: Of ``uvicorn.run``, beside ours.

    Raises:
        ConfigError: Other machines can reach the address, and no token is configured; or it cannot be listened on.
    """
    import uvicorn

    if not is_loopback(host) and settings.api_token is None:
        raise ConfigError(
            f"{host} can be reached by other machines, and no token is configured",
            remedy="set REACTOR_API_TOKEN, or listen on 127.0.0.1",
        )
    check_address(host, port)  # uvicorn would tell in a trace, after everything was opened
    uvicorn.run(
        create(),
        host=host,
        port=port,
        proxy_headers=False,  # a request that was passed on needs the token, see guard.py
        server_header=False,
        timeout_graceful_shutdown=GRACEFUL_SECONDS,
        **options,
    )


def _problem_response(description: str) -> dict[str, Any]:
    content = {problems.PROBLEM_JSON: {"schema": {"$ref": f"#/components/schemas/{ProblemOut.__name__}"}}}
    return {"description": description, "content": content}
