from __future__ import annotations

import json
import re
import signal
import subprocess
import sys

import pytest
from websockets.sync.client import connect

from reactor_core.events import Journal


def test_the_hub_takes_events_and_ends_when_asked(workspace):
    with subprocess.Popen(
        [sys.executable, "-m", "reactor_core.cli", "hub", "--port", "0"], stdout=subprocess.PIPE, text=True
    ) as process:
        address = re.search(r"ws://\S+", process.stdout.readline())[0]
        with connect(address) as peer:
            peer.send('{"type": "identity", "source": "scout"}')
            peer.send(json.dumps({"event_id": "0123456789abcdef", "event_type": "note", "source": "scout", "data": {}}))
            assert peer.ping().wait(60)
        process.send_signal(signal.SIGTERM)
        assert process.wait(60) == 0
    with Journal(workspace / "reactor.db") as journal:
        assert journal.has("0123456789abcdef")


@pytest.mark.parametrize(
    ("words", "status"), [(["--host", "0.0.0.0"], 3), (["--port", "x"], 2), (["--token-file", "/nowhere"], 1)]
)
def test_what_cannot_be_served_ends_with_its_status(reactor, monkeypatch, words, status):
    monkeypatch.delenv("REACTOR_API_TOKEN", raising=False)
    assert reactor("hub", *words) == status
