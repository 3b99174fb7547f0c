from __future__ import annotations

import json
import signal
import subprocess
import sys
import urllib.request
from pathlib import Path

import pytest
from tests.servers.postgres import free_port
from tests.servers.station import Station

from reactor_core.errors import ConfigError, StorageError
from reactor_core.events import Journal
from reactor_core.integration.hub_service import _without_itself, run_hub
from reactor_core.utils.settings import Settings

RUN = """
import sys
from pathlib import Path
from reactor_core.integration.hub_service import run_hub
from reactor_core.utils.settings import load_settings
settings = load_settings().model_copy(update={"workspace": Path(sys.argv[1])})
sys.exit(run_hub(settings, port=int(sys.argv[2]), echo=lambda text: print(text, flush=True)))
"""


class HubProcess:
    """``reactor hub`` as its users run it."""

    def __init__(self, workspace: Path, port: int) -> None:
        self.port = port
        self.url = f"ws://127.0.0.1:{port}/ws/events"
        self._command = [sys.executable, "-c", RUN, str(workspace), str(port)]
        self.start()

    def start(self) -> None:
        self.process = subprocess.Popen(self._command, stdout=subprocess.PIPE, text=True)
        self.said = [self.process.stdout.readline().strip(), self.process.stdout.readline().strip()]

    def end(self, number: signal.Signals) -> int:
        self.process.send_signal(number)
        self.process.communicate(timeout=60)
        return self.process.returncode


@pytest.fixture
def hub(tmp_path):
    hub = HubProcess(tmp_path / "hub", free_port())
    yield hub
    hub.end(signal.SIGKILL)


@pytest.fixture
def station(hub, tmp_path):
    stations: list[Station] = []

    def make(name: str) -> Station:
        stations.append(Station(tmp_path / name, hub.url, name))
        stations[-1].connected()
        return stations[-1]

    yield make
    for each in stations:
        each.close(seconds=0.1)


def test_it_says_where_it_is_and_where_the_token_lies(hub, tmp_path):
    assert hub.said == [f"Hub at {hub.url}", f"Token for clients on other machines: in {tmp_path / 'hub' / 'token'}"]
    with urllib.request.urlopen(f"http://127.0.0.1:{hub.port}/health", timeout=30) as answer:
        assert json.load(answer)["status"] == "ok"


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_asked_to_end_it_lets_go_of_its_peers_and_keeps_what_came(hub, station, tmp_path, number):
    one = station("one")
    sent = one.publish(*range(100))
    one.delivered()
    assert hub.end(number) == 0
    one.until(lambda: one.relay.status.state == "down")
    with Journal(tmp_path / "hub" / "reactor.db") as journal:
        assert [event.event_id for event in journal.read()] == sent
        assert journal.verify().ok


def test_a_hub_that_is_killed_loses_nothing_that_it_acknowledged(hub, station):
    one, two = station("one"), station("two")
    sent = one.publish(*range(50))
    two.received(50)
    for round_ in range(1, 3):
        sent += one.publish(*range(50 * round_, 50 * round_ + 50))  # some of it on its way
        hub.end(signal.SIGKILL)
        hub.start()
    one.delivered()
    assert [event.event_id for event in two.received(150)] == sent


def test_the_kill_switch_halts_every_workspace(hub, station):
    one, two = station("one"), station("two")
    one.publish(1, lane=1, kind="kill_switch_triggered", action="x")
    two.received(1)
    two.until(lambda: two.latch.state().tripped)  # the hub's latch told it


def test_it_is_open_to_other_machines_only_with_a_token_that_was_given(tmp_path):
    settings = Settings(workspace=tmp_path)
    with pytest.raises(ConfigError, match="no token was given"):
        run_hub(settings, host="0.0.0.0", port=0)
    with pytest.raises(StorageError, match="token-file"):
        run_hub(settings, host="0.0.0.0", port=0, token_file=tmp_path / "missing")


@pytest.mark.parametrize(
    ("url", "host", "kept"),
    [
        (None, "127.0.0.1", None),
        ("ws://localhost:8000/ws/events", "127.0.0.1", None),
        ("ws://localhost:8000/ws/events", "0.0.0.0", None),
        ("ws://localhost:8001/ws/events", "127.0.0.1", "ws://localhost:8001/ws/events"),
        ("ws://elsewhere:8000/ws/events", "0.0.0.0", "ws://elsewhere:8000/ws/events"),
    ],
)
def test_it_does_not_connect_to_itself(tmp_path, url, host, kept):
    settings = Settings(workspace=tmp_path, event_bridge_ws_url=url)
    assert _without_itself(settings, host, 8000).event_bridge_ws_url == kept
