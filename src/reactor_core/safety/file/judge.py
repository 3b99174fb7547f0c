"""The judge of file actions: reads the calls, resolves their paths, and asks what happens to each."""

from __future__ import annotations

from reactor_core.safety.calls import Call, parse_calls
from reactor_core.safety.file.arguments import Arguments
from reactor_core.safety.file.deeds import findings_of
from reactor_core.safety.file.words import deed_of
from reactor_core.safety.scope import Scope, unclear
from reactor_core.safety.verdict import Finding, Judged, Touch

__all__ = ["judge"]

_REHEARSAL = (
    "dry_run",
    "dryrun",
    "simulate",
    "preview",
    "plan_only",
    "whatif",
    "what_if",
    "check_only",
    "no_act",
    "noop",
)


def judge(text: str, scope: Scope) -> Judged:
    """What the calls in ``text`` do to files.

    Args:
        text: Calls such as ``delete_path(path="dist", recursive=True)``, one or several.
        scope: Where they are made.
    """
    calls = parse_calls(text)
    if calls is None:
        return Judged((unclear("the action is not written as calls of file tools"),), (text,))
    findings: list[Finding] = []
    touches: list[Touch] = []
    resolved: list[str] = []
    for call in calls:
        scope.effort.spend()
        about = Arguments(call, scope)
        found_here = list(findings_of(deed_of(call.name), about))
        if _rehearsal(call):
            found_here = []
        line = f"{call.name} {' '.join(path or '?' for path in about.seen)}".strip()
        findings += [_said_of(finding, line) for finding in found_here]
        touches += about.touches
        resolved.append(line)
        scope = about.afterwards()
    return Judged(tuple(findings), tuple(resolved), tuple(touches))


def _said_of(finding: Finding, part: str) -> Finding:
    """The finding, said of this part of the action."""
    return Finding(finding.verdict, finding.rule, finding.says, finding.effect, finding.part or part)


def _rehearsal(call: Call) -> bool:
    if any(call.named.get(name) is True for name in _REHEARSAL):
        return True
    return call.named.get("execute") is False or call.named.get("apply") is False
