from __future__ import annotations

import asyncio
import threading
from pathlib import Path

import pytest

from reactor_core.errors import ActionDenied, ApprovalInvalid, JournalError
from reactor_core.events.event import Event
from reactor_core.events.vocabulary import EventType
from reactor_core.integration import EventBridge
from reactor_core.safety.audit import audit_trail
from reactor_core.safety.confirm import Approvals, Method, Said
from reactor_core.safety.gate import SafetyGate
from reactor_core.safety.guarding import Admitted, Order
from reactor_core.safety.permit import Permit
from reactor_core.utils.settings import Settings


@pytest.fixture
def bridge(tmp_path: Path):
    with EventBridge(settings=Settings(workspace=tmp_path / "workspace", state_dir=tmp_path / "state")) as made:
        yield made


def test_a_caller_who_is_cancelled_while_it_is_judged_leaves_no_permit_behind(
    bridge: EventBridge, tmp_path: Path
) -> None:
    permits: list[Permit] = []
    looked, go_on = threading.Event(), threading.Event()

    async def enter() -> None:
        with SafetyGate(bridge, cwd=tmp_path) as gate:
            admit = gate.admit

            def slow(admitted):
                looked.set()
                assert go_on.wait(20)
                permits.append(admit(admitted))
                return permits[0]

            guarding = gate.guard("true")
            guarding._door = type(
                "Slow", (), {"decide": gate.decide, "admit": staticmethod(slow), "refuse": gate.refuse}
            )()
            entering = asyncio.create_task(guarding.__aenter__())
            await asyncio.to_thread(looked.wait, 20)
            entering.cancel()
            go_on.set()
            with pytest.raises(asyncio.CancelledError):
                await entering
            assert permits[0].used

    asyncio.run(enter())
    with pytest.raises(ApprovalInvalid):
        permits[0].run_sync()


@pytest.mark.parametrize("moment", ["judged", "asked"])
def test_a_caller_who_stops_waiting_ends_the_question(bridge: EventBridge, tmp_path: Path, moment: str) -> None:
    approvals = Approvals(bridge)
    judged, asked, go_on = threading.Event(), threading.Event(), threading.Event()

    async def enter(gate: SafetyGate) -> None:
        decide = gate.decide

        def slow(order: Order) -> Admitted:
            admitted = decide(order)
            judged.set()
            assert go_on.wait(20)
            return admitted

        guarding = gate.guard("DELETE FROM users WHERE id = 5", kind="sql")
        if moment == "judged":
            guarding._door = type(
                "Slow", (), {"decide": staticmethod(slow), "admit": gate.admit, "refuse": gate.refuse}
            )()
        else:
            judged.set()
        entering = asyncio.create_task(guarding.__aenter__())
        assert await asyncio.to_thread(judged.wait, 20)
        if moment == "asked":
            assert await asyncio.to_thread(asked.wait, 20)
        entering.cancel()
        go_on.set()
        with pytest.raises(asyncio.CancelledError):
            await entering

    @bridge.on_event(EventType.SAFETY_ASKED)
    def hear(event: Event) -> None:
        asked.set()

    with SafetyGate(bridge, cwd=tmp_path, approver=approvals) as gate:
        asyncio.run(enter(gate))
        assert approvals.questions() == []
        (entry,) = audit_trail(bridge.journal.read())
        assert (entry.verdict, entry.outcome) == ("confirm", "abandoned")
    approvals.close()


def test_a_no_is_an_error_with_the_person_and_the_method(bridge: EventBridge, tmp_path: Path) -> None:
    approvals = Approvals(bridge, approver=lambda question, stop: Said(False, "bob", Method.TEXT))
    with SafetyGate(bridge, cwd=tmp_path, approver=approvals) as gate:
        with pytest.raises(ActionDenied, match=r"not run: bob said no \(text\)"):
            with gate.guard("DELETE FROM users WHERE id = 5", kind="sql"):
                pytest.fail("it was let through")
    approvals.close()


async def test_leaving_tells_the_journal_and_fails_with_it(tmp_path: Path) -> None:
    bridge = EventBridge(settings=Settings(workspace=tmp_path / "workspace", state_dir=tmp_path / "state"))
    gate = SafetyGate(bridge, cwd=tmp_path)
    with pytest.raises(JournalError):
        async with gate.guard("SELECT 1", kind="sql"):
            bridge.close()
    gate.close()
