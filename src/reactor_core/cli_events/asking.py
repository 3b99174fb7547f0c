"""Which events a command is about, and where they are read from."""

from __future__ import annotations

from contextlib import AbstractContextManager, closing
from dataclasses import dataclass
from typing import TYPE_CHECKING, Annotated, Literal

from cyclopts import Parameter

from reactor_core.errors import ConfigError
from reactor_core.events.journal import JOURNAL_NAME
from reactor_core.events.query import EventQuery, event_query
from reactor_core.events.time_range import between
from reactor_core.utils.clock import SystemClock
from reactor_core.utils.settings import Settings

if TYPE_CHECKING:
    from reactor_core.cloud.postgres import Postgres
    from reactor_core.events.store import JournalStore, PostgresStore

__all__ = ["NO_FILTERS", "Filters", "open_postgres", "open_store"]

_clock = SystemClock()

Lane = Literal[1, 2, 3, 4]


@Parameter(name="*")
@dataclass(frozen=True, kw_only=True)
class Filters:
    """Options that every command about events takes."""

    type: Annotated[tuple[str, ...], Parameter(negative=())] = ()
    """Only events of this type, such as cost_update. May be given several times."""
    source: Annotated[tuple[str, ...], Parameter(negative=())] = ()
    """Only events of this source, such as jarvis_agent. May be given several times."""
    lane: Annotated[tuple[Lane, ...], Parameter(negative=())] = ()
    """Only events of this priority, 1 (most urgent) to 4. May be given several times."""
    since: str | None = None
    """Only events from this time on: 24h, 15_minutes, 30_days, or an ISO date and time."""
    until: str | None = None
    """Only events before this ISO date and time."""
    text: str | None = None
    """Only events with this text in data or metadata."""
    trace: str | None = None
    """Only events with this trace id."""
    journal: str | None = None
    """Only rows of this journal, where the store holds several."""
    store: Annotated[bool, Parameter(negative=())] = False
    """Read the Postgres of EVENT_STORE_URL instead of the workspace's journal."""

    def query(self) -> EventQuery:
        """The question that the options ask.

        Raises:
            ConfigError: An option has a value that cannot be used.
        """
        return event_query(
            self.type or None,
            sources=self.source or None,
            lanes=self.lane or None,
            time_range=between(self.since, self.until, now=_clock.utc_now()),
            text=self.text,
            trace_id=self.trace,
            journal=self.journal,
        )


NO_FILTERS = Filters()


def open_store(filters: Filters, settings: Settings) -> AbstractContextManager[JournalStore | PostgresStore]:
    """The store that the options name; closed at the end of the block.

    Raises:
        NotFound: The workspace holds no journal.
        ConfigError: No Postgres is configured.
    """
    if not filters.store:
        from reactor_core.events.store import JournalStore

        return closing(JournalStore(settings.workspace / JOURNAL_NAME))
    from reactor_core.events.store import PostgresStore  # its drivers cost half a second to import

    return closing(PostgresStore(open_postgres(settings)))


def open_postgres(settings: Settings) -> Postgres:
    """The configured Postgres.

    Raises:
        ConfigError: None is configured, or its address cannot be used.
    """
    from reactor_core.cloud.postgres import Postgres

    if settings.event_store_url is None:
        raise ConfigError(
            "no event store is configured", remedy="set EVENT_STORE_URL=postgresql://user:password@host:5432/database"
        )
    return Postgres(settings.event_store_url.get_secret_value(), cloud_sql_instance=settings.cloud_sql_instance)
