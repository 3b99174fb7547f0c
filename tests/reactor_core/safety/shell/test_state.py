"""What a shell knows, on one way and on several."""

from __future__ import annotations

from itertools import islice

from reactor_core.safety.scope import Scope
from reactor_core.safety.setting import RUBRIC_SETTING
from reactor_core.safety.shell.state import MAX_WAYS, Chooser, Shell, World, joined_parts, literal, merged
from reactor_core.safety.verdict import Judged


def shell() -> Shell:
    return Shell(Scope(RUBRIC_SETTING, lambda _kind, _text, _scope: Judged(), cwd="/w"), World())


def test_ways_are_merged_into_all_values_that_are_possible() -> None:
    one, other, after = shell(), shell(), shell()
    one.set("x", literal("a"))
    other.set("x", literal("b"))
    merged([one, other], after)
    assert [way.text for way in after.ways("x") or ()] == ["a", "b"]


def test_a_way_that_has_ended_does_not_count() -> None:
    one, other, after = shell(), shell(), shell()
    one.set("x", literal("a"))
    other.set("x", literal("b"))
    other.dead = "exit"
    merged([one, other], after)
    assert [way.text for way in after.ways("x") or ()] == ["a"]
    assert not after.dead


def test_too_many_ways_are_not_known() -> None:
    ways = []
    for number in range(MAX_WAYS + 1):
        way = shell()
        way.set("x", literal(str(number)))
        ways.append(way)
    after = shell()
    merged(ways, after)
    assert [way.text for way in after.ways("x") or ()] == [None]


def test_what_was_unset_is_empty_and_what_was_never_set_is_not_known() -> None:
    one = shell()
    one.forget("x")
    assert [way.text for way in one.ways("x") or ()] == [""]
    assert one.ways("y") is None
    assert one.folders() == ("/w",)


def test_a_chooser_goes_through_all_combinations() -> None:
    chooser = Chooser()
    assert [(c.pick("a", 2), c.pick("b", 3), c.pick("a", 2)) for c in chooser.rounds()] == [
        (a, b, a) for a in range(2) for b in range(3)
    ]


def test_a_chooser_ends() -> None:
    assert len(list(islice(Chooser(limit=5).rounds(), 100))) == 5 or sum(1 for _ in Chooser(5).rounds()) <= 5


def test_neighbouring_pieces_are_joined() -> None:
    assert joined_parts(["a", "b", None, None, "", "c"]) == ("ab", None, "c")
