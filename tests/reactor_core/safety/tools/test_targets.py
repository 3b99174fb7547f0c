"""Files that the words of a command name."""

from __future__ import annotations

from reactor_core.safety.scope import Scope
from reactor_core.safety.setting import RUBRIC_SETTING
from reactor_core.safety.tools.line import Known
from reactor_core.safety.tools.registry import Call, read_call
from reactor_core.safety.tools.targets import (
    acts,
    appended,
    deleted,
    fetched,
    literal,
    merged,
    overwritten,
    read,
    role_of,
)
from reactor_core.safety.verdict import Judged


def call(**scope: object) -> Call:
    where = Scope(RUBRIC_SETTING, lambda _kind, _text, _scope: Judged(), cwd="/home/dev/project", **scope)  # type: ignore[arg-type]
    return read_call([Known("tool")], "tool", where, env={})


def rules(judged: Judged) -> list[str]:
    return [finding.rule for finding in judged.findings]


def test_each_word_is_judged_by_where_it_lies() -> None:
    assert rules(deleted(call(), [Known("/srv"), Known("build"), Known("notes.txt")], recursive=True)) == ["B1", "C1"]


def test_an_unknown_target_is_asked_about() -> None:
    assert rules(deleted(call(), [Known(None, "")], recursive=True)) == ["C6"]
    assert rules(overwritten(call(), [Known(None, "/etc/")])) == ["C6"]


def test_an_unknown_name_in_the_project_is_an_ordinary_output() -> None:
    assert rules(overwritten(call(), [Known(None, "report-")])) == []


def test_a_quoted_star_is_a_character() -> None:
    assert (literal(Known("*")), literal(Known("*", "*", globbed=True))) == ("_", "*")


def test_every_path_that_is_touched_is_told() -> None:
    touched = merged(read(call(), [Known("a")]), appended(call(), [Known("b")])).touches
    assert [(touch.name, touch.how) for touch in touched] == [
        ("/home/dev/project/a", "read"),
        ("/home/dev/project/b", "write"),
    ]


def test_some_places_act_by_themselves() -> None:
    assert acts(call(), "~/.bashrc")
    assert not acts(call(), "notes.md")


def test_what_was_fetched_is_foreign_code() -> None:
    other = call(fetched=frozenset({"/home/dev/project/x.sh"}))
    assert fetched(other, Known("x.sh"))
    assert rules(role_of(other, [Known("x.sh")], "run")) == ["B5"]
    assert rules(role_of(call(), [Known("x.sh")], "run")) == ["C6"]


def test_a_role_that_does_nothing_finds_nothing() -> None:
    assert role_of(call(), [Known("/")], "none") == Judged()
