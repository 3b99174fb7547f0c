"""The hub inside the application; what it says is tested with the hub itself."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Callable
from typing import Any

import httpx
import pytest
from starlette.testclient import TestClient
from starlette.websockets import WebSocketDisconnect
from tests.reactor_core.api.serving import DEADLINE, until
from websockets.asyncio.client import connect
from websockets.exceptions import ConnectionClosed

from reactor_core.api.limits import ApiLimits
from reactor_core.events.hub import MAX_FRAME
from reactor_core.integration.event_bridge import EventBridge
from reactor_core.utils.settings import Settings

Serve = Callable[..., str]
IDENTITY = {"type": "identity", "source": "jarvis_agent"}


def socket_url(url: str) -> str:
    return url.replace("http", "ws") + "/ws/events"


async def test_an_old_neighbour_meets_the_journal(serve_here: Serve) -> None:
    url = serve_here()
    async with asyncio.timeout(DEADLINE), connect(socket_url(url)) as socket:
        await socket.send(json.dumps(IDENTITY))
        sent = {
            "event_id": "abc123", "event_type": "interaction_end", "source": "jarvis_agent",
            "timestamp": "2026-11-21T10:00:00+00:00", "payload": {"n": 1}, "priority": 5,
        }  # fmt: skip
        await socket.send(json.dumps(sent))
        stored = await asyncio.to_thread(
            until, lambda: httpx.get(f"{url}/v1/events?source=jarvis_agent").json()["events"]
        )
        assert [event["data"] for event in stored] == [{"n": 1}]
        body = {"event_type": "feedback", "source": "user", "data": {"n": 2}}
        await asyncio.to_thread(httpx.post, f"{url}/v1/events", json=body)
        got = json.loads(await socket.recv())
        assert (got["payload"], got["source"]) == ({"n": 2}, "user")


def test_another_workspace_exchanges_events_through_it(serve_here: Serve, tmp_path: Any) -> None:
    url = serve_here()
    settings = Settings(workspace=tmp_path / "other", state_dir=tmp_path / "state")
    with EventBridge(
        "jarvis_prime", websocket_url=socket_url(url), fallback_to_file=False, settings=settings
    ) as bridge:
        until(lambda: bridge.relays()[0].state == "connected")
        sent = bridge.publish_sync("training_complete", {"loss": 0.1})
        [there] = until(lambda: httpx.get(f"{url}/v1/events?source=jarvis_prime").json()["events"])
        assert there["event_id"] == sent.event_id
        httpx.post(f"{url}/v1/events", json={"event_type": "feedback", "source": "user", "data": {"n": 2}})
        [here] = until(lambda: bridge.get_events_by_type_sync("feedback"))
        assert here.data == {"n": 2}


def test_another_machine_shows_the_token_in_the_header_or_the_first_frame(remote: TestClient) -> None:
    token = remote.app.state.services.token.value
    for headers, frame in (({"Authorization": f"Bearer {token}"}, IDENTITY), ({}, IDENTITY | {"token": token})):
        with remote.websocket_connect("/ws/events", headers=headers) as socket:
            socket.send_json(frame)
            remote.post(
                "/v1/events",
                json={"event_type": "feedback", "source": "user", "data": {}},
                headers={"Authorization": f"Bearer {token}"},
            )
            assert socket.receive_json()["event_type"] == "feedback"


def test_without_it_nothing_is_taken_and_nothing_said(remote: TestClient) -> None:
    for frame in (IDENTITY, IDENTITY | {"token": "a-wrong-token-of-some-length"}):
        with remote.websocket_connect("/ws/events") as socket:
            socket.send_json(frame)
            with pytest.raises(WebSocketDisconnect):
                while True:
                    assert socket.receive_json()["type"] == "error"


def test_a_wrong_header_ends_the_handshake(remote: TestClient) -> None:
    with pytest.raises(WebSocketDisconnect):
        with remote.websocket_connect("/ws/events", headers={"Authorization": "Bearer wrong"}):
            pass


async def test_a_page_of_another_site_needs_the_token(serve_here: Serve) -> None:
    url = serve_here()
    async with asyncio.timeout(DEADLINE), connect(socket_url(url), origin="https://evil.example") as socket:
        await socket.send(json.dumps(IDENTITY))
        with pytest.raises(ConnectionClosed):
            while True:
                assert json.loads(await socket.recv())["type"] == "error"


async def test_sockets_count_as_streams(serve_here: Serve) -> None:
    url = serve_here(ApiLimits(streams=1))
    async with asyncio.timeout(DEADLINE), connect(socket_url(url)) as first:
        await first.send(json.dumps(IDENTITY))
        with pytest.raises(Exception, match="403"):
            async with connect(socket_url(url)):
                pass


async def test_a_frame_that_is_too_large_ends_the_connection(serve_here: Serve) -> None:
    """Whatever the server that carries the application allows; this one allows twice as much."""
    url = serve_here()
    async with asyncio.timeout(DEADLINE), connect(socket_url(url)) as socket:
        await socket.send(json.dumps(IDENTITY))
        await socket.send("x" * (MAX_FRAME + 1))
        with pytest.raises(ConnectionClosed) as caught:
            await socket.recv()
        assert caught.value.rcvd is not None
        assert caught.value.rcvd.code == 1009
