from __future__ import annotations

from reactor_core.events import Journal


def test_the_oldest_go_and_the_rest_is_provable(reactor, workspace, tmp_path):
    archive = tmp_path / "old.jsonl"
    words = ("--keep-after", "3", "--archive", str(archive), "--shrink", "--json")
    assert reactor("events", "compact", *words) == 0
    pruned = reactor.printed
    assert 0 < pruned["until"] <= 3
    assert pruned["rows"] == pruned["until"]
    assert reactor("audit", "verify", "--json") == 0
    assert reactor.printed["pruned"] == pruned["until"]
    assert reactor("audit", "verify", str(archive)) == 0
    assert reactor("audit", "verify", str(archive), "--json") == 0
    assert reactor.printed["ok"] is True
    archive.write_text(archive.read_text().replace('"source":"user"', '"source":"usur"', 1))
    assert reactor("audit", "verify", str(archive)) == 1
    with Journal(workspace / "reactor.db") as journal:
        assert journal.first_seq() == pruned["until"] + 1


def test_by_age(reactor):
    assert reactor("events", "compact", "--before", "2026-01-01") == 0
    assert reactor.out == "nothing to delete\n"
    assert reactor("events", "compact", "--before", "2999-01-01T00:00:00Z") == 0
    assert reactor.out.startswith("5 events up to position 5 deleted")


def test_it_must_be_said_what_is_kept(reactor, tmp_path, monkeypatch):
    for words in ([], ["--before", "2026-01-01", "--keep-after", "3"], ["--before", "long ago"]):
        assert reactor("events", "compact", *words) == 3
    monkeypatch.setenv("REACTOR_WORKSPACE", str(tmp_path / "empty"))
    assert reactor("events", "compact", "--keep-after", "3") == 4
    assert reactor("audit", "verify", str(tmp_path / "absent.jsonl")) == 4
