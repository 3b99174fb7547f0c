"""Journals and their rows."""

from __future__ import annotations

from alembic import op

__all__ = ["downgrade", "upgrade"]

revision = "0001"
down_revision = None


def upgrade() -> None:
    """Make the tables."""
    op.execute(
        """
        CREATE TABLE reactor_journals (
            journal_id text PRIMARY KEY,
            host       text NOT NULL,         -- machine that copied last
            head_seq   bigint NOT NULL,       -- last row that is here
            head_chain bytea NOT NULL,        -- its link; empty before the first
            copied_at  timestamptz NOT NULL
        )
        """
    )
    op.execute(
        """
        CREATE TABLE reactor_events (
            position     bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,  -- order of arrival, with holes
            journal_id   text NOT NULL REFERENCES reactor_journals,
            seq          bigint NOT NULL,     -- position in its journal
            shown        boolean NOT NULL,    -- the first row with this event id; others came through other journals
            event_id     text NOT NULL,
            event_type   text NOT NULL,
            source       text NOT NULL,
            priority     smallint NOT NULL,
            ts_us        bigint NOT NULL,     -- microseconds since 1970, UTC
            origin       text NOT NULL,
            dedup_key    bytea NOT NULL,      -- any text, so bytes: a zero byte is no text to Postgres
            payload      text,                -- {"data": ..., "metadata": ...} byte for byte; NULL = erased
            payload_hash bytea NOT NULL,
            chain        bytea NOT NULL,
            trace        bytea,               -- SHA-256 of metadata.trace_id, which may be longer than an index holds
            UNIQUE (journal_id, seq)
        )
        """
    )
    op.execute("CREATE UNIQUE INDEX reactor_events_id ON reactor_events (event_id) WHERE shown")
    op.execute("CREATE INDEX reactor_events_type ON reactor_events (event_type, position)")
    op.execute("CREATE INDEX reactor_events_source ON reactor_events (source, position)")
    op.execute("CREATE INDEX reactor_events_time ON reactor_events (ts_us)")
    op.execute("CREATE INDEX reactor_events_trace ON reactor_events (trace) WHERE trace IS NOT NULL")


def downgrade() -> None:
    """Drop the tables with all that is in them."""
    op.execute("DROP TABLE reactor_events")
    op.execute("DROP TABLE reactor_journals")
