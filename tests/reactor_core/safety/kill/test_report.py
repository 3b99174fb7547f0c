"""What is published about a halt."""

from __future__ import annotations

from tests.reactor_core.safety.kill.test_station import events

from reactor_core.integration import EventBridge
from reactor_core.safety.kill.halting import Halting
from reactor_core.safety.kill.processes import Stopped
from reactor_core.safety.kill.report import Reporter
from reactor_core.utils.ids import new_id


def test_the_kill_switch_event_has_the_id_that_the_latch_knows(bridge: EventBridge) -> None:
    event_id = new_id()
    bridge.latch.trip(reason="enough", event_id=event_id)
    halting = Halting(1, event_id, "cli", "enough", "make", began=10.0, own=True, by="me")
    halting.stopped.add(Stopped({5}, {6}, 10.012))
    reporter = Reporter(bridge)
    reporter.triggered(halting, 11.0)
    reporter.close()
    told = events(bridge, "kill_switch_triggered")[0]
    assert told["response_time_ms"] == 12.0
    assert (told["stopped"], told["survivors"]) == ([5], [6])
    assert (told["action"], told["reason"], told["by"]) == ("make", "enough", "me")
    assert bridge.latch.state().tripped_epoch == 1


def test_what_was_stopped_names_its_cause(bridge: EventBridge) -> None:
    reporter = Reporter(bridge)
    reporter.stopped("the agent has ended", "", {"stopped": [5]}, event_id="of the kill")
    reporter.close()
    assert events(bridge, "actions_stopped") == [
        {
            "action": "nothing was going on",
            "cause": "the agent has ended",
            "event_id": "of the kill",
            "stopped": [5],
        }
    ]


def test_a_journal_that_is_closed_ends_nothing(bridge: EventBridge) -> None:
    reporter = Reporter(bridge)
    bridge.close()
    reporter.stopped("x", "y", {})
    reporter.close()
