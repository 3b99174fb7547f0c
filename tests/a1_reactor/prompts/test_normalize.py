import unicodedata

import pytest
from hypothesis import given
from hypothesis import strategies as st

from a1_reactor.prompts import normalize_prompt
from reactor_core.errors import SpecError


@pytest.mark.parametrize(
    ("typed", "kept"),
    [
        ("  a   red\tfox\n", "a red fox"),
        ("\u201cgolden\u201d hour, it\u2019s late", '"golden" hour, it\'s late'),
        ("cafe\u0301", "caf\u00e9"),
        ("a\x00b\x1b[31mc\x7f", "ab[31mc"),
        ("safe\u202etxt.exe", "safetxt.exe"),
        ("zero\u200bwidth\ufeff", "zerowidth"),
        ("family \U0001f468\u200d\U0001f469", "family \U0001f468\u200d\U0001f469"),
    ],
)
def test_one_spelling(typed, kept):
    assert normalize_prompt(typed) == kept


@pytest.mark.parametrize("typed", ["", "   ", "\x00\x01\x1b", "\u200b\u202e", "\u200d"])
def test_a_prompt_of_control_characters_is_refused_by_name(typed):
    with pytest.raises(SpecError, match=r"negative_prompt.*control characters"):
        normalize_prompt(typed, name="negative_prompt")


@given(st.text())
def test_normalising_twice_changes_nothing_more_and_leaves_no_control_character(text):
    try:
        once = normalize_prompt(text)
    except SpecError:
        return
    assert normalize_prompt(once) == once
    assert not [c for c in once if unicodedata.category(c) == "Cc"]
    assert once == once.strip()
