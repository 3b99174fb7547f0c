"""Commands on what is found or on many machines."""

from __future__ import annotations

import pytest
from tests.reactor_core.safety.tools.verdicts import verdict


@pytest.mark.parametrize(
    "action",
    [
        "fd . /data -X rm -rf",
        "pssh -h hosts.txt sudo reboot",
        "pdsh -w web[1-9] 'rm -rf /srv'",
    ],
)
def test_is_blocked(action: str) -> None:
    assert verdict(action) == "block"


@pytest.mark.parametrize(
    "action",
    [
        "fd -e bak -x rm",
    ],
)
def test_is_asked_about(action: str) -> None:
    assert verdict(action) == "confirm"


@pytest.mark.parametrize(
    "action",
    [
        "fd -e py",
        "fd -e o . build -X rm",
        "pssh -h hosts.txt uptime",
    ],
)
def test_is_let_through(action: str) -> None:
    assert verdict(action) == "allow"
