"""``reactor safety explain``."""

from __future__ import annotations

import getpass
import sys
from pathlib import Path
from typing import Annotated

from cyclopts import Parameter
from rich.console import Console
from rich.table import Table
from rich.text import Text

from reactor_core.safety.engine import Decision, judge_action
from reactor_core.safety.machine import Machine
from reactor_core.safety.policy import load_policy
from reactor_core.safety.setting import RUBRIC_SETTING
from reactor_core.safety.verdict import Effect
from reactor_core.utils.command import print_json
from reactor_core.utils.settings import load_settings

__all__ = ["explain"]

Flag = Annotated[bool, Parameter(negative=())]

_COLOURS = {"allow": "green", "confirm": "yellow", "block": "red"}


def explain(
    action: Annotated[str, Parameter(allow_leading_hyphen=True)],
    *,
    kind: str = "shell",
    here: bool = True,
    json: Flag = False,
) -> None:
    """Say what the gate makes of an action.

    Parameters
    ----------
    action
        The action; "-" reads it from standard input.
    kind
        shell, sql, gui, file, network, cloud, email or python.
    here
        Judge it in this folder, on this machine, under this project's policy. With --no-here, in the rubric's setting
        and by its text alone.
    json
        Print one JSON object.
    """
    text = sys.stdin.read() if action == "-" else action
    if here:
        settings = load_settings()
        policy, setting = load_policy(
            Path.cwd(),
            user=getpass.getuser(),
            home=Path.home(),
            policy_file=settings.safety_policy_file,
            protected=(settings.workspace, settings.state_dir),
        )
        decision = judge_action(text, kind, setting=setting, policy=policy, disk=Machine())
    else:
        decision = judge_action(text, kind, setting=RUBRIC_SETTING)
    if json:
        print_json(decision.as_dict())
    else:
        show(decision, Console(highlight=False))


def show(decision: Decision, console: Console) -> None:
    """Print a decision for a person."""
    colour = _COLOURS[str(decision.verdict)]
    console.print(Text.assemble((str(decision.verdict).upper(), f"bold {colour}"), "  ", decision.sentence))
    console.print(Text(f"risk {decision.risk_level}, {decision.safety_tier}, {decision.audit_verdict}", style="dim"))
    console.print("\nIt would run:" if decision.kind in ("shell", "cloud") else "\nIt says:")
    for part in decision.resolved:
        console.print(Text(f"  {part}"))
    if decision.findings:
        table = Table("rule", "verdict", "what was found", "effect", box=None, pad_edge=False, padding=(0, 2, 0, 0))
        for finding in decision.findings:
            verdict = Text(str(finding.verdict), style=_COLOURS[str(finding.verdict)])
            where = f"{finding.says}\n{finding.part}" if finding.part else finding.says
            table.add_row(finding.rule, verdict, Text(where), Text(_effect(finding.effect)))
        console.print()
        console.print(table)
    console.print(Text(f"\nhash {decision.action_hash}", style="dim"))


def _effect(effect: Effect) -> str:
    words = [effect.target] if effect.target else []
    if effect.scale != "none":
        words.append(f"scale {effect.scale}")
    words += [name for name in ("outward", "secret", "privilege") if getattr(effect, name)]
    if not effect.reversible:
        words.append("cannot be undone")
    return ", ".join(words)
