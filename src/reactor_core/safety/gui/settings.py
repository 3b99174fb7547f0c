"""Settings that are set to something: what protects and is set to protect no more, what lets somebody in, what deletes.

A state says more than on and off: ``Never notify``, ``Nobody``, ``0 days``, ``Anyone with the link``. The words are
those of classes of protections and of rights, not of single programs.
"""

from __future__ import annotations

import re

from reactor_core.safety.gui.destruction import destroyed
from reactor_core.safety.gui.labels import Answer
from reactor_core.safety.gui.scenery import GUARD_PRODUCT, PROTECTION, STATE_OFF
from reactor_core.safety.gui.sight import Sight
from reactor_core.safety.verdict import Finding

__all__ = ["set_to", "unguarded"]

_GUARDS = re.compile(
    r"\b(polic(y|ies)|risk|sign-?in|log-?in|access control|enforc\w*|hardening|shield|isolation|safeguard|restrict\w*"
    r"|compliance|consent|password|authenticat\w*|identity|approv\w*|reviewers?|who (can|must|may)|prevent\w*|threat"
    r"|exploit|tracking|safe\w*|secur\w*|inspection|vault lock|legal|immutab\w*|mandatory|quorum|sudo|credential"
    r"|crash ?report upload|telemetry agent|collector|forward(er|ing) to siem)\b"
)
_PLAIN = re.compile(
    r"\b(notification|sound|spell|theme|dark|badge|toolbar|sidebar|wrap|minimap|line numbers|animation|preview|font"
    r"|auto-?(play|complete|save|correct|capitali\w*|scroll)|hints?|tips?|grid|ruler|emoji|read receipts?|typing"
    r"|tooltips?|wi-?fi|bluetooth|night (light|mode)|volume|brightness|keyboard|mouse|marketing|newsletter|e-?mail"
    r"|telemetry|cookies|analytics|personali[sz]ed|public|anyone|guest|anonymous|remote|root|legacy|insecure"
    r"|force push"
    r"|expos\w*|shar(e|ed|ing))\b"
)
_DELETES = re.compile(
    r"^(also |auto(matically)?[- ])?(delet|eras|wip|purg|drop|destroy|truncat|overwrit|format|empt|remov)(e|es"
    r"|ing|y|ies|s)?\b(?! (duplicate|blank|empty"
    r"|trailing|whitespace))"
)
_ROLE = re.compile(r"\b(role|permission|access|rights|privileges?|level|can)\b")
_HIGH = re.compile(r"\b(owner|admin\w*|root|superuser|full|all|unrestricted|cluster-admin|everything)\b")
_ANYBODY = re.compile(r"\b(anyone|anybody|everyone|public|internet|all users|guests?|anonymous)\b")
_PRIVATE = re.compile(
    r"salar|payroll|customer|client|patient|hr\b|personal|confidential|private|internal|secret|contract"
    r"|passport|medical"
    r"|financ|tax|backup|source|repo|bucket|database|credential|employee|invoice|records?"
)
_GRANTS = re.compile(
    r"^(grant|give|share|allow .{0,40}\b(access|read|see|manage|use)|let .{0,40}\b(access|read|see|use))\b"
)
_OPENS_HOST = re.compile(
    r"\b((bluetooth|file|screen|printer|media|internet|network) sharing|hotspot|discoverab\w+|ssh server|vnc|rdp)\b"
)


def set_to(sight: Sight) -> Finding | None:
    """What it means that a setting is set to a state.

    Args:
        sight: A toggle, a checkbox, a choice or a slider with its state; a choice without one is its own state.
    """
    chosen = sight.state or (sight.label if sight.role in {"radio", "option"} else "")
    off = STATE_OFF.match(chosen) is not None
    subject = sight.label if sight.state else sight.scene.told
    if chosen and _ANYBODY.search(chosen) and not off | bool(re.match(r"(no|not|block|deny)\b", chosen)):
        return _opened(sight)
    if _ANYBODY.match(chosen) and (_ROLE.search(subject) or "visib" in subject or "who" in subject):
        return _opened(sight)
    guard = _GUARDS.search(subject) or PROTECTION.search(subject) or GUARD_PRODUCT.search(subject)
    if off and guard and (not _PLAIN.search(sight.label) or GUARD_PRODUCT.search(sight.label)):
        return sight.finding("B5", "sets a protection to protect no more")
    if off:
        return None
    if sight.state and _DELETES.match(sight.label):
        return destroyed(sight) or sight.finding("C1", "lets things be deleted")
    if (
        sight.state
        and _ROLE.search(sight.label)
        and re.search(r"member|user|person|account|team|group|guest", sight.scene.told)
    ):
        whole = _HIGH.search(chosen) and _ANYBODY.search(sight.scene.told)
        return sight.finding("B5" if whole else "C7", "gives out rights", outward=True)
    if sight.state and _GRANTS.match(sight.label):
        return sight.finding("C7", "gives out rights", outward=True)
    if sight.state and _OPENS_HOST.search(sight.label):
        return sight.finding("C5", "opens this machine to others")
    return None


def _opened(sight: Sight) -> Finding:
    rule = "B7" if _PRIVATE.search(f"{sight.text} {sight.app}") else "C7"
    return sight.finding(rule, "opens something to anybody", outward=True)


def unguarded(sight: Sight) -> Finding | None:
    """A product that protects the machine is removed or stopped; every device is made to obey something."""
    if sight.answer in {Answer.SAFE, Answer.LOOK}:
        return None
    ends = re.search(
        r"\b(uninstall|remove|delete|stop|quit|exit|disable|turn off|pause|kill|end|unload|deactivate|suspend|bypass"
        r"|force quit|unenrol\w*|snooze)\b",
        sight.deed,
    )
    product = GUARD_PRODUCT.search(sight.text if ends else "") or GUARD_PRODUCT.search(sight.app if ends else "")
    if (
        ends
        and product
        and not re.search(r"\b(filter|panel|search|dashboard|row|view|report|chart|quarantin\w*|threat)", sight.text)
    ):
        return sight.finding("B5", "removes or stops what protects this machine")
    if (
        re.match(r"(add|create|allow|set|save|new)\b", sight.label)
        and re.search(
            r"\b(exclusion|exception|exempt\w*|whitelist|allow-?list|ignore rule"
            r"|suppression)\b",
            sight.label,
        )
        and (product or GUARD_PRODUCT.search(sight.app) or PROTECTION.search(sight.app))
    ):
        return sight.finding("B5", "lets something past what protects this machine")
    if re.search(
        r"\b(block|deny|drop|reject) (any|all|everything)\b.{0,40}\b(any|all|every"
        r"|everything)\b",
        sight.text,
    ):
        return sight.finding("B6", "cuts a machine or a network off")
    fleet = re.search(
        r"\b(all|every) (managed |enrolled |company |corporate )?(devices?|computers?|machines?|hosts?"
        r"|endpoints?|laptops?)\b",
        sight.text,
    )
    if fleet and re.search(
        r"\b(block|lock|wipe|boot|shut ?down|reset|erase|retire|disable|brick|power off|kernel|firmware)\w*\b",
        sight.text,
    ):
        return sight.finding("B6", "makes every machine of the fleet unusable")
    rights = re.search(r"\b(super|global|domain|root|tenant|organi[sz]ation) ?-?(admin\w*|owner|user)\b", sight.text)
    if (
        rights
        and re.search(r"\b(make|add|promote|assign|grant|set|give|elevate|change)\b", sight.deed)
        and not re.match(r"(remove|revoke|demote)\b", sight.label)
    ):
        return sight.finding("B5", "gives somebody power over everything", outward=True)
    return None
