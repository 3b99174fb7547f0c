"""Starting a prepared program so that nothing of it runs before it is watched, and nothing outlives its gate."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
from collections.abc import Callable, Mapping
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import IO

from reactor_core.errors import ConfigError, EnvironmentMissing
from reactor_core.safety import launcher
from reactor_core.safety.execution import Prepared

__all__ = ["Starter", "end_group"]

_LAUNCHER = Path(launcher.__file__).read_text(encoding="utf-8")
Stream = int | IO[bytes] | None


class Starter:
    """The one thread that starts programs: each gets a signal when it ends, so it has to live as long as the gate."""

    def __init__(self) -> None:
        self._pool = ThreadPoolExecutor(1, "reactor-gate-starter")

    def start(
        self,
        prepared: Prepared,
        *,
        stdin: Stream,
        stdout: Stream,
        stderr: Stream,
        terminal_fd: int | None = None,
        marks: Mapping[str, str] | None = None,
        watch: Callable[[int], object],
    ) -> subprocess.Popen[bytes]:
        """Start a program in a process group of its own.

        Args:
            prepared: What runs.
            stdin: As for ``subprocess.Popen``.
            stdout: Likewise.
            stderr: Likewise.
            terminal_fd: Terminal that it gets to itself; None: it has no terminal, and a session of its own.
            marks: Variables by which its descendants are found.
            watch: Called with its process id while it waits. If it raises, nothing has run.

        Raises:
            ApprovalInvalid: A file has changed since it was judged.
            ConfigError: The system refuses to run the program.
            EnvironmentMissing: The process could not be made.
        """
        work = self._pool.submit(self._start, prepared, stdin, stdout, stderr, terminal_fd, marks or {}, watch)
        return work.result()

    def close(self) -> None:
        """End the thread, and with it what it started and what is still running."""
        self._pool.shutdown()

    def _start(
        self,
        prepared: Prepared,
        stdin: Stream,
        stdout: Stream,
        stderr: Stream,
        terminal_fd: int | None,
        marks: Mapping[str, str],
        watch: Callable[[int], object],
    ) -> subprocess.Popen[bytes]:
        order_read, order_write = os.pipe()
        status_read, status_write = os.pipe()
        process: subprocess.Popen[bytes] | None = None
        try:
            try:
                process = subprocess.Popen(  # noqa: S603  the launcher, and our own interpreter
                    [sys.executable, "-I", "-S", "-c", _LAUNCHER, str(order_read)],
                    stdin=stdin,
                    stdout=stdout,
                    stderr=stderr,
                    env={},
                    pass_fds=(order_read, status_write, *prepared.descriptors),
                    start_new_session=terminal_fd is None,
                    process_group=None if terminal_fd is None else 0,
                )
            except OSError as error:
                raise EnvironmentMissing(f"no process could be made: {error.strerror}") from error
            order = {
                "argv": prepared.words,
                "env": {**prepared.env, **marks},
                "cwd_fd": prepared.cwd_fd,
                "binary_fd": prepared.binary_fd,
                "path": prepared.binary_path if prepared.by_path else None,
                "status_fd": status_write,
                "close": [prepared.cwd_fd, prepared.binary_fd, status_write],
                "parent": os.getpid(),
                "terminal_fd": terminal_fd,
            }
            os.close(status_write)
            status_write = -1
            watch(process.pid)
            prepared.check()
            _send(order_write, order)
            os.close(order_write)
            order_write = -1
            failed = _read_all(status_read).decode(errors="replace")
        except BaseException:
            if process is not None:
                end_group(process)
                _close_streams(process)
            raise
        finally:
            for descriptor in (order_read, order_write, status_read, status_write):
                if descriptor >= 0:
                    os.close(descriptor)
        if failed:
            end_group(process)
            _close_streams(process)
            raise ConfigError(f"{prepared.argv[0]!r} could not be run: {failed.partition(' ')[2]}")
        return process


def end_group(process: subprocess.Popen[bytes]) -> None:
    """Kill a process and its group, and wait for the process."""
    if process.poll() is None:
        try:
            os.killpg(process.pid, signal.SIGKILL)
        except (ProcessLookupError, PermissionError):
            process.kill()
    process.wait()


def _send(descriptor: int, order: dict[str, object]) -> None:
    view = memoryview(json.dumps(order).encode())
    try:
        while view:
            view = view[os.write(descriptor, view) :]
    except BrokenPipeError as error:
        raise EnvironmentMissing("the process ended before it could become its program") from error


def _read_all(descriptor: int) -> bytes:
    said = bytearray()
    while part := os.read(descriptor, 4096):
        said += part
    return bytes(said)


def _close_streams(process: subprocess.Popen[bytes]) -> None:
    for stream in (process.stdin, process.stdout, process.stderr):
        if stream is not None:
            stream.close()
