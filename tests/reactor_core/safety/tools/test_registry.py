"""Judges of programs, by name."""

from __future__ import annotations

import pytest

from reactor_core.safety.scope import Scope
from reactor_core.safety.setting import RUBRIC_SETTING
from reactor_core.safety.tools.line import Known
from reactor_core.safety.tools.registry import Call, Nowhere, handler_of, handles, origin_of, read_call
from reactor_core.safety.verdict import Judged


def call(text: str) -> Call:
    words = [Known(word) for word in text.split()]
    scope = Scope(RUBRIC_SETTING, lambda kind, inner, _scope: Judged((), (f"{kind}: {inner}",)), cwd="/w")
    return read_call(words, words[0].text or "", scope, env={})


def test_a_program_has_one_judge() -> None:
    assert handler_of("git") is not None
    with pytest.raises(AssertionError, match="git has a judge already"):
        handles("git")(lambda _call: None)


def test_a_call_is_read_as_its_table_says() -> None:
    assert call("curl -o file http://x").line.value("-o") == "file"


def test_a_long_command_is_cut_for_people() -> None:
    assert len(call("x " + "y" * 500).part) == 300


def test_a_word_that_runs_is_judged_as_shell() -> None:
    assert call("x").runs(Known("ls")).resolved == ("shell: ls",)
    assert [finding.rule for finding in call("x").runs(Known(None)).findings] == ["C6"]


def test_a_word_without_an_origin_comes_from_the_action_itself() -> None:
    assert origin_of(Known("x")) == Nowhere()
