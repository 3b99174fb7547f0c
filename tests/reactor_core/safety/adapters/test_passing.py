from __future__ import annotations

import pytest
from tests.reactor_core.safety.adapters.conftest import trail

from reactor_core.errors import ActionBlocked, JournalError
from reactor_core.safety.adapters import passing as module
from reactor_core.safety.adapters.passing import Passing
from reactor_core.safety.adapters.tool_calls import ToolAction
from reactor_core.safety.gate import SafetyGate

READ, DROP = ToolAction("sql", "SELECT 1"), ToolAction("sql", "DROP TABLE users")


def test_a_call_comes_through_as_a_whole_or_not_at_all(gate: SafetyGate) -> None:
    passing = Passing(gate)
    assert isinstance(passing.take("c1", [READ, DROP]), ActionBlocked)
    assert [(entry.verdict, entry.outcome) for entry in trail(gate)] == [("allow", "abandoned"), ("block", "")]


def test_results_are_told_once(gate: SafetyGate) -> None:
    passing = Passing(gate)
    assert passing.take("c1", [READ]) is None
    assert passing.take("c2", [READ]) is None
    passing.result("c2", failed=True)
    passing.result("c1")
    passing.result("c1", failed=True)
    passing.result("never heard of")
    assert [entry.outcome for entry in trail(gate)] == ["completed", "failed"]


def test_calls_whose_result_never_comes_are_given_up(gate: SafetyGate, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "MOST_OPEN", 1)
    passing = Passing(gate)
    for name in ("c1", "c2", "c3"):
        passing.take(name, [READ])
    assert [entry.outcome for entry in trail(gate)] == ["abandoned", "abandoned", ""]


def test_a_gate_that_cannot_write_lets_no_call_through(gate: SafetyGate) -> None:
    passing = Passing(gate)
    gate.bridge.close()
    with pytest.raises(JournalError):
        passing.take("c1", [READ])


def test_a_permit_is_claimed_for_the_very_action_and_once(gate: SafetyGate) -> None:
    passing = Passing(gate)
    actions = [ToolAction("shell", "ls"), ToolAction("shell", "pwd"), ToolAction("shell", "id")]
    assert passing.take("call", actions) is None
    permit = passing.claim("call", "ls")
    assert permit is not None
    assert permit.perform_sync(lambda: 3) == 3
    assert passing.claim("call", "rm notes.txt") is None
    passing.result("call")
    assert passing.claim("call", "id") is None
    assert passing.claim("another", "ls") is None
    assert [entry.outcome for entry in trail(gate)] == ["completed", "abandoned", "completed"]
