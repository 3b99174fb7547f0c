from __future__ import annotations

import threading
from pathlib import Path

import pytest

from reactor_core.events.latch import LatchState
from reactor_core.events.metrics import by_name
from reactor_core.integration import Event, EventBridge
from reactor_core.integration.figures import handler_samples, latch_samples


@pytest.fixture
def bridge(tmp_path: Path):
    with EventBridge(workspace=tmp_path) as bridge:
        yield bridge


def test_the_latch_is_two_figures():
    samples = latch_samples(LatchState(tripped_epoch=3, cleared_epoch=2))
    assert {sample.name: sample.value for sample in samples} == {"reactor_latch_tripped": 1, "reactor_latch_epoch": 3}
    assert latch_samples(LatchState(3, 3))[0].value == 0


def test_what_waits_for_a_handler_is_told_by_lane_with_its_age(bridge):
    gate, started = threading.Event(), threading.Event()

    @bridge.on_event()
    def slow(event: Event) -> None:
        started.set()
        gate.wait(20)

    bridge.publish_sync("tick", {})
    assert started.wait(20)
    bridge.publish_many_sync([("tick", {"n": number}) for number in range(3000)] + [("tock", {})])
    bridge._thread.submit(bridge.bus.flush()).result(20)
    samples = {name: group for name, group in by_name(bridge.metrics()).items() if name.startswith("reactor_handler")}
    waiting = {sample.labels["lane"]: sample.value for sample in samples["reactor_handler_waiting_events"]}
    rows = {sample.labels["lane"]: sample.value for sample in samples["reactor_handler_waiting_rows"]}
    assert waiting == {"1": 0, "2": 0, "3": 1024, "4": 0}
    assert rows["3"] == 3002 - 1025
    (oldest,) = samples["reactor_handler_oldest_seconds"]
    assert oldest.value > 0
    assert oldest.labels["handler"].endswith("slow")
    gate.set()


def test_handlers_of_one_name_are_counted_together(bridge):
    both = threading.Semaphore(0)

    def make():
        def handler(event: Event) -> None:
            both.release()
            if event.data["n"]:
                raise ValueError("n")

        return handler

    for _ in range(2):
        bridge.on_event("tick")(make())
    bridge.publish_many_sync([("tick", {"n": number}) for number in (0, 1)])
    for _ in range(4):
        assert both.acquire(timeout=20)
    bridge.close()
    samples = {sample.name: sample for sample in handler_samples(bridge._runs) if "lane" not in sample.labels}
    assert samples["reactor_handler_events"].value == 4
    assert samples["reactor_handler_failures"].value == 2
    assert len(bridge.failures()) == 2


def test_a_bridge_tells_of_journal_handlers_and_latch_under_names_and_labels_that_differ(bridge):
    bridge.on_event()(lambda event: None)
    bridge.publish_sync("tick", {})
    samples = bridge.metrics()
    assert {"reactor_journal_commits", "reactor_handler_events", "reactor_latch_tripped"} <= {s.name for s in samples}
    series = [(sample.name, tuple(sorted(sample.labels.items()))) for sample in samples]
    assert len(series) == len(set(series))
