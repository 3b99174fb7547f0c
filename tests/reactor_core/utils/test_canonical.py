import hashlib

import pytest
from hypothesis import given
from hypothesis import strategies as st

from reactor_core.utils.canonical import canonical_json, content_hash

JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False, allow_infinity=False) | st.text(),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(), inner, max_size=4),
    max_leaves=12,
)


def test_keys_are_sorted_and_spaces_absent():
    assert canonical_json({"b": [1, 2.5], "a": "ü"}) == '{"a":"ü","b":[1,2.5]}'.encode()


def test_hash_is_sha256_of_the_canonical_form():
    assert content_hash({"a": 1}) == hashlib.sha256(b'{"a":1}').hexdigest()


@given(st.dictionaries(st.text(), JSON, min_size=2, max_size=5))
def test_order_of_insertion_does_not_change_the_hash(value):
    assert content_hash(dict(reversed(value.items()))) == content_hash(value)


@pytest.mark.parametrize("number", [float("nan"), float("inf")])
def test_what_json_cannot_carry_is_refused(number):
    with pytest.raises(ValueError, match="not JSON compliant"):
        canonical_json({"x": number})
