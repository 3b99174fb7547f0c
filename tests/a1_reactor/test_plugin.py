"""The step of the main job, at a tenth of its size."""

import json
from pathlib import Path

import pytest

from a1_reactor import plugin as plugin_module
from a1_reactor.media.mp4 import count_frames
from a1_reactor.plugin import A1Plugin, plugin
from reactor_core.errors import ArtifactCorrupt
from reactor_core.plugins import DemoContext, Plugin, find_plugin


class Told:
    """A context's listener."""

    def __init__(self):
        self.shares, self.events = [], []

    def progress(self, text, share):
        self.shares.append(share)

    def publish(self, event_type, data, metadata):
        self.events.append((event_type, data, metadata))
        return f"event-{len(self.events)}"


def run_step(workspace):
    told = Told()
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(plugin_module, "_SIDE", 64)
        step = A1Plugin().demo_step(
            DemoContext(workspace=workspace, run_id="demo-1", seed=3, progress=told.progress, publish=told.publish)
        )
    return step, told


@pytest.fixture(scope="module")
def workspace(tmp_path_factory):
    return tmp_path_factory.mktemp("plugin") / "a1r"


@pytest.fixture(scope="module")
def ran(workspace):
    return run_step(workspace)


@pytest.fixture
def step(ran):
    return ran[0]


@pytest.fixture
def told(ran):
    return ran[1]


def test_the_entry_point_names_it():
    assert isinstance(plugin, Plugin)
    assert find_plugin("a1_reactor").name == "a1_reactor"


def test_the_numbers_are_those_of_the_readmes_window(step):
    # 3 s at 24 fps; 0.8 to 1.6 s are frames 20..38.
    assert (step["frames"], step["decoded_frames"]) == (72, 72)
    assert (step["regen_frames_changed"], step["regen_frames_untouched"]) == (19, 53)
    assert step["window"]["frames"] == [20, 39]


def test_every_path_leads_to_a_file(step):
    assert count_frames(Path(step["clip_path"])) == 72
    for path in (step["parent_clip_path"], *step["filmstrip"].values()):
        assert Path(path).is_file()
    assert len(list(Path(step["frames_dir"]).glob("*.png"))) == 72


def test_the_result_is_json(step):
    json.dumps(step, allow_nan=False)


def test_seams_are_measured_before_and_after_blending(step):
    before, after = step["report"]["seams_before_blending"], step["report"]["seams_after_blending"]
    assert after["left"] < before["left"]
    assert after["right"] < before["right"]


def test_two_events_carry_the_lineage(told):
    (first, base, first_metadata), (second, child, second_metadata) = told.events
    assert (first, second) == ("generation_complete", "regen_complete")
    assert child["parent_id"] == base["clip_id"]
    assert second_metadata["lineage"] == [base["clip_id"]]
    assert first_metadata["lineage"] == []
    assert child["seed"] == 3
    json.dumps(told.events, allow_nan=False)


def test_progress_goes_from_nothing_to_all(told):
    assert told.shares == sorted(told.shares)
    assert (told.shares[0], told.shares[-1]) == (0, 1)


def test_another_run_makes_its_clips_anew_and_a_difference_outside_the_window_ends_it(workspace, step, monkeypatch):
    clip = Path(step["clip_path"])
    before = clip.stat().st_ino
    # Equal files cannot differ, so the comparison itself is turned round.
    monkeypatch.setattr(plugin_module, "sha256_file", str)
    with pytest.raises(ArtifactCorrupt, match="outside the window"):
        run_step(workspace)
    assert clip.stat().st_ino != before
