from __future__ import annotations

import json
import threading

import pytest
from tests.servers.postgres import free_port
from websockets.sync.server import serve

from reactor_core.cli_events.targets import open_target
from reactor_core.errors import ConfigError, StorageError
from reactor_core.events import Event


def test_a_shared_file_gets_whole_lines_behind_its_own(tmp_path, event):
    file = tmp_path / "events.jsonl"
    file.write_text("earlier\n")
    with open_target(str(file)) as target:
        target.send(event(1))
        target.send(event(2))
        target.finish()
    earlier, *lines = file.read_text().splitlines()
    assert earlier == "earlier"
    assert [Event.from_json(text).event_id for text in lines] == ["event-000000000001", "event-000000000002"]
    assert json.loads(lines[0])["payload"] == {"n": 1}


@pytest.mark.parametrize("name", ["http://localhost", "redis://localhost"])
def test_other_addresses_are_an_error(name):
    with pytest.raises(ConfigError, match="cannot be sent"), open_target(name):
        pass


def test_a_hub_gets_everything_before_the_end(event):
    got, headers = [], []

    def hub(connection):
        headers.append(connection.request.headers["Authorization"])
        for _ in range(100):
            connection.send("what the hub says to others")
        got.extend(connection)

    with serve(hub, "127.0.0.1", 0) as server:
        thread = threading.Thread(target=server.serve_forever)
        thread.start()
        port = server.socket.getsockname()[1]
        with open_target(f"ws://127.0.0.1:{port}/ws/events", token="secret") as target:
            for number in range(1200):
                target.send(event(number))
            target.finish()
        server.shutdown()
        thread.join()
    assert headers == ["Bearer secret"]
    assert json.loads(got[0]) == {"type": "identity", "source": "system"}
    assert [Event.from_json(text).data["n"] for text in got[1:]] == list(range(1200))


def test_a_hub_that_is_not_there_is_an_error():
    address = f"ws://127.0.0.1:{free_port()}/ws/events"
    with pytest.raises(StorageError, match=address), open_target(address):
        pass
