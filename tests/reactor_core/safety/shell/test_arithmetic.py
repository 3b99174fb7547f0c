"""Arithmetic against the shell itself."""

from __future__ import annotations

import subprocess

import pytest

from reactor_core.safety.shell.arithmetic import NotKnown, evaluate


def no_variable(name: str) -> int:
    raise NotKnown


def value(text: str) -> int:
    return evaluate(text, no_variable, lambda _name, _value: None)


@pytest.mark.parametrize(
    "text",
    ["1+2*3", "(1+2)*3", "-7/2", "-7%3", "7%-3", "2**10", "0x1f+010", "16#ff", "1<<4|3", "5>3&&2<1", "1?2:3", "~5",
     "!0", "3,4", "10-3-2", "2**3**2", "1==1", "6&3^1"],
)  # fmt: skip
def test_it_computes_what_bash_computes(text: str) -> None:
    said = subprocess.run(["bash", "-c", f"echo $(({text}))"], capture_output=True, text=True, check=True).stdout
    assert value(text) == int(said)


def test_assignments_and_steps_are_seen_by_what_follows() -> None:
    held = {"i": 4}
    assert evaluate("i++ + ++i, i", held.__getitem__, held.__setitem__) == 6
    assert held == {"i": 6}


@pytest.mark.parametrize("text", ["1/0", "x", "1 +", "$x", "1 2", "08"])
def test_what_has_no_value_is_not_known(text: str) -> None:
    with pytest.raises(NotKnown):
        value(text)
