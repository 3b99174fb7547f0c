"""What all relays share, on a relay whose other side is a list."""

from __future__ import annotations

import asyncio
import itertools
import threading
from pathlib import Path

import pytest

from reactor_core.errors import JournalClosed
from reactor_core.events import Event, EventType, Journal, new_event
from reactor_core.events.bus import Bus
from reactor_core.events.loop_thread import LoopThread
from reactor_core.events.transports import Relay, RelayGroup
from reactor_core.events.transports.batch import Batch


class Bench(Relay):
    """Delivers to a list; refuses while ``away``."""

    def __init__(self, journal: Journal, bus: Bus, workspace: Path) -> None:
        self.delivered: list[Batch] = []
        self.away = False
        self.held = threading.Event()
        self.more = asyncio.Event()
        super().__init__(
            "bench://",
            journal=journal,
            bus=bus,
            source="user",
            workspace=workspace,
            backoff=lambda: itertools.repeat(0.005),
        )

    async def session(self) -> None:
        if self.away:
            raise ConnectionRefusedError("nobody there")
        self.connected()
        self.held.set()
        while True:
            batch = await self.outgoing()
            if self.away:
                raise ConnectionResetError("gone")
            self.delivered.append(batch)
            await self.confirm(batch)
            self.more.set()

    def events(self) -> list[Event]:
        return [event for batch in self.delivered for event in batch.events]


class Setting:
    def __init__(self, workspace: Path) -> None:
        self.journal = Journal(workspace / "reactor.db")
        self.thread = LoopThread("relay")
        self.thread.start()
        self.bus = Bus(self.journal, self.thread, target="user")
        self.relay = Bench(self.journal, self.bus, workspace)
        self.group: RelayGroup | None = None

    def run(self) -> Bench:
        self.group = RelayGroup([self.relay], self.thread)
        return self.relay

    def put(self, number: int, priority: int = 3, origin: str = "") -> Event:
        event, payload = new_event("user", "tick", {"n": number}, priority=priority)
        return self.journal.append(event, payload=payload, origin=origin).result(30).event

    def flush(self) -> None:
        assert self.relay.held.wait(10)
        self.thread.submit(self.relay.flush()).result(30)

    def accept(self, *messages: bytes) -> None:
        async def accept() -> None:
            for message in messages:
                await self.relay.accept(message)
            await self.relay.settle()

        self.thread.submit(accept()).result(30)

    def close(self) -> None:
        if self.group is not None:
            self.thread.submit(self.group.close(5)).result(30)
        self.thread.submit(self.bus.close()).result(30)
        self.thread.stop()
        self.journal.close()


@pytest.fixture
def setting(tmp_path: Path):
    setting = Setting(tmp_path)
    yield setting
    setting.close()


def test_what_is_published_is_delivered_in_order_and_counted(setting):
    relay = setting.run()
    events = [setting.put(number) for number in range(100)]
    setting.flush()
    assert relay.events() == events
    assert (relay.status.state, relay.status.sent) == ("connected", 100)


def test_lane_1_goes_alone_and_first(setting):
    for number in range(40):
        setting.put(number, priority=2 + number % 3)
    urgent = setting.put(40, priority=1)
    relay = setting.run()
    setting.flush()
    assert relay.delivered[0].events == [urgent]
    assert len(relay.events()) == 41


def test_within_a_lane_the_order_is_the_journals(setting):
    for number in range(200):
        setting.put(number, priority=2 + number % 3)
    relay = setting.run()
    setting.flush()
    for lane in (2, 3, 4):
        numbers = [event.data["n"] for event in relay.events() if event.priority == lane]
        assert numbers == sorted(numbers)
        assert len(numbers) in (66, 67)


def test_what_a_relay_brought_is_not_sent_back(setting):
    relay = setting.run()
    setting.put(0, origin="bench://")
    other = setting.put(1, origin="another relay")
    setting.flush()
    assert relay.events() == [other]


def test_a_cursor_moves_only_when_the_other_side_has_confirmed(setting, tmp_path):
    relay = setting.run()
    setting.put(0)
    setting.flush()
    relay.away = True
    for number in range(1, 4):
        setting.put(number)
    setting.close()
    again = Setting(tmp_path)
    relay = again.run()
    again.flush()
    assert [event.data["n"] for event in relay.events()] == [1, 2, 3]
    again.close()
    setting.close = lambda: None


def test_history_from_before_the_relay_is_not_sent(tmp_path):
    with Journal(tmp_path / "reactor.db") as journal:
        event, payload = new_event("user", "tick", {"n": "old"})
        journal.append(event, payload=payload).result(30)
    setting = Setting(tmp_path)
    relay = setting.run()
    new = setting.put(1)
    setting.flush()
    assert relay.events() == [new]
    setting.close()


def test_what_comes_in_is_stored_once_with_its_origin(setting):
    event, _ = new_event("scout", "tock", {"n": 1})
    setting.accept(event.to_family_json(), event.to_json(), b"nonsense")
    assert [stored.event_id for stored in setting.journal.read()] == [event.event_id]
    assert (setting.relay.status.received, setting.relay.status.rejected) == (1, 1)
    assert setting.relay.pending().events == []


def test_an_id_with_other_content_is_rejected(setting, caplog):
    event, _ = new_event("scout", "tock", {"n": 1})
    forged = Event.from_dict(event.to_dict() | {"data": {"n": 2}})
    setting.accept(event.to_json(), forged.to_json())
    assert [stored.data for stored in setting.journal.read()] == [{"n": 1}]
    assert setting.relay.status.rejected == 1
    assert "taken" in caplog.text


def test_an_urgent_event_from_outside_is_handed_out_once_however_often_it_comes(setting):
    heard = setting.bus.attach(frozenset({"kill_switch_triggered"}), wake=lambda: None)
    event, _ = new_event("scout", "kill_switch_triggered", {"action": "x"})
    for _ in range(3):
        setting.accept(event.to_json())
        setting.thread.submit(setting.bus.flush()).result(30)
    assert heard.pop().event_id == event.event_id
    assert heard.pop() is None


def test_flushing_without_a_connection_returns(setting):
    setting.relay.away = True
    setting.run()
    setting.put(0)
    setting.thread.submit(setting.relay.flush()).result(30)
    assert setting.relay.delivered == []


def test_figures_count_what_waits_what_came_and_what_came_again(setting):
    for number in range(3):
        setting.put(number)
    event, _ = new_event("scout", "tock", {"n": 1}, priority=4)
    setting.accept(event.to_json(), event.to_json(), b"nonsense")
    figures = {(s.name, s.labels.get("lane")): s.value for s in setting.relay.metrics()}
    assert figures["reactor_relay_lag_events", "3"] == 3
    assert [figures[f"reactor_relay_{name}", None] for name in ("received", "duplicates", "rejected")] == [1, 1, 1]
    setting.run()
    setting.flush()
    figures = {(s.name, s.labels.get("lane")): s.value for s in setting.relay.metrics()}
    assert figures["reactor_relay_lag_events", "3"] == 0
    assert (figures["reactor_relay_sent", None], figures["reactor_relay_connected", None]) == (3, 1)
    assert figures["reactor_relay_ack_seconds", None].count == 1


def test_waiting_for_a_confirmation_ends_with_it(setting):
    relay = setting.relay
    relay.away = True
    setting.run()
    event = setting.put(0)
    waiting = setting.thread.submit(relay.confirmed(event.priority, event.seq))
    with pytest.raises(TimeoutError):
        waiting.result(0.1)
    relay.away = False
    waiting.result(30)
    assert relay.events() == [event]


def test_a_confirmation_is_seen_by_the_process_that_does_not_hold_the_connection(setting, tmp_path):
    setting.run()
    assert setting.relay.held.wait(10)
    second = Bench(setting.journal, setting.bus, tmp_path)
    event = setting.put(0)
    setting.thread.submit(second.confirmed(event.priority, event.seq)).result(30)
    assert second.delivered == []


def test_a_relay_that_is_stopped_confirms_no_more(setting):
    relay = setting.relay
    relay.away = True
    setting.run()
    event = setting.put(0)
    waiting = setting.thread.submit(relay.confirmed(event.priority, event.seq))
    setting.thread.submit(setting.group.close(0)).result(30)
    with pytest.raises(JournalClosed, match="stopped"):
        waiting.result(30)


def test_a_gap_is_an_event_that_says_what_is_missing(setting):
    setting.thread.submit(setting.relay.gap("the other side forgot", lane=3, lost_from="5-1")).result(30)
    (event,) = setting.journal.read()
    assert (event.event_type, event.priority) == (EventType.GAP, 2)
    assert event.data == {
        "transport": "bench://",
        "reason": "the other side forgot",
        "lane": 3,
        "lost_from": "5-1",
    }
    assert setting.relay.status.gaps == 1


def test_rows_that_were_pruned_before_they_were_sent_are_a_gap(setting):
    for number in range(10):
        setting.put(number)

    def prune(db) -> None:
        db.execute("DELETE FROM events WHERE seq <= 6")

    setting.journal.work(prune).result(30)
    relay = setting.run()
    setting.flush()
    numbers = [event.data["n"] for event in relay.events() if event.event_type == "tick"]
    assert numbers == [6, 7, 8, 9]
    gaps = [event.data for event in setting.journal.read() if event.event_type == EventType.GAP]
    assert [(gap["lane"], gap["lost_from"], gap["lost_to"]) for gap in gaps] == [(lane, 1, 6) for lane in (1, 2, 3, 4)]


def test_a_relay_reads_on_where_another_process_left_it(setting, tmp_path):
    second = Bench(setting.journal, setting.bus, tmp_path)
    setting.run()
    setting.put(0)
    setting.flush()
    setting.thread.submit(setting.group.close(5)).result(30)
    event = setting.put(1)
    setting.relay = second
    setting.run()
    setting.flush()
    assert second.events() == [event]


def test_an_early_event_goes_behind_its_lane_and_again_once_it_is_committed(setting):
    relay = setting.relay
    relay.sends_early = True
    relay.away = True
    setting.run()
    first = setting.put(0, priority=1)
    event, payload = new_event("user", "tick", {"n": 1}, priority=1)
    setting.thread.loop.call_soon_threadsafe(setting.bus.hand_out_early, event)
    relay.away = False

    async def delivered(count: int) -> None:
        async with asyncio.timeout(30):
            while len(relay.delivered) < count:
                await relay.more.wait()
                relay.more.clear()

    setting.thread.submit(delivered(2)).result(40)
    stored = setting.journal.append(event, payload=payload).result(30).event
    setting.thread.submit(delivered(3)).result(40)
    assert [(batch.early, batch.events) for batch in relay.delivered] == [
        (False, [first]),
        (True, [event]),
        (False, [stored]),
    ]
    assert relay.cursors[1] == stored.seq
    assert relay.status.sent == 2


def test_what_a_relay_brought_is_not_sent_back_early(setting):
    relay = setting.relay
    relay.sends_early = True
    setting.run()
    assert relay.held.wait(10)
    event, _ = new_event("scout", "tick", {"n": 1}, priority=1)
    setting.accept(event.to_json())
    setting.flush()
    assert relay.delivered == []


def test_what_the_other_side_lost_goes_out_again(setting):
    relay = setting.run()
    events = [setting.put(number) for number in range(5)]
    setting.flush()

    async def lose() -> None:
        relay.rewind({3: events[2].seq - 1, 1: 10**9})
        relay.bell.set()
        await relay.flush()

    setting.thread.submit(lose()).result(30)
    assert relay.events() == [*events, *events[2:]]
