from __future__ import annotations

import json
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from reactor_core import cli
from reactor_core.events import Event, Journal

NOON = datetime(2026, 11, 21, 12, tzinfo=UTC)


def make(number: int, name: str = "note", **fields: Any) -> Event:
    """An event a second after the one before it."""
    given = {
        "event_id": f"event-{number:012}",
        "event_type": name,
        "source": "user",
        "priority": 3,
        "data": {"n": number},
        "timestamp": NOON + timedelta(seconds=number),
        "metadata": {},
    }
    return Event(**(given | fields))


@pytest.fixture
def event() -> Callable[..., Event]:
    return make


@pytest.fixture
def workspace(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The workspace of the command line in this test, with five events."""
    folder = tmp_path / "workspace"
    monkeypatch.setenv("REACTOR_WORKSPACE", str(folder))
    monkeypatch.setenv("GOMP_SPINCOUNT", "10000")  # main() would set it for the whole test process
    monkeypatch.delenv("EVENT_STORE_URL", raising=False)
    with Journal(folder / "reactor.db") as journal:
        for each in (
            make(1),
            make(2, "safety_blocked", priority=1, data={"action": "rm -rf /", "reason": "no"}),
            make(3, "cost_update", source="scout", priority=4, metadata={"trace_id": "t-1"}),
            make(4, "kill_switch_triggered", priority=1, data={"action": "rm", "trigger_method": "voice"}),
            make(5),
        ):
            journal.append(each).result(30)
    return folder


@pytest.fixture
def add(workspace: Path) -> Callable[..., None]:
    """Store further events, as another process does."""

    def add(*events: Event) -> None:
        with Journal(workspace / "reactor.db") as journal:
            for answer in [journal.append(each) for each in events]:
                answer.result(30)

    return add


class Reactor:
    """``reactor``, its status and what it printed."""

    def __init__(self, capsys: pytest.CaptureFixture[str]) -> None:
        self._capsys = capsys
        self.out = self.err = ""

    def __call__(self, *words: str) -> int:
        self._capsys.readouterr()
        status = cli.main(words)
        self.out, self.err = self._capsys.readouterr()
        return status

    @property
    def lines(self) -> list[str]:
        return self.out.splitlines()

    @property
    def printed(self) -> Any:
        return json.loads(self.out)


@pytest.fixture
def reactor(workspace: Path, capsys: pytest.CaptureFixture[str]) -> Reactor:
    return Reactor(capsys)
