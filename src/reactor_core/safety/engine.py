"""One action in, one decision out: the judge of its kind, the organisation's rules, and nothing that fails open."""

from __future__ import annotations

import hashlib
import logging
from collections.abc import Mapping
from importlib import import_module
from typing import Any

import msgspec

from reactor_core.errors import ConfigError
from reactor_core.safety.policy import Policy
from reactor_core.safety.scope import Disk, Scope, TooComplex, unclear
from reactor_core.safety.setting import RUBRIC_SETTING, Setting
from reactor_core.safety.verdict import Effect, Finding, Judged, Verdict, worst
from reactor_core.utils.canonical import canonical_json

__all__ = ["KINDS", "Decision", "judge_action", "strictest"]

_log = logging.getLogger(__name__)

KINDS = ("shell", "sql", "gui", "file", "network", "cloud", "email", "python")
"""What an action can be."""

MAX_CHARACTERS = 32_768
"""Longer actions are not looked into: a person decides. Files and scripts may be eight times as long."""

MAX_OPEN = 256
"""Brackets of one sort in a row. Nobody writes them, and patterns made of them take the square of their number."""

_LONG = 8 * MAX_CHARACTERS

_HOMES = {"cloud": "shell"}


class Decision(msgspec.Struct, frozen=True, kw_only=True):
    """What the gate decides about one action, and why.

    Attributes:
        action: The action as it was given.
        kind: One of :data:`KINDS`.
        verdict: Allow, confirm or block.
        findings: All that was found, in the order of execution.
        resolved: The action as it would run, one part a line.
        action_hash: SHA-256 over kind, action, resolved form and folder, in hexadecimal: what an answer is bound to.
        low_risk: Allowed, but it changes something that the rubric calls bounded: worth a look afterwards.
    """

    action: str
    kind: str
    verdict: Verdict
    findings: tuple[Finding, ...]
    resolved: tuple[str, ...]
    action_hash: str
    low_risk: bool = False

    @property
    def decisive(self) -> Finding | None:
        """The first of the strictest findings; None if nothing was found."""
        return next((finding for finding in self.findings if finding.verdict is self.verdict), None)

    @property
    def rules(self) -> tuple[str, ...]:
        """Rules of all findings, the decisive one first, each once."""
        first = self.decisive
        names = [] if first is None else [first.rule]
        return tuple(dict.fromkeys([*names, *(finding.rule for finding in self.findings)]))

    @property
    def effect(self) -> Effect:
        """What the decisive finding does to the world."""
        first = self.decisive
        return Effect() if first is None else first.effect

    @property
    def sentence(self) -> str:
        """The reason in words that a person understands."""
        first = self.decisive
        return "nothing in it speaks against it" if first is None else first.says

    @property
    def risk_level(self) -> str:
        """LOW, MEDIUM, HIGH or CRITICAL, as in the safety events."""
        if self.verdict is Verdict.CONFIRM and (self.effect.outward or self.effect.secret or self.effect.privilege):
            return "HIGH"
        return self.verdict.risk_level

    @property
    def safety_tier(self) -> str:
        """TIER_1_CRITICAL to TIER_4_LOW, as in the safety events."""
        return "TIER_2_HIGH" if self.risk_level == "HIGH" else self.verdict.tier

    @property
    def audit_verdict(self) -> str:
        """SAFE, SAFE_WITH_MONITORING, REQUIRES_CONFIRMATION or BLOCKED, as in the safety events."""
        return "SAFE_WITH_MONITORING" if self.low_risk else self.verdict.audit_verdict

    def as_dict(self) -> dict[str, Any]:
        """For JSON."""
        return {
            "action": self.action,
            "kind": self.kind,
            "verdict": str(self.verdict),
            "rules": list(self.rules),
            "sentence": self.sentence,
            "effect": msgspec.to_builtins(self.effect),
            "risk_level": self.risk_level,
            "safety_tier": self.safety_tier,
            "resolved": list(self.resolved),
            "findings": [finding.as_dict() for finding in self.findings],
            "action_hash": self.action_hash,
        }


def judge_action(
    action: str,
    kind: str,
    *,
    setting: Setting = RUBRIC_SETTING,
    policy: Policy | None = None,
    disk: Disk | None = None,
    cwd: str | None = None,
    variables: Mapping[str, str] | None = None,
) -> Decision:
    """Decide about one action. Never raises for what the action says, however odd: what cannot be judged is asked.

    Args:
        action: What would run, be sent or be clicked.
        kind: One of :data:`KINDS`.
        setting: What is assumed about the machine and the project.
        policy: The organisation's own rules; None: only the rubric's.
        disk: The machine, to look into scripts and follow links; None judges by the text alone.
        cwd: Folder that it starts in; None takes the setting's.
        variables: The environment that it gets; None: not known.

    Raises:
        ConfigError: The kind is unknown.
    """
    if kind not in KINDS:
        raise ConfigError(f"kind={kind!r} is unknown", remedy=f"use one of {', '.join(KINDS)}")
    scope = Scope(setting=setting, judge=_dispatch, cwd=cwd or setting.cwd, disk=disk, variables=variables or {})
    judged = _look(action, kind, scope)
    if policy is not None:
        judged = policy.apply(kind, judged)
    verdict = judged.verdict
    return Decision(
        action=action,
        kind=kind,
        verdict=verdict,
        findings=judged.findings,
        resolved=judged.resolved,
        action_hash=_hash(action, kind, judged.resolved, scope.cwd),
        low_risk=verdict is Verdict.ALLOW and any(_bounded_change(finding) for finding in judged.findings),
    )


def _look(action: str, kind: str, scope: Scope) -> Judged:
    if len(action) > (_LONG if kind in ("file", "shell") else MAX_CHARACTERS):
        return Judged((unclear(f"the action has {len(action):,} characters, too many to be understood"),))
    if "\0" in action or any("\ud800" <= character <= "\udfff" for character in action):
        return Judged(
            (unclear("the action is not valid text"),), (action.encode("utf-8", "backslashreplace").decode(),)
        )
    if any(mark * MAX_OPEN in action for mark in "[{("):
        return Judged((unclear(f"the action opens more than {MAX_OPEN} brackets at once"),), (action[:200],))
    if not action.strip():
        return Judged((), ("",))
    try:
        return _dispatch(kind, action, scope)
    except (TooComplex, RecursionError, MemoryError) as error:
        return Judged((unclear(f"the action is too complex to be understood: {error}"),), (action,))
    except Exception as error:  # noqa: BLE001  fail closed: a fault of a judge must not let anything through
        _log.exception("the judge of %s failed", kind)
        return Judged((unclear(f"the action could not be judged ({type(error).__name__})"),), (action,))


def _dispatch(kind: str, text: str, scope: Scope) -> Judged:
    """The judge of a kind. The parts of an action share their effort, so this ends however they are nested."""
    scope.effort.spend(1 + len(text) // 64)
    module = import_module(f"reactor_core.safety.{_HOMES.get(kind, kind)}")
    judged: Judged = module.judge(text, scope)
    return judged


def _hash(action: str, kind: str, resolved: tuple[str, ...], cwd: str) -> str:
    said = {"action": action, "cwd": cwd, "kind": kind, "resolved": list(resolved)}
    try:
        return hashlib.sha256(canonical_json(said)).hexdigest()
    except (ValueError, UnicodeError):  # lone surrogates have no canonical form
        return hashlib.sha256(repr(said).encode("utf-8", "backslashreplace")).hexdigest()


def _bounded_change(finding: Finding) -> bool:
    return finding.effect.outward or not finding.effect.reversible or finding.effect.privilege


def strictest(decisions: tuple[Decision, ...]) -> Verdict:
    """The verdict over the steps of a plan."""
    return worst(decision.verdict for decision in decisions)
