from __future__ import annotations

import contextlib
import fcntl
import os
import pty
import re
import signal
import struct
import subprocess
import sys
import termios
import time

from reactor_core.cli_events.output import EventPrinter, reader_is_gone


def test_a_pipe_gets_columns(event, capsys):
    with EventPrinter(as_json=False, plain=False) as printer:
        printer.show(event(1))
    assert capsys.readouterr().out.count("\t") == 5


def test_without_a_pipe_the_reader_is_there(capsys):
    assert reader_is_gone()() is False


class Terminal:
    """A command on a terminal of 80 columns."""

    def __init__(self, *words: str) -> None:
        self.ours, theirs = pty.openpty()
        fcntl.ioctl(theirs, termios.TIOCSWINSZ, struct.pack("HHHH", 24, 80, 0, 0))
        self.process = subprocess.Popen(
            [sys.executable, "-m", "reactor_core.cli", *words],
            stdin=theirs, stdout=theirs, stderr=theirs, start_new_session=True,
            env={**os.environ, "TERM": "xterm", "COLUMNS": "80", "TZ": "UTC"},
        )  # fmt: skip
        os.close(theirs)
        self.seen = ""

    def until(self, text: str) -> str:
        """Read until the text was shown; returns everything so far without colours and movements."""
        end = time.monotonic() + 60
        while text not in self.plain():
            assert time.monotonic() < end, self.plain()
            try:
                self.seen += os.read(self.ours, 65536).decode(errors="replace")
            except OSError:
                assert text in self.plain()
        return self.plain()

    def plain(self) -> str:
        return re.sub(r"\x1b\[[0-9;?]*[a-zA-Z]", "", self.seen).replace("\r", "\n")

    def close(self) -> int:
        """Show what still comes, as a terminal does, until it ends; otherwise it would wait for room to write in."""
        with contextlib.suppress(OSError):  # the other side is closed
            while os.read(self.ours, 65536):
                pass
        status = self.process.wait(60)
        os.close(self.ours)
        return status


def test_a_terminal_gets_lines_that_fit(workspace, add, event):
    add(event(6, data={"text": "x" * 500}), event(7, timestamp=event(1).timestamp.replace(day=22)))
    terminal = Terminal("events", "tail")
    shown = terminal.until("── 2026-11-22 ──\n").split("\n")
    assert terminal.close() == 0
    assert [text for text in shown if len(text) > 80] == []
    assert [text for text in shown if text.startswith("──")] == ["── 2026-11-21 ──", "── 2026-11-22 ──"]
    assert next(text for text in shown if " safety_blocked " in text).endswith("rm -rf / reason=no")


def test_watching_counts_below_the_events(workspace, add, event):
    terminal = Terminal("events", "tail", "--follow", "-n", "0")
    terminal.until("0 events")
    add(event(6, "error", priority=1))
    terminal.until("1 urgent")
    os.killpg(terminal.process.pid, signal.SIGINT)
    assert terminal.close() == 0
