from __future__ import annotations

import json
import shutil

import apsw
import pytest

EVENT = "event-000000000003"


def change(workspace):
    db = apsw.Connection(str(workspace / "reactor.db"))
    db.execute("UPDATE events SET source = 'x' WHERE seq = 3")
    db.close()


def test_an_untouched_journal_verifies(reactor):
    assert reactor("audit", "verify", "--json") == 0
    assert (reactor.printed["ok"], reactor.printed["events"], reactor.printed["sealed"]) == (True, 5, 5)
    assert reactor("audit", "verify") == 0
    assert "5 events, every link holds" in reactor.lines[0]


def test_a_changed_row_is_named_and_ends_with_one(reactor, workspace):
    change(workspace)
    assert reactor("audit", "verify") == 1
    assert "row 3" in reactor.out
    assert reactor("audit", "verify", "--json") == 1
    assert reactor.printed["first_bad"] == 3


def test_a_copy_is_verified_where_it_lies(reactor, workspace, tmp_path, monkeypatch):
    shutil.copytree(workspace, tmp_path / "copy")
    change(workspace)
    monkeypatch.setenv("REACTOR_STATE_DIR", str(tmp_path / "elsewhere"))
    for place in (tmp_path / "copy", tmp_path / "copy" / "reactor.db"):
        assert reactor("audit", "verify", str(place)) == 0
    assert reactor("audit", "verify", str(tmp_path / "copy"), "--anchor", str(tmp_path / "nowhere")) == 4


def test_verification_can_begin_behind_a_checkpoint(reactor):
    assert reactor("audit", "verify", "--from", "5", "--json") == 0
    assert reactor.printed["verified_from"] > 1


def test_without_a_journal_it_is_not_found(reactor, monkeypatch, tmp_path):
    monkeypatch.setenv("REACTOR_WORKSPACE", str(tmp_path / "empty"))
    for words in (["verify"], ["checkpoint"], ["proof", EVENT]):
        assert reactor("audit", *words) == 4


def test_a_proof_is_checked_without_the_journal(reactor, workspace, tmp_path):
    assert reactor("audit", "proof", EVENT) == 0
    file, shown = tmp_path / "proof.json", reactor.printed
    file.write_text(reactor.out)
    assert reactor("audit", "verify", "--proof", EVENT, "--json") == 0
    assert reactor.printed["proof"] == shown
    assert reactor("audit", "checkpoint", "--json") == 0
    key = reactor.printed["key"]
    shutil.rmtree(workspace)
    assert reactor("audit", "check", str(file), "--key", key) == 0
    assert reactor.out == f"event {EVENT} is at 3 of journal {shown['journal_id']}\n"
    assert reactor("audit", "check", str(file)) == 0
    assert key in reactor.err
    assert reactor("audit", "check", str(file), "--key", key.replace("+A", "+B")) == 1
    file.write_text(json.dumps(shown | {"event_id": "event-000000000004"}))
    assert reactor("audit", "check", str(file), "--key", key, "--json") == 1
    assert reactor.printed["ok"] is False


@pytest.mark.parametrize("text", ["", "[]", "no json", '{"format": "reactor-proof-1"}'])
def test_what_is_no_proof_is_no_proof(reactor, tmp_path, text):
    (tmp_path / "file").write_text(text)
    assert reactor("audit", "check", str(tmp_path / "file")) == (1 if text.startswith("{") else 3)
    assert reactor("audit", "check", str(tmp_path / "absent")) == 4


def test_the_checkpoint_is_a_signed_note(reactor):
    assert reactor("audit", "checkpoint") == 0
    assert reactor.lines[1] == "5"
    assert reactor.lines[-1].startswith("— reactor-journal/")
