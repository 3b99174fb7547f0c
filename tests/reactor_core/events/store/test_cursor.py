from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from reactor_core.errors import ConfigError
from reactor_core.events.query import MAX_PAGE
from reactor_core.events.store.cursor import Place, check_limit, page_of


@given(st.text(st.characters(exclude_categories=["Cs"])), st.integers(0, (1 << 63) - 1), st.booleans())
def test_a_place_is_read_as_it_was_written(store, position, newest):
    place = Place(store, position, newest)
    assert Place.read(str(place), store=store) == place
    assert str(place).replace("-", "").replace("_", "").isalnum()


@given(st.text() | st.binary().map(lambda raw: raw.hex()))
def test_any_other_text_is_an_error(text):
    with pytest.raises(ConfigError, match="none of this store"):
        Place.read(text, store="here")


def test_a_place_of_another_store_is_an_error():
    with pytest.raises(ConfigError, match="none of this store"):
        Place.read(str(Place("there", 1)), store="here")


@pytest.mark.parametrize("limit", [0, -1, MAX_PAGE + 1])
def test_a_page_has_a_size(limit):
    with pytest.raises(ConfigError, match="limit"):
        check_limit(limit)


def test_the_last_page_says_where_what_comes_later_will_be():
    page = page_of([], 5, store="here", head=7, newest=False)
    assert page.next_cursor is None
    assert Place.read(page.resume, store="here") == Place("here", 7)
