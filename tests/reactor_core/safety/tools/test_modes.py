"""Programs that change who may do what with a file."""

from __future__ import annotations

import pytest
from tests.reactor_core.safety.tools.verdicts import verdict


@pytest.mark.parametrize(
    "action",
    [
        "chmod -R 777 /",
        "sudo chmod u+s /usr/bin/python3",
        "sudo chown -R dev /etc",
        "setcap cap_setuid=ep /tmp/x",
        "sudo chattr -i /var/log/audit/audit.log",
    ],
)
def test_is_blocked(action: str) -> None:
    assert verdict(action) == "block"


@pytest.mark.parametrize(
    "action",
    [
        "chmod 777 src/app.py",
        "sudo chown dev:dev /opt/tool",
        "setcap cap_net_bind_service=+ep ./server",
        "chmod $MODE /srv/app",
        "sudo chattr -i /etc/resolv.conf",
    ],
)
def test_is_asked_about(action: str) -> None:
    assert verdict(action) == "confirm"


@pytest.mark.parametrize(
    "action",
    [
        "chmod +x scripts/run.sh",
        "chmod -w notes.md",
        "chmod 600 ~/.ssh/id_ed25519",
        "setcap -v cap_net_raw+ep ./ping",
        "chattr +i docs/final.md",
    ],
)
def test_is_let_through(action: str) -> None:
    assert verdict(action) == "allow"
