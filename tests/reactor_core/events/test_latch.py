from __future__ import annotations

import json
import subprocess
import sys
import threading
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from reactor_core.errors import ConfigError, StorageError
from reactor_core.events import EventType, Journal
from reactor_core.events.latch import Latch, LatchState
from reactor_core.utils import failpoints


class Told:
    """A listener that can be waited for."""

    def __init__(self) -> None:
        self.states: list[LatchState] = []
        self._more = threading.Condition()

    def __call__(self, state: LatchState) -> None:
        with self._more:
            self.states.append(state)
            self._more.notify_all()

    def wait(self, count: int) -> list[LatchState]:
        with self._more:
            assert self._more.wait_for(lambda: len(self.states) >= count, 20)
            return list(self.states)


@pytest.fixture
def latch(tmp_path: Path, journal: Journal):
    latch = Latch(tmp_path, journal=journal)
    yield latch
    latch.close()


def test_a_new_workspace_is_not_halted_and_has_no_file(latch: Latch):
    assert latch.state() == LatchState()
    assert not latch.state().tripped
    assert not latch.path.exists()


def test_a_trip_stays_over_restarts_with_its_reason(latch: Latch, tmp_path: Path):
    assert latch.trip(reason="mouse corner", event_id="e-1", by="jarvis_agent") == 1
    again = Latch(tmp_path).state()
    assert again == latch.state()
    assert (again.tripped, again.reason, again.event_id, again.by) == (True, "mouse corner", "e-1", "jarvis_agent")
    assert latch.path.stat().st_mode & 0o777 == 0o600


def test_each_trip_is_one_epoch_more_but_the_same_event_is_one_trip(latch: Latch):
    assert [latch.trip(reason="x", event_id=name) for name in ("a", "b", "a", "b")] == [1, 2, 2, 2]
    assert latch.trip(reason="by hand") == 3


def test_an_event_that_comes_late_does_not_trip_what_was_cleared(latch: Latch):
    latch.clear(latch.trip(reason="x", event_id="a"), by="user", evidence={})
    latch.trip(reason="x", event_id="a")
    assert not latch.state().tripped


def test_clearing_is_recorded_and_names_the_epoch(latch: Latch, journal: Journal):
    epoch = latch.trip(reason="Sending 500 emails", event_id="a")
    state = latch.clear(epoch, by="user", evidence={"code": "checked"})
    assert (state.tripped, state.cleared_epoch, state.by) == (False, epoch, "user")
    (event,) = journal.read()
    assert (event.event_type, event.priority) == (EventType.KILL_SWITCH_CLEARED, 2)
    assert event.data == {
        "action": "Sending 500 emails",
        "epoch": 1,
        "by": "user",
        "evidence": {"code": "checked"},
        "event_id": "a",
    }
    assert latch.trip(reason="again") == 2


def test_only_the_halt_that_was_seen_can_be_cleared(latch: Latch, tmp_path: Path, journal: Journal):
    with pytest.raises(ConfigError, match="not tripped"):
        latch.clear(0, by="user", evidence={})
    epoch = latch.trip(reason="x")
    Latch(tmp_path).trip(reason="y")
    with pytest.raises(ConfigError, match="tripped with epoch 2"):
        latch.clear(epoch, by="user", evidence={})
    with pytest.raises(ConfigError, match="without its journal"):
        Latch(tmp_path).clear(2, by="user", evidence={})
    assert latch.state().tripped
    assert journal.read() == []


def test_what_cannot_be_recorded_is_not_cleared(latch: Latch, journal: Journal):
    epoch = latch.trip(reason="x")
    with pytest.raises(ConfigError, match="JSON"):
        latch.clear(epoch, by="user", evidence={"not json": object()})
    assert latch.state().tripped


def test_a_trip_travels_and_a_clearing_does_not(tmp_path: Path, journal: Journal):
    ours, theirs = Latch(tmp_path / "a", journal=journal), Latch(tmp_path / "b", journal=journal)
    epoch = theirs.trip(reason="x", event_id="a", by="scout")
    assert ours.join(theirs.state())
    assert ours.state() == theirs.state()
    assert not ours.join(theirs.state())
    theirs.clear(epoch, by="user", evidence={})
    assert not ours.join(theirs.state())
    assert ours.state().tripped
    ours.clear(epoch, by="user", evidence={})
    assert not theirs.join(ours.state())
    assert not theirs.state().tripped


def test_a_halt_of_another_workspace_counts_whatever_its_epoch(tmp_path: Path, journal: Journal):
    ours = Latch(tmp_path, journal=journal)
    for _ in range(3):
        ours.clear(ours.trip(reason="old"), by="user", evidence={})
    assert ours.join({"tripped_epoch": 1, "cleared_epoch": 0, "reason": "new there", "event_id": "n"})
    assert (ours.state().tripped, ours.state().tripped_epoch, ours.state().reason) == (True, 4, "new there")


@pytest.mark.parametrize(
    "state",
    [{"tripped_epoch": "1"}, {"tripped_epoch": -1}, {"tripped_epoch": 2**60}, {"reason": 3}, [], None, "tripped"],
)
def test_what_is_no_state_is_refused(latch: Latch, state: object):
    with pytest.raises(ConfigError, match="not the state"):
        latch.join(state)
    assert not latch.state().tripped


def test_a_file_that_cannot_be_read_counts_as_tripped(latch: Latch):
    latch.trip(reason="x")
    latch.path.write_text('{"tripped_epoch": 0')
    state = latch.state()
    assert state.tripped
    assert "cannot be read" in state.reason
    assert not latch.clear(state.tripped_epoch, by="user", evidence={}).tripped


def test_a_trip_that_cannot_be_written_halts_this_process(tmp_path: Path):
    (tmp_path / "workspace").mkdir()
    latch = Latch(tmp_path / "workspace")
    (tmp_path / "workspace").rmdir()
    (tmp_path / "workspace").write_text("a file where the folder was")
    with pytest.raises(StorageError):
        latch.trip(reason="x")
    assert latch.state().tripped
    (tmp_path / "workspace").unlink()
    assert latch.keep().tripped
    assert Latch(tmp_path / "workspace").state().tripped


def test_listeners_are_told_once_of_each_change_by_this_process(latch: Latch):
    told = Told()
    latch.listen(told)
    epoch = latch.trip(reason="x", event_id="a")
    latch.trip(reason="x", event_id="a")
    latch.clear(epoch, by="user", evidence={})
    states = told.wait(2)
    assert [state.tripped for state in states] == [True, False]


def test_a_listener_that_fails_does_not_keep_the_others_from_being_told(latch: Latch, caplog):
    told = Told()

    def broken(state: LatchState) -> None:
        raise RuntimeError("no")

    latch.listen(broken)
    latch.listen(told)
    latch.trip(reason="x")
    assert told.wait(1)[0].tripped
    assert "a listener of the kill switch failed" in caplog.text


def test_who_listens_no_more_is_not_told(latch: Latch):
    told, other = Told(), Told()
    latch.listen(told)
    latch.listen(other)
    latch.unlisten(told)
    latch.trip(reason="x")
    other.wait(1)
    assert told.states == []


def test_a_change_by_another_process_is_told(latch: Latch, tmp_path: Path):
    told = Told()
    latch.listen(told)
    program = (
        "import sys; from pathlib import Path; from reactor_core.events.latch import Latch\n"
        "Latch(Path(sys.argv[1])).trip(reason='from outside', by='scout')"
    )
    subprocess.run([sys.executable, "-c", program, str(tmp_path)], check=True, timeout=60)
    assert [(state.reason, state.by) for state in told.wait(1)] == [("from outside", "scout")]


def test_where_the_kernel_has_no_watch_a_change_is_told_all_the_same(latch: Latch, tmp_path: Path, monkeypatch):
    monkeypatch.setattr(sys, "platform", "other")
    told = Told()
    latch.listen(told)
    Latch(tmp_path).trip(reason="x")
    assert told.wait(1)[0].tripped


def test_who_is_killed_while_writing_leaves_the_old_state_or_the_new(latch: Latch, tmp_path: Path):
    program = (
        "import os, sys; from pathlib import Path; from reactor_core.events.latch import Latch\n"
        "from reactor_core.utils import failpoints\n"
        "failpoints.install(lambda name: os._exit(9))\n"
        "Latch(Path(sys.argv[1])).trip(reason='x')"
    )
    done = subprocess.run([sys.executable, "-c", program, str(tmp_path)], check=False, timeout=60)
    assert done.returncode == 9
    assert latch.state().tripped
    assert latch.trip(reason="y") == 2  # the lock went with its owner


def test_several_processes_count_epochs_together(latch: Latch, tmp_path: Path):
    program = (
        "import sys; from pathlib import Path; from reactor_core.events.latch import Latch\n"
        "latch = Latch(Path(sys.argv[1]))\n"
        "for number in range(20): latch.trip(reason='x', event_id=f'{sys.argv[2]}-{number}')"
    )
    started = [subprocess.Popen([sys.executable, "-c", program, str(tmp_path), str(name)]) for name in range(2)]
    assert [process.wait(60) for process in started] == [0, 0]
    assert latch.state().tripped_epoch == 40
    assert not list(tmp_path.glob(".tmp-*"))


def test_halting_here_does_not_wait_for_the_disk(latch: Latch):
    told = Told()
    latch.listen(told)
    assert latch.trip_here(reason="x", event_id="a")
    assert not latch.trip_here(reason="x", event_id="a")
    assert latch.state().tripped
    assert told.wait(1)[0].tripped
    assert not latch.path.exists()
    assert latch.keep().tripped_epoch == 1
    latch.sync()
    assert json.loads(latch.path.read_text())["seen"] == ["a"]


def test_threads_that_write_at_once_count_each_trip_once(latch: Latch):
    threads = [threading.Thread(target=latch.trip, kwargs={"reason": "x", "event_id": str(n)}) for n in range(16)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert latch.state().tripped_epoch == 16
    assert Latch(latch.path.parent).state() == latch.state()


def test_a_state_is_asked_in_microseconds_without_reading_the_file(latch: Latch, monkeypatch: pytest.MonkeyPatch):
    latch.trip(reason="x")
    latch.state()
    monkeypatch.setattr(Path, "read_bytes", lambda path: pytest.fail("read again"))
    assert latch.state().tripped


def test_only_the_last_events_are_remembered(latch: Latch):
    for number in range(100):
        latch.trip(reason="x", event_id=str(number))
    assert json.loads(latch.path.read_text())["seen"] == [str(number) for number in range(36, 100)]


states = st.builds(
    LatchState,
    tripped_epoch=st.integers(0, 5),
    cleared_epoch=st.integers(0, 5),
    event_id=st.sampled_from(["", "a", "b"]),
)


@given(st.lists(states, max_size=6))
def test_joining_never_lowers_an_epoch_and_never_clears(tmp_path_factory, others: list[LatchState]):
    latch = Latch(tmp_path_factory.mktemp("latch"))
    for other in others:
        before = latch.state()
        latch.join(other)
        after = latch.state()
        assert after.tripped_epoch >= before.tripped_epoch
        assert after.cleared_epoch == before.cleared_epoch
        assert not latch.join(other)
        if other.tripped and other.tripped_epoch > before.tripped_epoch:
            assert after.tripped


def test_the_failpoint_is_passed_with_the_file_in_place(latch: Latch):
    passed: list[tuple[str, bool]] = []
    failpoints.install(lambda name: passed.append((name, latch.path.exists())))
    try:
        latch.trip(reason="x")
    finally:
        failpoints.install(None)
    assert passed == [("latch.written", True)]
