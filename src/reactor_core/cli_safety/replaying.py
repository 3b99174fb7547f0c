"""``reactor safety replay``."""

from __future__ import annotations

import getpass
from pathlib import Path
from typing import Annotated

from cyclopts import Parameter
from rich.console import Console
from rich.text import Text

from reactor_core.events.journal import JOURNAL_NAME
from reactor_core.events.query import event_query
from reactor_core.events.store import JournalStore
from reactor_core.events.time_range import between
from reactor_core.events.vocabulary import EventType
from reactor_core.safety.policy import load_policy
from reactor_core.safety.replay import Replay, past_decisions
from reactor_core.safety.replay import replay as judge_again
from reactor_core.utils.clock import SystemClock
from reactor_core.utils.command import print_json
from reactor_core.utils.settings import load_settings

__all__ = ["replay"]

Flag = Annotated[bool, Parameter(negative=())]

PAGE = 1000
"""Events read at once."""


def replay(*, policy: Path | None = None, since: str = "last_30_days", json: Flag = False) -> None:
    """Judge again what was decided before.

    Parameters
    ----------
    policy
        The changed policy file; without it, the one in force (after a new version of the rules).
    since
        How far to look back, such as 24h or 30_days, or an ISO date and time.
    json
        Print one JSON object.
    """
    settings = load_settings()
    rules, setting = load_policy(
        Path.cwd(),
        user=getpass.getuser(),
        home=Path.home(),
        policy_file=policy or settings.safety_policy_file,
        protected=(settings.workspace, settings.state_dir),
    )
    events, cursor = [], None
    store = JournalStore(settings.workspace / JOURNAL_NAME)
    try:
        query = event_query(
            types=[EventType.SAFETY_AUDIT, EventType.SAFETY_BLOCKED],
            time_range=between(since, now=SystemClock().utc_now()),
        )
        while True:
            page = store.query(query, limit=PAGE, cursor=cursor)
            events += page.events
            cursor = page.next_cursor
            if cursor is None:
                break
    finally:
        store.close()
    result = judge_again(past_decisions(events), policy=rules, setting=setting)
    if json:
        print_json(result.as_dict())
    else:
        _show(result, Console(highlight=False))


def _show(result: Replay, console: Console) -> None:
    for change in result.changes:
        colour = "yellow" if change.milder else "cyan"
        console.print(
            Text.assemble(
                (f"{change.past.verdict} -> {change.verdict}", f"bold {colour}"),
                f"  {change.past.kind}  {change.past.action}\n    {', '.join(change.rules)}: {change.sentence}",
            )
        )
    milder = sum(change.milder for change in result.changes)
    console.print(
        f"{result.judged} actions judged again: {milder} would be judged milder, {len(result.changes) - milder}"
        f" stricter; {result.redacted} hold a removed secret and were left out"
    )
