"""The door: one decision for every action, and none that fails open."""

from __future__ import annotations

import string
import time

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from reactor_core.errors import ConfigError
from reactor_core.safety.engine import KINDS, MAX_CHARACTERS, Decision, judge_action, strictest
from reactor_core.safety.policy import Policy, Rule
from reactor_core.safety.verdict import Verdict


def test_an_unknown_kind_is_a_fault_of_the_caller() -> None:
    with pytest.raises(ConfigError, match="knitting"):
        judge_action("x", "knitting")


def test_a_decision_names_its_rules_the_decisive_one_first() -> None:
    decision = judge_action("rm notes.md; rm -rf /", "shell")
    assert decision.verdict is Verdict.BLOCK
    assert decision.rules[0] == "B1"
    assert "C1" in decision.rules
    assert decision.effect.reversible is False
    assert (decision.risk_level, decision.safety_tier, decision.audit_verdict) == (
        "CRITICAL", "TIER_1_CRITICAL", "BLOCKED",
    )  # fmt: skip


def test_what_leaves_the_machine_is_a_higher_tier_of_asking() -> None:
    mail = judge_action('send_email(to="lee@partner.example", subject="Quote", body="...")', "email")
    assert (mail.verdict, mail.risk_level, mail.safety_tier) == ("confirm", "HIGH", "TIER_2_HIGH")


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("action", ["x" * (8 * MAX_CHARACTERS + 1), "a\0b", "a\ud800b"])
def test_what_cannot_be_looked_into_is_asked(kind: str, action: str) -> None:
    assert judge_action(action, kind).verdict is Verdict.CONFIRM


@pytest.mark.parametrize("kind", KINDS)
def test_nothing_to_do_is_allowed(kind: str) -> None:
    assert judge_action("  \n", kind).verdict is Verdict.ALLOW


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize(
    "action",
    [
        "(" * 10_000, "{" * 10_000, "$(" * 10_000, "[" * 5_000 + "]" * 5_000, "'" * 9_999, "\\" * 9_999,
        "rm -rf / " * 20_000, "SELECT (" * 5_000 + "1" + ")" * 5_000, "a=" * 50_000, "f(" * 5_000 + ")" * 5_000,
        "rm {a,b}" + "{a,b}" * 40, "not " * 20_000 + "x", "x = 1\n" * 40_000, "<" * 20_000, "\n" * 100_000 + "x",
    ],
    ids=lambda action: action[:8].strip(),
)  # fmt: skip
def test_deep_and_long_actions_end_soon(kind: str, action: str) -> None:
    begin = time.process_time()
    decision = judge_action(action, kind)
    assert time.process_time() - begin < 10, "a bound with a wide margin: a judge that does not end takes minutes"
    assert decision.verdict in tuple(Verdict)


def test_ten_megabytes_are_asked_at_once() -> None:
    assert judge_action("echo a;" * 1_500_000, "shell").verdict is Verdict.CONFIRM


@settings(max_examples=150, deadline=None)
@given(st.sampled_from(KINDS), st.text(alphabet=st.characters(codec="utf-8"), max_size=60))
def test_any_text_gets_a_decision(kind: str, action: str) -> None:
    decision = judge_action(action, kind)
    assert isinstance(decision, Decision)
    assert not any(finding.says.startswith("the action could not be judged") for finding in decision.findings)


@settings(max_examples=150, deadline=None)
@given(
    st.sampled_from(KINDS),
    st.lists(
        st.sampled_from(
            [
                "rm", "-rf", "/", "~", "$HOME", "'", '"', "$(", ")", "|", "sh", ";", "&&", "\n", "DROP", "TABLE",
                "users", "SELECT", "*", "FROM", "--", "/*", "*/", "import os", "os.system(", "[", "{", "}", "=", "x",
                "git", "push",
                "click:", "button", "GET", "https://a.example/", "send_email(", "to=", ",", "<<EOF", "EOF", "`", "\\",
            ]
        ),
        max_size=20,
    ),
)  # fmt: skip
def test_any_mixture_of_dangerous_words_gets_a_decision(kind: str, words: list[str]) -> None:
    decision = judge_action(" ".join(words), kind)
    assert not any(finding.says.startswith("the action could not be judged") for finding in decision.findings)


@settings(max_examples=60, deadline=None)
@given(st.text(alphabet=string.ascii_lowercase + " ", min_size=1, max_size=30))
def test_the_hash_is_of_the_action_and_of_where_it_runs(action: str) -> None:
    one = judge_action(action, "shell")
    assert one.action_hash == judge_action(action, "shell").action_hash
    assert one.action_hash != judge_action(action + "x", "shell").action_hash
    assert one.action_hash != judge_action(action, "shell", cwd="/elsewhere").action_hash
    assert one.action_hash != judge_action(action, "python").action_hash


def test_an_organisations_rule_decides_with_the_rubric() -> None:
    policy = Policy(rules=(Rule(name="no-tmp", verdict=Verdict.BLOCK, paths=("/tmp",), how=("write", "delete")),))
    decision = judge_action("touch /tmp/x", "shell", policy=policy)
    assert (decision.verdict, decision.rules[0]) == (Verdict.BLOCK, "no-tmp")


def test_a_plan_is_as_strict_as_its_strictest_step() -> None:
    steps = tuple(judge_action(action, "shell") for action in ("ls", "rm -rf /", "rm notes.md"))
    assert strictest(steps) is Verdict.BLOCK


def test_a_decision_becomes_plain_json() -> None:
    told = judge_action("rm -rf /", "shell").as_dict()
    assert told["verdict"] == "block"
    assert told["resolved"]
    assert told["findings"][0]["rule"] in told["rules"]
