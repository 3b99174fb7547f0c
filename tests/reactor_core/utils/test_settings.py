from pathlib import Path

import pytest

from reactor_core.errors import ConfigError
from reactor_core.utils.settings import load_settings, meet_afresh, process_environment


@pytest.fixture(autouse=True)
def _clean(monkeypatch):
    for name in (
        "COST_DAILY_BUDGET",
        "EVENT_BRIDGE_WS_URL",
        "A1_REACTOR_PROVIDER_ALLOW",
        "REACTOR_WORKSPACE",
    ):
        monkeypatch.delenv(name, raising=False)


def test_defaults_need_no_environment():
    settings = load_settings()
    assert settings.workspace == Path(".reactor")
    assert settings.cost_daily_budget == 100.0
    assert settings.event_bridge_ws_url is None


def test_variables_are_read(monkeypatch):
    monkeypatch.setenv("COST_DAILY_BUDGET", "12.5")
    monkeypatch.setenv("EVENT_BRIDGE_WS_URL", "ws://localhost:8000/ws/events")
    monkeypatch.setenv("A1_REACTOR_PROVIDER_ALLOW", "127.0.0.1:9000, models.lan:80")
    settings = load_settings()
    assert settings.cost_daily_budget == 12.5
    assert settings.event_bridge_ws_url == "ws://localhost:8000/ws/events"
    assert settings.provider_allow == ("127.0.0.1:9000", "models.lan:80")


def test_an_empty_variable_is_an_absent_one(monkeypatch):
    monkeypatch.setenv("EVENT_BRIDGE_WS_URL", "")
    assert load_settings().event_bridge_ws_url is None


def test_a_bad_value_names_the_variable(monkeypatch):
    monkeypatch.setenv("COST_DAILY_BUDGET", "plenty")
    with pytest.raises(ConfigError, match="COST_DAILY_BUDGET='plenty'"):
        load_settings()


def test_settings_do_not_change_after_they_were_read():
    settings = load_settings()
    with pytest.raises(ValueError, match="frozen"):
        settings.port = 1


def test_processes_that_are_started_again_meet_in_a_store_of_their_own(monkeypatch):
    monkeypatch.setenv("TORCH_DISABLE_SHARE_RDZV_TCP_STORE", "0")
    meet_afresh()
    assert process_environment()["TORCH_DISABLE_SHARE_RDZV_TCP_STORE"] == "1"
