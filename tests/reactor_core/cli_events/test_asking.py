from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest
from pydantic import SecretStr

from reactor_core.cli_events.asking import Filters, open_postgres, open_store
from reactor_core.errors import ConfigError, NotFound
from reactor_core.events.query import EventQuery
from reactor_core.utils.settings import Settings


def test_no_option_is_no_condition():
    assert Filters().query() == EventQuery()


def test_every_option_is_a_condition():
    asked = Filters(type=("COST_UPDATE",), source=("scout",), lane=(1,), text="a", trace="t", journal="j").query()
    assert asked == EventQuery(
        types=("cost_update",), sources=("scout",), lanes=(1,), text="a", trace_id="t", journal="j"
    )


@pytest.mark.parametrize("since", ["2h", "last_2h", "2_hours", "120m"])
def test_a_span_counts_back_from_now(since):
    before = datetime.now(UTC)
    found = Filters(since=since).query().since
    assert before - timedelta(hours=2) <= found <= datetime.now(UTC) - timedelta(hours=2)


def test_dates_and_spans_can_be_mixed():
    asked = Filters(since="day", until="2999-01-01T00:00:00Z").query()
    assert asked.until == datetime(2999, 1, 1, tzinfo=UTC)
    assert asked.since is not None
    assert Filters(since="2026-01-01T00:00:00Z").query().since == datetime(2026, 1, 1, tzinfo=UTC)


@pytest.mark.parametrize("since", ["yesterday", "24", "2026-99-01", "-1h"])
def test_what_cannot_be_read_is_an_error(since):
    with pytest.raises(ConfigError):
        Filters(since=since).query()


def test_a_store_needs_a_journal_or_an_address(tmp_path):
    with pytest.raises(NotFound, match="no journal"):
        open_store(Filters(), Settings(workspace=tmp_path))
    with pytest.raises(ConfigError, match="EVENT_STORE_URL"):
        open_store(Filters(store=True), Settings(workspace=tmp_path))


def test_the_address_of_the_store_is_a_secret(tmp_path):
    settings = Settings(workspace=tmp_path, event_store_url=SecretStr("postgresql://u:hush@db.example/events"))
    postgres = open_postgres(settings)
    assert postgres.name == "postgresql://db.example:5432/events"
    postgres.close()
