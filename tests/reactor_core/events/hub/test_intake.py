from __future__ import annotations

import asyncio
from concurrent.futures import Future
from pathlib import Path

import pytest

from reactor_core.errors import JournalClosed
from reactor_core.events import Journal, new_event
from reactor_core.events.bus import Bus
from reactor_core.events.event import Event
from reactor_core.events.hub import intake as module
from reactor_core.events.hub.intake import Intake
from reactor_core.events.loop_thread import LoopThread

ORIGIN = "node:other"


def made(number: int, *, lane: int = 3) -> Event:
    return new_event("scout", "tick", {"n": number}, priority=lane)[0].at(None, ORIGIN)


class Setting:
    """An intake over a real journal; ``confirmed`` and ``woken`` note its calls."""

    def __init__(self, workspace: Path) -> None:
        self.journal = Journal(workspace / "reactor.db")
        self.thread = LoopThread("bus")
        self.thread.start()
        self.bus = Bus(self.journal, self.thread, target="system")
        self.reader = self.journal.open_reader()
        self.confirmed: list[str] = []
        self.woken = asyncio.Event()
        self.intake = Intake(
            self.journal,
            self.reader,
            self.bus,
            ORIGIN,
            self.woken.set,
            lambda event: self.confirmed.append(event.event_id),
        )

    def take(self, *events: Event, early: bool = False, first: int = 1, size: int = 100) -> None:
        positions: dict[int, int] = {}
        for seq, event in enumerate(events, first):
            positions[event.priority] = seq
        self.intake.take(list(events), positions=positions, size=size, early=early)

    async def idle(self) -> None:
        async with asyncio.timeout(30):
            while not self.intake.idle():
                self.woken.clear()
                await self.woken.wait()

    def close(self) -> None:
        self.thread.submit(self.bus.close()).result(30)
        self.thread.stop()
        self.reader.close()
        self.journal.close()


@pytest.fixture
async def setting(tmp_path):
    setting = Setting(tmp_path)
    yield setting
    setting.close()


async def test_what_comes_in_is_stored_in_order_and_then_acknowledged(setting):
    events = [made(number, lane=2 + number % 3) for number in range(60)]
    setting.take(*events[:30])
    setting.take(*events[30:], first=31)
    await setting.idle()
    assert setting.journal.read() == [event.at(seq, ORIGIN) for seq, event in enumerate(events, 1)]
    assert setting.intake.acknowledged() == {2: 58, 3: 59, 4: 60}
    assert setting.intake.acknowledged() == {}
    assert setting.intake.counts.received == 60


async def test_nothing_is_acknowledged_before_it_is_stored(setting):
    gate: Future[None] = Future()
    setting.journal.work(lambda db: gate.result(30))
    setting.take(made(1))
    await asyncio.sleep(0)
    assert setting.intake.acknowledged() == {}
    assert not setting.intake.idle()
    gate.set_result(None)
    await setting.idle()
    assert setting.intake.acknowledged() == {3: 1}


async def test_an_id_with_other_content_is_refused_and_harms_no_other(setting):
    first = made(1)
    forged = new_event("scout", "tick", {"n": "forged"})[0]
    forged = Event(first.event_id, forged.event_type, forged.source, 3, forged.data, forged.timestamp, {}, None, ORIGIN)
    setting.take(first, forged, made(2))
    await setting.idle()
    assert [event.data["n"] for event in setting.journal.read()] == [1, 2]
    assert setting.intake.acknowledged() == {3: 3}
    assert setting.intake.counts.rejected == 1
    (fault,) = setting.intake.faults
    assert (fault.code, fault.event_id) == ("refused", first.event_id)


async def test_an_urgent_event_is_heard_before_it_is_stored_and_noted_until_its_source_commits_it(setting):
    heard = setting.bus.attach(None, wake=lambda: None)
    gate: Future[None] = Future()
    setting.journal.work(lambda db: gate.result(30))
    event = made(1, lane=1)
    setting.take(event, early=True)
    setting.thread.submit(asyncio.sleep(0)).result(30)
    assert heard.pop() == event
    gate.set_result(None)
    await setting.idle()
    assert [open_.event_id for open_ in setting.journal.unconfirmed()] == [event.event_id]
    assert setting.confirmed == []
    setting.take(event)
    await setting.idle()
    assert setting.journal.unconfirmed() == []
    assert setting.confirmed == [event.event_id]
    assert setting.intake.counts.duplicates == 1


async def test_credit_comes_back_in_steps_and_not_while_the_disk_is_behind(setting, monkeypatch):
    monkeypatch.setattr(module, "MAX_UNSTORED", 150)
    gate: Future[None] = Future()
    setting.journal.work(lambda db: gate.result(30))
    setting.take(made(1))
    assert setting.intake.credit(200) == 0
    assert setting.intake.credit(100) == 100
    setting.take(made(2))
    assert setting.intake.credit(100) == 0
    setting.take(made(3), size=200)
    waiting = asyncio.ensure_future(setting.intake.room())
    await asyncio.sleep(0)
    assert not waiting.done()
    gate.set_result(None)
    async with asyncio.timeout(30):
        await waiting
    await setting.idle()
    assert setting.intake.credit(1) == 300


async def test_urgent_events_cost_no_credit(setting):
    setting.take(made(1, lane=1))
    assert setting.intake.owed == 0
    await setting.idle()


async def test_when_nothing_can_be_stored_nothing_more_is_acknowledged(setting):
    setting.take(made(1))
    await setting.idle()
    setting.intake.acknowledged()
    setting.journal.close()
    setting.take(made(2))
    await setting.idle()
    assert isinstance(setting.intake.failure, JournalClosed)
    assert setting.intake.acknowledged() == {}
    await setting.intake.room()  # nobody waits for room that will not come
