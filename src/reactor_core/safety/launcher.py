"""The first few instructions of a process that the gate starts: wait until it is watched, then become the program.

The gate runs this file's text in an interpreter of its own (``python -I -S -c``). It imports nothing of ours, so that
it starts at once. Its only argument is the descriptor of a pipe on which one JSON object arrives::

    {"argv": [...], "env": {...}, "cwd_fd": 5, "binary_fd": 6, "path": null, "status_fd": 7, "close": [5, 6, 7],
     "parent": 4711, "terminal_fd": null}

That object is the permission to go on. If the pipe ends before, because the gate died or thought better of it, the
process ends with 125 and nothing has run. What fails after that is written to ``status_fd``, which closes by itself
when the program is there.
"""

from __future__ import annotations

import ctypes
import json
import os
import signal
import sys
from typing import Any, NoReturn

__all__ = ["NOT_STARTED", "main"]

NOT_STARTED = 125
"""Exit status of a process that never became its program."""

_PR_SET_PDEATHSIG = 1


def main(descriptor: int) -> NoReturn:
    """Wait for the word, and become the program that it names."""
    # The program dies with the thread that started it, also when the gate is killed.
    if ctypes.CDLL(None).prctl(_PR_SET_PDEATHSIG, signal.SIGKILL, 0, 0, 0) != 0:
        os._exit(NOT_STARTED)
    said = bytearray()
    while part := os.read(descriptor, 65_536):
        said += part
    os.close(descriptor)
    try:
        order: dict[str, Any] = json.loads(said)
    except ValueError:
        os._exit(NOT_STARTED)
    if os.getppid() != order["parent"]:  # it died before the signal was asked for
        os._exit(NOT_STARTED)
    try:
        _become(order)
    except OSError as error:
        os.write(order["status_fd"], f"{error.errno} {error.strerror}".encode())
        os._exit(NOT_STARTED)


def _become(order: dict[str, Any]) -> NoReturn:
    os.fchdir(order["cwd_fd"])
    if order["terminal_fd"] is not None:
        signal.signal(signal.SIGTTOU, signal.SIG_IGN)
        os.tcsetpgrp(order["terminal_fd"], os.getpgrp())
        signal.signal(signal.SIGTTOU, signal.SIG_DFL)
    # What the interpreter set up for itself is not for the program.
    for number in (signal.SIGPIPE, signal.SIGXFSZ, signal.SIGINT):
        signal.signal(number, signal.SIG_DFL)
    signal.pthread_sigmask(signal.SIG_SETMASK, ())
    for descriptor in order["close"]:
        os.set_inheritable(descriptor, False)
    os.execve(order["path"] or order["binary_fd"], order["argv"], order["env"])  # noqa: S606  it is the program


if __name__ == "__main__":
    main(int(sys.argv[1]))
