from __future__ import annotations

import ast

import pytest
from hypothesis import given
from hypothesis import strategies as st

from reactor_core.safety.calls import Call, Many, Unresolved, decoded, listed, parse_calls, text_of

names = st.from_regex(r"[a-z][a-z_]{0,12}", fullmatch=True).filter(
    lambda name: name.isidentifier() and not name.endswith("_")
)
values = st.recursive(
    st.none()
    | st.booleans()
    | st.integers(-(10**6), 10**6)
    | st.text(st.characters(codec="utf-8", exclude_characters="\0"), max_size=20),
    lambda inner: st.lists(inner, max_size=4),
    max_leaves=6,
)


@given(names, st.dictionaries(names, values, max_size=5))
def test_what_is_written_as_a_call_is_read_back(name, arguments):
    import keyword

    if keyword.iskeyword(name):
        return
    text = f"{name}({', '.join(f'{key}={value!r}' for key, value in arguments.items() if not keyword.iskeyword(key))})"
    calls = parse_calls(text)
    assert calls is not None
    assert calls[0].name == name
    assert dict(calls[0].named) == {key: value for key, value in arguments.items() if not keyword.iskeyword(key)}


@given(st.text(max_size=80))
def test_no_text_makes_the_reader_fail(text):
    assert parse_calls(text) is None or isinstance(parse_calls(text), tuple)


def one(text: str) -> Call:
    calls = parse_calls(text)
    assert calls is not None
    assert len(calls) == 1
    return calls[0]


@pytest.mark.parametrize(
    ("text", "times"),
    [
        ("for r in people[:500]: send(to=r)", 500),
        ("for i in range(300):\n    send(to=addresses[i])", 300),
        ("for i in range(3):\n  for j in range(100):\n    send(to=f'{i}{j}')", 300),
        ("[send(to=r) for r in everybody]", None),
        ("while more:\n    send(to=next(all_of_them))", None),
        ("send(to='a')", 1),
    ],
)
def test_a_loop_is_counted(text, times):
    assert one(text).times == times


def test_a_loop_over_a_written_list_is_unrolled():
    calls = parse_calls("for p in ['a', 'b']: delete_path(path=p)")
    assert [call.text("path") for call in calls or ()] == ["a", "b"]


@pytest.mark.parametrize(
    ("expression", "value"),
    [
        ('"a" + "b"', "ab"),
        ('"/".join(["data", "x"])', "data/x"),
        ("f'/da{1}'", "/da1"),
        ('b64decode("cm0gLXJm")', b"rm -rf".decode()),
        ('bytes.fromhex("726d").decode()', "rm"),
        ('["x"] * 3', ["x", "x", "x"]),
        ("true", True),
        ("null", None),
        ("-1", -1),
        ('Path("/srv") / "x"', "/srv/x"),
    ],
)
def test_values_that_the_text_fixes_are_computed(expression, value):
    assert one(f"f(x={expression})").get("x") == value


def test_what_the_text_does_not_fix_is_kept_as_its_source():
    call = one('f(a=name, b="/tmp/" + name, c=[x for x in range(7)], d=people[10:30], e=f"/data/{name}")')
    assert call.get("a") == Unresolved("name")
    assert call.get("b").prefix == "/tmp/"
    assert call.get("c") == Many(7, "[x for x in range(7)]")
    assert call.get("d").count == 20
    assert call.get("e").prefix == "/data/"
    assert call.text("a") is None


def test_a_huge_repetition_is_counted_not_made():
    assert one('f(to=["a@b.example"] * 10000000)').get("to").count == 10_000_000
    assert len(one('f(content="x" * 10000000000)').text("content") or "") == 100_000


def test_arguments_named_like_pythons_own_words_are_read_and_texts_with_them_stay():
    call = one('share(path="a from=b", with=["x"], from="me")')
    assert (call.get("with"), call.get("from"), call.get("path")) == (["x"], "me", "a from=b")


def test_json_tool_calls_are_read():
    assert one('{"tool": "delete_path", "args": {"path": "x", "recursive": true}}').given("recursive")
    assert one('{"function": {"name": "fs.delete", "arguments": "{\\"path\\": \\"x\\"}"}}').text("path") == "x"
    assert parse_calls('{"a": 1}') is None


def test_a_name_reached_through_getattr_is_that_name():
    assert one('getattr(mail, "delete_" + "account")(confirm=True)').name == "delete_account"


@pytest.mark.parametrize(
    "text", ["import os; os.x = 1", "def f(): pass\nf()", "x +", "(lambda f: f(1))(g)", "1 + 1", "a = 3"]
)
def test_what_is_not_only_calls_is_not_read(text):
    assert parse_calls(text) is None


def test_variables_and_spread_arguments_are_followed():
    calls = parse_calls('base = "/data"\nargs = {"path": base, "recursive": True}\ndelete_path(**args)')
    assert calls is not None
    assert dict(calls[0].named) == {"path": "/data", "recursive": True}


def test_given_takes_no_for_no():
    call = one('f(a=False, b="no", c=unknown, d=1)')
    assert [call.given(name) for name in "abcd"] == [False, False, True, True]
    assert call.given("zzz", "d")


def test_lists_of_one_or_many():
    assert listed("a@x, b@x; c@x") == ["a@x", "b@x", "c@x"]
    assert listed(["a", ["b", "c,d"]]) == ["a", "b", "c", "d"]
    assert listed(None) == []
    assert text_of(True) is None


@given(st.text(max_size=60))
def test_decoding_gives_back_what_was_encoded(text):
    import base64
    from urllib.parse import quote

    assert decoded(base64.b64encode(text.encode()).decode(), "b64") == text
    assert decoded(text.encode().hex(), "hex") == text
    assert decoded(quote(text), "unquote") == text


def test_what_is_not_encoded_decodes_to_nothing():
    assert decoded("zz", "hex") == ""
    assert ast.literal_eval("''") == decoded("a", "b64")
