from __future__ import annotations

import pytest

from reactor_core.errors import JournalClosed
from reactor_core.events import Event, Journal, new_event
from reactor_core.events.bus import Bus
from reactor_core.events.loop_thread import LoopThread
from reactor_core.events.transports.intake import Intake


@pytest.fixture
def setting(journal: Journal):
    thread = LoopThread("intake")
    thread.start()
    bus = Bus(journal, thread, target="user")
    counted: list[tuple[int, int, int]] = []
    intake = Intake("other://", journal=journal, bus=bus, count=lambda *numbers: counted.append(numbers))

    def take(*messages: tuple[bytes, bool]) -> tuple[int, ...]:
        async def take() -> None:
            await intake.accept(messages)
            await intake.settle()

        counted.clear()
        thread.submit(take()).result(30)
        return tuple(map(sum, zip(*counted, strict=True)))

    yield take, bus, thread
    thread.submit(bus.close()).result(30)
    thread.stop()


def ticks(count: int) -> list[Event]:
    return [new_event("scout", "tick", {"n": number})[0] for number in range(count)]


def test_many_are_stored_in_their_order_with_their_origin(setting, journal):
    take, *_ = setting
    events = ticks(1000)
    assert take(*((event.to_json(), False) for event in events)) == (1000, 0, 0)
    stored = journal.read()
    assert [event.event_id for event in stored] == [event.event_id for event in events]
    assert {event.origin for event in stored} == {"other://"}


def test_what_is_bad_harms_not_what_stands_beside_it(setting, journal):
    take, *_ = setting
    one, two = ticks(2)
    forged = Event.from_dict(one.to_dict() | {"data": {"n": 99}})
    messages = (one.to_json(), b"{", forged.to_json(), one.to_json(), b'{"event_id": 7}', two.to_json())
    assert take(*((message, False) for message in messages)) == (2, 1, 3)
    assert [event.data["n"] for event in journal.read()] == [0, 1]


def test_an_early_event_is_noted_until_it_comes_again(setting, journal):
    take, *_ = setting
    event, _ = new_event("scout", "kill_switch_triggered", {"action": "x"})
    assert take((event.to_json(), True)) == (1, 0, 0)
    assert [early.event_id for early in journal.unconfirmed()] == [event.event_id]
    assert take((event.to_json(), False)) == (0, 1, 0)
    assert journal.unconfirmed() == []


def test_an_urgent_event_is_handed_out_once(setting):
    take, bus, thread = setting
    heard = bus.attach(frozenset({"kill_switch_triggered"}), wake=lambda: None)
    event, _ = new_event("scout", "kill_switch_triggered", {"action": "x"})
    for _ in range(2):
        take((event.to_json(), False), (event.to_json(), False))
        thread.submit(bus.flush()).result(30)
    assert heard.pop().event_id == event.event_id
    assert heard.pop() is None


def test_a_failed_write_reaches_the_relay(setting, journal):
    take, *_ = setting
    journal.close()
    with pytest.raises(JournalClosed):
        take((ticks(1)[0].to_json(), False))
