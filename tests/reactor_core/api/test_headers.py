from __future__ import annotations

import logging
from typing import Any

import pytest
from starlette.applications import Starlette
from starlette.middleware import Middleware
from starlette.requests import Request
from starlette.responses import PlainTextResponse, Response
from starlette.routing import Route
from starlette.testclient import TestClient

from reactor_core.api.headers import SECURITY_HEADERS, AnswerHeaders


async def fine(request: Request) -> Response:
    return PlainTextResponse(request.scope["reactor.request_id"], headers={"Referrer-Policy": "same-origin"})


async def read(request: Request) -> Response:
    return PlainTextResponse(await request.body())


async def broken(request: Request) -> Response:
    raise RuntimeError("the secret inside")


@pytest.fixture
def client() -> TestClient:
    app = Starlette(
        routes=[Route("/", fine), Route("/broken", broken), Route("/read", read, methods=["POST"])],
        middleware=[Middleware(AnswerHeaders)],
    )
    return TestClient(app)


@pytest.mark.parametrize("path", ["/", "/broken", "/nowhere"])
def test_every_answer_carries_them(client: TestClient, path: str) -> None:
    headers = client.get(path).headers
    assert [name for name in SECURITY_HEADERS if name not in headers] == []
    assert headers["cache-control"] == "no-store"
    assert headers["x-content-type-options"] == "nosniff"


def test_a_route_s_own_header_holds(client: TestClient) -> None:
    assert client.get("/").headers["referrer-policy"] == "same-origin"
    assert client.get("/nowhere").headers["referrer-policy"] == "no-referrer"


def test_a_caller_s_request_id_is_kept_if_it_is_a_plain_word(client: TestClient) -> None:
    for given, kept in (("job-7.a_b", True), ("x" * 64, True), ("x" * 65, False), ("a b", False), ("<script>", False)):
        answer = client.get("/", headers={"X-Request-ID": given})
        assert (answer.headers["x-request-id"] == given) is kept
        assert answer.text == answer.headers["x-request-id"]


def test_what_nobody_foresaw_is_logged_and_not_shown(client: TestClient, caplog: pytest.LogCaptureFixture) -> None:
    with caplog.at_level(logging.ERROR):
        answer = client.get("/broken")
    assert answer.status_code == 500
    assert answer.headers["content-type"] == "application/problem+json"
    assert "secret" not in answer.text
    assert answer.json()["request_id"] == answer.headers["x-request-id"]
    assert answer.headers["x-request-id"] in caplog.text
    assert "the secret inside" in caplog.text


async def test_a_client_that_leaves_in_the_middle_is_no_failure(
    client: TestClient, caplog: pytest.LogCaptureFixture
) -> None:
    sent: list[Any] = []

    async def receive() -> Any:
        return {"type": "http.disconnect"}

    async def send(message: Any) -> None:
        sent.append(message)

    scope = {"type": "http", "method": "POST", "path": "/read", "headers": [], "query_string": b""}
    await client.app(scope, receive, send)
    assert (sent, [record for record in caplog.records if record.levelno >= logging.WARNING]) == ([], [])
