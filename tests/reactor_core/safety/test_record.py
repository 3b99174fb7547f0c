from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from reactor_core.errors import JournalError
from reactor_core.events.vocabulary import EventType
from reactor_core.integration import EventBridge
from reactor_core.safety.engine import Decision, judge_action
from reactor_core.safety.record import MOST_CHARACTERS, Recorder, risky_step
from reactor_core.safety.redact import Redactor
from reactor_core.safety.verdict import Effect, Finding, Verdict
from reactor_core.utils.settings import Settings

CANARY = "Xk29-canary-77-value"


@pytest.fixture
def bridge(tmp_path: Path) -> Iterator[EventBridge]:
    with EventBridge(settings=Settings(workspace=tmp_path / "workspace", state_dir=tmp_path / "state")) as made:
        yield made


@pytest.fixture
def recorder(bridge: EventBridge) -> Recorder:
    return Recorder(bridge, redactor=Redactor([CANARY]), session="tests")


def decision(text: str, verdict: Verdict = Verdict.CONFIRM) -> Decision:
    finding = Finding(verdict, "C1", f"removes {text}", Effect(target=text), text)
    return Decision(
        action=text, kind="shell", verdict=verdict, findings=(finding,), resolved=(text, text), action_hash="0" * 64
    )


@pytest.mark.parametrize("verdict", list(Verdict))
def test_no_part_of_a_record_holds_a_secret(recorder: Recorder, bridge: EventBridge, verdict: Verdict) -> None:
    one = decision(f"echo {CANARY}", verdict)
    recorder.decision(one, "d1", cwd="/x", context={"why": CANARY, "password": "short"})
    recorder.outcome(one, "d1", "failed", detail=f"it said {CANARY}")
    recorder.plan(f"use {CANARY}", [("d2", one)], verdict=one, cwd="/x")
    said = [repr(event.to_dict()) for event in bridge.journal.read()]
    assert len(said) == 3
    assert not [text for text in said if CANARY in text or "'short'" in text]
    assert all("echo [redacted" in text for text in said)


def test_a_long_decision_still_fits_into_an_event(recorder: Recorder, bridge: EventBridge) -> None:
    finding = Finding(Verdict.CONFIRM, "C6", "odd", Effect(), "part " * 5000)
    one = Decision(
        action="word " * 50_000, kind="shell", verdict=Verdict.CONFIRM, findings=(finding,) * 500,
        resolved=("line " * 4000,) * 500, action_hash="0" * 64,
    )  # fmt: skip
    event = recorder.decision(one, "d1", cwd="/x", context={})
    assert event is not None
    record = event.metadata["decision"]
    assert record["trimmed"] is True
    assert record["action"].endswith("of 250,000 characters]")
    assert len(record["action"]) < MOST_CHARACTERS + 40


def test_odd_text_and_odd_context_are_written_down(recorder: Recorder) -> None:
    one = decision("printf '\udcff'")
    event = recorder.decision(one, "d1", cwd="/x", context={"path": Path("/a"), "set": {1}, "thing": object, 5: None})
    assert event is not None
    assert event.data["action"] == "printf '\\udcff'"
    assert event.metadata["context"]["path"] == "/a"
    assert event.metadata["context"]["5"] is None


def test_an_allowed_change_is_safe_with_monitoring(recorder: Recorder) -> None:
    effect = Effect(target="x", outward=True)
    one = Decision(
        action="git push", kind="shell", verdict=Verdict.ALLOW, resolved=(), action_hash="0" * 64, low_risk=True,
        findings=(Finding(Verdict.ALLOW, "A5", "pushes a branch", effect),),
    )  # fmt: skip
    event = recorder.decision(one, "d1", cwd="/x", context={})
    assert event is not None
    assert (event.data["verdict"], event.data["risky_steps"]) == ("SAFE_WITH_MONITORING", [])


def test_where_less_is_audited_only_what_was_allowed_is_left_out(bridge: EventBridge) -> None:
    recorder = Recorder(bridge, redactor=Redactor(), session="tests", audit=False)
    allowed, asked = judge_action("SELECT 1", "sql"), decision("rm x")
    assert recorder.decision(allowed, "d1", cwd="/", context={}) is None
    assert recorder.outcome(allowed, "d1", "completed") is None
    assert recorder.decision(asked, "d2", cwd="/", context={}) is not None
    assert recorder.outcome(asked, "d2", "refused") is not None
    assert [event.event_type for event in bridge.journal.read()] == [EventType.SAFETY_AUDIT, EventType.SAFETY_OUTCOME]


def test_a_journal_that_takes_nothing_is_an_error(tmp_path: Path) -> None:
    bridge = EventBridge(settings=Settings(workspace=tmp_path / "workspace", state_dir=tmp_path / "state"))
    recorder = Recorder(bridge, redactor=Redactor(), session="tests")
    bridge.close()
    with pytest.raises(JournalError):
        recorder.decision(decision("rm x"), "d1", cwd="/", context={})


def test_a_risky_step_says_what_the_finding_says(recorder: Recorder) -> None:
    one = decision("rm x")
    record = recorder.plain(one, "d1", cwd="/")
    assert risky_step(3, "rm x", one.decisive, record) == {
        "step": 3, "action": "rm x", "risk": "removes rm x", "severity": "MEDIUM", "rule": "C1",
    }  # fmt: skip
