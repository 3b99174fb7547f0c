"""The words of a judgement: verdicts, effects, findings, and what they are called in the event stream."""

from __future__ import annotations

from collections.abc import Iterable
from enum import StrEnum
from typing import Any

import msgspec

__all__ = ["Effect", "Finding", "Judged", "Scale", "Touch", "Verdict", "found", "rule_verdict", "worst"]


class Verdict(StrEnum):
    """What happens with an action. Ordered from the mildest to the strictest."""

    ALLOW = "allow"
    CONFIRM = "confirm"
    BLOCK = "block"

    @property
    def rank(self) -> int:
        """0, 1 or 2: the greater, the stricter."""
        return _RANK[self]

    @property
    def tier(self) -> str:
        """The name in SAFETY_BLOCKED events."""
        return {"allow": "TIER_4_LOW", "confirm": "TIER_3_MEDIUM", "block": "TIER_1_CRITICAL"}[self]

    @property
    def audit_verdict(self) -> str:
        """The name in SAFETY_AUDIT events, for an action that carries no low risk."""
        return {"allow": "SAFE", "confirm": "REQUIRES_CONFIRMATION", "block": "BLOCKED"}[self]

    @property
    def risk_level(self) -> str:
        """LOW, MEDIUM or CRITICAL; a confirmation that leaves the machine or touches a secret is HIGH instead."""
        return {"allow": "LOW", "confirm": "MEDIUM", "block": "CRITICAL"}[self]


_RANK = {Verdict.ALLOW: 0, Verdict.CONFIRM: 1, Verdict.BLOCK: 2}


class Scale(StrEnum):
    """How much an effect touches."""

    NONE = "none"
    ITEM = "item"
    MANY = "many"
    ALL = "all"


class Effect(msgspec.Struct, frozen=True):
    """What an action does to the world.

    Attributes:
        target: What is touched, resolved: a path, host, table, account, resource; empty if nothing in particular.
        scale: How much of it.
        reversible: Whether it can be undone with what is left.
        outward: Whether it leaves this machine in the user's name.
        secret: Whether it reads, shows, makes or moves a secret.
        privilege: Whether it uses or changes rights.
    """

    target: str = ""
    scale: Scale = Scale.NONE
    reversible: bool = True
    outward: bool = False
    secret: bool = False
    privilege: bool = False


class Finding(msgspec.Struct, frozen=True):
    """One thing that was found in an action.

    Attributes:
        verdict: What it asks for.
        rule: Rule of the rubric (``B1`` to ``A6``), or the name of an organisation's own.
        says: A sentence that a person understands, without a full stop.
        effect: What it does.
        part: The resolved part of the action that does it, such as ``rm -rf /var``.
    """

    verdict: Verdict
    rule: str
    says: str
    effect: Effect = Effect()
    part: str = ""

    def as_dict(self) -> dict[str, Any]:
        """For JSON."""
        found: dict[str, Any] = msgspec.to_builtins(self)
        return found


class Touch(msgspec.Struct, frozen=True):
    """Something that an action has to do with, whether or not that is a finding; an organisation's rules look at it.

    Attributes:
        what: ``path``, ``host``, ``table`` or ``account`` (a cloud project, a mail address, a cluster, a payee).
        name: Absolute path, host name, ``schema.table`` in lower case, or the account's name.
        how: ``read``, ``write`` or ``delete``.
    """

    what: str
    name: str
    how: str = "read"


class Judged(msgspec.Struct, frozen=True):
    """What a judge of one kind found.

    Attributes:
        findings: All of them, in the order of execution; none means that nothing speaks against the action, which the
            caller must not take for an empty action: a judge that could not look says so by a finding of rule C6.
        resolved: The action as it would run, one part a line, after all expansions.
        touches: Paths, hosts, tables and accounts that it has to do with.
    """

    findings: tuple[Finding, ...] = ()
    resolved: tuple[str, ...] = ()
    touches: tuple[Touch, ...] = ()

    @property
    def verdict(self) -> Verdict:
        """The strictest of the findings."""
        return worst(finding.verdict for finding in self.findings)


def worst(verdicts: Iterable[Verdict]) -> Verdict:
    """The strictest; ALLOW of nothing."""
    return max(verdicts, key=lambda verdict: verdict.rank, default=Verdict.ALLOW)


def rule_verdict(rule: str) -> Verdict:
    """The verdict that a rule of the rubric stands for: its letter decides."""
    return {"B": Verdict.BLOCK, "C": Verdict.CONFIRM, "A": Verdict.ALLOW}[rule[0]]


def found(rule: str, says: str, effect: Effect | None = None, *, part: str = "") -> Finding:
    """A finding of a rule of the rubric, with the rule's own verdict."""
    return Finding(rule_verdict(rule), rule, says, effect or Effect(), part)
