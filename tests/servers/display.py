"""An X display without a screen, for tests of pointers and windows."""

from __future__ import annotations

import os
import shutil
import subprocess
from pathlib import Path

__all__ = ["Display", "needs"]

SIZE = "1280x800x24"


def needs(*programs: str) -> None:
    """Skip the test where a program of the system is missing; fail it where REACTOR_REQUIRE_SYSTEM is set."""
    import pytest

    absent = [program for program in programs if shutil.which(program) is None]
    if not absent:
        return
    message = f"not installed: {', '.join(absent)} (scripts/system.sh installs it on Debian)"
    if os.environ.get("REACTOR_REQUIRE_SYSTEM"):
        pytest.fail(message)
    pytest.skip(message)


class Display:
    """Xvfb on a free number, which it chooses itself. ``name`` is for the variable DISPLAY.

    Args:
        log: File for what it says.
    """

    def __init__(self, log: Path) -> None:
        reading, writing = os.pipe()
        with log.open("wb") as output:
            self._server = subprocess.Popen(
                ["Xvfb", "-displayfd", str(writing), "-screen", "0", SIZE, "-nolisten", "tcp", "-noreset"],
                pass_fds=(writing,),
                stdout=output,
                stderr=subprocess.STDOUT,
            )
        os.close(writing)
        with os.fdopen(
            reading
        ) as told:  # it writes the number once it takes connections, and ends the file if it fails
            number = told.readline().strip()
        if not number:
            self._server.wait(10)
            raise RuntimeError(f"Xvfb did not start: {log.read_text(errors='replace')}")
        self.name = f":{number}"

    def close(self) -> None:
        """End it."""
        self._server.terminate()
        try:
            self._server.wait(10)
        except subprocess.TimeoutExpired:
            self._server.kill()
            self._server.wait()
