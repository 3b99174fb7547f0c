"""A clip whose provider fails: nothing of it remains, and a later try succeeds."""

import socket
import threading
from dataclasses import replace

import pytest
from tests.servers.frames_v2 import FramesV2, png

from a1_reactor.config import ReactorConfig
from a1_reactor.engine.engine import ReactorEngine
from a1_reactor.media.mp4 import EncoderOptions
from a1_reactor.providers.http_v2 import HTTPProviderV2
from a1_reactor.providers.mock import MockProvider
from a1_reactor.providers.wire import Wire
from a1_reactor.types import JobSpec, Window
from reactor_core.errors import ProviderError

WINDOW = (Window(8, 12),)


def dies(handler, job):
    """The connection ends after a frame and a half."""
    picture = png(0, job["width"], job["height"])
    body = b"--B\r\nContent-Type: image/png\r\nFrame-Index: 8\r\n\r\n" + picture + b"\r\n--B\r\nContent-Type: im"
    handler.send_response(200)
    handler.send_header("Content-Type", "multipart/mixed; boundary=B")
    handler.send_header("Content-Length", str(len(body) + 1000))
    handler.end_headers()
    handler.wfile.write(body)
    handler.wfile.flush()
    handler.connection.shutdown(socket.SHUT_RDWR)
    handler.close_connection = True


def lies(handler, job):
    """The same, as a whole reply."""
    handler.answer(200, b"--B\r\nContent-Type: image/png\r\nFrame-Index: 8\r\n\r\n", "multipart/mixed; boundary=B")


def hangs(handler, job):
    threading.Event().wait(1.0)


def gigantic(handler, job):
    handler.send_response(200)
    handler.send_header("Content-Type", "application/json")
    handler.end_headers()
    try:
        for _ in range(64):
            handler.wfile.write(b" " * (1 << 20))
    except (BrokenPipeError, ConnectionResetError):
        handler.close_connection = True


FAULTS = {
    "hangs": (FramesV2(reply=hangs), "no complete reply within"),
    "dies in the middle": (FramesV2(reply=dies), "check that the server runs"),
    "ends too early": (FramesV2(reply=lies), "ends in the middle of a part"),
    "too few": (FramesV2(multipart=True, spoil=lambda frames: frames[:4]), "are missing"),
    "too many": (FramesV2(multipart=True, spoil=lambda frames: [*frames, (23, b"")]), "outside"),
    "wrong size": (FramesV2(spoil=lambda frames: [(i, png(0, 8, 8)) for i, _ in frames]), "8x8 PNG"),
    "corrupt": (FramesV2(spoil=lambda frames: [(i, data[:-30]) for i, data in frames]), "damaged PNG"),
    "gigantic": (FramesV2(reply=gigantic), "larger than"),
}


def files(folder):
    """But for what a later try goes on with."""
    return {
        path.relative_to(folder).as_posix(): path.stat().st_size
        for path in folder.rglob("*")
        if path.is_file() and not path.name.endswith(".lock") and "answers" not in path.relative_to(folder).parts
    }


def small(windows=()):
    return JobSpec(prompt="golden hour", seconds=1, width=48, height=32, windows=windows)


@pytest.fixture(scope="module")
def engine(tmp_path_factory):
    config = ReactorConfig(workspace=tmp_path_factory.mktemp("a1r"))
    return ReactorEngine(config, MockProvider(), encoder=EncoderOptions(preset="ultrafast", crf=20))


@pytest.fixture(scope="module")
def parent(engine):
    return engine.generate(small()).clip


def over_http(engine, address, timeout_s=30.0):
    wire = Wire(f"http://{address}/frames", allow=[address], timeout_s=timeout_s, attempts=2, retry_wait_s=0.01)
    return replace(engine, provider=HTTPProviderV2(wire))


@pytest.mark.parametrize("fault", FAULTS)
def test_nothing_half_written_remains(engine, parent, fault):
    server, problem = FAULTS[fault]
    before = files(engine.config.workspace)
    with server.serving() as address, pytest.raises(ProviderError, match=problem):
        over_http(engine, address, 0.5 if fault == "hangs" else 30.0).regen(small(WINDOW), parent=parent)
    assert files(engine.config.workspace) == before


def test_a_later_try_succeeds(engine, parent):
    with FramesV2(multipart=True).serving() as address:
        child = over_http(engine, address).regen(small(WINDOW), parent=parent).clip
    assert child.manifest.frames[:8] == parent.manifest.frames[:8]
    assert child.manifest.frames[12:] == parent.manifest.frames[12:]
