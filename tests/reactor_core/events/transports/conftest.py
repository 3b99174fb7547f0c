from __future__ import annotations

import importlib.util
from collections.abc import AsyncIterator
from pathlib import Path

import pytest

spec = importlib.util.spec_from_file_location("family_hub", Path(__file__).with_name("hub.py"))
family_hub = importlib.util.module_from_spec(spec)
spec.loader.exec_module(family_hub)


@pytest.fixture
async def hub() -> AsyncIterator[family_hub.Hub]:
    hub = family_hub.Hub()
    await hub.start()
    yield hub
    await hub.stop()


@pytest.fixture(autouse=True)
def fallback_file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    path = tmp_path / "shared" / "events.jsonl"
    monkeypatch.setenv("EVENT_BRIDGE_FALLBACK_FILE", str(path))
    return path
