"""``reactor events``: tail, query and stats."""

from __future__ import annotations

import sys
from contextlib import suppress
from typing import Annotated

from cyclopts import Parameter
from rich.console import Console
from rich.table import Table

from reactor_core.cli_events.asking import NO_FILTERS, Filters, open_store
from reactor_core.cli_events.following import follow, last
from reactor_core.cli_events.output import EventPrinter, reader_is_gone, until_the_reader_is_gone
from reactor_core.events.query import Summary
from reactor_core.utils.clock import to_iso
from reactor_core.utils.command import print_json
from reactor_core.utils.settings import Settings, load_settings

__all__ = ["query", "stats", "tail"]

Json = Annotated[bool, Parameter(name="--json", negative=())]
Flag = Annotated[bool, Parameter(negative=())]


def tail(
    *,
    lines: Annotated[int, Parameter(name=["--lines", "-n"])] = 10,
    follow_on: Annotated[bool, Parameter(name=["--follow", "-f"], negative=())] = False,
    filters: Filters = NO_FILTERS,
    json: Json = False,
) -> None:
    """Show the last events, and go on with what is added.

    Parameters
    ----------
    lines
        How many of the last events to begin with.
    follow_on
        Wait for more. A Postgres that is restarted is waited for.
    json
        Print one JSON object in each line.
    """
    settings = load_settings()
    wanted = filters.query()
    with (
        until_the_reader_is_gone(),
        suppress(*([KeyboardInterrupt] if follow_on else [])),
        open_store(filters, settings) as store,
        _printer(settings, json=json, watching=_where(filters, settings) if follow_on else None) as printer,
    ):
        events, cursor = last(store, wanted, lines)
        for event in events:
            printer.show(event)
        printer.flush()
        if follow_on:
            for group in follow(store, wanted, cursor, ended=reader_is_gone(), note=_note):
                for event in group:
                    printer.show(event)
                printer.flush()


def query(
    *,
    limit: int = 100,
    cursor: str | None = None,
    newest: Flag = False,
    filters: Filters = NO_FILTERS,
    json: Json = False,
) -> None:
    """Print one page of stored events.

    Parameters
    ----------
    limit
        At most so many events, 1 to 10000.
    cursor
        Go on where an earlier page ended; the page says with which cursor.
    newest
        Begin with the last event and go back.
    json
        Print one JSON object with the events and the next cursor.
    """
    settings = load_settings()
    with until_the_reader_is_gone(), open_store(filters, settings) as store:
        page = store.query(filters.query(), limit=limit, cursor=cursor, newest=newest)
        if json:
            print_json({"events": [event.to_dict() for event in page.events], "next_cursor": page.next_cursor})
            return
        with _printer(settings, json=False) as printer:
            for event in page.events:
                printer.show(event)
        if not page.events:
            _note("no such event")
        elif page.next_cursor is not None:
            _note(f"more: --cursor {page.next_cursor}")


def stats(*, filters: Filters = NO_FILTERS, json: Json = False) -> None:
    """Count stored events.

    Parameters
    ----------
    json
        Print one JSON object.
    """
    settings = load_settings()
    with until_the_reader_is_gone(), open_store(filters, settings) as store:
        found = store.summary(filters.query())
        if json:
            print_json(_as_dict(found))
        else:
            _show_summary(found, plain=settings.no_color is not None)


def _printer(settings: Settings, *, json: bool, watching: str | None = None) -> EventPrinter:
    return EventPrinter(as_json=json, plain=settings.no_color is not None, watching=watching)


def _where(filters: Filters, settings: Settings) -> str:
    return "the event store" if filters.store else str(settings.workspace)


def _note(text: str) -> None:
    sys.stderr.write(text + "\n")


def _as_dict(found: Summary) -> dict[str, object]:
    return {
        "total": found.total,
        "first": None if found.first is None else to_iso(found.first),
        "last": None if found.last is None else to_iso(found.last),
        "types": found.types,
        "sources": found.sources,
        "lanes": {str(lane): count for lane, count in found.lanes.items()},
    }


def _show_summary(found: Summary, *, plain: bool) -> None:
    console = Console(no_color=plain, highlight=False)
    if found.first is None or found.last is None:
        console.print("0 events")
        return
    first, end = (moment.astimezone().isoformat(" ", "seconds") for moment in (found.first, found.last))
    console.print(f"{found.total:,} events from {first} to {end}")
    groups: tuple[tuple[str, dict[str, int]], ...] = (
        ("type", found.types),
        ("source", found.sources),
        ("priority", {str(lane): count for lane, count in found.lanes.items()}),
    )
    for title, counts in groups:
        table = Table(box=None, pad_edge=False, padding=(0, 2, 0, 0))
        table.add_column(title, overflow="ellipsis", no_wrap=True, max_width=40)
        table.add_column("events", justify="right")
        table.add_column("share", justify="right")
        for name, count in counts.items():
            table.add_row(name, f"{count:,}", f"{count / found.total:.1%}")
        console.print()
        console.print(table)
