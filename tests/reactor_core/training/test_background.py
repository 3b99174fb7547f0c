from __future__ import annotations

import threading

import pytest

from reactor_core.errors import StorageFull
from reactor_core.training.background import Background

PATIENCE = 30.0


def test_a_job_runs_beside_and_is_waited_for() -> None:
    go, seen = threading.Event(), []
    background = Background("writer")
    assert not background.wait()

    def job() -> None:
        assert go.wait(PATIENCE)
        seen.append(threading.current_thread().name)

    background.begin(job)
    assert seen == []
    go.set()
    assert background.wait()
    assert seen == ["writer"]
    assert not background.wait()


def test_what_it_raises_is_raised_where_it_is_waited_for_and_once() -> None:
    def job() -> None:
        raise StorageFull("no space left")

    background = Background("writer")
    background.begin(job)
    background.end()  # on the way out of something else, which is not to be hidden
    with pytest.raises(StorageFull):
        background.wait()
    assert not background.wait()
