"""The commands of ``reactor`` that are about events: ``events``, ``audit`` and ``hub``.

They are named and described here, and imported when one of them is used: who asks for help, or trains a model, does not
wait for them.
"""

from __future__ import annotations

from cyclopts import App as _App

__all__ = ["audit", "events", "register_hub"]

_HERE = "reactor_core.cli_events"

events = _App(name="events", help="What happened: watch it, search it, count it, take it elsewhere.")
events.command(
    f"{_HERE}.commands:tail",
    help="""Show the last events, and go on with what is added.

    On a terminal the columns are position, local time, priority, type, source and what fits of the data. In a pipe
    they are separated by tabs and complete, with the time in ISO 8601. Ctrl-C and a closed pipe end it with 0.
    """,
)
events.command(f"{_HERE}.commands:query", help="Print stored events, oldest first, one page at a time.")
events.command(f"{_HERE}.commands:stats", help="Count stored events by type, source and priority.")
events.command(
    f"{_HERE}.exporting:export",
    help="Write stored events to a file, oldest first. The file appears when it is complete.",
)
events.command(
    f"{_HERE}.replaying:replay",
    help="""Hand stored events to somebody again, with their ids, so that who has one ignores it.

    A workspace that was lost comes back so from the event store: `reactor events replay NEW_WORKSPACE --store
    --journal ID`. Erased events and records of erasures and compactions stay out. Stopped, run it again.
    """,
)
events.command(
    f"{_HERE}.pruning:compact",
    help="""Delete the oldest events of the journal, up to a signed checkpoint; the rest stays provable.

    What a relay or a durable handler has not got yet is not deleted.
    """,
)

_store = _App(name="store", help="The Postgres of EVENT_STORE_URL, which holds copies of journals.")
_store.command(f"{_HERE}.storing:status", help="Say which journals the store holds, and how far.")
_store.command(
    f"{_HERE}.storing:copy",
    help="Copy the workspace's journal into the store up to now, without a bridge that does so all the time.",
)
_store.command(
    f"{_HERE}.storing:upgrade",
    help="Make the tables, or bring them up to date. A bridge that copies into the store does so by itself.",
)
events.command(_store)

audit = _App(name="audit", help="The event journal and its proof.")
audit.command(
    f"{_HERE}.proving:verify",
    help="""Verify a journal: rows, chain, tree, checkpoints, anchors. Ends with 1 and names the first bad row.

    Works on a copy and without a network. Programs may go on writing meanwhile.
    """,
)
audit.command(
    f"{_HERE}.proving:proof",
    help="Print the proof that an event is in the journal, as JSON; `reactor audit check` checks it elsewhere.",
)
audit.command(
    f"{_HERE}.proving:checkpoint",
    help="Print the newest signed checkpoint, to be kept where nobody who can write the journal can reach it.",
)
audit.command(
    f"{_HERE}.proving:check",
    help="Check a proof without the journal. Ends with 1 and says what is wrong with it.",
)


def register_hub(app: _App) -> None:
    """Put ``hub`` into ``reactor``."""
    app.command(
        f"{_HERE}.serving:hub",
        help="Serve the hub that workspaces and neighbours exchange events through. Ctrl-C or SIGTERM ends it with 0.",
    )
