"""Whose action a process is, told by its environment, after everybody who knew is gone."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from subprocess import Popen

from tests.reactor_core.safety.kill.conftest import gone, run_python, until

from reactor_core.integration import EventBridge
from reactor_core.safety.kill import Station, pull_switch
from reactor_core.safety.kill.marks import abandoned_marks, carried_marks, new_mark
from reactor_core.safety.kill.processes import MARK
from reactor_core.utils.settings import Settings

Start = Callable[..., Popen[bytes]]

# A process that makes a mark and ends.
MARKER = """
import sys
from pathlib import Path
from reactor_core.safety.kill.marks import new_mark
print(new_mark(Path(sys.argv[1])), flush=True)
"""


def mark_of_a_process_that_has_ended(workspace: Path) -> str:
    with run_python(MARKER, str(workspace)) as process:
        assert process.stdout is not None
        return process.stdout.readline().decode().strip()


def shown(process: Popen[bytes]) -> None:
    """Wait until the program itself runs: its environment is its own from then on."""
    until(lambda: b"sleep" in Path(f"/proc/{process.pid}/cmdline").read_bytes())


def test_a_mark_is_held_while_its_process_lives(tmp_path: Path, start: Start) -> None:
    mark = new_mark(tmp_path)
    shown(start("sleep", "600", env={MARK: mark}))
    assert carried_marks(tmp_path) == {mark}
    assert abandoned_marks(tmp_path) == set()


def test_a_mark_whose_process_has_ended_is_nobodys(tmp_path: Path, start: Start) -> None:
    mark = mark_of_a_process_that_has_ended(tmp_path)
    shown(start("sleep", "600", env={MARK: mark}))
    assert abandoned_marks(tmp_path) == {mark}


def test_a_number_that_is_used_again_holds_nothing(tmp_path: Path, start: Start) -> None:
    place, pid, born, lease = new_mark(tmp_path).split(".")
    older = f"{place}.{pid}.{int(born) - 1}.{lease}"
    shown(start("sleep", "600", env={MARK: older}))
    assert abandoned_marks(tmp_path) == {older}


def test_marks_of_another_workspace_are_not_touched(tmp_path: Path, start: Start) -> None:
    (tmp_path / "other").mkdir()
    shown(start("sleep", "600", env={MARK: mark_of_a_process_that_has_ended(tmp_path / "other")}))
    assert carried_marks(tmp_path) == set()


def test_the_next_watcher_ends_what_nobody_holds_and_says_so(
    bridge: EventBridge, settings: Settings, start: Start
) -> None:
    left = start("sleep", "600", env={MARK: mark_of_a_process_that_has_ended(settings.workspace)})
    shown(left)
    with Station(bridge) as station:
        mine = start("sleep", "600", env=station.marks)  # not enlisted yet, and its holder lives
        assert left.wait(60) == -9
        station.enlist(mine.pid, action="go on")
        assert not gone(mine.pid)
        told = until(lambda: stopped(bridge))[0]
        assert told["stopped"] == [left.pid]
        assert told["cause"] == "who held the lease has ended, and the watcher with it"
        assert not bridge.latch.state().tripped


def test_pulling_the_switch_without_a_watcher_ends_what_was_left(
    bridge: EventBridge, settings: Settings, start: Start
) -> None:
    left = start("sleep", "600", env={MARK: mark_of_a_process_that_has_ended(settings.workspace)})
    shown(left)
    report = pull_switch(settings, method="cli", reason="enough", bridge=bridge)
    assert left.wait(60) == -9
    assert report.stopped == 1


def stopped(bridge: EventBridge) -> list[dict[str, object]]:
    from reactor_core.events.query import event_filter

    return [dict(event.data) for event in bridge.journal.read(event_filter("actions_stopped"))]
