from __future__ import annotations

import json

import pytest

from reactor_core.events import Event, EventType, new_event
from reactor_core.safety.habits import ASKS, habits_of
from reactor_core.safety.policy import read_policy
from reactor_core.safety.setting import RUBRIC_SETTING
from reactor_core.safety.verdict import Effect, Finding, Judged, Touch, Verdict


def asked(
    count: int, *, yes: int, rule: str = "C4", verdict: str = "confirm", target: str = "/srv/app/x"
) -> list[Event]:
    """Questions of one rule, of which the first ``yes`` were agreed to and the others refused."""
    events = []
    for number in range(count):
        about = {"confirmation_id": f"{rule}-{number}", "rule": rule, "kind": "shell", "verdict": verdict}
        about["target"] = f"{target}{number}"
        events.append(new_event("user", EventType.SAFETY_ASKED, {"action": "a"}, metadata=about)[0])
        kind = EventType.SAFETY_CONFIRMED if number < yes else EventType.SAFETY_DENIED
        data = {"action": "a", "confirmation_method": "totp"}
        events.append(new_event("user", kind, data, metadata=about)[0])
    return events


def decided(count: int) -> list[Event]:
    return [
        new_event("user", EventType.SAFETY_AUDIT, {"action": "a"}, metadata={"decision_id": str(number)})[0]
        for number in range(count)
    ]


def test_questions_are_counted_against_actions():
    found = habits_of([*decided(40), *decided(40), *asked(4, yes=3)])
    assert (found.actions, found.prompts, found.prompts_per_100) == (40, 4, 10.0)
    (rule,) = found.rules
    assert (rule.rule, rule.asked, rule.accepted, rule.refused, rule.unanswered) == ("C4", 4, 3, 1, 0)
    assert rule.share == 0.75
    assert json.loads(json.dumps(found.as_dict()))["rules"][0]["share"] == 0.75


def test_nothing_was_said_is_neither_yes_nor_no():
    about = {"confirmation_id": "1", "rule": "C1"}
    question = new_event("user", EventType.SAFETY_ASKED, {"action": "a"}, metadata=about)[0]
    data = {"action": "a", "confirmation_method": "timeout"}
    silence = new_event("user", EventType.SAFETY_DENIED, data, metadata=about)[0]
    open_one = new_event("user", EventType.SAFETY_ASKED, {"action": "a"}, metadata={**about, "confirmation_id": "2"})[0]
    (rule,) = habits_of([question, silence, open_one]).rules
    assert (rule.asked, rule.accepted, rule.refused, rule.unanswered, rule.share) == (2, 0, 0, 2, None)


def test_without_events_there_is_nothing_to_say():
    found = habits_of([])
    assert (found.prompts_per_100, found.rules, found.proposals) == (None, (), ())


@pytest.mark.parametrize(
    ("count", "yes", "proposed"), [(50, 48, True), (50, 47, False), (49, 49, False), (60, 60, True)]
)
def test_a_rule_is_proposed_above_95_in_100_of_50_answers(count, yes, proposed):
    assert bool(habits_of(asked(count, yes=yes)).proposals) is proposed


def test_the_newest_answers_count():
    assert not habits_of([*asked(100, yes=100), *asked(3, yes=0)]).proposals
    assert habits_of([*asked(3, yes=0), *asked(ASKS, yes=ASKS)]).proposals


def test_what_the_rules_block_is_never_proposed():
    assert not habits_of(asked(60, yes=60, rule="B1", verdict="block")).proposals


def test_a_proposal_is_a_rule_that_the_policy_file_takes(tmp_path):
    (proposal,) = habits_of(asked(50, yes=50)).proposals
    assert (proposal.accepted, proposal.of, proposal.kinds, proposal.below) == (50, 50, ("shell",), "/srv/app")
    path = tmp_path / "reactor.toml"
    path.write_text(proposal.toml, encoding="utf-8")
    policy, _ = read_policy(path, RUBRIC_SETTING)
    finding = Finding(Verdict.CONFIRM, "C4", "restarts", Effect(target="/srv/app/x7"))
    inside = Judged((finding,), (), (Touch("path", "/srv/app/x7", "write"),))
    outside = Judged((finding,), (), (Touch("path", "/etc/x", "write"),))
    assert policy.apply("shell", inside).verdict is Verdict.ALLOW
    assert policy.apply("shell", outside).verdict is Verdict.CONFIRM


@pytest.mark.parametrize("target", ["/", "table", ""])
def test_without_a_common_folder_the_rule_lets_nothing_run_until_a_person_names_the_place(target, tmp_path):
    (proposal,) = habits_of(asked(50, yes=50, target=target)).proposals
    assert proposal.below == ""
    path = tmp_path / "reactor.toml"
    path.write_text(proposal.toml, encoding="utf-8")
    policy, _ = read_policy(path, RUBRIC_SETTING)
    finding = Finding(Verdict.CONFIRM, "C4", "restarts")
    for touches in ((), (Touch("path", "/srv/app", "write"),)):
        assert policy.apply("shell", Judged((finding,), (), touches)).verdict is Verdict.CONFIRM


def test_other_programs_events_of_these_types_are_passed_over():
    foreign = new_event("user", EventType.SAFETY_CONFIRMED, {"action": "a", "confirmation_method": "voice"})[0]
    assert habits_of([foreign]).rules == ()
