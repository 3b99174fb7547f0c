from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from reactor_core.errors import ApprovalInvalid, ConfigError
from reactor_core.safety.execution import prepare
from reactor_core.safety.starting import Starter

ENV = {"PATH": os.defpath, "NAME": "value", "HOME": "/nowhere"}


@pytest.fixture
def starter() -> Iterator[Starter]:
    made = Starter()
    yield made
    made.close()


def start(starter: Starter, action, cwd: Path, *, kind="shell", env=ENV, watch=lambda pid: None, stdin=None):
    prepared = prepare(action, kind, cwd=str(cwd), env=env)
    try:
        return starter.start(
            prepared, stdin=stdin or subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.PIPE, watch=watch
        )
    finally:
        prepared.close()


def open_descriptors() -> int:
    return len(list(Path("/proc/self/fd").iterdir()))


def test_a_program_gets_the_words_the_environment_and_the_folder_that_were_judged(
    starter: Starter, tmp_path: Path
) -> None:
    process = start(starter, ("sh", "-c", 'printf "%s|" "$0" "$@"; pwd; env | sort', "a b", "$HOME", "*"), tmp_path)
    out, err = process.communicate()
    first, *rest = out.decode().split("\n")
    assert first == f"a b|$HOME|*|{tmp_path}"
    assert {"NAME=value", "HOME=/nowhere", f"PATH={os.defpath}"} <= set(rest)
    assert not any(line.startswith(("BASH_", "PYTHON")) for line in rest)
    assert (err, process.returncode) == (b"", 0)


def test_a_program_starts_like_from_a_shell(starter: Starter, tmp_path: Path) -> None:
    # Signals that Python ignores are not ignored, no descriptor of the gate is open, it leads a session of its own.
    process = start(
        starter,
        # Only signals that Python ignores: an outer program may have it ignore others, such as 31.
        "grep SigIgn /proc/self/status; ls /proc/self/fd | tr '\\n' ' '; echo; ps -o sid= $$; echo $$",
        tmp_path,
    )
    out, _ = process.communicate()
    ignored, descriptors, session, own = out.decode().splitlines()
    assert int(ignored.split()[1], 16) & (1 << (signal.SIGPIPE - 1) | 1 << (signal.SIGXFSZ - 1)) == 0
    assert descriptors.split() == ["0", "1", "2", "3"]  # the last is ls reading the folder
    assert session.strip() == own


def test_nothing_runs_before_the_watcher_knows_the_process(starter: Starter, tmp_path: Path) -> None:
    seen = []

    def watch(pid: int) -> None:
        seen.append((pid, (tmp_path / "ran").exists(), os.getpgid(pid) == pid))

    process = start(starter, "touch ran", tmp_path, watch=watch)
    process.communicate()
    assert seen == [(process.pid, False, True)]
    assert (tmp_path / "ran").exists()


def test_a_watcher_that_refuses_keeps_it_from_running_and_leaves_nothing_behind(
    starter: Starter, tmp_path: Path
) -> None:
    def refuse(pid: int) -> None:
        pids.append(pid)
        raise RuntimeError("no")

    pids: list[int] = []
    start(starter, "true", tmp_path).communicate()
    before = open_descriptors()
    with pytest.raises(RuntimeError, match="no"):
        start(starter, "touch ran", tmp_path, watch=refuse)
    assert not (tmp_path / "ran").exists()
    assert not Path(f"/proc/{pids[0]}").exists()
    assert open_descriptors() == before


def test_a_file_that_changes_while_it_waits_keeps_it_from_running(starter: Starter, tmp_path: Path) -> None:
    script = tmp_path / "steps.sh"
    script.write_text("touch ran\n")
    prepared = prepare("cd . && . ./steps.sh", "shell", cwd=str(tmp_path), env=ENV, seen={str(script): b"touch ran\n"})
    with pytest.raises(ApprovalInvalid, match=r"steps\.sh was changed"):
        starter.start(
            prepared,
            stdin=None,
            stdout=None,
            stderr=None,
            watch=lambda _: script.write_text("touch other; touch ran\n"),
        )
    prepared.close()
    assert list(tmp_path.iterdir()) == [script]


def test_what_the_system_will_not_run_is_an_error_with_its_reason(starter: Starter, tmp_path: Path) -> None:
    program = tmp_path / "program"
    program.write_bytes(b"\x7fELF but not really")
    program.chmod(0o755)
    with pytest.raises(ConfigError, match="Exec format error"):
        start(starter, ("./program",), tmp_path)


def test_a_program_of_many_words_arrives_whole(starter: Starter, tmp_path: Path) -> None:
    words = tuple(f"{number:06}" for number in range(30_000))
    process = start(starter, ("sh", "-c", 'echo "$# $1"', "x", *words), tmp_path)
    assert process.communicate()[0] == b"30000 000000\n"


def test_a_killed_gate_takes_its_programs_with_it(tmp_path: Path) -> None:
    code = f"""
import subprocess, sys
from reactor_core.safety.execution import prepare
from reactor_core.safety.starting import Starter
prepared = prepare(("sleep", "1000"), "shell", cwd={str(tmp_path)!r}, env={ENV!r})
starter = Starter()  # what it started ends with it
process = starter.start(prepared, stdin=None, stdout=None, stderr=None, watch=lambda pid: None)
print(process.pid, flush=True)
process.wait()
"""
    gate = subprocess.Popen([sys.executable, "-c", code], stdout=subprocess.PIPE)
    child = int(gate.stdout.readline())
    watched = os.pidfd_open(child)
    deadline = time.monotonic() + 30
    # While a program takes another's place, its command line is empty.
    while not Path(f"/proc/{child}/cmdline").read_bytes().startswith(b"sleep\0"):
        assert time.monotonic() < deadline
        time.sleep(0.01)
    gate.send_signal(signal.SIGKILL)
    gate.communicate()
    os.set_blocking(watched, False)
    import select

    ready, _, _ = select.select([watched], [], [], 20)
    os.close(watched)
    assert ready, "it goes on without its gate"
