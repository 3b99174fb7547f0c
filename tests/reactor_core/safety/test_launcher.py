from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

from reactor_core.safety import launcher
from reactor_core.safety.launcher import NOT_STARTED

TEXT = Path(launcher.__file__).read_text(encoding="utf-8")


def run(order: bytes, *pass_fds: int) -> subprocess.CompletedProcess[bytes]:
    read, write = os.pipe()
    process = subprocess.Popen(
        [sys.executable, "-I", "-S", "-c", TEXT, str(read)], pass_fds=(read, *pass_fds), stdout=subprocess.PIPE, env={}
    )
    os.close(read)
    os.write(write, order)
    os.close(write)
    out, _ = process.communicate()
    return subprocess.CompletedProcess((), process.returncode, out)


def order(status: int, **changes: object) -> tuple[bytes, list[int]]:
    cwd, binary = os.open("/", os.O_PATH), os.open("/bin/echo", os.O_RDONLY)
    said = {
        "argv": ["echo", "there"], "env": {}, "cwd_fd": cwd, "binary_fd": binary, "path": None, "status_fd": status,
        "close": [cwd, binary, status], "parent": os.getpid(), "terminal_fd": None, **changes,
    }  # fmt: skip
    return json.dumps(said).encode(), [cwd, binary, status]


def test_it_becomes_the_program_that_it_is_told() -> None:
    read, write = os.pipe()
    said, held = order(write)
    done = run(said, *held)
    for descriptor in held:
        os.close(descriptor)
    assert (done.returncode, done.stdout, os.read(read, 100)) == (0, b"there\n", b"")
    os.close(read)


def test_without_a_word_nothing_runs() -> None:
    assert run(b"").returncode == NOT_STARTED


def test_half_a_word_is_none() -> None:
    read, write = os.pipe()
    said, held = order(write)
    assert run(said[:-1], *held).returncode == NOT_STARTED
    for descriptor in (read, *held):
        os.close(descriptor)


def test_a_word_of_another_process_is_none() -> None:
    read, write = os.pipe()
    said, held = order(write, parent=os.getppid())
    done = run(said, *held)
    assert (done.returncode, done.stdout) == (NOT_STARTED, b"")
    for descriptor in (read, *held):
        os.close(descriptor)


def test_what_fails_is_told() -> None:
    read, write = os.pipe()
    said, held = order(write, path="/nowhere/echo")
    assert run(said, *held).returncode == NOT_STARTED
    assert os.read(read, 100) == b"2 No such file or directory"
    for descriptor in (read, *held):
        os.close(descriptor)
