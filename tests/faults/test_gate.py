"""What the gate stands on breaks: nothing gets through, and what it started dies with it."""

from __future__ import annotations

import os
import select
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from reactor_core.errors import ActionBlocked, ActionDenied, JournalError, ReactorError, SafetyError
from reactor_core.integration import EventBridge
from reactor_core.safety import record
from reactor_core.safety.confirm import Approvals, Method, Said
from reactor_core.safety.gate import SafetyGate
from reactor_core.utils.settings import Settings

GATE = """
import sys
from pathlib import Path
from reactor_core.integration import EventBridge
from reactor_core.safety.gate import SafetyGate
from reactor_core.utils.settings import Settings
folder = Path(sys.argv[1])
settings = Settings(workspace=folder / "workspace", state_dir=folder / "state", kill_switch_lease_ms=500)
with EventBridge(settings=settings) as bridge, SafetyGate(bridge, cwd=folder) as gate:
"""


HOLDER = """
import sqlite3, sys
journal = sqlite3.connect(sys.argv[1], isolation_level=None)
journal.execute("BEGIN EXCLUSIVE")
print("held", flush=True)
sys.stdin.read()
"""


@pytest.fixture
def bridge(tmp_path: Path) -> Iterator[EventBridge]:
    with EventBridge(settings=Settings(workspace=tmp_path / "workspace", state_dir=tmp_path / "state")) as made:
        yield made


def ends(pid: int, seconds: float = 20) -> bool:
    """Whether a process, of whoever it is a child, ends in time."""
    try:
        handle = os.pidfd_open(pid)
    except ProcessLookupError:
        return True
    try:
        return bool(select.select([handle], [], [], seconds)[0])
    finally:
        os.close(handle)


def test_a_gate_that_is_killed_takes_along_even_what_left_its_group(tmp_path: Path) -> None:
    # A program, its child, and a daemon that made a session of its own and forgot its parent.
    code = (
        GATE
        + """
    with gate.guard("echo $$; (setsid sleep 1000 & echo $!) ; sleep 1000 & echo $!; wait") as permit:
        process = permit.spawn_sync(stdout=1)
    process.wait_sync()
"""
    )
    process = subprocess.Popen([sys.executable, "-c", code, str(tmp_path)], stdout=subprocess.PIPE, cwd=tmp_path)
    assert process.stdout is not None
    pids = [int(process.stdout.readline()) for _ in range(3)]
    assert all(Path(f"/proc/{pid}").exists() for pid in pids)
    process.send_signal(signal.SIGKILL)
    process.wait()
    process.stdout.close()
    assert [ends(pid) for pid in pids] == [True, True, True]


def test_a_full_disk_lets_nothing_through(tmp_path: Path) -> None:
    code = (
        GATE
        + """
    import resource, signal
    from reactor_core.errors import JournalError, StorageFull
    gate.station.open()
    signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
    limit = max(file.stat().st_size for file in bridge.workspace.glob("reactor.db*"))
    resource.setrlimit(resource.RLIMIT_FSIZE, (limit, limit))
    refused = 0
    for number in range(30):
        try:
            with gate.guard(f"touch made-{number}") as permit:
                permit.run_sync()
        except (JournalError, StorageFull):
            # Its decision was stored if it ran: then only the outcome could not be written, and the caller knows.
            ran = (folder / f"made-{number}").exists()
            stored = any(event.data.get("action") == f"touch made-{number}" for event in bridge.journal.read())
            assert stored or not ran, "it ran, and nobody knows"
            refused += not ran
    print(refused)
    import os
    sys.stdout.flush()
    os._exit(0)
"""
    )
    (tmp_path / ".git").mkdir()
    done = subprocess.run(
        [sys.executable, "-c", code, str(tmp_path)], capture_output=True, cwd=tmp_path, timeout=120, check=False
    )
    assert done.returncode == 0, done.stderr.decode()
    assert int(done.stdout) > 0, "the disk was not full"


def test_a_journal_that_answers_nobody_lets_nothing_through(
    bridge: EventBridge, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(record, "ACKNOWLEDGE_SECONDS", 0.3)
    with SafetyGate(bridge, cwd=tmp_path) as gate:
        # Another process, as locks of one process do not keep out itself.
        holder = subprocess.Popen(
            [sys.executable, "-c", HOLDER, str(bridge.journal.path)], stdin=subprocess.PIPE, stdout=subprocess.PIPE
        )
        assert holder.stdout is not None
        assert holder.stdout.readline() == b"held\n"
        try:
            for action, kind in (("touch made", "shell"), ("SELECT 1", "sql"), ("DROP TABLE t", "sql")):
                with pytest.raises(JournalError), gate.guard(action, kind=kind):
                    pytest.fail("it was let through")
        finally:
            holder.communicate(b"")
    assert not (tmp_path / "made").exists()


KINDS = ("shell", "sql", "python", "file", "network", "email", "gui", "cloud")


@pytest.fixture
def no_gate(bridge: EventBridge, tmp_path: Path) -> Iterator[SafetyGate]:
    """A gate where somebody answers no to every question."""
    approvals = Approvals(bridge, approver=lambda question, stop: Said(False, "alice", Method.TEXT))
    with SafetyGate(bridge, cwd=tmp_path, approver=approvals) as gate:
        yield gate
    approvals.close()


def refused(gate: SafetyGate, text: str, kind: str) -> None:
    begin = time.monotonic()
    with pytest.raises(SafetyError) as caught, gate.guard(text, kind=kind, by_caller=True):
        pytest.fail("it was let through")
    assert isinstance(caught.value, ActionDenied | ActionBlocked)
    assert time.monotonic() - begin < 60


NO_SHELL = tuple(kind for kind in KINDS if kind not in ("shell", "email", "cloud"))
"""Kinds that are not read as a command line, where brackets by themselves are arithmetic."""


@pytest.mark.parametrize(
    ("text", "kinds"),
    [
        pytest.param("(" * 10_000 + "1" + ")" * 10_000, NO_SHELL, id="brackets"),
        pytest.param("[" * 10_000, NO_SHELL, id="open brackets"),
        pytest.param("(:;" * 10_000 + "rm -rf x" + ")" * 10_000, KINDS, id="groups"),
        pytest.param("$(" * 10_000 + "ls" + ")" * 10_000, KINDS, id="commands"),
        pytest.param(b"echo \xff\xfe".decode("utf-8", "surrogateescape"), KINDS, id="not UTF-8"),
        pytest.param("echo \ud800", KINDS, id="half a character"),
        pytest.param("echo a\0b", KINDS, id="zero byte"),
    ],
)
def test_what_no_parser_can_take_is_not_allowed_and_does_not_take_for_ever(
    no_gate: SafetyGate, text: str, kinds: tuple[str, ...]
) -> None:
    for kind in kinds:
        refused(no_gate, text, kind)


@pytest.mark.parametrize(
    "kind", [kind if kind == "shell" else pytest.param(kind, marks=pytest.mark.slow) for kind in KINDS]
)
def test_ten_million_characters_are_not_allowed_and_do_not_take_for_ever(no_gate: SafetyGate, kind: str) -> None:
    refused(no_gate, "echo " + "x" * 10_000_000, kind)


def test_an_answer_counts_once_and_for_this_action_only(bridge: EventBridge, tmp_path: Path) -> None:
    (tmp_path / ".git").mkdir()
    yes = iter([True])
    approvals = Approvals(bridge, approver=lambda question, stop: Said(next(yes, False), "alice", Method.TEXT))
    with SafetyGate(bridge, cwd=tmp_path, approver=approvals) as gate:
        with gate.guard("DELETE FROM users WHERE id = 5", kind="sql"):
            pass
        ticket = approvals.questions(only_open=False)[0]
        for action in ("DELETE FROM users WHERE id = 5", "DELETE FROM users WHERE id = 6"):
            with pytest.raises(ActionDenied), gate.guard(action, kind="sql"):
                pytest.fail("it was let through")
            with pytest.raises(ReactorError):
                approvals.consume(ticket.ticket_id, gate.judge(action, kind="sql"))
    approvals.close()
