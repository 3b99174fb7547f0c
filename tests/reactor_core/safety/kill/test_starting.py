"""Meeting a watcher that is there, that is not, and that cannot be."""

from __future__ import annotations

import threading

import pytest

from reactor_core.errors import EnvironmentMissing
from reactor_core.integration import EventBridge
from reactor_core.safety.kill import starting, watcher_standing, wire
from reactor_core.safety.kill.starting import meet_watcher
from reactor_core.utils.settings import Settings


def hello(name: str) -> wire.Hello:
    return wire.Hello(1, name, name, 60.0)


@pytest.mark.slow
def test_several_at_once_start_one_watcher(bridge: EventBridge, settings: Settings) -> None:
    met: list[object] = []

    def meet(name: str) -> None:
        met.append(meet_watcher(bridge, hello(name)))

    threads = [threading.Thread(target=meet, args=(f"station-{number}",)) for number in range(3)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    standing = watcher_standing(settings.workspace)
    assert standing is not None
    assert len(standing.stations) == len(met) == 3
    for connected, echo in met:  # type: ignore[misc]
        assert echo == wire.Echo(0, 0, False)  # type: ignore[has-type]
        connected.close()  # type: ignore[has-type]


def test_it_is_told_that_everything_is_halted(bridge: EventBridge) -> None:
    bridge.latch.trip(reason="enough")
    connected, echo = meet_watcher(bridge, hello("late"))
    with connected:
        assert (echo.epoch, echo.tripped) == (1, True)


def test_one_that_hangs_is_not_waited_for_long(
    bridge: EventBridge, settings: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(starting, "GREET_SECONDS", 0.1)
    listening = wire.bind(settings.workspace)
    assert listening is not None
    with listening, pytest.raises(EnvironmentMissing, match="does not answer"):
        meet_watcher(bridge, hello("agent"))


def test_one_that_cannot_be_started_says_why(tmp_path_factory: pytest.TempPathFactory) -> None:
    folder = tmp_path_factory.mktemp("w")
    settings = Settings(workspace=folder, state_dir=folder / "state", kill_switch_lease_ms=1000)
    with EventBridge("agent", settings=settings) as bridge:
        (folder / "watcher.log").mkdir()
        with pytest.raises(EnvironmentMissing):
            meet_watcher(bridge, hello("agent"))
