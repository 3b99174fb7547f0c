from __future__ import annotations

import hashlib
from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from reactor_core.integration import EventBridge
from reactor_core.safety.confirm import Approvals, FactorStore
from reactor_core.safety.engine import Decision
from reactor_core.safety.verdict import Effect, Finding, Verdict
from reactor_core.utils.settings import Settings


class HandClock:
    """A clock that tests move."""

    def __init__(self) -> None:
        self.now = datetime(2026, 11, 22, 3, 0, tzinfo=UTC)

    def utc_now(self) -> datetime:
        return self.now

    def monotonic(self) -> float:
        return self.now.timestamp()

    def go_on(self, seconds: float) -> None:
        self.now += timedelta(seconds=seconds)


@pytest.fixture
def clock() -> HandClock:
    return HandClock()


@pytest.fixture
def settings(tmp_path: Path) -> Settings:
    return Settings(workspace=tmp_path / "work", state_dir=tmp_path / "state")


@pytest.fixture
def bridge(settings: Settings) -> Iterator[EventBridge]:
    with EventBridge("jarvis_agent", settings=settings) as bridge:
        yield bridge


@pytest.fixture
def factors(settings: Settings, clock: HandClock) -> Iterator[FactorStore]:
    store = FactorStore(settings.state_dir, clock=clock)
    yield store
    store.close()


@pytest.fixture
def approvals(bridge: EventBridge, factors: FactorStore, clock: HandClock) -> Iterator[Approvals]:
    with Approvals(bridge, factors=factors, clock=clock) as approvals:
        yield approvals


@pytest.fixture
def decide() -> Callable[..., Decision]:
    def decide(
        action: str = "rm notes.txt", verdict: Verdict = Verdict.CONFIRM, *, says: str = "a file is lost"
    ) -> Decision:
        rule = "B1" if verdict is Verdict.BLOCK else "C1"
        finding = Finding(verdict, rule, says, Effect(target=action.rpartition(" ")[2], reversible=False), action)
        return Decision(
            action=action,
            kind="shell",
            verdict=verdict,
            findings=(finding,),
            resolved=(action,),
            action_hash=hashlib.sha256(action.encode()).hexdigest(),
        )

    return decide
