from __future__ import annotations

import threading
import time

import pytest
from tests.a1_reactor.server.conftest import settings_in
from tests.servers.frames_v2 import FramesV2

from a1_reactor.server.clip_job import KIND, ClipRequest, clip_job
from a1_reactor.types import Window
from reactor_core.errors import NotFound, SpecError
from reactor_core.jobs.context import JobContext, JobStopped, Stop, StopReason
from reactor_core.jobs.job import Owner
from reactor_core.jobs.kinds import find_kind
from reactor_core.jobs.table import JobTable

WINDOW = (Window(2, 4),)


@pytest.fixture
def table(tmp_path):
    with JobTable(tmp_path / "reactor") as table:
        yield table


@pytest.fixture
def do(table, tmp_path):
    """Run a request in this process; ``told`` sees each change of the job."""

    def do(request: ClipRequest, *, stop: Stop | None = None, allow: tuple[str, ...] = ()):
        table.submit(KIND, request.to_json())
        job = table.claim(Owner("here", 1, 1.0))
        settings = settings_in(tmp_path).model_copy(update={"provider_allow": allow})
        return clip_job.run(JobContext(table, job, settings, stop or Stop(), halted=lambda: None))

    return do


@pytest.fixture
def small(spec):
    return lambda **more: spec(seconds="1/4", width=32, height=32, **more)


def test_the_kind_is_found_through_the_plugin():
    assert find_kind(KIND) is clip_job


def test_a_request_survives_json(small):
    request = ClipRequest(spec=small(windows=WINDOW), parent="0" * 16, takes=3)
    assert ClipRequest.parse(request.to_json()) == request
    assert clip_job.check({"spec": {"prompt": "x"}})["takes"] == 1


@pytest.mark.parametrize(
    "document",
    [
        {},
        {"spec": {"prompt": "x"}, "more": 1},
        {"spec": {"prompt": "x"}, "takes": 0},
        {"spec": {"prompt": "x"}, "takes": 2},
        {"spec": {"prompt": "x"}, "parent": "0" * 16},
        {"spec": {"prompt": "x", "windows": [[0, 1]]}, "takes": 2},
    ],
)
def test_parts_that_do_not_go_together_are_refused(document):
    with pytest.raises(SpecError):
        clip_job.check(document)


def test_a_clip_then_takes_of_a_window_then_the_same_again(do, small, table):
    [clip] = do(ClipRequest(spec=small()))["clip_ids"]
    takes = do(ClipRequest(spec=small(windows=WINDOW, seed=3), parent=clip, takes=2))
    assert (len(set(takes["clip_ids"])), takes["reused"]) == (2, [False, False])
    again = do(ClipRequest(spec=small(windows=WINDOW, seed=3), parent=clip, takes=3))
    assert again["clip_ids"][:2] == takes["clip_ids"]
    assert again["reused"] == [True, True, False]
    told = [event.data for event in table.events(table.jobs()[0].job_id)]
    shares = [data["progress"] for data in told if "progress" in data]
    assert shares == sorted(shares)
    assert f"clip {takes['clip_ids'][0]} was there already" in [data.get("message") for data in told]


def test_without_a_parent_one_is_made_and_said(do, small, table):
    result = do(ClipRequest(spec=small(windows=WINDOW)))
    assert len(result["clip_ids"]) == 1
    assert result["notes"]
    [job] = table.jobs()
    told = [event.data["facts"]["draft"] for event in table.events(job.job_id) if "facts" in event.data]
    assert len(told) == 2, "the parent and the clip"
    assert told[-1] == job.facts["draft"] == result["clip_ids"][0]


def test_an_unknown_parent_is_named(do, small):
    with pytest.raises(NotFound, match="0000000000000000"):
        do(ClipRequest(spec=small(windows=WINDOW), parent="0" * 16))


def test_it_stops_where_it_is_told_to(do, small):
    stop = Stop()
    stop.set(StopReason.WISH)
    with pytest.raises(JobStopped):
        do(ClipRequest(spec=small()), stop=stop)


def test_it_stops_at_once_while_a_server_is_silent(do, small):
    stop, over = Stop(), threading.Event()

    def silent(*_):
        stop.set(StopReason.WISH)
        over.wait(60)

    with FramesV2(reply=silent).serving() as address:
        request = ClipRequest(spec=small(provider="http2"), endpoint=f"http://{address}/frames")
        began = time.monotonic()
        with pytest.raises(JobStopped):
            do(request, stop=stop, allow=(address,))
        assert time.monotonic() - began < 30  # the server may take 120 s to answer
        over.set()
