"""Where a stream begins, as a table; its bytes over HTTP are in test_routes_stream.py."""

from __future__ import annotations

import pytest

from reactor_core.api.positions import LANES, Positions
from reactor_core.api.stream import Start

JOURNAL = "0197-aaaa-bbbbcccc"


def start(asked: str | None, *, first: int = 1, head: int = 100) -> Start:
    return Start.of(None if asked is None else Positions.read(asked), journal_id=JOURNAL, first=first, head=head)


def test_a_new_reader_begins_now() -> None:
    assert start(None) == Start(dict.fromkeys(LANES, 100))


@pytest.mark.parametrize("asked", ["bbbbcccc:40", "40", "bbbbcccc:40.40.40.40"])
def test_one_that_was_here_goes_on(asked: str) -> None:
    assert start(asked) == Start(dict.fromkeys(LANES, 40))


def test_each_lane_goes_on_where_it_was() -> None:
    assert start("bbbbcccc:90.50.40.30") == Start({1: 90, 2: 50, 3: 40, 4: 30})


def test_what_was_removed_is_named() -> None:
    found = start("bbbbcccc:90.5.70.70", first=21)
    assert found.after == {1: 90, 2: 20, 3: 70, 4: 70}
    assert found.gap == {"reason": "removed from the journal", "lost_from": 6, "lost_to": 20}
    assert start("20", first=21).gap is None


def test_a_position_behind_the_end_is_no_position() -> None:
    found = start("200")
    assert found.after == dict.fromkeys(LANES, 100)
    assert found.gap is not None


def test_a_reader_of_another_journal_gets_all_of_this_one() -> None:
    found = start("ddddeeee:40", first=11)
    assert found.after == dict.fromkeys(LANES, 10)
    assert found.gap is not None
    assert "another journal" in found.gap["reason"]
