"""The limits around a tiny application, so that each is met alone."""

from __future__ import annotations

import asyncio
import dataclasses
import re
from pathlib import Path
from typing import Any

import pytest
from starlette.applications import Starlette
from starlette.middleware import Middleware
from starlette.requests import Request
from starlette.responses import PlainTextResponse, Response
from starlette.routing import Route
from starlette.testclient import TestClient

from reactor_core.api.limits import ApiLimits, BodyLimit, RateLimit
from reactor_core.api.problems import Problem, respond

LIMITS = ApiLimits(body_bytes=1000, body_seconds=0.1, requests_per_minute=20, refusals_per_minute=3)


async def count(request: Request) -> Response:
    try:
        return PlainTextResponse(str(len(await request.body())))
    except Problem as problem:  # the application's own handlers do this
        return respond(problem, request.scope)


async def refuse(request: Request) -> Response:
    return PlainTextResponse("no", 401)


def client(kind: type[Any], limits: ApiLimits = LIMITS, address: str = "10.0.0.1") -> TestClient:
    app = Starlette(
        routes=[Route("/", count, methods=["GET", "POST"]), Route("/no", refuse)],
        middleware=[Middleware(kind, limits=limits)],
    )
    return TestClient(app, client=(address, 1))


def test_a_body_up_to_the_limit_is_read() -> None:
    assert client(BodyLimit).post("/", content=b"x" * 1000).text == "1000"


def test_a_body_that_says_it_is_larger_is_not_read() -> None:
    answer = client(BodyLimit).post("/", content=b"x" * 1001)
    assert (answer.status_code, answer.json()["type"]) == (413, "urn:reactor:problem:body-too-large")


def test_nor_one_that_does_not_say() -> None:
    answer = client(BodyLimit).post("/", content=(b"x" * 100 for _ in range(11)))
    assert (answer.status_code, answer.headers["connection"]) == (413, "close")


def test_a_route_that_reads_piece_by_piece_may_take_more() -> None:
    larger = Middleware(BodyLimit, limits=LIMITS, larger={"/large": 2000})
    routes = [Route(path, count, methods=["POST"]) for path in ("/", "/large")]
    asked = TestClient(Starlette(routes=routes, middleware=[larger]))
    sizes = {"/": 1001, "/large": 2000}
    assert {path: asked.post(path, content=b"x" * size).status_code for path, size in sizes.items()} == {
        "/": 413,
        "/large": 200,
    }
    assert asked.post("/large", content=(b"x" * 100 for _ in range(21))).status_code == 413


def test_an_absurd_length_is_no_number_to_compute_with() -> None:
    assert client(BodyLimit).post("/", content=b"x", headers={"Content-Length": "9" * 5000}).status_code == 413


async def test_a_body_that_does_not_come_is_given_up() -> None:
    """Over ASGI itself: a test client sends what it has at once."""
    sent: list[Any] = []
    parts = [{"type": "http.request", "body": b"x", "more_body": True}]

    async def receive() -> Any:
        if not parts:
            await asyncio.Event().wait()
        return parts.pop()

    async def send(message: Any) -> None:
        sent.append(message)

    scope = {"type": "http", "method": "POST", "path": "/", "headers": [], "query_string": b""}
    await client(BodyLimit).app(scope, receive, send)
    assert sent[0]["status"] == 408


def test_so_many_requests_a_minute_and_no_more() -> None:
    caller = client(RateLimit)
    assert [caller.get("/").status_code for _ in range(21)] == [200] * 20 + [429]
    answer = caller.get("/")
    assert answer.json()["type"] == "urn:reactor:problem:rate-limited"
    assert 1 <= int(answer.headers["retry-after"]) <= 60


def test_guessing_tokens_is_slower_still() -> None:
    caller = client(RateLimit)
    assert [caller.get("/no").status_code for _ in range(5)] == [401, 401, 401, 429, 429]
    assert "authenticate" in caller.get("/").json()["detail"]


def test_one_address_does_not_use_up_another_s() -> None:
    app = client(RateLimit).app
    first, second = (TestClient(app, client=(address, 1)) for address in ("10.0.0.1", "10.0.0.2"))
    for _ in range(25):
        first.get("/")
    assert first.get("/").status_code == 429
    assert second.get("/").status_code == 200


def test_every_limit_says_what_it_is_and_is_positive() -> None:
    for field in dataclasses.fields(ApiLimits):
        assert getattr(ApiLimits(), field.name) > 0
    with pytest.raises(TypeError):
        ApiLimits(1)  # type: ignore[misc]  # by name only


def test_the_page_on_running_it_says_the_same_numbers() -> None:
    page = (Path(__file__).resolve().parents[3] / "docs/how-to/run-the-api.md").read_text(encoding="utf-8")
    table = page.partition("## Limits")[2]
    limits = ApiLimits()
    assert f"{limits.body_bytes >> 20} MiB; {limits.body_seconds:g} s" in table
    numbers = (limits.batch_events, limits.requests_per_minute, limits.refusals_per_minute, limits.streams,
               limits.streams_per_client)  # fmt: skip
    for number in numbers:
        assert re.search(rf"\b{number:,}\b", table), number
    assert f"| {limits.stalled_seconds:g} s |" in table
