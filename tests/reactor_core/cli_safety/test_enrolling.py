from __future__ import annotations

import json
import time

import pyotp
import pytest

from reactor_core.events import EventType, Journal
from reactor_core.safety.confirm import FactorStore


def enrol_at(at_terminal, *words: str) -> pyotp.TOTP:
    command = at_terminal("safety", "enrol", "--person", "alice", *words)
    secret = command.until(r"\n    ((?:[A-Z2-7]{4} ?){8})\r?\n").group(1).replace(" ", "")
    command.until("shows now: ")
    totp = pyotp.TOTP(secret)
    command.types(totp.at(time.time() - 30))
    status = command.end()
    assert status == 0, command.shown
    assert "\u2588" in command.shown or "\u2580" in command.shown, "a QR code"
    return totp


def test_an_authenticator_is_set_up_at_the_terminal_and_its_secret_shown_once(at_terminal, reactor, safe_settings):
    totp = enrol_at(at_terminal)
    listed = reactor("safety", "enrol", "--list", "--json")
    assert [(one["person"], one["method"]) for one in json.loads(listed.stdout)["factors"]] == [("alice", "totp")]
    assert totp.secret not in listed.stdout
    store = FactorStore(safe_settings.state_dir)
    assert store.use_code(totp.now(), purpose="try").person == "alice"
    store.close()
    with Journal(safe_settings.workspace / "reactor.db") as journal:
        (told,) = [event for event in journal.read() if event.event_type == EventType.SAFETY_FACTOR_CHANGED]
    assert (told.data["change"], told.data["person"], told.data["by"]) == ("enrolled", "alice", None)
    for file in safe_settings.workspace.rglob("*"):
        assert not file.is_file() or totp.secret.encode() not in file.read_bytes(), file


def test_a_wrong_code_sets_nothing_up(at_terminal, reactor):
    command = at_terminal("safety", "enrol", "--person", "alice")
    command.until("shows now: ")
    command.types("000000x")
    assert command.end() == 6
    assert json.loads(reactor("safety", "enrol", "--list", "--json").stdout) == {"factors": []}


def test_without_a_terminal_no_secret_is_shown(piped):
    done = piped("safety", "enrol", typed="123456\n")
    assert done.returncode == 5
    assert done.stdout == ""
    assert "terminal" in done.stderr


@pytest.mark.slow
def test_a_second_factor_needs_the_first(at_terminal, reactor, piped, tmp_path):
    totp = enrol_at(at_terminal)
    made = reactor("safety", "enrol", "--person", "bob", "--make-key", str(tmp_path / "bob.pem"))
    key = made.stdout.strip()
    assert key.startswith("bob+")
    refused = piped("safety", "enrol", "--key", key)
    assert refused.returncode == 6
    assert "second factor" in refused.stderr
    accepted = reactor("safety", "enrol", "--key", key, "--code", totp.now())
    assert accepted.returncode == 0, accepted.stderr
    about = "enrol authenticator of carol"
    note = reactor("safety", "sign", about, "--key", str(tmp_path / "bob.pem"), "--person", "bob").stdout
    (tmp_path / "note").write_text(note, encoding="utf-8")
    command = at_terminal("safety", "enrol", "--person", "carol", "--note", str(tmp_path / "note"))
    secret = command.until(r"\n    ((?:[A-Z2-7]{4} ?){8})\r?\n").group(1).replace(" ", "")
    command.until("shows now: ")
    command.types(pyotp.TOTP(secret).now())
    assert command.end() == 0, command.shown
    listed = json.loads(reactor("safety", "enrol", "--list", "--json").stdout)["factors"]
    assert [one["person"] for one in listed] == ["alice", "bob", "carol"]


@pytest.mark.slow
def test_a_factor_is_removed_with_a_factor(at_terminal, reactor, piped):
    totp = enrol_at(at_terminal)
    assert piped("safety", "enrol", "--person", "alice", "--remove", "totp").returncode == 6
    assert reactor("safety", "enrol", "--person", "alice", "--remove", "key", "--code", "1").returncode == 3
    removed = reactor("safety", "enrol", "--person", "alice", "--remove", "totp", "--code", totp.now())
    assert removed.returncode == 0, removed.stderr
    assert json.loads(reactor("safety", "enrol", "--list", "--json").stdout) == {"factors": []}
