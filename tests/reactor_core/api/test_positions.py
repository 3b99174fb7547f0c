from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from reactor_core.api.positions import LANES, Positions
from reactor_core.errors import ConfigError
from reactor_core.utils.ids import new_id

SEQ = st.integers(0, 10**17)


@given(st.tuples(SEQ, SEQ, SEQ, SEQ))
def test_what_is_written_is_read_again(numbers: tuple[int, ...]) -> None:
    journal = new_id()
    written = Positions.of(journal, dict(zip(LANES, numbers, strict=True)))
    assert Positions.read(str(written)) == written
    assert written.is_of(journal)


def test_the_short_form_stands_for_all_lanes() -> None:
    journal = "0197-aaaa-bbbbcccc"
    assert str(Positions.of(journal, 7)) == "bbbbcccc:7"
    assert str(Positions.of(journal, {1: 9, 2: 7, 3: 7, 4: 7})) == "bbbbcccc:9.7.7.7"
    assert Positions.read("12").after == dict.fromkeys(LANES, 12)


def test_a_bare_number_is_of_any_journal_and_a_mark_of_one() -> None:
    assert Positions.read("12").is_of(new_id())
    assert not Positions.read("bbbbcccc:12").is_of("0197-aaaa-ddddeeee")


@pytest.mark.parametrize(
    "text", ["", "-1", "1.2", "1.2.3", "1.2.3.4.5", "x:1", "bbbbcccc:", "１", "1 ", "9" * 19, "\n1"]
)
def test_anything_else_is_refused(text: str) -> None:
    with pytest.raises(ConfigError, match="position"):
        Positions.read(text)
