"""Simple commands, their redirections and here-documents."""

from __future__ import annotations

from reactor_core.safety.shell.grammar import parse
from reactor_core.safety.shell.lines import LineReader
from reactor_core.safety.shell.nodes import Assignment, Literal, Redirection, Simple


def simple(text: str) -> Simple:
    node = parse(text).items[0].pipeline.commands[0]
    assert isinstance(node, Simple)
    return node


def test_assignments_stand_before_the_command_only() -> None:
    node = simple("A=1 B+=2 make C=3")
    assert node.assignments == (
        Assignment("A", (Literal("1"),)),
        Assignment("B", (Literal("2"),), append=True),
    )
    assert len(node.words) == 2


def test_declarations_are_assignments_too() -> None:
    assert [one.name for one in simple("export A=1 B=2").declared] == ["A", "B"]


def test_redirections_may_stand_anywhere() -> None:
    node = simple("2>&1 cat >out <in x")
    assert [(one.op, one.fd) for one in node.redirections] == [(">&", 2), (">", None), ("<", None)]
    assert len(node.words) == 2


def test_a_here_document_ends_at_its_word_and_the_line_goes_on() -> None:
    script = parse("cat <<A | tac <<'B'; echo after\n$x\nA\n$y\nB\nlast")
    first, second = script.items[0].pipeline.commands
    assert isinstance(first, Simple)
    assert isinstance(second, Simple)
    assert second.redirections == (Redirection("<<", (Literal("$y\n", quoted=True),)),)
    assert first.redirections[0].target != (Literal("$x\n", quoted=True),)
    assert len(script.items) == 3


def test_tabs_are_taken_off_where_asked() -> None:
    assert simple("cat <<-A\n\tx\n\tA\n").redirections[0].target == (Literal("x\n", quoted=True),)


def test_comments_are_passed() -> None:
    assert len(simple("ls # rm -rf /").words) == 1
    assert len(simple("ls a#b").words) == 2


def test_it_is_a_base_of_the_grammar() -> None:
    assert LineReader.__abstractmethods__
