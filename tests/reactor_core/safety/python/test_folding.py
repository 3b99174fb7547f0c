"""Pure functions of constants, against Python itself."""

from __future__ import annotations

import base64
import zlib

from hypothesis import given, settings
from hypothesis import strategies as st

from reactor_core.safety.python.folding import fold_function, fold_method, plain, wrap
from reactor_core.safety.python.values import DECODED, Call, constant, unknown


@settings(deadline=None)
@given(st.binary(max_size=40))
def test_base64_is_decoded_as_python_does(raw: bytes) -> None:
    folded = fold_function("base64.b64decode", Call("b64decode", (constant(base64.b64encode(raw)),)))
    assert folded is not None
    assert folded.value == raw
    assert DECODED in folded.marks


@settings(deadline=None)
@given(st.text(max_size=20), st.lists(st.text(max_size=5), max_size=5))
def test_join_is_pythons(between: str, parts: list[str]) -> None:
    folded = fold_method(constant(between), "join", Call("join", (wrap(parts, frozenset()),)))
    assert folded is not None
    assert folded.string == between.join(parts)


def test_what_unfolds_to_much_more_is_cut() -> None:
    bomb = zlib.compress(b"a" * 10_000_000)
    folded = fold_function("zlib.decompress", Call("decompress", (constant(bomb),)))
    assert folded is not None
    assert folded.value is None or len(folded.value) <= 100_000


def test_an_unknown_argument_makes_an_unknown_value() -> None:
    folded = fold_function("chr", Call("chr", (unknown(),)))
    assert folded is not None
    assert not folded.known


@settings(deadline=None)
@given(st.recursive(st.integers() | st.text(max_size=5), lambda inner: st.lists(inner, max_size=4), max_leaves=10))
def test_wrapping_loses_nothing(value: object) -> None:
    assert plain(wrap(value, frozenset())) == value
