from __future__ import annotations

import pytest

from reactor_core.errors import ConfigError
from reactor_core.safety.engine import judge_action
from reactor_core.safety.plan import PlanAudit, StepOrder, as_step
from reactor_core.safety.verdict import Verdict


@pytest.mark.parametrize(
    ("step", "order"),
    [
        ("ls", StepOrder("ls", "shell", None)),
        (("sql", "SELECT 1"), StepOrder("SELECT 1", "sql", None)),
        ({"action": "SELECT 1", "kind": "sql", "cwd": "/x"}, StepOrder("SELECT 1", "sql", "/x")),
        ({"action": "ls"}, StepOrder("ls", "shell", None)),
    ],
)
def test_a_step_can_be_written_in_three_ways(step: object, order: StepOrder) -> None:
    assert as_step(step) == order


@pytest.mark.parametrize("step", [{"kind": "sql"}, {"action": 5}, ("verse", "x"), {"action": "x", "kind": "verse"}])
def test_what_is_no_step_is_an_error(step: object) -> None:
    with pytest.raises(ConfigError):
        as_step(step)


def test_a_blocked_step_does_not_make_the_plan_ask() -> None:
    blocked = judge_action("DROP TABLE t", "sql")
    audit = PlanAudit.of("goal", (blocked,), blocked, (), "id")
    assert (audit.verdict, audit.audit_verdict, audit.confirmation_required) == (Verdict.BLOCK, "BLOCKED", False)
