"""Server-sent events from a real server, over real connections."""

from __future__ import annotations

import contextlib
import json
import socket
import threading
from collections.abc import Callable, Iterator
from typing import Any
from urllib.parse import urlsplit

import httpx
import pytest
from starlette.testclient import TestClient
from tests.reactor_core.api.serving import DEADLINE, messages, until

from reactor_core.api import stream as stream_module
from reactor_core.api.limits import ApiLimits
from reactor_core.events.journal import JOURNAL_NAME, Journal
from reactor_core.utils.settings import Settings

Serve = Callable[..., str]


def post(url: str, count: int, **fields: Any) -> list[str]:
    event = {"event_type": "training_start", "data": {"n": 0}, **fields}
    answer = httpx.post(f"{url}/v1/events", json=[event] * count, timeout=DEADLINE)
    assert answer.status_code == 200, answer.text
    return [result["event_id"] for result in answer.json()["results"]]


@contextlib.contextmanager
def reading(url: str, last: str = "", **parameters: Any) -> Iterator[Iterator[dict[str, str]]]:
    headers = {"Last-Event-ID": last} if last else {}
    with httpx.stream("GET", f"{url}/v1/events/stream", params=parameters, headers=headers, timeout=DEADLINE) as answer:
        assert answer.status_code == 200, answer.read()
        assert answer.headers["content-type"] == "text/event-stream; charset=utf-8"
        found = messages(answer.iter_lines())
        assert next(found) == {"retry": "2000"}
        yield found


def ids(found: list[dict[str, str]]) -> list[str]:
    return [json.loads(message["data"])["event_id"] for message in found if "data" in message]


def take(stream: Iterator[dict[str, str]], count: int) -> list[dict[str, str]]:
    """So many messages with data, as they come."""
    found: list[dict[str, str]] = []
    while len(found) < count:
        message = next(stream)
        if "data" in message:
            found.append(message)
    return found


def test_a_reader_gets_what_comes_from_now_on(serve_here: Serve) -> None:
    url = serve_here()
    post(url, 3)
    with reading(url) as stream:
        assert set(next(stream)) == {"id"}  # where it begins
        sent = post(url, 3)
        assert ids(take(stream, 3)) == sent


def test_only_what_was_asked_for(serve_here: Serve) -> None:
    url = serve_here()
    with reading(url, type="FEEDBACK", source=["user", "scout"], lane=[3, 2]) as stream:
        post(url, 1, event_type="feedback", source="system")
        post(url, 1, event_type="feedback", source="user", priority=4)
        post(url, 1, event_type="correction", source="user")
        sent = post(url, 1, event_type="feedback", source="scout")
        assert ids(take(stream, 1)) == sent


def test_a_reader_that_comes_back_misses_nothing_and_gets_nothing_twice(serve_here: Serve) -> None:
    """Urgent events overtake a backlog, the connection breaks again and again, and all are there once."""
    url = serve_here()
    sent = post(url, 1000, priority=4) + post(url, 1000)
    got: list[str] = []
    last, urgent, stops = "0", 0, (3, 700, 1, 40, 1200)
    for stop in stops:
        with reading(url, last) as stream:
            found = take(stream, min(stop, len(sent) - len(got)))
        got += ids(found)
        last = found[-1]["id"]
        sent += post(url, 2, event_type="safety_blocked", data={"action": "a"})
        urgent += 2
    with reading(url, last) as stream:
        got += ids(take(stream, len(sent) - len(got)))
    assert len(got) == len(sent)
    assert set(got) == set(sent)


def test_urgent_events_come_first_and_each_lane_in_order(serve_here: Serve) -> None:
    url = serve_here()
    for _ in range(3):
        post(url, 300)
        post(url, 1, event_type="safety_blocked", data={"action": "a"})
    with reading(url, "0") as stream:
        found = [json.loads(message["data"]) for message in take(stream, 903)]
    assert [event["priority"] for event in found[:3]] == [1, 1, 1]
    for lane in (1, 3):
        seqs = [event["seq"] for event in found if event["priority"] == lane]
        assert seqs == sorted(seqs)


def test_lanes_in_which_nothing_came_count_as_read(serve_here: Serve) -> None:
    """Or else a reader would search the whole journal for them each time it comes back."""
    url = serve_here()
    post(url, 5, priority=4)
    with reading(url) as stream:
        post(url, 2)
        take(stream, 2)
        post(url, 1)
        assert take(stream, 1)[0]["id"].endswith(":7.7.8.7")


def compact(api_settings: Settings, keep_after_seq: int) -> int:
    """Remove rows as another process would; returns the last position that is gone."""
    with Journal(api_settings.workspace / JOURNAL_NAME) as journal:
        until(lambda: journal.compact(keep_after_seq=keep_after_seq, force=True).rows)
        return journal.first_seq() - 1


def test_what_was_removed_meanwhile_is_named(serve_here: Serve, api_settings: Settings) -> None:
    url = serve_here()
    sent = [event for _ in range(3) for event in post(url, 1000)]
    removed = compact(api_settings, 2500)
    with reading(url, "10") as stream:
        gap = take(stream, 1)[0]
        assert json.loads(gap["data"]) == {"reason": "removed from the journal", "lost_from": 11, "lost_to": removed}
        assert ids(take(stream, 3000 - removed)) == sent[removed:]


def test_also_under_the_eyes_of_a_reader(serve_here: Serve, api_settings: Settings) -> None:
    """It was in the middle of a backlog, of which most is gone when it reads on."""
    url = serve_here()
    sent = [event for _ in range(4) for event in post(url, 1000, data={"x": "x" * 5000})]
    with reading(url, "0") as stream:
        got = ids(take(stream, 1))
        removed = compact(api_settings, 3900)
        gaps: list[dict[str, Any]] = []
        while not got or got[-1] != sent[-1]:
            message = take(stream, 1)[0]
            if message.get("event") == "gap":
                gaps.append(json.loads(message["data"]))
            else:
                got += ids([message])
    missing = [seq for seq, event in enumerate(sent, 1) if event not in set(got)]
    assert missing, "the connection took the whole backlog at once"
    assert len(got) + len(missing) == len(sent)
    assert gaps[-1]["lost_from"] <= missing[0]
    assert missing[-1] <= gaps[-1]["lost_to"] == removed


def test_events_for_others_are_shown_too(serve_here: Serve) -> None:
    url = serve_here()
    with reading(url) as stream:
        sent = post(url, 1, metadata={"target_sources": ["jarvis_prime"]})
        assert ids(take(stream, 1)) == sent


def test_an_idle_stream_moves_its_reader_on(serve_here: Serve, monkeypatch: pytest.MonkeyPatch) -> None:
    """Past what it did not ask for, so that it need not be searched again when the reader comes back."""
    monkeypatch.setattr(stream_module, "KEEP_ALIVE_SECONDS", 0.05)
    url = serve_here()
    with reading(url, type="feedback") as stream:
        post(url, 10)
        assert any(message == {"id": message["id"]} and message["id"].endswith(":10") for message in stream)


def test_a_reader_of_another_journal_is_told(serve_here: Serve) -> None:
    url = serve_here()
    sent = post(url, 2)
    with reading(url, "00000000:7") as stream:
        gap = take(stream, 1)[0]
        assert gap["event"] == "gap"
        assert "another journal" in json.loads(gap["data"])["reason"]
        assert ids(take(stream, 2)) == sent


@pytest.mark.parametrize(
    ("headers", "parameters"), [({"Last-Event-ID": "x"}, {}), ({}, {"after": "1.2"}), ({}, {"lane": 9})]
)
def test_a_position_that_cannot_be_read_is_refused(
    api: TestClient, headers: dict[str, str], parameters: dict[str, Any]
) -> None:
    answer = api.get("/v1/events/stream", headers=headers, params=parameters)
    assert (answer.status_code, answer.json()["type"]) == (422, "urn:reactor:problem:invalid")


def test_so_many_streams_and_no_more_until_one_ends(serve_here: Serve) -> None:
    url = serve_here(ApiLimits(streams=2, streams_per_client=2))
    with reading(url), contextlib.ExitStack() as second:
        second.enter_context(reading(url))
        answer = httpx.get(f"{url}/v1/events/stream")
        assert (answer.status_code, answer.json()["type"]) == (503, "urn:reactor:problem:too-many-streams")
        second.close()

        def room() -> bool:
            with httpx.stream("GET", f"{url}/v1/events/stream") as answer:
                return answer.status_code == 200

        until(room)


def test_a_reader_that_takes_nothing_is_let_go_and_harms_nobody(serve_here: Serve) -> None:
    url = serve_here(ApiLimits(stalled_seconds=0.5))
    address = urlsplit(url)
    with socket.create_connection((address.hostname, address.port)) as idle:
        idle.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
        idle.sendall(b"GET /v1/events/stream HTTP/1.1\r\nHost: localhost\r\n\r\n")

        def open_streams() -> float:
            text = httpx.get(f"{url}/metrics").text
            return float(text.split("\nreactor_http_streams ")[1].split("\n")[0])

        until(lambda: open_streams() == 1)
        with reading(url) as stream:
            sent: list[str] = []
            got: list[str] = []
            reader = threading.Thread(target=lambda: got.extend(ids(take(stream, 40))))
            reader.start()
            for _ in range(40):  # 40 times 200 kB: more than the buffers of a connection hold
                sent += post(url, 1, data={"x": "x" * 200_000})
            reader.join(DEADLINE)
            assert got == sent
        until(lambda: open_streams() == 0)
