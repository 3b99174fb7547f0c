from __future__ import annotations

import logging
import queue
import socket
import threading
import time

import pytest

from reactor_core.cloud.metadata import PreemptionWatch, read_metadata
from reactor_core.errors import StorageError
from reactor_core.gcp.metadata_server import RehearsalMetadataServer

PATIENCE = 30.0


def test_a_notice_is_told_once_while_a_request_hangs() -> None:
    told: queue.Queue[str] = queue.Queue()
    with RehearsalMetadataServer() as server:
        with PreemptionWatch(server.host, told.put):
            assert server.wait_for_request(PATIENCE)
            assert told.empty()
            server.preempt()
            assert told.get(timeout=PATIENCE) == "preemption notice"
        assert told.empty()


def test_a_machine_that_is_being_taken_away_already_is_told_at_once() -> None:
    told: queue.Queue[str] = queue.Queue()
    with RehearsalMetadataServer() as server:
        server.preempt()
        with PreemptionWatch(server.host, told.put):
            assert told.get(timeout=PATIENCE) == "preemption notice"


def test_the_watch_ends_at_once_though_its_request_hangs() -> None:
    with RehearsalMetadataServer() as server:
        with PreemptionWatch(server.host, print):
            assert server.wait_for_request(PATIENCE)
            begun = time.monotonic()
        assert time.monotonic() - begun < 10  # the server would keep it for 60 s
        assert "reactor-preemption" not in [thread.name for thread in threading.enumerate()]


def test_a_server_that_comes_later_is_asked_and_its_absence_logged_once(caplog: pytest.LogCaptureFixture) -> None:
    told: queue.Queue[str] = queue.Queue()
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        closed = f"127.0.0.1:{free.getsockname()[1]}"
    with caplog.at_level(logging.WARNING), PreemptionWatch(closed, told.put):
        deadline = time.monotonic() + PATIENCE
        while not caplog.records and time.monotonic() < deadline:
            time.sleep(0.01)
        time.sleep(0.5)  # a second attempt fails meanwhile
    assert len(caplog.records) == 1
    assert told.empty()


def test_a_value_is_read(tmp_path: object) -> None:
    with RehearsalMetadataServer() as server:
        assert read_metadata(server.host, "instance/preempted") == "FALSE"
        with pytest.raises(StorageError, match="404"):
            read_metadata(server.host, "instance/zone")


def test_another_web_server_at_the_address_is_not_believed() -> None:
    listener = socket.create_server(("127.0.0.1", 0))

    def answer() -> None:
        connection, _ = listener.accept()
        connection.recv(4096)
        connection.sendall(b"HTTP/1.1 200 OK\r\nContent-Length: 4\r\n\r\nTRUE")
        connection.close()

    thread = threading.Thread(target=answer)
    thread.start()
    with pytest.raises(StorageError, match="answered 200"):
        read_metadata(f"127.0.0.1:{listener.getsockname()[1]}", "instance/preempted")
    thread.join()
    listener.close()
