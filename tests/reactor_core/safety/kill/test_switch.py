"""Pulling the switch with and without a watcher."""

from __future__ import annotations

import os
import time
from pathlib import Path

import pytest
from tests.reactor_core.safety.kill.test_station import events

from reactor_core.errors import ConfigError
from reactor_core.integration import EventBridge
from reactor_core.safety.kill import Station, pull_switch, watcher_standing
from reactor_core.utils.settings import Settings


def test_without_a_watcher_the_latch_is_tripped_and_the_event_published(
    bridge: EventBridge, settings: Settings
) -> None:
    report = pull_switch(settings, method="cli", reason="enough", bridge=bridge)
    state = bridge.latch.state()
    assert (state.tripped_epoch, state.event_id, state.reason) == (1, report.event_id, "enough")
    told = events(bridge, "kill_switch_triggered")
    assert [each["response_time_ms"] for each in told] == [report.response_time_ms]
    assert report.stopped == 0


def test_without_a_bridge_it_opens_one(settings: Settings) -> None:
    report = pull_switch(settings, method="cli", reason="enough", by="me")
    with EventBridge("agent", settings=settings) as bridge:
        assert bridge.latch.state().event_id == report.event_id
        assert bridge.latch.state().tripped_epoch == 1


def test_with_a_watcher_it_is_the_watcher_that_measures(
    station: Station, bridge: EventBridge, settings: Settings
) -> None:
    before = time.monotonic()
    report = pull_switch(settings, method="cli", reason="enough", by="me")
    assert 0 < report.response_time_ms <= (time.monotonic() - before) * 1000
    assert bridge.latch.state().by == "me"
    assert station.closed is False


def test_a_disabled_switch_is_refused_with_the_remedy(tmp_path: Path) -> None:
    settings = Settings(workspace=tmp_path, kill_switch_enabled=False)
    with pytest.raises(ConfigError, match="KILL_SWITCH_ENABLED"):
        pull_switch(settings, method="cli", reason="enough")


def test_twice_is_two_epochs(bridge: EventBridge, settings: Settings) -> None:
    epochs = [pull_switch(settings, method="cli", reason="enough", bridge=bridge).epoch for _ in range(2)]
    assert epochs == [1, 2]


def test_nobody_stands_where_there_is_no_watcher(tmp_path: Path) -> None:
    assert watcher_standing(tmp_path) is None
    assert watcher_standing(tmp_path / "nowhere") is None


def test_the_watcher_says_who_has_a_lease(station: Station, settings: Settings) -> None:
    standing = watcher_standing(settings.workspace)
    assert standing is not None
    assert standing.stations == (f"jarvis_agent {os.getpid()}",)
    assert standing.actions == ()
