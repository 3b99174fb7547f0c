"""A command whose output is asked for: its options, its operands, what it reads."""

from __future__ import annotations

from reactor_core.safety.scope import Scope
from reactor_core.safety.setting import RUBRIC_SETTING
from reactor_core.safety.shell.command import Word, known
from reactor_core.safety.shell.sources import Source
from reactor_core.safety.shell.state import Shell, World, literal
from reactor_core.safety.verdict import Judged


def source(*words: Word) -> Source:
    shell = Shell(Scope(RUBRIC_SETTING, lambda _kind, _text, _scope: Judged(), cwd="/w"), World())
    shell.world.contents["/w/a"] = literal("text")
    shell.world.fetched.add("/w/b")
    return Source("cat", words, literal("input"), shell, "/w")


def test_files_that_the_action_wrote_are_known() -> None:
    assert source(known("a")).content().text == "text"
    assert source().content().text == "input"


def test_files_that_it_fetched_are_foreign_and_others_unknown() -> None:
    assert source(known("b")).content().origin.fetched
    other = source(known("c")).content()
    assert (other.text, other.origin.files) == (None, ("/w/c",))


def test_options_are_told_from_operands() -> None:
    one = source(known("-rn"), known("5"), known("x"), known("--all"))
    assert [word.text for word in one.operands("n")] == ["5", "x"]
    assert one.flag("-n")
    assert one.flag("--all")
    assert not one.flag("-x")
