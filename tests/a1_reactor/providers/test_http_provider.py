"""The HTTP provider against a real server on loopback."""

import base64
import json
import math
import threading
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import numpy as np
import pytest

from a1_reactor.media.png import encode_png
from a1_reactor.providers.http_provider import HTTPProvider
from a1_reactor.types import JobSpec, Window
from reactor_core.errors import ProviderError

JOB = JobSpec(prompt="a fox", negative_prompt="rain", seed=0, seconds=1, fps=4, width=24, height=16)


def good_body(request):
    count = math.ceil(request["seconds"] * request["fps"])
    size = request["height"], request["width"], 3
    frames = [
        {"index": i, "png_base64": base64.b64encode(encode_png(np.full(size, 10 * i, np.uint8))).decode()}
        for i in range(count)
    ]
    return json.dumps({"frames": frames}).encode()


@contextmanager
def serving(*answers):
    """A server that gives one answer after another, and the last one for ever.

    Each answer is called with the handler and the request's JSON. Yields the base URL and the requests seen.
    """
    seen = []

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self):
            request = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
            seen.append((self.path, dict(self.headers), request))
            try:
                answers[min(len(seen), len(answers)) - 1](self, request)
            except (BrokenPipeError, ConnectionResetError):
                self.close_connection = True

        def do_GET(self):
            seen.append((self.path, dict(self.headers), None))
            self.send_error(404)

        def log_message(self, *args):
            pass

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
    thread.start()
    try:
        yield f"http://127.0.0.1:{server.server_port}", seen
    finally:
        server.shutdown()
        thread.join()
        server.server_close()


def status(code, **headers):
    def answer(handler, request):
        handler.send_response(code)
        for name, value in headers.items():
            handler.send_header(name.replace("_", "-"), value)
        handler.send_header("Content-Length", "0")
        handler.end_headers()

    return answer


def body(make, **headers):
    def answer(handler, request):
        data = make(request)
        handler.send_response(200)
        for name, value in headers.items():
            handler.send_header(name.replace("_", "-"), value)
        handler.send_header("Content-Length", str(len(data)))
        handler.end_headers()
        handler.wfile.write(data)

    return answer


good = body(good_body)


def provider(url, **options):
    return HTTPProvider(
        url + "/frames", **{"allow": [url.removeprefix("http://")], "retry_wait_s": 0.01, "timeout_s": 10, **options}
    )


def levels(frames):
    return [int(frame[0, 0, 0]) for frame in frames]


def test_a_clip_is_asked_for_and_read():
    with serving(good) as (url, seen):
        assert levels(provider(url).generate_frames(JOB)) == [0, 10, 20, 30]
    path, headers, request = seen[0]
    assert path == "/frames"
    assert headers["Host"] == url.removeprefix("http://")
    assert (request["prompt"], request["negative_prompt"], request["seed"]) == ("a fox", "rain", 0)
    assert request["regen_windows"] is None


def test_windows_are_asked_for_in_seconds_and_all_frames_come_back():
    with serving(good) as (url, seen):
        frames = dict(provider(url).regen_frames(JOB, None, (Window(1, 3),)))
    assert sorted(frames) == [0, 1, 2, 3]
    assert seen[0][2]["regen_windows"] == [[0.25, 0.75]]


@pytest.mark.parametrize("code", [408, 425, 429, 502, 503, 504])
def test_a_status_that_says_later_is_tried_again(code):
    with serving(status(code), good) as (url, seen):
        assert len(list(provider(url).generate_frames(JOB))) == 4
    assert len(seen) == 2


def test_retry_after_is_honoured():
    with serving(status(429, Retry_After="0"), good) as (url, seen):
        assert len(list(provider(url, retry_wait_s=30).generate_frames(JOB))) == 4
    assert len(seen) == 2


@pytest.mark.parametrize("code", [400, 401, 403, 404, 422, 500])
def test_a_status_that_says_no_is_not_tried_again(code):
    with serving(status(code), good) as (url, seen):
        with pytest.raises(ProviderError, match=f"status {code}") as caught:
            provider(url).generate_frames(JOB)
    assert len(seen) == 1
    assert not caught.value.retryable


def test_a_server_that_stays_away_is_given_up():
    with serving(status(503)) as (url, seen):
        with pytest.raises(ProviderError, match="status 503"):
            provider(url, attempts=3).generate_frames(JOB)
    assert len(seen) == 3


def test_redirects_are_not_followed():
    with serving(status(302, Location="/elsewhere"), good) as (url, seen):
        with pytest.raises(ProviderError, match=r"status 302.*redirects are not followed"):
            provider(url).generate_frames(JOB)
    assert len(seen) == 1


def test_proxies_of_the_environment_are_not_used(monkeypatch):
    monkeypatch.setenv("HTTP_PROXY", "http://127.0.0.1:1")
    monkeypatch.setenv("ALL_PROXY", "http://127.0.0.1:1")
    with serving(good) as (url, _):
        assert len(list(provider(url).generate_frames(JOB))) == 4


def test_loopback_must_be_listed():
    with serving(good) as (url, seen):
        with pytest.raises(ProviderError, match="A1_REACTOR_PROVIDER_ALLOW"):
            provider(url, allow=[]).generate_frames(JOB)
    assert seen == []


def test_nobody_there_is_said_in_one_line():
    with serving(good) as (url, _):
        pass
    with pytest.raises(ProviderError, match="check that the server runs"):
        provider(url, attempts=1).generate_frames(JOB)


def test_a_server_that_hangs_is_cut_off():
    release = threading.Event()
    with serving(lambda handler, request: release.wait(20)) as (url, _):
        try:
            with pytest.raises(ProviderError, match=r"within 0\.2 s") as caught:
                provider(url, timeout_s=0.2, attempts=1).generate_frames(JOB)
        finally:
            release.set()
    assert caught.value.retryable


def test_a_server_that_sends_a_byte_now_and_then_is_cut_off_too():
    cut = threading.Event()

    def drip(handler, request):
        handler.send_response(200)
        handler.end_headers()
        while not cut.wait(0.01):
            handler.wfile.write(b" ")

    with serving(drip) as (url, _):
        try:
            with pytest.raises(ProviderError, match=r"within 0\.3 s"):
                provider(url, attempts=1, timeout_s=0.3).generate_frames(JOB)
        finally:
            cut.set()


def test_a_reply_that_is_too_large_is_not_read_to_its_end():
    def flood(handler, request):
        handler.send_response(200)
        handler.end_headers()
        for _ in range(1000):
            handler.wfile.write(bytes(1 << 20))

    with serving(flood) as (url, _):
        with pytest.raises(ProviderError, match="larger than"):
            provider(url).generate_frames(JOB)


def test_a_connection_that_breaks_in_the_middle_is_tried_again():
    def torn(handler, request):
        handler.send_response(200)
        handler.send_header("Content-Length", "1000")
        handler.end_headers()
        handler.wfile.write(b"{")
        handler.close_connection = True

    with serving(torn, good) as (url, seen):
        assert len(list(provider(url).generate_frames(JOB))) == 4
    assert len(seen) == 2


def test_a_compressed_reply_is_refused():
    with serving(body(lambda request: b"x", Content_Encoding="gzip")) as (url, _):
        with pytest.raises(ProviderError, match="compressed"):
            provider(url).generate_frames(JOB)


def test_a_reply_that_breaks_the_contract_is_not_tried_again():
    with serving(body(lambda request: b"{}")) as (url, seen):
        with pytest.raises(ProviderError, match='no list "frames"'):
            list(provider(url).generate_frames(JOB))
    assert len(seen) == 1


def test_the_endpoint_is_part_of_the_identity():
    one, two = (HTTPProvider(f"https://{host}/frames").identity() for host in ("a.example", "b.example"))
    assert one != two
