from __future__ import annotations

import asyncio
import functools
import os
import subprocess
import sys
import threading
from pathlib import Path

import pytest

from reactor_core.errors import ConfigError, JournalClosed
from reactor_core.integration import Event, EventBridge, EventSource, EventType

PROGRESS = EventType.TRAINING_PROGRESS


@pytest.fixture
def bridge(tmp_path: Path):
    with EventBridge(workspace=tmp_path) as bridge:
        yield bridge


class Heard:
    """Collects what a handler gets, and waits for it."""

    def __init__(self) -> None:
        self._events: list[Event] = []
        self._more = threading.Condition()

    def __call__(self, event: Event) -> None:
        with self._more:
            self._events.append(event)
            self._more.notify_all()

    def wait(self, count: int) -> list[Event]:
        with self._more:
            assert self._more.wait_for(lambda: len(self._events) >= count, 20), f"only {len(self._events)} came"
            return list(self._events)


def test_publishing_without_a_loop_returns_the_stored_event(bridge):
    event = bridge.publish_sync(PROGRESS, {"step": 1}, metadata={"run": "r"})
    assert (event.seq, event.source, event.priority) == (1, EventSource.REACTOR_CORE, 3)
    assert bridge.get_events_by_type_sync(PROGRESS) == [event]


async def test_many_publishers_at_once_are_all_stored(bridge):
    events = await asyncio.gather(*(bridge.publish("my_own_type", {"n": number}) for number in range(200)))
    assert sorted(event.seq for event in events) == list(range(1, 201))
    assert len(await bridge.get_events_by_type("my_own_type")) == 200


async def test_a_deduplicated_publish_returns_the_earlier_event(bridge):
    first = await bridge.publish(EventType.COST_UPDATE, {"total": 15.43})
    again = await bridge.publish(EventType.COST_UPDATE, {"total": 15.43}, metadata={"other": True})
    assert again == first


async def test_two_equal_charges_are_two_events(bridge):
    charge = {"service": "claude-api", "amount": 0.47, "tokens": 1834}
    await bridge.publish(EventType.COST_UPDATE, charge)
    await bridge.publish(EventType.COST_UPDATE, charge)
    assert len(await bridge.get_events_by_type(EventType.COST_UPDATE)) == 2


async def test_a_dedup_key_overrides_the_rule_of_the_type(bridge):
    for key in ("call-1", "call-1", "call-2"):
        await bridge.publish(EventType.COST_UPDATE, {"amount": 0.47}, dedup_key=key)
    for key in ("a", "b"):
        await bridge.publish(EventType.COST_UPDATE, {"total": 1.0}, dedup_key=key)
    assert len(await bridge.get_events_by_type(EventType.COST_UPDATE)) == 4


async def test_history_is_filtered_and_paged(bridge):
    for number in range(5):
        await bridge.publish("tick", {"n": number, "color": "red" if number % 2 else "blue"})
    await bridge.publish("tock", {"n": 5})

    async def numbers(*args, **conditions) -> list[int]:
        return [event.data["n"] for event in await bridge.get_events_by_type(*args, **conditions)]

    assert await numbers(["tick", "tock"], "last_24h") == [0, 1, 2, 3, 4, 5]
    assert await numbers(None) == [0, 1, 2, 3, 4, 5]
    assert await numbers("tick", text="RED") == [1, 3]
    assert await numbers("tick", limit=2) == [0, 1]
    assert await numbers("tick", limit=2, after_seq=2) == [2, 3]
    assert await numbers("tick", limit=2, newest=True) == [3, 4]
    assert await numbers("tick", before_seq=2) == [0]
    assert await numbers("tick", source="scout") == []
    assert await numbers("tick", (None, "2020-01-01")) == []
    with pytest.raises(ConfigError, match="time_range"):
        await numbers("tick", "yesterday")


def test_plain_and_coroutine_handlers_hear_their_types_on_their_own_threads(bridge):
    plain, coroutine, everything = Heard(), Heard(), Heard()
    threads: set[str] = set()

    @bridge.on_event(PROGRESS, "tick")
    def on_plain(event: Event) -> None:
        threads.add(threading.current_thread().name)
        plain(event)

    @bridge.on_event(PROGRESS)
    async def on_coroutine(event: Event) -> None:
        await asyncio.sleep(0)
        threads.add(threading.current_thread().name)
        coroutine(event)

    bridge.on_event()(everything)
    events = [bridge.publish_sync(name, {"n": n}) for n, name in enumerate((PROGRESS, "tick", "tock"))]
    assert plain.wait(2) == events[:2]
    assert coroutine.wait(1) == events[:1]
    assert everything.wait(3) == events
    assert threading.current_thread().name not in threads
    assert len(threads) == 2


def test_the_decorator_gives_the_function_back(bridge):
    def handler(event: Event) -> str:
        return "called"

    assert bridge.on_event(PROGRESS)(handler) is handler


def test_a_partial_of_a_coroutine_function_is_awaited(bridge):
    heard = Heard()

    async def handler(prefix: str, event: Event) -> None:
        await asyncio.sleep(0)
        heard(event)

    bridge.on_event(PROGRESS)(functools.partial(handler, "x"))
    event = bridge.publish_sync(PROGRESS, {})
    assert heard.wait(1) == [event]


@pytest.mark.parametrize("asynchronous", [False, True])
def test_a_handler_that_fails_is_told_as_an_event_and_stops_nobody(bridge, caplog, asynchronous):
    failures, others = Heard(), Heard()

    if asynchronous:

        @bridge.on_event(PROGRESS)
        async def broken(event: Event) -> None:
            raise KeyError(event.data["n"])
    else:

        @bridge.on_event(PROGRESS)
        def broken(event: Event) -> None:
            raise KeyError(event.data["n"])

    bridge.on_event(PROGRESS)(others)
    bridge.on_event(EventType.ERROR)(failures)
    events = [bridge.publish_sync(PROGRESS, {"n": number}) for number in range(2)]
    errors = failures.wait(2)
    assert others.wait(2) == events
    assert [error.data["failed_event_id"] for error in errors] == [event.event_id for event in events]
    assert errors[0].data["error"] == "KeyError"
    assert "broken" in errors[0].data["handler"]
    assert "raise KeyError" in errors[0].data["traceback"]
    assert errors[0].priority == 2
    assert "failed on" in caplog.text


def test_a_handler_of_errors_that_fails_does_not_go_round_in_circles(bridge, caplog):
    done = Heard()

    @bridge.on_event(EventType.ERROR)
    def broken(event: Event) -> None:
        done(event)
        raise RuntimeError("again")

    bridge.publish_sync(EventType.ERROR, {"message": "first"})
    done.wait(2)  # the error, and the failure to handle it
    bridge.close()
    with EventBridge(workspace=bridge.workspace) as again:
        assert len(again.get_events_by_type_sync(EventType.ERROR)) == 2
    assert len(caplog.records) == 2


def test_a_cancelled_wait_inside_a_handler_is_a_failure_and_not_its_end(bridge):
    failures, heard = Heard(), Heard()
    bridge.on_event(EventType.ERROR)(failures)

    @bridge.on_event(PROGRESS)
    async def handler(event: Event) -> None:
        if event.data["n"] == 0:
            future = asyncio.get_running_loop().create_future()
            future.cancel()
            await future
        heard(event)

    bridge.publish_sync(PROGRESS, {"n": 0})
    after = bridge.publish_sync(PROGRESS, {"n": 1})
    assert heard.wait(1) == [after]
    assert "cancelled" in failures.wait(1)[0].data["message"]


def test_a_slow_handler_delays_only_itself(bridge):
    gate, quick = threading.Event(), Heard()

    @bridge.on_event(PROGRESS)
    def slow(event: Event) -> None:
        gate.wait(20)

    @bridge.on_event(PROGRESS)
    async def slow_too(event: Event) -> None:
        await asyncio.to_thread(gate.wait, 20)

    bridge.on_event(PROGRESS)(quick)
    events = [bridge.publish_sync(PROGRESS, {"n": number}) for number in range(20)]
    assert quick.wait(20) == events
    gate.set()


def test_a_kill_switch_reaches_its_handler_before_the_backlog_is_handled(bridge):
    gate, started, heard = threading.Event(), threading.Event(), Heard()

    @bridge.on_event()
    def slow(event: Event) -> None:
        started.set()
        gate.wait(20)
        heard(event)

    bridge.publish_sync("tick", {"n": 0})
    assert started.wait(20)
    for number in range(1, 50):
        bridge.publish_sync("tick", {"n": number})
    asyncio.run(bridge.emit_kill_switch_triggered("mouse_corner", "Sending 500 emails", 147.3))
    gate.set()
    assert [str(event.event_type) for event in heard.wait(50)[:2]] == ["tick", "kill_switch_triggered"]


def test_a_handler_may_publish(bridge):
    heard = Heard()

    @bridge.on_event("ping")
    async def asynchronous(event: Event) -> None:
        await bridge.publish("pong", {"from": "coroutine"})

    @bridge.on_event("ping")
    def plain(event: Event) -> None:
        bridge.publish_sync("pong", {"from": "function"})

    bridge.on_event("pong")(heard)
    bridge.publish_sync("ping", {})
    assert {event.data["from"] for event in heard.wait(2)} == {"coroutine", "function"}


def test_a_removed_handler_hears_nothing_more(bridge):
    removed, other = Heard(), Heard()
    bridge.on_event(PROGRESS)(removed)
    bridge.on_event(PROGRESS)(other)
    first = bridge.publish_sync(PROGRESS, {"n": 1})
    assert removed.wait(1) == [first]
    bridge.remove_handler(removed)
    bridge.publish_sync(PROGRESS, {"n": 2})
    other.wait(2)
    assert removed.wait(1) == [first]


def test_two_bridges_of_one_process_hear_each_other(bridge, tmp_path):
    heard = Heard()
    with EventBridge(source=EventSource.JARVIS_AGENT, workspace=tmp_path) as other:
        other.on_event(PROGRESS)(heard)
        event = bridge.publish_sync(PROGRESS, {"n": 1})
        assert heard.wait(1) == [event]


def test_another_process_of_the_workspace_is_heard(bridge, tmp_path):
    heard = Heard()
    bridge.on_event("hello")(heard)
    program = (
        "import sys; from pathlib import Path; from reactor_core.integration import EventBridge\n"
        "with EventBridge('scout', workspace=Path(sys.argv[1])) as bridge: bridge.publish_sync('hello', {'n': 1})"
    )
    subprocess.run([sys.executable, "-c", program, str(tmp_path)], check=True, timeout=60)
    assert [event.source for event in heard.wait(1)] == ["scout"]


async def take(bridge: EventBridge, count: int, *types, **options) -> list[Event]:
    events: list[Event] = []
    async with asyncio.timeout(20):
        listening = bridge.listen(*types, **options)
        async for event in listening:
            events.append(event)
            if len(events) == count:
                break
        await listening.aclose()
    return events


async def test_listening_without_subscribing_yields_everything_from_now(bridge):
    await bridge.publish("before", {})
    listening = asyncio.create_task(take(bridge, 2))
    await asyncio.sleep(0)
    events = [await bridge.publish("one", {}), await bridge.publish("two", {})]
    assert await listening == events


async def test_listening_goes_on_where_the_last_listening_ended(bridge):
    await bridge.subscribe(["tick"])
    events = [await bridge.publish("tick", {"n": number}) for number in range(4)]
    assert await take(bridge, 2) == events[:2]
    assert await take(bridge, 2) == events[2:]


async def test_listening_to_named_types_does_not_move_where_listening_goes_on(bridge):
    await bridge.subscribe(["tick", "tock"])
    first = await bridge.publish("tock", {})
    named = asyncio.create_task(take(bridge, 1, "tick"))
    await asyncio.sleep(0)
    second = await bridge.publish("tick", {})
    assert await named == [second]
    assert await take(bridge, 2) == [first, second]


async def test_listening_from_a_position_replays_the_journal(bridge):
    events = [await bridge.publish("tick", {"n": number}) for number in range(4)]
    assert await take(bridge, 3, "tick", after_seq=1) == events[1:]


async def test_subscribing_again_adds_types(bridge):
    await bridge.subscribe("tick")
    await bridge.subscribe([EventType.COST_UPDATE])
    events = [await bridge.publish("tick", {}), await bridge.publish(EventType.COST_UPDATE, {"amount": 1})]
    assert sorted(event.seq for event in await take(bridge, 2)) == [event.seq for event in events]


async def test_closing_ends_listeners(tmp_path):
    bridge = EventBridge(workspace=tmp_path)
    await bridge.subscribe("tick")
    event = await bridge.publish("tick", {})

    async def listen() -> list[Event]:
        return [event async for event in bridge.listen()]

    listening = asyncio.create_task(listen())
    await asyncio.sleep(0)
    await bridge.aclose()
    async with asyncio.timeout(20):
        assert await listening == [event]


def test_closing_lets_handlers_finish_what_was_published_before(tmp_path):
    heard = Heard()
    bridge = EventBridge(workspace=tmp_path)
    bridge.on_event("tick")(heard)
    events = [bridge.publish_sync("tick", {"n": number}) for number in range(300)]
    bridge.close()
    assert heard.wait(0) == events


def test_closing_in_a_forked_child_leaves_the_parents_bridge_alone(bridge, monkeypatch):
    heard = Heard()
    bridge.on_event("tick")(heard)
    with monkeypatch.context() as child:
        child.setattr(os, "getpid", lambda: -1)
        bridge.close()
    event = bridge.publish_sync("tick", {})
    assert heard.wait(1) == [event]


def test_a_handler_that_does_not_end_delays_closing_only_so_long(tmp_path):
    gate, started = threading.Event(), threading.Event()
    bridge = EventBridge(workspace=tmp_path)

    @bridge.on_event("tick")
    def stuck(event: Event) -> None:
        started.set()
        gate.wait(60)

    bridge.publish_sync("tick", {})
    assert started.wait(20)
    bridge.close(timeout=0.1)
    with pytest.raises(JournalClosed):
        bridge.publish_sync("tick", {})
    gate.set()


def test_closing_leaves_no_thread_behind(tmp_path):
    before = set(threading.enumerate())
    bridge = EventBridge(workspace=tmp_path)
    bridge.on_event()(lambda event: None)
    bridge.publish_sync("tick", {})
    bridge.close()
    bridge.close()
    assert set(threading.enumerate()) <= before


async def test_a_closed_bridge_says_so(tmp_path):
    bridge = EventBridge(workspace=tmp_path)
    await bridge.aclose()
    with pytest.raises(JournalClosed):
        bridge.publish_sync("tick", {})
    with pytest.raises(JournalClosed):
        await bridge.publish("tick", {})
    with pytest.raises(JournalClosed):
        bridge.on_event()(print)


def test_a_program_that_never_closes_ends_by_itself(tmp_path):
    program = (
        "import sys; from pathlib import Path; from reactor_core.integration import EventBridge\n"
        "bridge = EventBridge(workspace=Path(sys.argv[1]))\n"
        "bridge.on_event('tick')(lambda event: print('heard', event.data['n']))\n"
        "bridge.publish_sync('tick', {'n': 7})\n"
    )
    done = subprocess.run(
        [sys.executable, "-W", "error", "-c", program, str(tmp_path)], capture_output=True, text=True, timeout=60
    )
    assert (done.returncode, done.stdout, done.stderr) == (0, "heard 7\n", "")


def test_the_chain_over_what_was_published_verifies(bridge):
    for number in range(10):
        bridge.publish_sync("tick", {"n": number})
    report = bridge.verify()
    assert (report.ok, report.events) == (True, 10)
    assert bridge.verify(anchor=(report.events, report.head)).ok


def test_the_workspace_comes_from_the_environment(tmp_path, monkeypatch):
    monkeypatch.setenv("REACTOR_WORKSPACE", str(tmp_path / "elsewhere"))
    with EventBridge() as bridge:
        bridge.publish_sync("tick", {})
    assert (tmp_path / "elsewhere" / "reactor.db").exists()
    assert [path.name for path in tmp_path.iterdir()] == ["elsewhere"]
