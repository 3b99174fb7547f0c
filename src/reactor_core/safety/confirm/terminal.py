"""Asking at the terminal of this very process, and never on its input, which may be the agent's pipe."""

from __future__ import annotations

import contextlib
import getpass
import os
import secrets
import select
import sys
import termios
import threading
import time
from collections.abc import Iterator
from pathlib import Path

from reactor_core.errors import EnvironmentMissing
from reactor_core.events.event import from_micros
from reactor_core.safety.confirm.question import Method, Question, Said, printable

__all__ = ["TTY", "TerminalApprover", "ask_line", "lines_of", "terminal_there"]

TTY = Path("/dev/tty")
"""The terminal that controls the process, whatever its input and output are."""

LOOK_SECONDS = 0.2
_LETTERS = "abcdefghjkmnpqrstuvwxyz"
_LONGEST = 4096


class TerminalApprover:
    """Shows the question at the terminal and takes an answer there.

    To agree, one types a word of four letters that the question shows, so that a key pressed by chance, or what was
    typed ahead for another program, agrees to nothing.

    Args:
        person: Who sits there; None takes the name of the account.
        tty: The terminal.
    """

    def __init__(self, person: str | None = None, *, tty: Path = TTY) -> None:
        self._person = person
        self._tty = tty

    def __call__(self, question: Question, stop: threading.Event) -> Said | None:
        """Ask until somebody answers or ``stop`` is set; None without a terminal."""
        if not terminal_there(self._tty):
            return None
        word = "".join(secrets.choice(_LETTERS) for _ in range(4))
        text = "\n".join(["", *lines_of(question), f"Type {word} to let it run, or no: "])
        typed = ask_line(text, tty=self._tty, stop=stop)
        if typed is None:
            return None
        person = self._person or getpass.getuser()
        return Said(typed.strip().lower() == word, person, Method.TERMINAL, typed.strip()[:100])


def lines_of(question: Question) -> list[str]:
    """The question for people, line by line. Nothing in it can move the cursor or hide a part."""
    asked = question.asked
    if asked is None:
        return [f"Question {question.ticket_id}: what it is about was erased."]
    lines = [
        f"An agent asks to run this {asked.kind} action ({asked.risk_level.lower()} risk):",
        *(f"    {printable(line)}" for line in asked.action.split("\n")),
        f"  Why you are asked: {printable(asked.sentence)} ({', '.join(asked.rules) or 'no rule'})",
    ]
    if any(line.strip() != asked.action.strip() for line in asked.resolved):
        lines += ["  It would run as:", *(f"    {printable(line)}" for line in asked.resolved)]
    effect = asked.effect
    told = [
        *([f"touches {printable(str(effect['target']))}"] if effect.get("target") else []),
        *(["cannot be undone"] if not effect.get("reversible", True) else []),
        *(["leaves this machine"] if effect.get("outward") else []),
        *(["has to do with a secret"] if effect.get("secret") else []),
        *(["uses or changes rights"] if effect.get("privilege") else []),
    ]
    if told:
        lines.append(f"  Effect: {', '.join(told)}")
    if asked.context.get("cwd"):
        lines.append(f"  Folder: {printable(str(asked.context['cwd']))}")
    until = from_micros(question.expires_us).astimezone()
    lines.append(f"  Asked by {printable(question.asker)}; until {until:%H:%M:%S}; question {question.ticket_id}")
    if question.people > 1:
        lines.append(f"  The rules block it: {question.people} people have to agree, {question.missing} are missing.")
    return lines


def terminal_there(tty: Path = TTY) -> bool:
    """Whether this process has a terminal that it may read from now."""
    try:
        descriptor = os.open(tty, os.O_RDWR | os.O_NOCTTY)
    except OSError:
        return False
    try:
        # A background job that reads is stopped by the terminal; one without a foreground group is no person's.
        return os.tcgetpgrp(descriptor) == os.getpgrp() or tty != TTY
    except OSError:
        return tty != TTY
    finally:
        os.close(descriptor)


def ask_line(
    text: str,
    *,
    tty: Path = TTY,
    stop: threading.Event | None = None,
    seconds: float | None = None,
    hidden: bool = False,
) -> str | None:
    """Show a text at the terminal and read one line there.

    What was typed before is thrown away.

    Args:
        text: The question.
        tty: The terminal.
        stop: Ends the wait.
        seconds: Longest wait; None waits on.
        hidden: Do not show what is typed.

    Returns:
        The line; None if nobody typed one.

    Raises:
        EnvironmentMissing: There is no terminal.
    """
    try:
        descriptor = os.open(tty, os.O_RDWR | os.O_NOCTTY)
    except OSError as error:
        raise EnvironmentMissing(
            f"there is no terminal to ask at ({tty}: {error.strerror})", remedy="run it in a terminal"
        ) from error
    deadline = None if seconds is None else time.monotonic() + seconds
    try:
        with _quiet(descriptor) if hidden else contextlib.nullcontext():
            termios.tcflush(descriptor, termios.TCIFLUSH)
            _write(descriptor, text)
            typed = b""
            while not typed.endswith(b"\n"):
                if (stop is not None and stop.is_set()) or (deadline is not None and time.monotonic() >= deadline):
                    _write(descriptor, "\n(no longer asked)\n")
                    return None
                if not select.select([descriptor], [], [], LOOK_SECONDS)[0]:
                    continue
                part = os.read(descriptor, _LONGEST)
                typed = (typed + part)[-_LONGEST:]
                if not part:  # the end of the input, or the terminal is gone
                    return None
            if hidden:
                _write(descriptor, "\n")
            return typed.decode(errors="replace").rstrip("\r\n")
    finally:
        os.close(descriptor)


@contextlib.contextmanager
def _quiet(descriptor: int) -> Iterator[None]:
    """No echo inside the block."""
    before = termios.tcgetattr(descriptor)
    changed = [*before]
    changed[3] &= ~termios.ECHO
    termios.tcsetattr(descriptor, termios.TCSAFLUSH, changed)
    try:
        yield
    finally:
        termios.tcsetattr(descriptor, termios.TCSAFLUSH, before)


def _write(descriptor: int, text: str) -> None:
    rest = text.encode(sys.getdefaultencoding(), "backslashreplace")
    while rest:
        rest = rest[os.write(descriptor, rest) :]
