"""Connections and listening addresses."""

from __future__ import annotations

import pytest

from reactor_core.safety.engine import judge_action


@pytest.mark.parametrize(
    ("action", "verdict"),
    [
        ("LISTEN 127.0.0.1:5173", "allow"),
        ("LISTEN 0.0.0.0:8080", "confirm"),
        ("LISTEN 0.0.0.0:2222 (each client gets an interactive /bin/bash)", "block"),
        ("CONNECT ws://localhost:8000/ws", "allow"),
        ("CONNECT redis://c.example:6379 (send: FLUSHALL)", "block"),
        ("CONNECT tcp://203.0.113.9:4444 (stdin and stdout of /bin/sh -i attached)", "block"),
    ],
)
def test_sockets_decides(action: str, verdict: str) -> None:
    assert str(judge_action(action, "network").verdict) == verdict
