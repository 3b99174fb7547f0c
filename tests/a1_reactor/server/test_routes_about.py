from __future__ import annotations

from tests.a1_reactor.server.conftest import CLIP

from reactor_core.events.latch import Latch


def test_health_counts_what_waits_and_sees_the_kill_switch(still):
    still.post("/v1/jobs", json=CLIP)
    told = still.get("/health").json()
    assert (told["status"], told["queued"], told["running"], told["kill_switch"]) == ("ok", 1, 0, "clear")
    Latch(still.app.state.services.settings.workspace).trip(reason="too hot", by="test")
    assert still.get("/health").json()["kill_switch"] == "tripped"
    still.app.state.services._supervisor.fault = RuntimeError("a bug")
    told = still.get("/health")
    assert (told.status_code, "a bug" in told.json()["detail"]) == (503, True)


def test_presets_and_providers_are_listed(still):
    listed = still.get("/v1/presets").json()
    assert "noir" in listed["presets"]
    assert listed["templates"]["product_studio"]["holes"] == ["subject"]
    providers = {each["name"]: each for each in still.get("/v1/providers").json()["providers"]}
    assert providers["http"]["endpoints"] == ["127.0.0.1:9"]
    assert providers["mock"]["available"]
    assert "endpoints" not in providers["mock"]
