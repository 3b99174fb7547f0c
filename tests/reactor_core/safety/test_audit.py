from __future__ import annotations

import csv
import io
import json
from collections.abc import Iterator
from datetime import datetime, timedelta
from pathlib import Path

import pytest

from reactor_core.errors import ActionBlocked, ActionDenied
from reactor_core.events.event import new_event
from reactor_core.events.vocabulary import EventSource, EventType
from reactor_core.integration import EventBridge
from reactor_core.safety.audit import AuditEntry, as_csv, as_jsonl, audit_trail, erase_old
from reactor_core.safety.confirm import Approvals, Method, Said
from reactor_core.safety.gate import SafetyGate
from reactor_core.utils.clock import SystemClock
from reactor_core.utils.settings import Settings


class LongAgo:
    """A clock that is 31 days late."""

    def utc_now(self) -> datetime:
        return SystemClock().utc_now() - timedelta(days=31)


@pytest.fixture
def bridge(tmp_path: Path) -> Iterator[EventBridge]:
    with EventBridge(settings=Settings(workspace=tmp_path / "workspace", state_dir=tmp_path / "state")) as made:
        yield made


def entries(bridge: EventBridge) -> list[AuditEntry]:
    return audit_trail(bridge.journal.read())


def test_decision_evidence_answer_and_outcome_are_one_entry(bridge: EventBridge, tmp_path: Path) -> None:
    said = iter([True, False])
    approvals = Approvals(bridge, approver=lambda question, stop: Said(next(said), "alice", Method.TEXT, "well"))
    with SafetyGate(bridge, cwd=tmp_path, approver=approvals, session="agent 7") as gate:
        with gate.guard("SELECT 1", kind="sql", context={"task": "look"}) as permit:
            permit.perform_sync(lambda: None)
        with gate.guard("DELETE FROM users WHERE id = 5", kind="sql"):
            pass
        with pytest.raises(ActionDenied), gate.guard("DELETE FROM users WHERE id = 6", kind="sql"):
            pass
        with pytest.raises(ActionBlocked), gate.guard("DROP TABLE users", kind="sql"):
            pass
    allowed, agreed, refused, blocked = entries(bridge)
    assert (allowed.verdict, allowed.outcome, allowed.answers, allowed.kind) == ("allow", "completed", [], "sql")
    assert (allowed.session, allowed.evidence["context"]) == ("agent 7", {"task": "look"})
    assert (agreed.verdict, agreed.outcome, agreed.detail) == ("confirm", "completed", "by the caller")
    assert [(answer["confirmed"], answer["words"]) for answer in agreed.answers] == [(True, "well")]
    assert agreed.answers[0]["people"][0]["person"] == "alice"
    assert (refused.outcome, refused.answers[0]["confirmed"]) == ("refused", False)
    assert (blocked.verdict, blocked.outcome, blocked.rules[0], blocked.risk_level) == ("block", "", "B3", "CRITICAL")
    assert blocked.evidence["resolved"] == ["DROP TABLE users"]
    assert len(blocked.evidence["action_hash"]) == 64


async def test_what_other_programs_emit_is_in_the_trail_too(bridge: EventBridge) -> None:
    await bridge.emit_safety_audit(
        goal="Update schema", plan_steps=5, verdict="REQUIRES_CONFIRMATION", risk_level="HIGH",
        risky_steps=[{"step": 3, "action": "DROP TABLE users", "risk": "Data loss", "severity": "CRITICAL"}],
        confirmation_required=True,
    )  # fmt: skip
    await bridge.emit_safety_confirmation("Delete 1,000 files", "MEDIUM", True, "voice", "yes, proceed")
    audit, answer = entries(bridge)
    assert (audit.action, audit.verdict, audit.risk_level, audit.decision_id) == (
        "Update schema",
        "confirm",
        "HIGH",
        "",
    )
    assert (answer.action, answer.verdict, answer.answers[0]["method"]) == ("Delete 1,000 files", "", "voice")


def test_a_plan_keeps_the_decisions_about_its_steps(bridge: EventBridge, tmp_path: Path) -> None:
    with SafetyGate(bridge, cwd=tmp_path) as gate:
        gate.audit_plan_sync("clean up", [("sql", "SELECT 1"), ("sql", "DROP TABLE users")])
    (entry,) = entries(bridge)
    assert (entry.kind, entry.verdict, entry.rules) == ("plan", "block", ["B3"])
    assert [step["verdict"] for step in entry.evidence["plan"]] == ["allow", "block"]


def test_exports_hold_all_of_it_and_run_no_formula() -> None:
    some = [AuditEntry("2026-01-02T03:04:05Z", "d1", action="=cmd|' /C calc'!A0", rules=["B3"], evidence={"a": [1]})]
    (row,) = csv.DictReader(io.StringIO("".join(as_csv(some))))
    assert (row["action"], row["rules"], row["evidence"], row["exit_code"]) == (
        "'=cmd|' /C calc'!A0", '["B3"]', '{"a": [1]}', "",
    )  # fmt: skip
    (line,) = as_jsonl(some)
    assert json.loads(line) == some[0].as_dict()


def test_old_decisions_are_erased_and_the_proof_stays(tmp_path: Path) -> None:
    settings = Settings(workspace=tmp_path / "workspace", state_dir=tmp_path / "state", safety_retention_days=30)
    with EventBridge(settings=settings) as bridge:
        old = LongAgo()
        for kind in (EventType.SAFETY_BLOCKED, EventType.COST_REPORT):
            event, payload = new_event(EventSource.SYSTEM, kind, {"action": "DROP TABLE old"}, clock=old)
            bridge.journal.append(event, payload=payload).result()
        bridge.publish_sync(EventType.SAFETY_BLOCKED, {"action": "DROP TABLE new"})
        assert erase_old(bridge) == 1
        assert erase_old(bridge) == 0
        assert [entry.action for entry in entries(bridge)] == ["DROP TABLE new"]
        assert bridge.journal.verify().ok
        kept = [event.data for event in bridge.journal.read() if event.event_type is EventType.COST_REPORT]
        assert kept == [{"action": "DROP TABLE old"}]


def test_without_the_setting_nothing_is_erased(bridge: EventBridge) -> None:
    assert erase_old(bridge) == 0
