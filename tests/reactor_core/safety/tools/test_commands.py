"""Each command reaches the judge of its program, or its table."""

from __future__ import annotations

import pytest

from reactor_core.safety.engine import judge_action


def verdict(text: str) -> str:
    return str(judge_action(text, "shell").verdict)


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("rm -rf /data", "block"),
        ("systemctl restart nginx", "confirm"),
        ("ls -la", "allow"),
        ("rm --help", "allow"),
        ("rm -- --help", "confirm"),
    ],
)
def test_a_command_is_judged_as_its_program(text: str, expected: str) -> None:
    assert verdict(text) == expected


@pytest.mark.parametrize(
    "text",
    [
        "export HISTSIZE=0",
        "HISTFILE=/dev/null; export HISTFILE",
        "HISTFILE=/dev/null bash -c id",
        "export SAFETY_AUDIT_ENABLED=false",
        "PROMPT_COMMAND='rm -rf /data'",
        "bash -c 'trap \"rm -rf ~\" EXIT; true'",
    ],
)
def test_what_is_set_or_left_for_later_counts(text: str) -> None:
    assert verdict(text) == "block"


@pytest.mark.parametrize(
    "text", ["export HISTSIZE=5000", 'export PATH="$HOME/bin:$PATH"', "bash -c 'trap \"echo x\" EXIT'"]
)
def test_ordinary_settings_are_let_through(text: str) -> None:
    assert verdict(text) == "allow"
