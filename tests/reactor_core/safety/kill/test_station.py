"""What a station lets begin, and what a halt does to it."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from subprocess import Popen
from typing import Any

import pytest
from tests.reactor_core.safety.kill.conftest import gone, room, run_python, until

from reactor_core.errors import ConfigError, Halted
from reactor_core.integration import EventBridge
from reactor_core.safety.kill import Station, watcher_standing
from reactor_core.safety.kill.processes import MARK
from reactor_core.utils.settings import Settings

Start = Callable[..., Popen[bytes]]

pytestmark = pytest.mark.usefixtures("cleared")


@pytest.fixture(scope="module")
def settings(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Settings]:
    """One workspace for all, since a watcher takes its time to start; what a test did it finds by its own words."""
    with room(tmp_path_factory.mktemp("workspace")) as made:
        yield made


def events(bridge: EventBridge, name: str, **facts: object) -> list[dict[str, Any]]:
    """What the journal's events of one type say, if they say this."""
    from reactor_core.events.query import event_filter

    told = [dict(event.data) for event in bridge.journal.read(event_filter(name))]
    return [each for each in told if facts.items() <= each.items()]


def test_steps_run_while_the_switch_is_clear(station: Station) -> None:
    with station.step("click Save"):
        station.check()


def test_no_step_begins_after_a_trip(station: Station, bridge: EventBridge) -> None:
    bridge.latch.trip(reason="stop")
    with pytest.raises(Halted, match="stop"), station.step("click Save"):
        pytest.fail("it began")


def test_a_step_that_has_begun_is_finished_and_the_time_includes_it(station: Station, bridge: EventBridge) -> None:
    begun, finish = threading.Event(), threading.Event()
    done: list[float] = []

    def act() -> None:
        with station.step("save the file"):
            begun.set()
            finish.wait()
            done.append(time.monotonic())

    thread = threading.Thread(target=act)
    thread.start()
    begun.wait()
    pulled = time.monotonic()
    report = station.trip("enough", method="test")
    assert report.steps_pending == 1
    finish.set()
    thread.join()
    told = until(lambda: events(bridge, "actions_stopped", event_id=report.event_id))[0]
    assert told["response_time_ms"] == pytest.approx((done[0] - pulled) * 1000, abs=1000)
    assert len(events(bridge, "kill_switch_triggered", halted_action="save the file")) == 1


def test_a_trip_kills_what_is_enlisted_with_its_family(station: Station, start: Start) -> None:
    process = start("sh", "-c", "setsid sleep 600 & echo $!; wait", env=station.marks)
    assert process.stdout is not None
    apart = int(process.stdout.readline())
    station.enlist(process.pid, action="wait for ever")
    report = station.trip("enough", method="test")
    assert process.wait() == -signal.SIGKILL
    assert gone(apart)
    assert station.stopped(process.pid)
    assert report.stopped >= 1  # what dies with its group is not counted one by one
    assert report.survivors == ()


def test_the_event_carries_the_measured_time_and_trips_once(
    station: Station, bridge: EventBridge, start: Start
) -> None:
    process = start("sleep", "600", env=station.marks)
    station.enlist(process.pid, action="make all")
    before = bridge.latch.state().tripped_epoch
    report = station.trip("enough", method="budget")
    (told,) = until(lambda: events(bridge, "kill_switch_triggered", action="make all"))
    assert told["trigger_method"] == "budget"
    assert told["halted_action"] == "make all"
    assert told["response_time_ms"] == report.response_time_ms > 0
    assert told["stopped"] == [process.pid]
    assert bridge.latch.state().tripped_epoch == report.epoch == before + 1


def test_an_event_of_any_service_stops_it_and_the_watcher_says_what(
    station: Station, bridge: EventBridge, start: Start
) -> None:
    process = start("sleep", "600", env=station.marks)
    station.enlist(process.pid, action="make all")
    before = bridge.latch.state().tripped_epoch
    event = bridge.publish_sync("kill_switch_triggered", {"action": "everything", "reason": "panic"})
    assert process.wait() == -signal.SIGKILL
    told = until(lambda: events(bridge, "actions_stopped", event_id=event.event_id))[0]
    assert told["stopped"] == [process.pid]
    assert bridge.latch.state().tripped_epoch == before + 1


def test_a_process_is_not_enlisted_while_the_switch_is_tripped(
    station: Station, bridge: EventBridge, start: Start
) -> None:
    bridge.latch.trip(reason="stop")
    process = start("sleep", "600", env=station.marks)
    with pytest.raises(Halted):
        station.enlist(process.pid)
    assert process.wait() == -signal.SIGKILL


def test_a_process_that_is_gone_cannot_be_enlisted(station: Station, start: Start) -> None:
    process = start("true")
    process.wait()
    with pytest.raises(ProcessLookupError):
        station.enlist(process.pid)


def test_an_unknown_category_is_refused(station: Station) -> None:
    with pytest.raises(ConfigError, match="category=2"):
        station.enlist(os.getpid(), category=2)


def test_a_process_of_category_1_may_finish(station: Station, start: Start, tmp_path: Path) -> None:
    """It writes its last line in its own time after SIGTERM; one that is killed would not."""
    file = tmp_path / "written"
    code = (
        "import signal,sys,time\n"
        "def end(*_):\n    time.sleep(0.05); open(sys.argv[1], 'w').write('finished'); sys.exit(0)\n"
        "signal.signal(signal.SIGTERM, end)\nprint(flush=True)\ntime.sleep(600)"
    )
    process = start(sys.executable, "-c", code, str(file), env=station.marks)
    assert process.stdout is not None
    process.stdout.readline()
    station.enlist(process.pid, category=1)
    station.trip("enough", method="test")
    assert process.wait() == 0
    assert file.read_text() == "finished"


def test_what_was_dismissed_is_not_stopped_but_what_it_left_behind_is(station: Station, start: Start) -> None:
    process = start("sh", "-c", "setsid sleep 600 > /dev/null & echo $!", env=station.marks)
    assert process.stdout is not None
    station.enlist(process.pid)
    left = int(process.stdout.readline())
    assert process.wait() == 0
    station.dismiss(process.pid)
    station.trip("enough", method="test")
    assert gone(left)
    assert not station.stopped(process.pid)


def test_closing_kills_what_is_still_enlisted(bridge: EventBridge, start: Start) -> None:
    with Station(bridge) as station:
        process = start("sleep", "600", env=station.marks)
        station.enlist(process.pid, action="make all")
    assert process.wait() == -signal.SIGKILL
    assert not bridge.latch.state().tripped
    with pytest.raises(Halted):
        station.check()


def test_everything_with_a_bridge_shares_a_station(bridge: EventBridge) -> None:
    first = Station.of(bridge)
    assert Station.of(bridge) is first
    first.close()
    assert Station.of(bridge) is not first


def test_two_stations_have_one_watcher(bridge: EventBridge, settings: Settings) -> None:
    with Station(bridge, name="one"), Station(bridge, name="two"):
        both = (f"one {os.getpid()}", f"two {os.getpid()}")
        until(lambda: (standing := watcher_standing(settings.workspace)) is not None and standing.stations == both)


def test_a_station_whose_process_is_killed_takes_its_actions_along(
    bridge: EventBridge, settings: Settings, start: Start
) -> None:
    code = (
        "import subprocess,sys,time,os\nfrom pathlib import Path\n"
        "from reactor_core.integration import EventBridge\nfrom reactor_core.safety.kill import Station\n"
        "bridge = EventBridge('other', workspace=Path(sys.argv[1])); station = Station(bridge)\n"
        "p = subprocess.Popen(['sleep','600'], start_new_session=True, env={**os.environ, **station.marks})\n"
        "station.enlist(p.pid, action='dig'); print(p.pid, flush=True); time.sleep(600)"
    )
    with run_python(code, str(settings.workspace), env={"REACTOR_STATE_DIR": str(settings.state_dir)}) as process:
        assert process.stdout is not None
        pid = int(process.stdout.readline())
    until(lambda: gone(pid))
    (told,) = until(lambda: events(bridge, "actions_stopped", action="dig"))
    assert told["cause"].endswith("has ended")
    assert not bridge.latch.state().tripped


def test_the_environment_of_an_action_is_marked(station: Station) -> None:
    done = subprocess.run(["printenv", MARK], env=station.marks, capture_output=True, text=True, check=True)
    assert done.stdout.strip() == station.marks[MARK]
