from __future__ import annotations

import pytest


@pytest.fixture
def configured(workspace, database, monkeypatch):
    monkeypatch.setenv("EVENT_STORE_URL", database)


def test_without_an_address_every_command_says_which(reactor):
    for command in ("status", "copy", "upgrade"):
        assert reactor("events", "store", command) == 3
        assert "EVENT_STORE_URL" in reactor.err


def test_from_nothing_to_a_copy(configured, reactor, add, event):
    assert reactor("events", "stats", "--store") == 1
    assert "reactor events store upgrade" in reactor.err
    assert reactor("events", "store", "status") == 0
    assert "revision none" in reactor.out
    assert "5 rows wait" in reactor.err
    assert reactor("events", "store", "upgrade", "--json") == 0
    assert (reactor.printed["before"], reactor.printed["after"]) == (None, "0001")
    assert reactor("events", "store", "upgrade") == 0
    assert "nothing to do" in reactor.out
    assert reactor("events", "store", "copy", "--json") == 0
    assert (reactor.printed["rows"], reactor.printed["position"]) == (5, 5)
    add(event(6))
    assert reactor("events", "store", "status", "--json") == 0
    assert reactor.printed["journals"][0]["waiting"] == 1
    assert reactor("events", "store", "copy") == 0
    assert reactor.out == "1 rows copied, position 6\n"
    assert reactor("events", "tail", "--store", "-n", "1") == 0
    assert reactor.lines[0].startswith("6\t")
    assert reactor("events", "store", "status") == 0
    assert "0 waiting" in reactor.out


def test_no_password_is_ever_shown(reactor, monkeypatch, postgres):
    url = postgres.url("no_such_database")
    monkeypatch.setenv("EVENT_STORE_URL", url)
    assert reactor("events", "stats", "--store") == 1
    assert "no_such_database" in reactor.err
    monkeypatch.setenv("EVENT_STORE_URL", url.replace("postgresql:", "mysql:"))
    assert reactor("events", "stats", "--store", "--json") == 3
    assert postgres.password not in reactor.err + reactor.out
