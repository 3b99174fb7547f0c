from __future__ import annotations

import json
import subprocess
import sys
import time

import pyotp
import pytest

from reactor_core.safety.confirm import FactorStore
from reactor_core.safety.confirm.notes import make_key, sign_answer
from reactor_core.safety.verdict import Verdict


@pytest.fixture
def totp(safe_settings) -> pyotp.TOTP:
    store = FactorStore(safe_settings.state_dir)
    new = store.new_authenticator("alice")
    totp = pyotp.TOTP(new.secret)
    store.add_authenticator(new, totp.at(time.time() - 30))
    store.close()
    return totp


def test_questions_are_listed(reactor, asking, decide):
    assert reactor("safety", "confirmations").stderr == "no question\n"
    ticket = asking.request(decide("rm a\x1b[2K.txt"))
    shown = reactor("safety", "confirmations").stdout
    assert "rm a\\x1b[2K.txt" in shown
    assert ticket.ticket_id in shown
    (found,) = json.loads(reactor("safety", "confirmations", "--json").stdout)["confirmations"]
    assert found["subject"] == asking.subject(ticket.question)


def test_a_code_answers(reactor, asking, decide, totp):
    ticket = asking.request(decide())
    done = reactor("safety", "approve", ticket.ticket_id, "--code", totp.now())
    assert (done.returncode, done.stdout) == (0, "confirmed\n"), done.stderr
    assert ticket.wait(30).principal == "alice"


def test_a_note_of_another_machine_answers(piped, asking, decide, safe_settings, tmp_path):
    signer = make_key(tmp_path / "bob.pem", "bob")
    store = FactorStore(safe_settings.state_dir)
    store.add_key(str(signer.verifier))
    store.close()
    ticket = asking.request(decide())
    note = sign_answer(signer, asking.subject(ticket.question), confirmed=True, signed_us=time.time_ns() // 1000)
    done = piped("safety", "approve", ticket.ticket_id, "--note", "/dev/stdin", "--json", typed=note)
    assert json.loads(done.stdout)["answers"][0]["method"] == "key"


def test_refusing_takes_nothing(reactor, asking, decide):
    ticket = asking.request(decide())
    assert reactor("safety", "deny", ticket.ticket_id, "--reason", "no", "--person", "bob").stdout == "denied\n"
    assert ticket.wait(30).principal == "bob"
    again = reactor("safety", "deny", ticket.ticket_id)
    assert again.returncode == 6
    assert "denied already" in again.stderr


def test_the_pipe_of_an_agent_answers_nothing(piped, asking, decide, totp):
    ticket = asking.request(decide())
    done = piped("safety", "approve", ticket.ticket_id, typed="yes\ny\n123456\n")
    assert done.returncode == 5
    assert asking.question(ticket.ticket_id).state == "open"


def test_a_person_at_a_terminal_types_a_code(at_terminal, asking, decide, totp):
    ticket = asking.request(decide())
    command = at_terminal("safety", "approve", ticket.ticket_id)
    command.until("Code of your authenticator: ")
    assert "rm notes.txt" in command.shown
    code = totp.now()
    command.types(code)
    assert command.end() == 0, command.shown
    assert code not in command.shown
    assert ticket.wait(30).confirmed


ASKS = """
import sys, time
from pathlib import Path
from reactor_core.integration import EventBridge
from reactor_core.safety.confirm import Approvals
from reactor_core.safety.engine import Decision
from reactor_core.safety.verdict import Verdict
decision = Decision(action="rm a", kind="shell", verdict=Verdict(sys.argv[1]), findings=(), resolved=("rm a",),
                    action_hash="0" * 64)
with EventBridge("jarvis_agent") as bridge, Approvals(bridge) as approvals:
    print(approvals.request(decision).ticket_id, flush=True)
    sys.stdin.read()
"""


@pytest.fixture
def asked_elsewhere(environment):
    """A question of a process that is not the parent of the commands."""
    processes = []

    def ask(verdict: str) -> str:
        process = subprocess.Popen(
            [sys.executable, "-c", ASKS, verdict], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True,
            env=environment,
        )  # fmt: skip
        processes.append(process)
        assert process.stdout is not None
        return process.stdout.readline().strip()

    yield ask
    for process in processes:
        process.communicate("", timeout=60)


def test_where_nobody_has_an_authenticator_a_word_at_the_terminal_is_enough(at_terminal, reactor, asked_elsewhere):
    ticket_id = asked_elsewhere("confirm")
    command = at_terminal("safety", "approve", ticket_id, "--person", "carol")
    command.types("")  # typed ahead: it answers nothing
    word = command.until(r"Type ([a-z]{4}) to let it run").group(1)
    command.types(word)
    assert command.end() == 0, command.shown
    (found,) = json.loads(reactor("safety", "confirmations", "--all", "--json").stdout)["confirmations"]
    assert found["answers"][0]["person"] == "carol"
    assert found["state"] == "confirmed"


@pytest.mark.slow
def test_another_word_refuses(at_terminal, asked_elsewhere):
    command = at_terminal("safety", "approve", asked_elsewhere("confirm"))
    command.until("Type [a-z]{4} to let it run")
    command.types("yes")
    assert command.end() == 6
    assert "refused" in command.shown


def test_what_the_rules_block_is_not_released_at_a_terminal(at_terminal, asked_elsewhere):
    command = at_terminal("safety", "approve", asked_elsewhere("block"))
    assert command.end() == 6
    assert "two people" in command.shown


def test_a_program_cannot_answer_itself_through_a_child(at_terminal, asking, decide):
    """This test asks, and the command is its child."""
    ticket = asking.request(decide())
    command = at_terminal("safety", "approve", ticket.ticket_id)
    assert command.end() == 6
    assert "cannot answer itself" in command.shown
    assert asking.question(ticket.ticket_id).state == "open"


def test_two_people_release_what_the_rules_block(reactor, asking, decide, totp, safe_settings):
    store = FactorStore(safe_settings.state_dir)
    new = store.new_authenticator("bob")
    bob = pyotp.TOTP(new.secret)
    store.add_authenticator(new, bob.at(time.time() - 30), by=store.use_code(totp.now(), purpose="enrol"))
    store.close()
    decision = decide(verdict=Verdict.BLOCK)
    ticket = asking.request(decision)
    one = reactor("safety", "approve", ticket.ticket_id, "--code", totp.at(time.time() + 30))
    assert one.stdout == "noted; 1 more to agree\n", one.stderr
    other = reactor("safety", "approve", ticket.ticket_id, "--code", bob.now())
    assert other.stdout == "confirmed\n", other.stderr
    assert asking.consume(ticket, decision).people == ("alice", "bob")
