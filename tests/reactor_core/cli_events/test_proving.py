from __future__ import annotations

import apsw


def test_an_untouched_journal_verifies(reactor):
    assert reactor("audit", "verify", "--json") == 0
    assert reactor.printed["ok"] is True
    assert reactor("audit", "verify") == 0
    assert "verified" in reactor.out


def test_a_changed_row_is_named_and_ends_with_one(reactor, workspace):
    db = apsw.Connection(str(workspace / "reactor.db"))
    db.execute("UPDATE events SET source = 'x' WHERE seq = 3")
    db.close()
    assert reactor("audit", "verify") == 1
    assert "row 3" in reactor.out


def test_without_a_journal_it_is_not_found(reactor, monkeypatch, tmp_path):
    monkeypatch.setenv("REACTOR_WORKSPACE", str(tmp_path / "empty"))
    assert reactor("audit", "verify") == 4
