from __future__ import annotations

from tests.reactor_core.safety.scopes import rule, scope

from reactor_core.safety.calls import parse_calls
from reactor_core.safety.file.arguments import CONTENT, PATH, SOURCE, TARGET, Arguments
from reactor_core.safety.verdict import Touch, found


def arguments(text):
    calls = parse_calls(text)
    assert calls is not None
    return Arguments(calls[0], scope())


def test_paths_are_found_under_their_many_names_and_noted():
    it = arguments('f(filepath="a", dst="b")')
    assert it.paths(PATH, at=0, how="read") == ["a"]
    assert it.paths(TARGET, at=1, how="write") == ["b"]
    assert it.touches == [Touch("path", "/home/dev/project/a", "read"), Touch("path", "/home/dev/project/b", "write")]
    assert arguments('f("a")').paths(SOURCE, at=0, how="read") == ["a"]


def test_a_pattern_is_taken_from_its_root():
    assert arguments('f(root="/data", glob="*.csv")').paths(PATH, at=0, how="read") == ["/data/*.csv"]
    assert arguments('f(root="/data", glob="/x")').paths(PATH, at=0, how="read") == ["/x"]


def test_targets_in_a_file_or_none_at_all_are_asked_about():
    it = arguments('delete_many(list_file="gone.txt")')
    assert [rule(each) for each in it.each(PATH, lambda path: None, how="delete")] == ["C6"]
    unknown = arguments("delete_many(path=somewhere)")
    assert [rule(each) for each in unknown.each(PATH, lambda path: None, how="delete")] == ["C6"]
    known = arguments('delete_many(path="x")')
    assert [rule(each) for each in known.each(PATH, lambda path: found("C1", path), how="delete")] == ["C1"]


def test_content_of_all_kinds():
    assert arguments('f(path="a", content="x")').content() == "x"
    assert arguments('f(path="a", lines=["x", "y"])').content() == "x\ny"
    assert arguments('f(path="a", content=unknown)').content() is None
    assert "content" in CONTENT


def test_what_a_call_makes_is_in_the_scope_of_the_next():
    it = arguments('f(path="a")')
    assert it.afterwards() is it.scope
    it.made.add("/x")
    it.links["/l"] = "/t"
    assert it.afterwards().made == {"/x"}
    assert it.afterwards().links == {"/l": "/t"}
