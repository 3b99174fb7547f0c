"""The commands of ``reactor`` that are about events: ``events`` and ``audit``, and ``hub``.

They are named here and imported when one of them is used.
"""

from __future__ import annotations

from cyclopts import App

__all__ = ["HUB", "audit", "events"]

_HERE = "reactor_core.cli_events"

events = App(name="events", help="What happened: watch it, search it, count it, take it elsewhere.")
for _command in ("tail", "query", "stats"):
    events.command(f"{_HERE}.commands:{_command}")
events.command(f"{_HERE}.exporting:export")
events.command(f"{_HERE}.replaying:replay")

store = App(name="store", help="The Postgres of EVENT_STORE_URL, which holds copies of journals.")
for _command in ("status", "copy", "upgrade"):
    store.command(f"{_HERE}.storing:{_command}")
events.command(store)

audit = App(name="audit", help="The event journal and its proof.")
for _command in ("verify", "proof", "checkpoint", "check"):
    audit.command(f"{_HERE}.proving:{_command}")

HUB = f"{_HERE}.serving:hub"
"""``reactor hub``."""
