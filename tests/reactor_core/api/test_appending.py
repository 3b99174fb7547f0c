from __future__ import annotations

import asyncio
import json
from collections.abc import Iterator

import pytest

from reactor_core.api.appending import append, read_body
from reactor_core.api.problems import Problem
from reactor_core.events.drafts import Appended
from reactor_core.integration.event_bridge import EventBridge
from reactor_core.utils.settings import Settings

JSON = "application/json"


@pytest.fixture
def bridge(api_settings: Settings) -> Iterator[EventBridge]:
    with EventBridge(settings=api_settings) as opened:
        yield opened


def body(**fields: object) -> bytes:
    return json.dumps({"event_type": "safety_blocked", "data": {"action": "rm"}, **fields}).encode()


def test_an_event_without_an_id_gets_a_new_one_and_is_not_looked_up() -> None:
    ([first], batch), ([second], _) = (read_body(body(), JSON, most=1) for _ in range(2))
    assert not batch
    assert first.event.event_id != second.event.event_id
    assert first.payload is not None


def test_an_id_or_a_time_of_the_client_s_is_looked_up() -> None:
    for fields in ({"event_id": "an-id-of-my-own-making"}, {"timestamp": "2026-01-01T00:00:00Z"}):
        [draft], _ = read_body(body(**fields), JSON, most=1)
        assert draft.payload is None


def test_a_time_without_a_zone_is_utc() -> None:
    [draft], _ = read_body(body(timestamp="2026-07-01T12:00:00"), JSON, most=1)
    assert draft.event.timestamp.isoformat() == "2026-07-01T12:00:00+00:00"


def test_readings_have_a_key_and_safety_events_have_none() -> None:
    [safety], _ = read_body(body(), JSON, most=1)
    [gauge], _ = read_body(body(event_type="COST_UPDATE", data={"total": 1}), JSON, most=1)
    [named], _ = read_body(body(dedup_key="mine"), JSON, most=1)
    assert safety.dedup_key is None
    assert gauge.dedup_key is not None
    assert named.dedup_key not in (None, "mine", gauge.dedup_key)


def test_a_batch_has_its_limit() -> None:
    many = b"[" + b",".join([body()] * 3) + b"]"
    assert len(read_body(many, JSON, most=3)[0]) == 3
    with pytest.raises(Problem) as caught:
        read_body(many, JSON, most=2)
    assert caught.value.name == "body-too-large"


async def test_what_is_stored_and_what_is_taken(bridge: EventBridge) -> None:
    mine = body(event_id="an-id-of-my-own-making")
    other = body(event_id="an-id-of-my-own-making", data={"action": "another"})
    drafts = [read_body(text, JSON, most=1)[0][0] for text in (mine, mine, other, body())]
    first, again, taken, last = await append(bridge, drafts)
    assert isinstance(first, Appended)
    assert isinstance(again, Appended)
    assert isinstance(last, Appended)
    assert isinstance(taken, Problem)
    assert (first.duplicate, again.duplicate, again.event.seq, last.event.seq) == (False, True, first.event.seq, 2)
    assert taken.name == "id-taken"


async def test_an_urgent_event_is_heard_once(bridge: EventBridge) -> None:
    heard: list[str] = []
    done = asyncio.Event()
    loop = asyncio.get_running_loop()

    @bridge.on_event()
    def hear(event: object) -> None:
        heard.append(event.event_type)  # type: ignore[attr-defined]
        if heard[-1] == "feedback":
            loop.call_soon_threadsafe(done.set)

    texts = (body(event_id="an-id-of-my-own-making"), body(), body(event_type="feedback"))
    await append(bridge, [read_body(text, JSON, most=1)[0][0] for text in texts])
    async with asyncio.timeout(20):
        await done.wait()
    assert sorted(heard) == ["feedback", "safety_blocked", "safety_blocked"]
