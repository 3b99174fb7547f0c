"""``reactor events store``: the Postgres that journals are copied into."""

from __future__ import annotations

import sys
from contextlib import closing
from typing import Annotated

from cyclopts import Parameter

from reactor_core.cli_events.asking import open_postgres
from reactor_core.errors import NotFound
from reactor_core.events.journal import JOURNAL_NAME
from reactor_core.events.store import Copier, JournalStore, PostgresStore
from reactor_core.events.store.schema import current_revision, newest_revision
from reactor_core.events.store.schema import upgrade as upgrade_tables
from reactor_core.utils.clock import to_iso
from reactor_core.utils.command import print_json
from reactor_core.utils.console import Terminal
from reactor_core.utils.settings import load_settings

__all__ = ["copy", "status", "upgrade"]

Json = Annotated[bool, Parameter(name="--json", negative=())]


def upgrade(*, json: Json = False) -> None:
    """Make the tables, or bring them up to date.

    Parameters
    ----------
    json
        Print one JSON object.
    """
    with closing(open_postgres(load_settings())) as postgres:
        before, after = upgrade_tables(postgres)
        if json:
            print_json({"store": postgres.name, "before": before, "after": after})
        elif before == after:
            sys.stdout.write(f"{postgres.name}: revision {after}, nothing to do\n")
        else:
            sys.stdout.write(f"{postgres.name}: revision {before or 'none'} -> {after}\n")


def status(*, json: Json = False) -> None:
    """Say which journals the store holds, and how far.

    Parameters
    ----------
    json
        Print one JSON object.
    """
    settings = load_settings()
    path = settings.workspace / JOURNAL_NAME
    with closing(open_postgres(settings)) as postgres:
        revision = current_revision(postgres)
        journals = [] if revision is None else PostgresStore(postgres).journals()
        own, head = None, 0
        if path.is_file():
            with closing(JournalStore(path)) as journal:
                own, head = journal.journal_id, journal.head()
        found = {
            "store": postgres.name,
            "revision": revision,
            "newest_revision": newest_revision(),
            "journals": [
                {
                    "journal_id": each.journal_id,
                    "host": each.host,
                    "position": each.position,
                    "copied_at": to_iso(each.copied_at),
                    "waiting": head - each.position if each.journal_id == own else None,
                }
                for each in journals
            ],
        }
    if json:
        print_json(found)
        return
    sys.stdout.write(f"{found['store']}: revision {revision or 'none'} of {found['newest_revision']}\n")
    for each in journals:
        waiting = f", {head - each.position} waiting" if each.journal_id == own else ""
        when = each.copied_at.astimezone().isoformat(" ", "seconds")
        sys.stdout.write(f"{each.journal_id}  {each.host}\n  {each.position} rows, last copied {when}{waiting}\n")
    if own is not None and own not in [each.journal_id for each in journals]:
        sys.stderr.write(f"this workspace's journal is not in the store yet; {head} rows wait\n")


def copy(*, json: Json = False) -> None:
    """Copy the workspace's journal into the store up to now.

    Parameters
    ----------
    json
        Print one JSON object.
    """
    settings = load_settings()
    path = settings.workspace / JOURNAL_NAME
    if not path.is_file():
        raise NotFound(f"no journal at {path}", remedy="name the workspace: REACTOR_WORKSPACE=DIR")
    with closing(JournalStore(path)) as journal:
        journal_id, head = journal.journal_id, journal.head()
    narrator = Terminal(no_color=settings.no_color is not None)
    with closing(open_postgres(settings)) as postgres, narrator.step(f"Copy into {postgres.name}") as advance:
        rows = 0
        with closing(Copier(path, journal_id, postgres)) as copier:
            while copier.position < head and (step := copier.step()).rows:
                rows += step.rows
                advance(f"{step.position} of {head}", step.position / head)
        name, position = postgres.name, copier.position
    if json:
        print_json({"store": name, "journal_id": journal_id, "rows": rows, "position": position})
    else:
        sys.stdout.write(f"{rows} rows copied, position {position}\n")
