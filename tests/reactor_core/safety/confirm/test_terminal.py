from __future__ import annotations

import os
import pty
import re
import select
import subprocess
import sys
import threading
from pathlib import Path

import msgspec
import pytest

from reactor_core.errors import EnvironmentMissing
from reactor_core.safety.confirm.question import Method, Question, asked_about
from reactor_core.safety.confirm.terminal import TerminalApprover, ask_line, lines_of, terminal_there
from reactor_core.safety.verdict import Verdict


class Terminal:
    """A pseudo terminal: the program's end by its path, the person's end to type at."""

    def __init__(self) -> None:
        self.person, self.program = pty.openpty()
        self.path = Path(os.ttyname(self.program))
        self.shown = ""

    def until(self, pattern: str) -> re.Match[str]:
        while not (found := re.search(pattern, self.shown)):
            assert select.select([self.person], [], [], 30)[0], f"nothing more after {self.shown!r}"
            self.shown += os.read(self.person, 65536).decode()
        return found

    def types(self, text: str) -> None:
        os.write(self.person, text.encode())

    def close(self) -> None:
        os.close(self.person)
        os.close(self.program)


@pytest.fixture
def terminal():
    terminal = Terminal()
    yield terminal
    terminal.close()


@pytest.fixture
def question(decide) -> Question:
    asked = asked_about(decide("rm a\x1b[2K.txt"), redact=str, context={"cwd": "/work"}, pid=1, started=2.0)
    return Question("t-1", "hash", "agent", 0, 60_000_000, 1, "open", asked)


def ask(approver, question):
    """Run the approver on a thread, as a ticket does; gives what to call for its answer, and what ends it."""
    stop, said = threading.Event(), []
    thread = threading.Thread(target=lambda: said.append(approver(question, stop)))
    thread.start()

    def answer():
        thread.join(30)
        assert not thread.is_alive()
        return said[0]

    return answer, stop


def test_typing_the_word_that_is_shown_agrees(terminal, question):
    answer, _ = ask(TerminalApprover("dev", tty=terminal.path), question)
    word = terminal.until(r"Type ([a-z]{4}) to let it run").group(1)
    terminal.types(f"{word}\n")
    said = answer()
    assert (said.confirmed, said.person, said.method) == (True, "dev", Method.TERMINAL)


@pytest.mark.parametrize("typed", ["", "y", "yes", "no"])
def test_typing_anything_else_refuses(terminal, question, typed):
    answer, _ = ask(TerminalApprover("dev", tty=terminal.path), question)
    terminal.until("Type [a-z]{4}")
    terminal.types(f"{typed}\n")
    assert not answer().confirmed


def test_the_question_ends_when_somebody_else_has_answered(terminal, question):
    answer, stop = ask(TerminalApprover("dev", tty=terminal.path), question)
    terminal.until("Type [a-z]{4}")
    stop.set()
    assert answer() is None
    terminal.until("no longer asked")


def test_what_was_typed_ahead_answers_nothing(terminal):
    terminal.types("yes\n")
    assert ask_line("Well? ", tty=terminal.path, seconds=0.3) is None


def test_what_is_secret_is_not_shown(terminal):
    typed = []
    thread = threading.Thread(target=lambda: typed.append(ask_line("Code: ", tty=terminal.path, hidden=True)))
    thread.start()
    terminal.until("Code: ")
    terminal.types("123456\n")
    thread.join(30)
    assert typed == ["123456"]
    terminal.until("\n")
    assert "123456" not in terminal.shown


def test_the_question_shows_the_action_as_it_is(question):
    text = "\n".join(lines_of(question))
    assert "rm a\\x1b[2K.txt" in text
    assert "\x1b" not in text
    assert "cannot be undone" in text
    assert "/work" in text


def test_the_question_says_how_a_disguised_action_would_run(decide):
    decision = msgspec.structs.replace(decide("x=rm; $x a", verdict=Verdict.BLOCK), resolved=("rm a",))
    asked = asked_about(decision, redact=str, context={}, pid=1, started=2.0)
    text = "\n".join(lines_of(Question("t", "h", "agent", 0, 1, 2, "open", asked)))
    assert "It would run as:\n    rm a" in text
    assert "2 people have to agree" in text


def test_an_erased_question_shows_nothing(question):
    (line,) = lines_of(msgspec.structs.replace(question, asked=None))
    assert "erased" in line


def test_without_a_terminal_nobody_is_asked(tmp_path, question):
    nowhere = tmp_path / "tty"
    assert not terminal_there(nowhere)
    assert TerminalApprover(tty=nowhere)(question, threading.Event()) is None
    with pytest.raises(EnvironmentMissing, match="no terminal"):
        ask_line("?", tty=nowhere)


def test_a_program_without_a_terminal_of_its_own_reads_no_pipe():
    """The standard input is the agent's; it says yes, and nobody listens."""
    script = (
        "from reactor_core.safety.confirm.terminal import ask_line, terminal_there\n"
        "from reactor_core.errors import EnvironmentMissing\n"
        "assert not terminal_there()\n"
        "try: print(ask_line('?'))\n"
        "except EnvironmentMissing: print('nobody')\n"
    )
    done = subprocess.run(
        [sys.executable, "-c", script], input="yes\n", capture_output=True, text=True, timeout=60,
        start_new_session=True, check=True,
    )  # fmt: skip
    assert done.stdout.strip() == "nobody"
