"""Judging the past under other rules."""

from __future__ import annotations

from reactor_core.events.event import Event, new_event
from reactor_core.events.vocabulary import EventSource, EventType
from reactor_core.safety.engine import judge_action
from reactor_core.safety.policy import Policy, Rule
from reactor_core.safety.replay import past_decisions, replay
from reactor_core.safety.setting import RUBRIC_SETTING
from reactor_core.safety.verdict import Verdict


def decided(action: str, kind: str = "sql") -> Event:
    decision = {**judge_action(action, kind).as_dict(), "cwd": "/home/dev/project"}
    told, _ = new_event(
        EventSource.JARVIS_AGENT, EventType.SAFETY_AUDIT, {"action": action}, metadata={"decision": decision}
    )
    return told


def test_unchanged_rules_change_nothing() -> None:
    past = past_decisions(
        [decided("SELECT 1"), decided("DROP TABLE users"), decided("UPDATE t SET a = 1 WHERE id = 3")]
    )
    assert [one.verdict for one in past] == ["allow", "block", "confirm"]
    result = replay(past, policy=Policy(), setting=RUBRIC_SETTING)
    assert (result.judged, result.changes, result.redacted) == (3, (), 0)


def test_a_stricter_rule_shows_what_it_would_have_refused() -> None:
    policy = Policy(rules=(Rule(name="no-salaries", verdict=Verdict.BLOCK, tables=("salaries",)),))
    past = past_decisions([decided("SELECT 1"), decided("SELECT name FROM salaries")])
    result = replay(past, policy=policy, setting=RUBRIC_SETTING)
    (change,) = result.changes
    assert (change.past.verdict, change.verdict, change.milder) == ("allow", "block", False)
    assert result.as_dict()["moves"] == {"allow -> block": 1}


def test_a_milder_rule_is_called_so() -> None:
    policy = Policy(rules=(Rule(name="carts", verdict=Verdict.ALLOW, tables=("carts",)),))
    past = past_decisions([decided("UPDATE carts SET open = false WHERE id = 3")])
    (change,) = replay(past, policy=policy, setting=RUBRIC_SETTING).changes
    assert change.milder
    assert change.rules[0] == "carts"


def test_an_action_that_was_decided_often_is_judged_once() -> None:
    past = past_decisions([decided("DROP TABLE users")] * 5)
    assert replay(past, policy=Policy(), setting=RUBRIC_SETTING).judged == 1


def test_what_lost_a_secret_cannot_be_judged_again() -> None:
    past = past_decisions([decided("curl -H 'Authorization: [redacted]' https://a.example", "shell")])
    result = replay(past, policy=Policy(), setting=RUBRIC_SETTING)
    assert (result.judged, result.redacted) == (0, 1)


def test_events_without_a_decision_are_others() -> None:
    told, _ = new_event(EventSource.USER, EventType.SAFETY_AUDIT, {"action": "plan"})
    odd, _ = new_event(EventSource.USER, EventType.SAFETY_AUDIT, {"action": "x"}, metadata={"decision": {"kind": "?"}})
    assert past_decisions([told, odd]) == []
