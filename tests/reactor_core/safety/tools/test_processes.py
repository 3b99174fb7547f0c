"""Programs that end others."""

from __future__ import annotations

import pytest
from tests.reactor_core.safety.tools.verdicts import verdict


@pytest.mark.parametrize(
    "action",
    [
        "kill -9 -1",
        "sudo kill -KILL 1",
        "killall5",
        "pkill -u dev",
        "sudo pkill auditd",
        "killall -9 rsyslogd",
        "ps -eo pid= | xargs kill -9",
        "kill $(pgrep reactor)",
    ],
)
def test_is_blocked(action: str) -> None:
    assert verdict(action) == "block"


@pytest.mark.parametrize(
    "action",
    [
        "kill 1234",
        "kill -HUP $(cat app.pid)",
        "pkill -f 'python train.py'",
        "killall chrome",
        "kill -s TERM 99",
    ],
)
def test_is_asked_about(action: str) -> None:
    assert verdict(action) == "confirm"


@pytest.mark.parametrize(
    "action",
    [
        "kill -0 123",
        "kill -l",
        "pkill -0 nginx",
    ],
)
def test_is_let_through(action: str) -> None:
    assert verdict(action) == "allow"
