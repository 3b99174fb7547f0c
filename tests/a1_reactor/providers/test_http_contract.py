"""The reply is read in test_http_v2.py as a server sends it; here is what holds for every request."""

import hashlib

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from a1_reactor.media.png import encode_png
from a1_reactor.providers.base import Capabilities, spans_of
from a1_reactor.providers.http_contract import Request
from a1_reactor.types import FrameQuantum, JobSpec, Window


class Base:
    def frame(self, index):
        return np.full((16, 24, 3), index, np.uint8)


def request(window, mode, context=2):
    job = JobSpec(prompt="x", seconds=1, width=24, height=16)
    can = Capabilities(context_frames=context, quantum=FrameQuantum(step=4, offset=1))
    return Request(job, spans_of((window,), job, can)[0], mode, Base())


def test_a_picture_s_name_is_the_hash_of_its_file():
    asked = request(Window(8, 12), "first_last")
    for entry in asked.to_json()["base"]:
        data = encode_png(Base().frame(entry["index"]))
        assert entry["sha256"] == hashlib.sha256(data).hexdigest()
        assert asked.pictures[entry["sha256"]] == data


@given(st.integers(0, 22), st.integers(1, 12), st.sampled_from(["mask", "first_last", "interpolate", "full"]))
def test_no_frame_outside_the_span_is_ever_sent(start, length, mode):
    document = request(Window(start, min(24, start + length)), mode).to_json()
    first, behind = document["span"]
    assert all(first <= entry["index"] < behind for entry in document["base"])
    assert bool(document["base"]) == (mode != "full")


def test_a_reply_of_pure_noise_fits_into_the_cap():
    asked = request(Window(8, 12), "mask")
    noise = np.random.default_rng(0).integers(0, 256, (16, 24, 3), dtype=np.uint8)
    assert len(asked.span) * len(encode_png(noise)) * 4 / 3 < asked.max_reply_bytes
