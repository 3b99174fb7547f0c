"""Two links over a pipe: what one end says, the other hears, and every rule holds without a socket."""

from __future__ import annotations

import asyncio
from pathlib import Path

import pytest

from reactor_core.events import Event, Journal, new_event
from reactor_core.events.bus import Bus
from reactor_core.events.drafts import Draft
from reactor_core.events.hub.connection import Disconnected
from reactor_core.events.hub.link import Link, Progress
from reactor_core.events.hub.wire import WINDOW, Codec, FrameError, Gap
from reactor_core.events.latch import Latch
from reactor_core.events.loop_thread import LoopThread

LANES = (1, 2, 3, 4)


class Pipe:
    """One end of a connection in memory. ``held`` messages wait, as behind a cable that carries nothing."""

    def __init__(self, peer: str) -> None:
        self.peer = peer
        self.inbox: asyncio.Queue[bytes | str | None] = asyncio.Queue()
        self.other: Pipe | None = None
        self.open = asyncio.Event()
        self.open.set()
        self.said: list[bytes | str] = []

    async def receive(self) -> bytes | str:
        message = await self.inbox.get()
        if message is None:
            raise Disconnected("hung up")
        return message

    async def send(self, message: bytes | str) -> None:
        await self.open.wait()
        self.said.append(message)
        self.other.inbox.put_nowait(message)

    async def close(self, code: int, reason: str) -> None:
        self.other.inbox.put_nowait(None)


class End:
    """A workspace at one end."""

    def __init__(self, folder: Path, name: str) -> None:
        self.name = name
        self.journal = Journal(folder / name / "reactor.db")
        self.thread = LoopThread(name)
        self.thread.start()
        self.bus = Bus(self.journal, self.thread, target=name)
        self.latch = Latch(folder / name, journal=self.journal)
        self.reader = self.journal.open_reader()
        self.pipe = Pipe(name)
        self.delivered: dict[int, int] = {}
        self.count = 0
        self.seconds: list[float] = []
        self.stored: dict[int, int] = {}
        self.gaps: list[Gap] = []
        self.refused: list[str] = []
        self.changed = asyncio.Event()

    def link(self, *, origin: str = "other", credit: int = WINDOW, after: int = 0, types=None) -> Link:
        self._link = Link(
            self.pipe,
            Codec("msgpack"),
            Progress(
                self._note_delivered,
                self._note_stored,
                self._note_gap,
                lambda _: None,
                lambda fault: self.refused.append(fault.event_id),
            ),
            journal=self.journal,
            reader=self.reader,
            bus=self.bus,
            latch=self.latch,
            origin=origin,
            credit=credit,
            after=dict.fromkeys(LANES, after),
            types=types,
        )
        return self._link

    def publish(self, *numbers: int, lane: int = 3, kind: str = "tick", origin: str = "") -> None:
        drafts = []
        for number in numbers:
            event, payload = new_event(self.name, kind, {"n": number}, priority=lane)
            drafts.append(Draft(event, payload, origin=origin))
        self.journal.append_many(drafts).result(30)

    def got(self) -> list[int]:
        return [event.data["n"] for event in self.journal.read() if event.origin == "other"]

    async def until(self, condition) -> None:
        async with asyncio.timeout(30):
            while not condition():
                self.changed.clear()
                await self.changed.wait()

    def close(self) -> None:
        self.thread.submit(self.bus.close()).result(30)
        self.thread.stop()
        self.latch.close()
        self.reader.close()
        self.journal.close()

    def _note_delivered(self, positions: dict[int, int], count: int, seconds: float | None) -> None:
        self.delivered = positions
        self.count += count
        self.seconds += [] if seconds is None else [seconds]
        self.changed.set()

    def _note_stored(self, positions: dict[int, int]) -> None:
        self.stored |= positions
        self.changed.set()

    async def _note_gap(self, gap: Gap) -> None:
        self.gaps.append(gap)


@pytest.fixture
async def ends(tmp_path):
    one, two = End(tmp_path, "one"), End(tmp_path, "two")
    one.pipe.other, two.pipe.other = two.pipe, one.pipe
    yield one, two
    one.close()
    two.close()


@pytest.fixture
async def run():
    tasks: list[asyncio.Task[None]] = []

    def start(*links: Link) -> list[asyncio.Task[None]]:
        tasks.extend(asyncio.ensure_future(link.run()) for link in links)
        return tasks

    yield start
    for task in tasks:
        task.cancel()
    await asyncio.gather(*tasks, return_exceptions=True)


async def test_both_ends_send_and_both_store(ends, run):
    one, two = ends
    run(one.link(), two.link())
    one.publish(*range(300))
    two.publish(*range(1000, 1200))
    await two.until(lambda: two.stored.get(3) == 300)
    await one.until(lambda: one.stored.get(3, 0) >= 200)
    assert two.got() == list(range(300))
    assert one.got() == list(range(1000, 1200))
    await one.until(lambda: one.delivered.get(3, 0) >= 300)
    assert one.count == 300
    assert all(seconds > 0 for seconds in one.seconds)
    assert one.seconds


async def test_urgent_lanes_overtake_a_backlog_and_each_lane_keeps_its_order(ends, run):
    one, two = ends
    one.publish(*range(2000))
    one.publish(*range(5000, 5010), lane=2)
    one.publish(9000, 9001, lane=1)
    run(one.link(), two.link())
    await two.until(lambda: len(two.got()) == 2012)
    got = two.got()
    assert [number for number in got if number < 5000] == list(range(2000))
    assert [number for number in got if 5000 <= number < 9000] == list(range(5000, 5010))
    assert got[:2] == [9000, 9001]
    assert got.index(5009) < 100


async def test_an_urgent_event_that_is_not_stored_yet_does_not_overtake_its_elders(ends, run):
    one, two = ends
    one.publish(*range(600), lane=1)
    link = one.link()  # their journal is read only when the link runs
    late, payload = new_event("one", "tick", {"n": 9000}, priority=1)
    one.bus.hand_out_early(late)
    one.journal.append(late, payload=payload).result(30)
    run(link, two.link())
    await two.until(lambda: len(two.got()) == 601)
    assert two.got() == [*range(600), 9000]


async def test_nor_one_that_was_handed_out_before_the_other_end_came(ends, run):
    one, two = ends
    elder, younger = (new_event("one", "tick", {"n": number}, priority=1) for number in (1, 2))
    one.bus.hand_out_early(elder[0])
    await asyncio.to_thread(one.thread.submit(one.bus.flush()).result, 30)
    link = one.link()
    one.bus.hand_out_early(younger[0])
    await asyncio.to_thread(one.thread.submit(one.bus.flush()).result, 30)
    run(link, two.link())
    link.nudge()
    await asyncio.sleep(0)  # it would say the younger one now
    for event, payload in (elder, younger):
        one.journal.append(event, payload=payload).result(30)
    await two.until(lambda: len(two.got()) == 2)
    assert two.got() == [1, 2]


async def test_cursors_move_over_what_is_not_for_the_other_end(ends, run):
    one, two = ends
    link = one.link()
    run(link, two.link())
    one.publish(*range(10), origin="other")
    await asyncio.to_thread(one.thread.submit(one.bus.flush()).result, 30)
    link.nudge()
    await one.until(lambda: one.delivered == dict.fromkeys(LANES, 10))
    assert two.got() == []
    assert one.count == 0


async def test_nothing_counts_as_delivered_that_is_not_acknowledged(ends, run):
    one, two = ends
    two.pipe.open.clear()  # its acknowledgements do not come through
    link = one.link()
    run(link, two.link())
    one.publish(*range(10))
    await two.until(lambda: two.stored.get(3) == 10)
    link.nudge()
    await asyncio.sleep(0)
    assert one.delivered[3] == 0
    two.pipe.open.set()
    await one.until(lambda: one.delivered[3] == 10)


async def test_without_credit_only_lane_one_is_sent(ends, run):
    one, two = ends
    one.publish(*range(500))
    run(one.link(credit=0), two.link())
    one.publish(9000, lane=1)
    await two.until(lambda: two.got() == [9000])
    assert one.delivered[3] == 0


async def test_at_most_a_window_is_on_its_way(ends, run):
    one, _ = ends
    one.publish(*range(5000))
    run(one.link(credit=WINDOW))  # nobody at the other end gives credit
    async with asyncio.timeout(30):
        while sum(map(len, one.pipe.said)) < WINDOW / 2:  # noqa: ASYNC110  the pipe rings no bell
            await asyncio.sleep(0.001)
    await asyncio.to_thread(one.thread.submit(one.bus.flush()).result, 30)
    await asyncio.sleep(0)
    assert sum(map(len, one.pipe.said)) < 1.5 * WINDOW


async def test_only_wanted_types_are_sent(ends, run):
    one, two = ends
    run(one.link(types=frozenset({"tock"})), two.link())
    one.publish(1)
    one.publish(2, kind="tock")
    await two.until(lambda: two.got() == [2])
    await one.until(lambda: one.delivered[3] == 2)


async def test_what_was_refused_is_told_and_passed(ends, run):
    one, two = ends
    event, _ = new_event("scout", "tick", {"n": 1})
    twin = new_event("scout", "tick", {"n": 2})[0]
    two.journal.append(event).result(30)
    one.journal.append(_with_id(twin, event.event_id)).result(30)
    one.publish(3)
    run(one.link(), two.link())
    await one.until(lambda: one.delivered.get(3) == 2)
    assert one.refused == [event.event_id]
    assert two.got() == [3]


def _with_id(event, event_id):
    return Event(event_id, event.event_type, event.source, event.priority, event.data, event.timestamp, event.metadata)


async def test_a_trip_of_the_kill_switch_reaches_the_other_end(ends, run):
    one, two = ends
    run(one.link(), two.link())
    heard = asyncio.Event()
    loop = asyncio.get_running_loop()
    two.latch.listen(lambda _: loop.call_soon_threadsafe(heard.set))
    await asyncio.to_thread(one.latch.trip, reason="fire", by="test")
    async with asyncio.timeout(30):
        await heard.wait()
    assert two.latch.state().reason == "fire"


async def test_a_link_ends_with_its_connection_and_with_a_broken_frame(ends, run):
    one, two = ends
    tasks = run(one.link(), two.link())
    await one.pipe.send(b"\xc1")
    with pytest.raises(FrameError):
        await tasks[1]
    await two.pipe.close(1002, "")
    with pytest.raises(Disconnected):
        await tasks[0]


async def test_what_came_in_before_the_end_is_stored_and_noted(ends, run):
    one, two = ends
    tasks = run(one.link(), two.link())
    one.publish(*range(10))
    await two.until(lambda: two.stored.get(3) == 10)
    tasks[1].cancel()
    await asyncio.gather(tasks[1], return_exceptions=True)
    assert two.got() == list(range(10))
