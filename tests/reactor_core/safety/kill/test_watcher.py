"""The watcher's own decisions: silence, its end, a latch that was tampered with."""

from __future__ import annotations

import contextlib
import json
import os
import signal
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from subprocess import Popen

import pytest
from tests.reactor_core.safety.kill.conftest import PATIENCE, gone, room, run_python, until
from tests.reactor_core.safety.kill.test_station import events

from reactor_core.errors import Halted
from reactor_core.events.latch import LATCH_NAME
from reactor_core.integration import EventBridge
from reactor_core.safety.kill import Station, watcher_standing
from reactor_core.safety.kill import watcher as watcher_module
from reactor_core.utils.settings import Settings

Start = Callable[..., Popen[bytes]]

pytestmark = pytest.mark.usefixtures("cleared")


@pytest.fixture(scope="module")
def settings(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Settings]:
    """One workspace for all, since a watcher takes its time to start; what a test did it finds by its own words."""
    with room(tmp_path_factory.mktemp("workspace")) as made:
        yield made


HOLDER = """
import subprocess,sys,time,os
from pathlib import Path
from reactor_core.integration import EventBridge
from reactor_core.safety.kill import Station
from reactor_core.utils.settings import Settings
settings = Settings(workspace=Path(sys.argv[1]), state_dir=Path(sys.argv[2]), kill_switch_lease_ms=int(sys.argv[3]))
bridge = EventBridge('other', settings=settings); station = Station(bridge)
if sys.argv[4] == 'idle':
    station.open(); print(0, flush=True); time.sleep(600)
p = subprocess.Popen(['sleep','600'], start_new_session=True, env={**os.environ, **station.marks})
station.enlist(p.pid, action=sys.argv[4]); print(p.pid, flush=True); time.sleep(600)
"""


@contextlib.contextmanager
def holder(settings: Settings, lease_ms: int, what: str, code: str = HOLDER) -> Iterator[tuple[Popen[bytes], int]]:
    """A process with a lease, and the process that acts for it."""
    with run_python(code, str(settings.workspace), str(settings.state_dir), str(lease_ms), what) as process:
        assert process.stdout is not None
        yield process, int(process.stdout.readline())


def test_silence_while_something_goes_on_halts_everything_after_the_lease(
    bridge: EventBridge, settings: Settings
) -> None:
    with holder(settings, 1000, "fall silent") as (process, pid):
        time.sleep(0.3)  # a few beats
        os.kill(process.pid, signal.SIGSTOP)
        until(lambda: gone(pid))
        until(lambda: bridge.latch.state().tripped)
        (told,) = until(lambda: events(bridge, "kill_switch_triggered", action="fall silent"))
        assert told["trigger_method"] == "missed_heartbeat"


def test_silence_of_somebody_who_does_nothing_halts_nothing(bridge: EventBridge, settings: Settings) -> None:
    with holder(settings, 100, "idle") as (process, _), Station(bridge) as station:
        os.kill(process.pid, signal.SIGSTOP)
        time.sleep(0.5)
        with station.step("go on"):
            pass


@pytest.mark.parametrize("number", [signal.SIGKILL, pytest.param(signal.SIGSTOP, marks=pytest.mark.slow)])
def test_actions_stop_within_the_lease_when_the_watcher_is_killed_or_hangs(
    bridge: EventBridge, settings: Settings, start: Start, number: signal.Signals
) -> None:
    lease = 1.0
    brief = settings.model_copy(update={"kill_switch_lease_ms": int(lease * 1000)})
    with EventBridge("agent", settings=brief) as mine, Station(mine) as station:
        process = start("sleep", "600", env=station.marks)
        station.enlist(process.pid, action=f"dig until {number!r}")
        standing = watcher_standing(settings.workspace)
        assert standing is not None
        os.kill(standing.pid, number)
        try:
            assert process.wait(PATIENCE) == -signal.SIGKILL
            until(lambda: mine.latch.state().tripped)
            with pytest.raises(Halted), station.step("go on"):
                pytest.fail("it began")
            assert station.stopped(process.pid)
        finally:
            os.kill(standing.pid, signal.SIGKILL)
        (told,) = until(lambda: events(bridge, "kill_switch_triggered", action=f"dig until {number!r}"))
        assert told["trigger_method"] == "watcher_lost"


def test_a_watcher_that_is_killed_while_nothing_goes_on_is_replaced(
    bridge: EventBridge, settings: Settings, station: Station
) -> None:
    first = watcher_standing(settings.workspace)
    assert first is not None
    os.kill(first.pid, signal.SIGKILL)
    until(lambda: watcher_standing(settings.workspace) is None)
    until(lambda: station._socket is None)
    with station.step("go on"):
        second = watcher_standing(settings.workspace)
    assert second is not None
    assert second.pid != first.pid
    assert not bridge.latch.state().tripped


def test_a_latch_that_is_deleted_is_tripped_again(station: Station, bridge: EventBridge, settings: Settings) -> None:
    station.trip("enough", method="test")
    (settings.workspace / LATCH_NAME).unlink()
    until(lambda: (settings.workspace / LATCH_NAME).exists())
    assert until(bridge.latch.state).tripped
    with pytest.raises(Halted):
        station.check()


def test_a_latch_that_is_edited_is_tripped_again(station: Station, bridge: EventBridge, settings: Settings) -> None:
    epoch = station.trip("enough", method="test").epoch
    file = settings.workspace / LATCH_NAME
    file.write_text(json.dumps({**json.loads(file.read_text()), "cleared_epoch": epoch}))
    until(lambda: bridge.latch.state().tripped_epoch > epoch)
    with pytest.raises(Halted):
        station.check()


def test_a_latch_that_is_cleared_lawfully_stays_clear(station: Station, bridge: EventBridge) -> None:
    report = station.trip("enough", method="test")
    bridge.latch.clear(report.epoch, by="a test", evidence={})
    time.sleep(0.3)
    with station.step("go on"):
        pass
    assert not bridge.latch.state().tripped


def test_a_station_that_is_told_of_a_later_epoch_stands_still(station: Station, bridge: EventBridge) -> None:
    """Two processes that disagree: the one that knows of no halt believes the other."""
    from reactor_core.safety.kill import wire

    station._heard(wire.Halt(1_000_000, "elsewhere"))
    assert not bridge.latch.state().tripped
    with pytest.raises(Halted, match="epoch 1000000"), station.step("go on"):
        pytest.fail("it began")


def test_it_survives_what_ends_others_while_somebody_has_a_lease(station: Station, settings: Settings) -> None:
    standing = watcher_standing(settings.workspace)
    assert standing is not None
    os.kill(standing.pid, signal.SIGTERM)
    os.kill(standing.pid, signal.SIGINT)
    with station.step("go on"):
        pass
    again = watcher_standing(settings.workspace)
    assert again is not None
    assert again.pid == standing.pid


@pytest.mark.slow
def test_it_goes_when_the_last_lease_is_given_back(bridge: EventBridge, settings: Settings) -> None:
    with Station(bridge):
        standing = watcher_standing(settings.workspace)
        assert standing is not None
    until(lambda: watcher_standing(settings.workspace) is None, watcher_module.LINGER_SECONDS + 20)
    until(lambda: gone(standing.pid))


def test_a_disabled_switch_still_takes_the_actions_of_a_dead_process(tmp_path: Path) -> None:
    code = HOLDER.replace("kill_switch_lease_ms", "kill_switch_enabled=False, kill_switch_lease_ms")
    with room(tmp_path) as settings:  # a watcher of its own, which is told that it is disabled
        with holder(settings, 30_000, "dig", code) as (_, pid):
            pass
        until(lambda: gone(pid))
