"""``reactor safety log``."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from datetime import datetime
from pathlib import Path
from typing import Annotated, Literal

from cyclopts import Parameter
from rich.console import Console
from rich.table import Table
from rich.text import Text

from reactor_core.events.event import Event
from reactor_core.events.journal import JOURNAL_NAME
from reactor_core.events.query import event_query
from reactor_core.events.store import JournalStore
from reactor_core.events.time_range import between
from reactor_core.safety.audit import TRAIL_TYPES, AuditEntry, as_csv, as_jsonl, audit_trail
from reactor_core.safety.confirm.question import printable
from reactor_core.utils.clock import SystemClock
from reactor_core.utils.command import print_json
from reactor_core.utils.files import storage_errors
from reactor_core.utils.settings import load_settings

__all__ = ["log"]

Flag = Annotated[bool, Parameter(negative=())]
VerdictName = Literal["allow", "confirm", "block"]

PAGE = 1000
"""Events read at once."""


def log(
    *,
    since: str = "last_24h",
    verdict: Annotated[tuple[VerdictName, ...], Parameter(negative=())] = (),
    out: Path | None = None,
    csv: Flag = False,
    json: Flag = False,
) -> None:
    """Show decisions with their evidence, answers and outcomes, oldest first.

    Parameters
    ----------
    since
        How far to look back, such as 24h or 30_days, or an ISO date and time.
    verdict
        Only decisions of this verdict. May be given several times.
    out
        Write them to a file instead: JSON lines with all evidence, or CSV.
    csv
        As CSV, one row a decision.
    json
        Print one JSON object; with a file, say what was written.
    """
    settings = load_settings()
    entries = audit_trail(_events(settings.workspace / JOURNAL_NAME, since))
    if verdict:
        entries = [entry for entry in entries if entry.verdict in verdict]
    if out is not None:
        with storage_errors(out), out.open("w", encoding="utf-8", newline="") as stream:
            stream.writelines(as_csv(entries) if csv else as_jsonl(entries))
        if json:
            print_json({"file": str(out), "format": "csv" if csv else "jsonl", "decisions": len(entries)})
        else:
            sys.stdout.write(f"{len(entries)} decisions in {out}\n")
    elif csv:
        sys.stdout.writelines(as_csv(entries))
    elif json:
        print_json({"decisions": [entry.as_dict() for entry in entries]})
    else:
        _show(entries, Console(no_color=settings.no_color is not None, highlight=False))


def _events(path: Path, since: str) -> Iterator[Event]:
    store = JournalStore(path)
    try:
        query = event_query(types=list(TRAIL_TYPES), time_range=between(since, now=SystemClock().utc_now()))
        cursor = None
        while True:
            page = store.query(query, limit=PAGE, cursor=cursor)
            yield from page.events
            cursor = page.next_cursor
            if cursor is None:
                return
    finally:
        store.close()


def _show(entries: list[AuditEntry], console: Console) -> None:
    if not entries:
        console.print("no decision")
        return
    table = Table(box=None, pad_edge=False, padding=(0, 2, 0, 0))
    for name in ("time", "verdict", "rules", "kind"):
        table.add_column(name, no_wrap=True)
    table.add_column("action", overflow="ellipsis", no_wrap=True, ratio=3)
    table.add_column("answer", no_wrap=True)
    table.add_column("outcome", no_wrap=True)
    for entry in entries:
        moment = datetime.fromisoformat(entry.at).astimezone().strftime("%m-%d %H:%M:%S")
        cells = (
            moment, entry.verdict, ",".join(entry.rules[:2]), entry.kind, printable(entry.action), _answer(entry),
            _outcome(entry),
        )  # fmt: skip
        table.add_row(*(Text(cell) for cell in cells))
    console.print(table)


def _answer(entry: AuditEntry) -> str:
    if not entry.answers:
        return ""
    last = entry.answers[-1]
    people = ", ".join(str(person.get("person", "")) for person in last["people"] if isinstance(person, dict))
    return printable(f"{'yes' if last['confirmed'] else 'no'} {people or last['method'] or ''}".strip())


def _outcome(entry: AuditEntry) -> str:
    return entry.outcome if entry.exit_code in (None, 0) else f"{entry.outcome} ({entry.exit_code})"
