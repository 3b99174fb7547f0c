"""The tables of a Postgres that holds events, as queries see them. The migrations make them."""

from __future__ import annotations

from sqlalchemy import BigInteger, Boolean, Column, DateTime, LargeBinary, MetaData, SmallInteger, Table, Text

__all__ = ["EVENTS", "JOURNALS", "VERSION_TABLE"]

VERSION_TABLE = "reactor_events_version"
"""Where the revision of the tables stands, apart from that of other programs in the same database."""

_metadata = MetaData()

JOURNALS = Table(
    "reactor_journals",
    _metadata,
    Column("journal_id", Text, primary_key=True),
    Column("host", Text),
    Column("head_seq", BigInteger),
    Column("head_chain", LargeBinary),
    Column("copied_at", DateTime(timezone=True)),
)
"""One row for each journal that is copied here: how far, and the link there."""

EVENTS = Table(
    "reactor_events",
    _metadata,
    Column("position", BigInteger, primary_key=True),
    Column("journal_id", Text),
    Column("seq", BigInteger),
    Column("shown", Boolean),
    Column("event_id", Text),
    Column("event_type", Text),
    Column("source", Text),
    Column("priority", SmallInteger),
    Column("ts_us", BigInteger),
    Column("origin", Text),
    Column("dedup_key", LargeBinary),
    Column("payload", Text),
    Column("payload_hash", LargeBinary),
    Column("chain", LargeBinary),
    Column("trace", LargeBinary),
)
"""Every row of every journal. ``position`` is the order of arrival, ``shown`` the first row of each event id."""
