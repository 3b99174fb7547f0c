"""Commands of Redis."""

from __future__ import annotations

import pytest

from reactor_core.safety.engine import judge_action


@pytest.mark.parametrize(("command", "verdict"), [("GET a", "allow"), ("DEL a", "confirm"), ("FLUSHDB", "block")])
def test_a_command_is_decided(command: str, verdict: str) -> None:
    assert str(judge_action(f"redis-cli {command}", "shell").verdict) == verdict
