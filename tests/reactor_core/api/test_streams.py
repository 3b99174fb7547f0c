from __future__ import annotations

import pytest

from reactor_core.api.limits import ApiLimits
from reactor_core.api.problems import Problem
from reactor_core.api.streams import OpenStreams


@pytest.fixture
def streams():
    return OpenStreams(ApiLimits(streams=3, streams_per_client=2))


def test_streams_are_counted_by_client_and_in_all(streams):
    leave = [streams.enter_stream(client) for client in ("a", "a", "b")]
    for client, most in (("a", "at most 3 streams are"), ("c", "at most 3 streams are")):
        with pytest.raises(Problem, match=most):
            streams.enter_stream(client)
    leave[2]()
    with pytest.raises(Problem, match="at most 2 streams of one address"):
        streams.enter_stream("a")
    leave[0]()
    streams.enter_stream("a")
    assert streams.open_streams == 2


def test_who_waits_is_woken_while_it_waits(streams):
    told = []
    with streams.woken(lambda: told.append("inside")):
        with streams.woken(lambda: told.append("gone")):
            pass
        streams.wake()
    streams.wake()
    assert told == ["inside"]


def test_going_down_wakes_all_and_lets_in_no_more(streams):
    told = []
    with streams.woken(lambda: told.append(streams.closing)):
        streams.end_streams()
    assert told == [True]
    with pytest.raises(Problem, match="going down"):
        streams.enter_stream("a")
