"""A scope in the rubric's setting, whose nested parts the real judges judge."""

from __future__ import annotations

from typing import Any

from reactor_core.safety.engine import judge_action
from reactor_core.safety.scope import Scope
from reactor_core.safety.setting import RUBRIC_SETTING
from reactor_core.safety.verdict import Finding, Judged


def scope(**changes: Any) -> Scope:
    def judge(kind: str, text: str, inner: Scope) -> Judged:
        return Judged(judge_action(text, kind).findings)

    fields: dict[str, Any] = {"setting": RUBRIC_SETTING, "judge": judge, "cwd": RUBRIC_SETTING.cwd, **changes}
    return Scope(**fields)


def rule(finding: Finding | None) -> str:
    """The rule of a finding; empty for none."""
    return "" if finding is None else finding.rule
