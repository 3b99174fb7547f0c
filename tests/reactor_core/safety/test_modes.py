from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from reactor_core.safety.modes import loosens, sets_user


@given(st.integers(0, 0o7777))
def test_octal_modes_say_what_their_bits_say(bits):
    assert loosens(f"{bits:o}") == bool(bits & 0o002)
    assert loosens(f"0{bits:o}") == bool(bits & 0o002)
    assert loosens(f"{bits:o}", group=True) == bool(bits & 0o077)
    if bits & 0o4000:
        assert sets_user(f"{bits:o}")


@pytest.mark.parametrize("mode", ["o+w", "a+rwX", "a=rw", "ugo+w", "u+x,o+w", "+w,o+w", "o=u", "go+w"])
def test_words_that_let_everybody_write(mode):
    assert loosens(mode)


@pytest.mark.parametrize(
    "mode", ["o-rwx", "go-w", "u+w", "+w", "+x", "a-w", "g+w", "o+r", "", "nonsense", "u=rwx,g=rx,o="]
)
def test_words_that_do_not(mode):
    assert not loosens(mode)


def test_words_of_the_group():
    assert loosens("g+r", group=True)
    assert not loosens("go-rwx", group=True)
    assert not loosens("u+r", group=True)


@pytest.mark.parametrize("mode", ["u+s", "+s", "u=rwxs", "4755", "06755", "a+s"])
def test_setuid(mode):
    assert sets_user(mode)


@pytest.mark.parametrize("mode", ["u-s", "755", "+t", "1777", "g+s", "s"])
def test_not_setuid(mode):
    assert not sets_user(mode)
