"""Version 2 against a real server on loopback."""

import base64
import threading
from dataclasses import replace
from decimal import Decimal
from types import SimpleNamespace

import numpy as np
import pytest
from tests.servers.frames_v2 import DESCRIPTION, FramesV2, png

from a1_reactor.media.png import decode_png
from a1_reactor.providers.base import FramewiseProvider
from a1_reactor.providers.http_v2 import HTTPProviderV2
from a1_reactor.providers.price import FREE, Price
from a1_reactor.providers.wire import Wire
from a1_reactor.types import FrameQuantum, JobSpec, Mask, Window
from reactor_core.errors import Halted, ProviderError

JOB = JobSpec(prompt="a fox", negative_prompt="rain", seconds=1, fps=24, width=32, height=16, options={"steps": 4})
WINDOWS = (Window(8, 12),)


def provider(address, job_timeout_s=10.0, **options):
    wire = Wire(f"http://{address}/frames", **{"allow": [address], "retry_wait_s": 0.01, "timeout_s": 10, **options})
    return HTTPProviderV2(wire, job_timeout_s=job_timeout_s)


class Base:
    """Frame i has level 100 + i; remembers what was looked at."""

    def __init__(self):
        self.shown = []
        self.origin = SimpleNamespace()

    def frame(self, index):
        self.shown.append(index)
        return np.full((16, 32, 3), 100 + index, np.uint8)


def levels(frames):
    return {index: int(frame[0, 0, 0]) for index, frame in frames}


def regen(server, **options):
    with server.serving() as address:
        return levels(provider(address, **options).regen_frames(JOB, Base(), WINDOWS))


def test_the_server_says_what_it_is_and_can_do():
    server = FramesV2()
    with server.serving() as address:
        speaker = provider(address)
        assert speaker.capabilities.quantum == FrameQuantum(step=4, offset=1, maximum=81)
        assert speaker.capabilities.modes == {"full", "mask", "first_last"}
        assert speaker.identity()["model"] == "loopback 1"
    assert len(server.seen) == 1  # asked once


@pytest.mark.parametrize(
    "description",
    [
        [],
        {"contract": 1, "model": "m", "capabilities": {}},
        {**DESCRIPTION, "model": "a\nb"},
        {**DESCRIPTION, "capabilities": {"modes": ["magic"]}},
    ],
)
def test_another_description_is_refused(description):
    with FramesV2(description=description).serving() as address:
        with pytest.raises(ProviderError, match=r"no JSON object|describes itself wrongly"):
            provider(address).identity()


@pytest.mark.parametrize("multipart", [False, True])
def test_a_window_comes_back_without_the_context_that_was_sent(multipart):
    server, base = FramesV2(multipart=multipart), Base()
    with server.serving() as address:
        frames = levels(provider(address).regen_frames(JOB, base, WINDOWS))
    assert frames == {8: 8, 9: 9, 10: 10, 11: 11}
    job = server.jobs[0]
    assert (job["span"], job["window"], job["mode"]) == ([6, 15], [8, 12], "mask")  # 4 + 2 * 2 = 8, so 9
    assert base.shown == list(range(6, 15))
    assert [entry["index"] for entry in job["base"]] == base.shown
    assert (job["options"], job["fps"], job["clip_frames"]) == ({"steps": 4}, [24, 1], 24)


def test_pictures_that_the_server_has_are_not_sent_again():
    server = FramesV2()
    with server.serving() as address:
        for _ in range(2):
            list(provider(address).regen_frames(JOB, Base(), WINDOWS))
    kinds = [headers["Content-Type"].partition(";")[0] for method, _, headers in server.seen if method == "POST"]
    assert kinds == ["application/json", "multipart/form-data", "application/json"]
    keys = [headers["Idempotency-Key"] for method, _, headers in server.seen if method == "POST"]
    assert keys[0] == keys[1] != keys[2]


@pytest.mark.parametrize("multipart", [False, True])
def test_a_clip_is_asked_for_in_an_amount_that_the_server_makes(multipart):
    server = FramesV2(multipart=multipart, spoil=lambda frames: frames[::-1])
    with server.serving() as address:
        frames = [int(frame[0, 0, 0]) for frame in provider(address).generate_frames(JOB)]
    assert frames == list(range(24))
    assert (server.jobs[0]["span"], server.jobs[0]["mode"], server.jobs[0]["base"]) == ([0, 25], "full", [])


def test_a_job_that_takes_time_is_polled():
    server = FramesV2(asks=3)
    assert sorted(regen(server)) == [8, 9, 10, 11]
    assert [path for method, path, _ in server.seen if method == "GET"] == ["/frames"] + ["/jobs/1"] * 4


def test_a_job_is_called_off_when_the_kill_switch_is_tripped():
    server = FramesV2(asks=10**6)
    polled = []

    def pulse():
        polled.append(1)
        if len(polled) > 12:
            raise Halted("the kill switch is tripped")

    with server.serving() as address, pytest.raises(Halted):
        list(provider(address, pulse=pulse).regen_frames(JOB, Base(), WINDOWS))
    assert server.seen[-1][:2] == ("DELETE", "/jobs/1")


def test_a_job_that_is_not_done_in_time_is_called_off():
    server = FramesV2(asks=10**6)
    with server.serving() as address, pytest.raises(ProviderError, match=r"not done within 0\.2 s"):
        list(provider(address, job_timeout_s=0.2).regen_frames(JOB, Base(), WINDOWS))
    assert server.seen[-1][:2] == ("DELETE", "/jobs/1")


def test_a_job_on_another_server_is_not_followed():
    server = FramesV2(reply=lambda handler, job: handler.answer(202, Location="http://169.254.169.254/latest"))
    with pytest.raises(ProviderError, match="on another server"):
        regen(server)


SPOILED = {
    "too few": (lambda frames: frames[:3], "3 frames of the window are missing, the first is 9"),
    "too many": (lambda frames: [*frames, (15, frames[0][1])], r"number 15 is outside 6\.\.14"),
    "twice": (lambda frames: [*frames, frames[0]], "frame 6 comes twice"),
    "no picture": (lambda frames: [(i, b"GIF89a") for i, _ in frames], "frame 8 is no PNG"),
    "half a picture": (lambda frames: [(i, data[:60]) for i, data in frames], "frame 8 is a damaged PNG"),
    "another size": (lambda frames: [(i, frames[0][1].replace(b"\0\0\0 ", b"\0\0\0@")) for i, _ in frames], "64x16"),
}


@pytest.mark.parametrize("multipart", [False, True])
@pytest.mark.parametrize("fault", SPOILED)
def test_a_reply_that_breaks_the_contract_is_refused_and_not_tried_again(fault, multipart):
    spoil, problem = SPOILED[fault]
    server = FramesV2(multipart=multipart, spoil=spoil)
    with pytest.raises(ProviderError, match=problem):
        regen(server)
    assert len(server.jobs) == 1


def test_a_picture_that_claims_to_be_gigantic_is_refused_by_its_head():
    huge = b"\x89PNG\r\n\x1a\n\0\0\0\rIHDR" + (10**5).to_bytes(4, "big") * 2 + b"\x08\x02\0\0\0" + bytes(20)
    with pytest.raises(ProviderError, match="100000x100000"):
        regen(FramesV2(spoil=lambda frames: [(i, huge) for i, _ in frames]))


@pytest.mark.parametrize(
    ("kind", "body", "problem"),
    [
        ("text/html", b"<html>", "text/html"),
        ("multipart/mixed", b"--B", "no boundary"),
        ("multipart/mixed; boundary=B", b"--B\r\nContent-Type: image/png\r\n\r\nx\r\n--B--", "whole Frame-Index"),
        ("multipart/mixed; boundary=B", b"--B\r\nContent-Type: text/html\r\n", "ends in the middle"),
        ("multipart/mixed; boundary=B", b"--B\r\nA: b\r\n\r\n" + bytes(10_000) + b"\r\n--B--", "longer than"),
        ("application/json", b"{", "no JSON"),
        ("application/json", b'{"frames": [{}]}', "entry 0"),
        ("application/json", b'{"frames": [{"index": 8, "png_base64": "data:"}]}', "no base64"),
    ],
)
def test_a_reply_of_another_shape_is_refused(kind, body, problem):
    with pytest.raises(ProviderError, match=problem):
        regen(FramesV2(reply=lambda handler, job: handler.answer(200, body, kind)))


def test_a_server_that_dies_in_the_middle_is_asked_again():
    died = threading.Event()

    def reply(handler, job):
        if died.is_set():
            whole.send(handler, job)
            return
        died.set()
        handler.send_response(200)
        handler.send_header("Content-Type", "multipart/mixed; boundary=B")
        handler.send_header("Content-Length", "100000")
        handler.end_headers()
        handler.wfile.write(b"--B\r\n")
        handler.close_connection = True

    whole = FramesV2(multipart=True)
    assert sorted(regen(FramesV2(reply=reply))) == [8, 9, 10, 11]


@pytest.mark.parametrize("document", [{}, {"missing": []}, {"missing": ["0" * 64]}])
def test_a_server_that_asks_for_pictures_it_was_not_told_of_is_refused(document):
    class Greedy(FramesV2):
        def handler(self):
            class Handler(super().handler()):
                def do_POST(self):  # noqa: N802
                    self.body()
                    self.answer_json(document, 409)

            return Handler

    with pytest.raises(ProviderError, match="missing"):
        regen(Greedy())


def with_can(**can):
    return {**DESCRIPTION, "capabilities": {**DESCRIPTION["capabilities"], **can}}


@pytest.mark.parametrize("heeds", [True, False])
def test_the_mask_goes_to_a_server_that_heeds_it(heeds):
    job = replace(JOB, windows=WINDOWS, mask=Mask(rectangle=(8, 4, 16, 8), feather=2))
    server = FramesV2(description=with_can(spatial_mask=heeds))
    with server.serving() as address:
        assert sorted(levels(provider(address).regen_frames(job, Base(), WINDOWS))) == [8, 9, 10, 11]
    if not heeds:
        assert "mask" not in server.jobs[0]
        return
    picture = server.pictures[server.jobs[0]["mask"]["sha256"]]
    sent = decode_png(picture, width=32, height=16, where="the mask")
    assert (sent[4:12, 8:24] == 255).all()
    assert sent.astype(int).sum() == 8 * 16 * 3 * 255


def test_some_frames_are_asked_for_alone_of_a_server_that_can():
    server, windows = FramesV2(description=with_can(any_frame=True)), (Window(2, 4), Window(8, 12))
    with server.serving() as address:
        speaker = provider(address)
        assert isinstance(speaker, FramewiseProvider)
        assert speaker.capabilities.any_frame
        assert levels(speaker.frames_at(JOB, Base(), windows, [9, 11])) == {9: 9, 11: 11}
        assert list(levels(speaker.frames_at(JOB, None, (), [3, 20, 23]))) == [3, 20, 23]
    assert [(job["frames"], job["window"], job["mode"]) for job in server.jobs] == [
        ([9, 11], [8, 12], "mask"),
        ([3, 20, 23], [0, 24], "full"),
    ]


def last_value(generator):
    while True:
        try:
            next(generator)
        except StopIteration as end:
            return end.value


@pytest.mark.parametrize(
    ("said", "usd"),
    [("0.25", Decimal("0.25")), ("0", Decimal(0)), (None, None), ("-1", ProviderError), ("1e9", ProviderError)],
)
def test_what_an_answer_costs_is_what_its_server_says(said, usd):
    def reply(handler, job):
        headers = {} if said is None else {"Reactor_Cost_USD": said}
        frames = [
            {"index": index, "png_base64": base64.b64encode(png(0, 32, 16)).decode()} for index in range(*job["span"])
        ]
        handler.answer_json({"frames": frames}, **headers)

    with FramesV2(reply=reply).serving() as address:
        asked = [
            provider(address).generate_frames(JOB),
            provider(address).regen_frames(JOB, Base(), (Window(2, 4), Window(8, 12))),
        ]
        if usd is ProviderError:
            with pytest.raises(ProviderError, match="no amount"):
                last_value(asked[0])
            return
        assert [last_value(each) for each in asked] == [usd, None if usd is None else 2 * usd]


def test_a_price_is_the_server_s_unless_the_operator_states_one():
    server = FramesV2(description=with_can(price={"usd_per_second": 0.1}))
    with server.serving() as address:
        assert provider(address).capabilities.price == Price(per_second=Decimal("0.1"))
        wire = Wire(f"http://{address}/frames", allow=[address])
        assert HTTPProviderV2(wire, price=FREE).capabilities.price == FREE
