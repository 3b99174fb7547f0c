from contextlib import contextmanager

import pytest

from a1_reactor import plugin as a1_plugin
from reactor_core.demo import clip
from reactor_core.demo.clip import run_clip_step
from reactor_core.errors import Halted, NotFound
from reactor_core.integration import EventBridge


@pytest.fixture
def bridge(tmp_path):
    with EventBridge(workspace=tmp_path / "workspace") as bridge:
        yield bridge


@contextmanager
def step(title):
    yield lambda text, share: None


def test_the_plugins_events_name_the_run(bridge, settings, tmp_path, monkeypatch):
    monkeypatch.setattr(a1_plugin, "_SIDE", 64)
    settings = settings.model_copy(update={"a1_workspace": tmp_path / "clips"})
    made = run_clip_step("demo-7", 0, settings, bridge, step)
    assert made["regen_frames_changed"] + made["regen_frames_untouched"] == made["frames"]
    events = bridge.get_events_by_type_sync(["generation_complete", "regen_complete"])
    assert [event.metadata["run_id"] for event in events] == ["demo-7", "demo-7"]
    assert events[1].data["clip_id"] == made["lineage"]["clip_id"]


def test_a_halt_ends_the_clip_at_its_next_frame(bridge, settings, tmp_path, monkeypatch):
    monkeypatch.setattr(a1_plugin, "_SIDE", 64)
    settings = settings.model_copy(update={"a1_workspace": tmp_path / "clips"})

    @contextmanager
    def tripping(_name):
        yield lambda _text, share: bridge.latch.trip(reason="enough") if share > 0 else None

    with pytest.raises(Halted, match="enough"):
        run_clip_step("demo-7", 0, settings, bridge, tripping)
    assert bridge.get_events_by_type_sync(["generation_complete"]) == []
    assert list((tmp_path / "clips").rglob("*.mp4")) == []


def test_without_the_package_the_step_says_so(bridge, settings, monkeypatch):
    monkeypatch.setattr(clip, "PLUGIN", "no_such_plugin")
    with pytest.raises(NotFound, match="no_such_plugin"):
        run_clip_step("demo-7", 0, settings, bridge, step)
