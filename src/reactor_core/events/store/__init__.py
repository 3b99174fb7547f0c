"""Stores of events that answer the same queries: a workspace's journal, and a Postgres that many journals feed."""

from typing import TYPE_CHECKING

from reactor_core.utils.lazy import attach

if TYPE_CHECKING:
    from reactor_core.events.store.copier import Copier as Copier
    from reactor_core.events.store.journal_store import JournalStore as JournalStore
    from reactor_core.events.store.postgres_store import PostgresStore as PostgresStore
    from reactor_core.events.store.relay import PostgresRelay as PostgresRelay

# Lazy: SQLAlchemy and the driver cost a quarter of a second to import.
__getattr__, __dir__, __all__ = attach(
    __name__,
    {
        "Copier": ".copier",
        "JournalStore": ".journal_store",
        "PostgresRelay": ".relay",
        "PostgresStore": ".postgres_store",
    },
)
