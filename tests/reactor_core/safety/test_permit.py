from __future__ import annotations

import asyncio
import os
import pty
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from reactor_core.errors import ApprovalInvalid, ConfigError
from reactor_core.integration import EventBridge
from reactor_core.safety.engine import Decision
from reactor_core.safety.execution import prepare
from reactor_core.safety.kill import Station
from reactor_core.safety.permit import Permit
from reactor_core.safety.starting import Starter
from reactor_core.safety.verdict import Verdict
from reactor_core.utils.settings import Settings


@pytest.fixture(scope="module")
def station(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Station]:
    folder = tmp_path_factory.mktemp("permits")
    settings = Settings(workspace=folder / "workspace", state_dir=folder / "state")
    with EventBridge(settings=settings) as bridge, Station(bridge) as made:
        yield made


@pytest.fixture
def starter() -> Iterator[Starter]:
    made = Starter()
    yield made
    made.close()


class Permits:
    """Makes permits and remembers how they ended."""

    def __init__(self, station: Station, starter: Starter, folder: Path) -> None:
        self.station, self.starter, self.folder = station, starter, folder
        self.ended: list[tuple[str, dict[str, object]]] = []

    def __call__(self, action: str | tuple[str, ...], kind: str = "shell") -> Permit:
        decision = Decision(
            action=str(action), kind=kind, verdict=Verdict.ALLOW, findings=(), resolved=(), action_hash="0" * 64
        )
        env = {"PATH": os.defpath}
        return Permit(
            decision,
            "d1",
            prepared=prepare(action, kind, cwd=str(self.folder), env=env),
            starter=self.starter,
            station=self.station,
            settle=lambda outcome, **details: self.ended.append((outcome, details)),
            shown=str(action),
        )


@pytest.fixture
def permits(station: Station, starter: Starter, tmp_path: Path) -> Permits:
    return Permits(station, starter, tmp_path)


def test_a_program_runs_with_what_it_is_given(permits: Permits) -> None:
    permit = permits("cat; echo done >&2; exit 3")
    done = permit.run_sync(given=b"hello")
    assert (done.exit_code, done.stdout, done.stderr, done.timed_out) == (3, b"hello", b"done\n", False)
    assert (permit.argv[-1], permit.cwd) == ("cat; echo done >&2; exit 3", str(permits.folder))
    (ended,) = permits.ended
    assert (ended[0], ended[1]["exit_code"]) == ("failed", 3)


def test_a_program_knows_its_lease_and_nothing_else_of_the_gate(permits: Permits) -> None:
    names = {line.partition(b"=")[0].decode() for line in permits(("env",)).run_sync().stdout.splitlines()}
    assert names == {"PATH", *permits.station.marks}


async def test_a_cancelled_caller_leaves_nothing_running(permits: Permits) -> None:
    permit = permits("echo $$ > pid; sleep 1000")
    running = asyncio.create_task(permit.run())
    while permit.running is None:  # noqa: ASYNC110  another thread starts it
        await asyncio.sleep(0.005)
    running.cancel()
    with pytest.raises(asyncio.CancelledError):
        await running
    assert permit.running.poll() == -9
    assert permits.ended[0][0] == "failed"


async def test_a_program_in_the_background_has_an_outcome_although_nobody_waits(permits: Permits) -> None:
    process = await permits("exit 4").spawn()
    assert await process.wait() == 4
    assert [outcome for outcome, _ in permits.ended] == ["failed"]


def test_a_function_is_called_once_and_its_error_is_noted(permits: Permits) -> None:
    permit = permits("SELECT 1", "sql")
    assert permit.perform_sync(lambda a, b: a + b, 1, b=2) == 3
    with pytest.raises(ApprovalInvalid):
        permit.perform_sync(lambda: None)
    with pytest.raises(KeyError):
        permits("SELECT 1", "sql").perform_sync({}.__getitem__, "x")
    assert [(outcome, details.get("detail")) for outcome, details in permits.ended] == [
        ("completed", None), ("failed", "KeyError"),
    ]  # fmt: skip


def test_what_is_no_program_has_no_words(permits: Permits) -> None:
    permit = permits("SELECT 1", "sql")
    for ask in (lambda: permit.argv, lambda: permit.env, lambda: permit.cwd, permit.run_sync):
        with pytest.raises(ConfigError, match="not a program"):
            ask()


def test_a_permit_that_is_given_back_cannot_be_used(permits: Permits) -> None:
    for end, outcome in ((lambda p: p.leave(None), "completed"), (lambda p: p.abandon(), "abandoned")):
        permit = permits("true")
        end(permit)
        end(permit)
        with pytest.raises(ApprovalInvalid):
            permit.run_sync()
        assert [name for name, _ in permits.ended] == [outcome]
        permits.ended.clear()


def test_a_program_has_the_terminal_to_itself_and_gives_it_back(tmp_path: Path) -> None:
    code = f"""
import os, sys
from pathlib import Path
from reactor_core.integration import EventBridge
from reactor_core.safety.gate import SafetyGate
from reactor_core.safety.policy import Policy
from reactor_core.utils.settings import Settings
folder = Path({str(tmp_path)!r})
sys.path.insert(0, {str(Path(__file__).parent)!r})
from test_permit import Permits
from reactor_core.safety.kill import Station
from reactor_core.safety.starting import Starter
settings = Settings(workspace=folder / "workspace", state_dir=folder / "state")
with EventBridge(settings=settings) as bridge, Station(bridge) as station:
    starter = Starter()
    permit = Permits(station, starter, folder)(("python3", "-c",
        "import os; print('foreground', os.tcgetpgrp(0) == os.getpgrp(), os.getpgrp() == os.getpid())"))
    status = permit.run_on_terminal()
    print("back", status, os.tcgetpgrp(0) == os.getpgrp(), flush=True)
    starter.close()
"""
    main, other = pty.openpty()
    process = subprocess.Popen(
        [sys.executable, "-c", "import os, fcntl, termios; fcntl.ioctl(0, termios.TIOCSCTTY, 0);" + code],
        stdin=other, stdout=other, stderr=other, start_new_session=True,
    )  # fmt: skip
    os.close(other)
    said = b""
    try:
        while part := os.read(main, 4096):
            said += part
    except OSError:  # the other end is closed
        pass
    os.close(main)
    process.wait()
    assert said.decode().split("\r\n")[:2] == ["foreground True True", "back 0 True"]
