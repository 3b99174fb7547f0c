"""Values as far as they are known."""

from __future__ import annotations

from reactor_core.safety.python.values import SECRET, Call, Value, constant, join_marks, unknown


def test_bytes_and_texts_have_a_text() -> None:
    assert constant(b"a").string == "a"
    assert constant("a").string == "a"
    assert constant(3).string is None
    assert unknown().string is None


def test_unknown_parts_are_holes() -> None:
    assert Value(text=("a", None, "b")).rendered("?") == "a?b"
    assert Value(text=(None,)).rendered("?") is None


def test_marks_of_what_is_held_count() -> None:
    held = constant([constant("x", SECRET)])
    assert join_marks([constant({"a": held})]) >= join_marks([held]) == {SECRET}


def test_arguments_are_found_by_name_before_place() -> None:
    call = Call("f", (constant(1),), {"b": constant(2)})
    assert call.get("b", 0) == constant(2)
    assert call.get("c", 0) == constant(1)
    assert call.get("c", 1) is None
