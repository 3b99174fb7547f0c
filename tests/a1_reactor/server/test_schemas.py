from __future__ import annotations

import pytest
from pydantic import ValidationError

from a1_reactor.server.schemas import JobIn, WindowIn


@pytest.mark.parametrize(
    "body",
    [
        {"prompt": ""},
        {"prompt": "x", "seed": -1},
        {"prompt": "x", "takes": 65},
        {"prompt": "x", "parent": "../../etc"},
        {"prompt": "x", "windows": [[1]]},
        {"prompt": "x", "windows": [{"start_frame": 0}]},
        {"prompt": "x", "unheard": 1},
    ],
)
def test_bodies_that_are_none(body):
    with pytest.raises(ValidationError):
        JobIn(**body)


def test_windows_are_read_in_seconds_or_frames():
    body = JobIn(prompt="x", windows=[[0.8, "1.6"], {"start_frame": 3, "stop_frame": 9}])
    assert body.windows == [[0.8, "1.6"], WindowIn(start_frame=3, stop_frame=9)]
