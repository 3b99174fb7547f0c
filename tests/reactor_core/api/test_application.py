from __future__ import annotations

import socket

import httpx
import pytest
from fastapi import APIRouter, FastAPI
from starlette.requests import Request

from reactor_core.api.application import build_app, serve_app
from reactor_core.api.limits import ApiLimits
from reactor_core.api.problems import PROBLEM_JSON
from reactor_core.errors import ConfigError, EnvironmentMissing, NotFound, ReactorError
from reactor_core.utils.settings import Settings
from reactor_core.utils.tokens import Token


class Stand:
    """Notes what becomes of it."""

    def __init__(self) -> None:
        self.token = Token(value="secret", path=None, made=False)
        self.told: list[str] = []

    def end_streams(self) -> None:
        self.told.append("end_streams")

    async def stop(self) -> None:
        self.told.append("stop")


@pytest.fixture
def stand() -> Stand:
    return Stand()


@pytest.fixture
def app(stand: Stand) -> FastAPI:
    router = APIRouter()

    @router.get("/thing")
    async def thing(request: Request) -> dict[str, bool]:
        if "absent" in request.query_params:
            raise NotFound("no such thing")
        return {"found": request.app.state.services is stand}

    @router.post("/large")
    async def large(request: Request) -> int:
        return len(await request.body())

    async def start() -> Stand:
        stand.told.append("start")
        return stand

    limits = ApiLimits(body_bytes=10)
    return build_app(start, [router], title="T", description="D", limits=limits, larger={"/large": 20})


async def test_an_application_is_opened_guarded_and_closed(app: FastAPI, stand: Stand) -> None:
    here = httpx.AsyncClient(transport=httpx.ASGITransport(app, client=("127.0.0.1", 1)), base_url="http://127.0.0.1")
    away = httpx.AsyncClient(transport=httpx.ASGITransport(app, client=("10.0.0.9", 1)), base_url="http://127.0.0.1")
    assert stand.told == []
    async with app.router.lifespan_context(app), here, away:
        assert (await here.get("/thing")).json() == {"found": True}
        absent = await here.get("/thing?absent=1")
        assert (absent.status_code, absent.headers["content-type"]) == (404, PROBLEM_JSON)
        assert (await away.get("/thing")).status_code == 401
        assert (await away.get("/thing", headers={"Authorization": "Bearer secret"})).status_code == 200
        assert (await here.post("/large", content=b"x" * 20)).json() == 20
        assert (await here.post("/large", content=b"x" * 21)).status_code == 413
    assert stand.told == ["start", "stop"]


def test_an_address_that_others_reach_needs_a_token(app: FastAPI) -> None:
    with pytest.raises(ConfigError, match="REACTOR_API_TOKEN"):
        serve_app(lambda: app, Settings(), host="0.0.0.0", port=1)


def test_an_address_that_is_taken_is_told_before_anything_is_opened(app: FastAPI, stand: Stand) -> None:
    with socket.create_server(("127.0.0.1", 0)) as other, pytest.raises(ReactorError) as caught:
        serve_app(lambda: app, Settings(), host="127.0.0.1", port=other.getsockname()[1])
    assert isinstance(caught.value, EnvironmentMissing | ConfigError)
    assert stand.told == []
