"""The words of a judgement."""

from __future__ import annotations

import pytest

from reactor_core.events.safety_events import SAFETY_TIERS, VERDICTS
from reactor_core.safety.verdict import Effect, Finding, Judged, Scale, Verdict, found, rule_verdict, worst


def test_the_strictest_verdict_wins_whatever_the_order() -> None:
    assert worst([Verdict.ALLOW, Verdict.BLOCK, Verdict.CONFIRM]) is Verdict.BLOCK
    assert worst([Verdict.CONFIRM, Verdict.ALLOW]) is Verdict.CONFIRM
    assert worst([]) is Verdict.ALLOW


def test_every_verdict_has_the_names_that_the_events_know() -> None:
    assert {verdict.tier for verdict in Verdict} <= set(SAFETY_TIERS)
    assert {verdict.audit_verdict for verdict in Verdict} <= set(VERDICTS)
    assert [verdict.risk_level for verdict in Verdict] == ["LOW", "MEDIUM", "CRITICAL"]


@pytest.mark.parametrize(("rule", "verdict"), [("B1", "block"), ("C6", "confirm"), ("A3", "allow")])
def test_the_letter_of_a_rule_says_its_verdict(rule: str, verdict: str) -> None:
    assert rule_verdict(rule) == verdict
    assert found(rule, "because").verdict == verdict


def test_a_judgement_without_findings_allows_and_one_with_findings_has_the_strictest() -> None:
    assert Judged().verdict is Verdict.ALLOW
    assert Judged((found("A1", "reads"), found("B1", "deletes"), found("C1", "asks"))).verdict is Verdict.BLOCK


def test_a_finding_becomes_plain_json() -> None:
    finding = found("C1", "deletes one file", Effect(target="/a", scale=Scale.ITEM, reversible=False), part="rm /a")
    assert finding.as_dict() == {
        "verdict": "confirm",
        "rule": "C1",
        "says": "deletes one file",
        "effect": {
            "target": "/a", "scale": "item", "reversible": False, "outward": False, "secret": False,
            "privilege": False,
        },
        "part": "rm /a",
    }  # fmt: skip
    assert isinstance(finding, Finding)
