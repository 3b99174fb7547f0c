import base64
import json
import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from a1_reactor.media.png import encode_png
from a1_reactor.providers.http_reply import max_reply_bytes, reply_frames, request_body
from a1_reactor.types import JobSpec, Window
from reactor_core.errors import ProviderError

JOB = JobSpec(prompt="x", seconds=1, fps=3, width=24, height=16)


def picture(level=0, width=24, height=16):
    return base64.b64encode(encode_png(np.full((height, width, 3), level, np.uint8))).decode()


def reply(entries):
    return json.dumps({"frames": entries}).encode()


def entries(*indices):
    return [{"index": i, "png_base64": picture(abs(i))} for i in indices]


def test_frames_come_in_order_of_their_numbers():
    frames = reply_frames(reply(entries(2, 0, 1)), JOB, "here")
    assert [int(frame[0, 0, 0]) for frame in frames] == [0, 1, 2]


@pytest.mark.parametrize(
    ("body", "problem"),
    [
        (b"", "no JSON"),
        (b"\xff\xfe", "no JSON"),
        (b"[" * 100_000, "no JSON"),
        (b"[]", 'no list "frames"'),
        (b'{"frames": {}}', 'no list "frames"'),
        (reply(entries(0, 1)), "2 frames, 3 were asked for"),
        (reply(entries(0, 1, 2, 2)), "4 frames, 3 were asked for"),
        (reply(entries(0, 1, 1)), "frame 1 comes twice"),
        (reply(entries(0, 1, 3)), r"number 3 is outside 0\.\.2"),
        (reply(entries(0, 1, -1)), "number -1"),
        (reply([*entries(0, 1), {"index": True, "png_base64": ""}]), "entry 2"),
        (reply([*entries(0, 1), {"index": "2", "png_base64": ""}]), "entry 2"),
        (reply([*entries(0, 1), {"index": 2}]), "entry 2"),
        (reply([*entries(0, 1), None]), "entry 2"),
        (reply([*entries(0, 1), {"index": 2, "png_base64": "data:image/png;base64," + picture()}]), "no base64"),
        (reply([*entries(0, 1), {"index": 2, "png_base64": picture()[:40] + "\n" + picture()[40:]}]), "no base64"),
        (reply([*entries(0, 1), {"index": 2, "png_base64": "Zm9v"}]), "frame 2 is no PNG"),
        (reply([*entries(0, 1), {"index": 2, "png_base64": picture(0, 16, 24)}]), "frame 2 is a 16x24 PNG"),
    ],
)
def test_any_other_reply_is_refused_with_endpoint_and_reason(body, problem):
    with pytest.raises(ProviderError, match=f"(?s)here.*{problem}"):
        list(reply_frames(body, JOB, "here"))


def test_the_request_has_the_fields_of_the_contract():
    job = JobSpec(prompt="x", negative_prompt="y", seed=0, seconds=3, windows=(Window(20, 39),), metadata={"a": 1})
    assert request_body(job) == {
        "prompt": "x",
        "negative_prompt": "y",
        "seed": 0,
        "fps": 24,
        "seconds": 3.0,
        "width": 768,
        "height": 768,
        "regen_windows": [[20 / 24, 39 / 24]],
        "metadata": {"a": 1},
    }
    assert request_body(JOB)["regen_windows"] is None


@given(st.integers(1, 600), st.sampled_from(["12", "24", "25", "24000/1001", "30000/1001", "59.94"]))
def test_a_server_that_rounds_up_in_floats_makes_the_right_number_of_frames(tenths, fps):
    job = JobSpec(prompt="x", seconds=tenths / 10, fps=fps)
    body = request_body(job)
    assert math.ceil(body["seconds"] * body["fps"]) == job.frames


def test_pictures_of_pure_noise_fit_into_the_cap():
    noise = np.random.default_rng(0).integers(0, 256, (16, 24, 3), dtype=np.uint8)
    text = base64.b64encode(encode_png(noise)).decode()
    assert len(reply([{"index": i, "png_base64": text} for i in range(3)])) < max_reply_bytes(JOB)


def test_the_cap_is_of_the_order_of_the_pictures():
    job = JobSpec(prompt="x", seconds=3)
    raw = 72 * 768 * 768 * 3
    assert raw * 4 / 3 < max_reply_bytes(job) < raw * 1.4
