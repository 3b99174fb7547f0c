from dataclasses import replace

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from a1_reactor.engine.blend import BlendConfig
from a1_reactor.engine.stages import overall_share
from a1_reactor.media.mp4 import EncoderOptions, count_frames
from a1_reactor.prompts import resolve
from a1_reactor.providers.mock import MockProvider
from a1_reactor.types import Window
from reactor_core.errors import ArtifactCorrupt, Halted, NotFound, SpecError
from reactor_core.events.latch import Latch


@pytest.fixture
def window(spec):
    """The spec of a regeneration of frames 8..15 of a one-second clip."""
    return spec(prompt="same scene but sharper textures", windows=(Window(8, 16),))


def test_a_clip_has_all_its_frames_as_the_provider_made_them(engine, spec):
    result = engine.generate(spec())
    made = list(MockProvider().generate_frames(resolve(spec())))
    assert all(np.array_equal(result.clip.frame(index), frame) for index, frame in enumerate(made))
    assert result.report["num_frames"] == count_frames(result.clip.artifact) == 24


def test_the_same_job_again_is_the_same_clip_and_costs_nothing(engine, spec):
    first, second = engine.generate(spec()), engine.generate(spec(metadata={"note": "again"}))
    assert (first.reused, second.reused) == (False, True)
    assert first.clip.path == second.clip.path
    assert first.report == second.report


def test_the_spec_is_not_changed_and_the_preset_is_added_once(engine, spec):
    asked = spec(style_preset="noir")
    before = asked.to_json()
    first = engine.generate(asked)
    assert asked.to_json() == before
    assert engine.generate(asked).clip.key == first.clip.key
    assert first.clip.job.asked == asked


def test_forced_it_is_made_again_with_the_same_pixels(engine, spec):
    first = engine.generate(spec())
    again = engine.generate(spec(), force=True)
    assert not again.reused
    assert again.clip.manifest == first.clip.manifest


@pytest.mark.parametrize("change", [{"seed": 1}, {"negative_prompt": ""}, {"style_preset": "anime"}])
def test_another_job_is_another_clip(engine, spec, change):
    assert engine.generate(spec()).clip.key != engine.generate(spec(**change)).clip.key


def test_another_provider_version_or_encoder_is_another_clip(engine, spec):
    class Newer(MockProvider):
        version = "2"

    keys = {
        made.generate(spec()).clip.key
        for made in (engine, replace(engine, provider=Newer()), replace(engine, encoder=EncoderOptions(crf=30)))
    }
    assert len(keys) == 3


def test_a_clip_of_one_frame_is_an_image(engine, spec):
    result = engine.generate(spec(seconds="1/24"))
    assert result.clip.frame_count == count_frames(result.clip.artifact) == 1
    assert result.report["temporal_consistency"]["score"] is None


def test_progress_reaches_its_end(engine, spec, window):
    told = []
    watched = replace(engine, progress=lambda *step: told.append(step))
    watched.regen(window, parent=watched.generate(spec()).clip)
    ends = {stage: (done, total) for stage, done, total in told}
    assert ends == {
        "generate": (24, 24),
        "prepare": (8, 8),
        "regen": (8, 8),
        "blend": (8, 8),
        "preview": (1, 1),
        "score": (8, 8),
        "stitch": (3, 3),
    }


# Regeneration


def test_frames_outside_the_window_are_the_parents_very_files(engine, spec, window):
    parent = engine.generate(spec()).clip
    result = engine.regen(window, parent=parent)
    for index in range(24):
        old, new = parent.frame_path(index), result.clip.frame_path(index)
        assert (old.read_bytes() == new.read_bytes()) == (index not in range(8, 16))
    frames = result.report["regen"]["frames"]
    assert (frames["untouched"]["count"], frames["changed"]["count"]) == (16, 8)
    assert frames["untouched"]["frames"] == [[0, 8], [16, 24]]
    assert frames["untouched"]["sha256_of_hashes"] == frames["untouched"]["sha256_of_parent_hashes"]


def test_on_one_file_system_they_take_no_space(engine, spec, window):
    parent = engine.generate(spec()).clip
    child = engine.regen(window, parent=parent).clip
    taken = child.report()["regen"]["frames"]["untouched"]["taken_over_by"]
    assert taken in ({"hardlink": 16}, {"reflink": 16})
    if "hardlink" in taken:
        assert parent.frame_path(0).samefile(child.frame_path(0))


@settings(max_examples=8, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(spans=st.lists(st.tuples(st.integers(0, 22), st.integers(1, 12)), min_size=1, max_size=3))
def test_for_any_windows_every_frame_outside_is_equal_by_hash(engine, spec, spans):
    windows = tuple(Window(start, min(24, start + length)) for start, length in spans)
    parent = engine.generate(spec()).clip
    child = engine.regen(spec(prompt="another", windows=windows), parent=parent).clip
    inside = {index for window in windows for index in window.frames}
    for index, (old, new) in enumerate(zip(parent.manifest.frames, child.manifest.frames, strict=True)):
        assert (old == new) == (index not in inside)
        child.check_frame_file(index)
    assert count_frames(child.artifact) == 24


def test_blending_makes_both_seams_smaller(engine, spec, window):
    parent = engine.generate(spec(width=192, height=192)).clip
    (seam,) = engine.regen(replace(window, width=192, height=192), parent=parent).report["regen"]["seams"]
    for side in ("left", "right", "colour_left", "colour_right"):
        assert seam["after_blending"][side] < seam["before_blending"][side]


def test_without_blending_the_providers_frames_are_kept(engine, spec, window):
    parent = engine.generate(spec()).clip
    child = replace(engine, blend=BlendConfig(enabled=False)).regen(window, parent=parent)
    (seam,) = child.report["regen"]["seams"]
    assert seam["before_blending"]["left"] == seam["after_blending"]["left"]
    blended = engine.regen(window, parent=parent)
    assert blended.clip.key != child.clip.key


def test_pairs_far_from_the_window_are_the_parents(engine, spec, window):
    parent = engine.generate(spec())
    child = engine.regen(window, parent=parent.clip)
    same = [a == b for a, b in zip(parent.report["pairs"]["l1"], child.report["pairs"]["l1"], strict=True)]
    # Pair i compares frames i and i + 1: those of frames 7/8 to 15/16 touch the window.
    assert [i for i, equal in enumerate(same) if not equal] == list(range(7, 16))


def test_lineage_names_every_ancestor(engine, spec, window):
    first = engine.generate(spec()).clip
    second = engine.regen(window, parent=first).clip
    third = engine.regen(replace(window, seed=5), parent=second).clip
    assert third.job.lineage == (first.key, second.key)
    assert third.job.parent == second.key
    assert third.job.origin == first.job.resolved


def test_without_a_parent_the_newest_clip_that_fits_is_taken(engine, spec, window):
    parent = engine.generate(spec()).clip
    engine.generate(spec(seconds=2))
    result = engine.regen(window)
    assert result.parent == parent
    assert parent.key in result.notes[0]


def test_where_there_is_none_the_base_is_made_first_and_said(engine, window):
    told = []
    result = replace(engine, progress=lambda *what: told.append(what)).regen(window)
    assert result.parent.job.resolved == resolve(window.without_windows())
    assert "generated base" in result.notes[0]
    # The way of the window begins when its base is there.
    assert told[:25] == [("base", done, 24) for done in range(25)]
    shares = [overall_share(*what) for what in told]
    assert shares == sorted(shares)


@pytest.mark.parametrize("change", [{"width": 98}, {"height": 66}, {"fps": 25}, {"seconds": 2}])
def test_a_parent_of_another_shape_is_refused_by_field(engine, spec, window, change):
    parent = engine.generate(spec()).clip
    with pytest.raises(SpecError, match=f"but the parent {parent.key} has"):
        engine.regen(replace(window, **change), parent=parent)


def test_no_window_is_nothing_to_regenerate(engine, spec):
    with pytest.raises(SpecError, match="--regen"):
        engine.regen(spec())


def test_a_parent_whose_file_was_changed_is_refused_and_nothing_is_made(engine, spec, window):
    parent = engine.generate(spec()).clip
    path = parent.frame_path(20)
    path.chmod(0o644)
    path.write_bytes(path.read_bytes()[:-1] + b"\0")
    with pytest.raises(ArtifactCorrupt, match=r"000020\.png"):
        engine.regen(window, parent=parent)
    assert [path.name for path in engine.store.cache.iterdir()] == [parent.key]


def test_run_returns_the_mp4(engine, spec, window):
    assert engine.run(spec()).name == "artifact.mp4"
    assert engine.run(window) != engine.run(spec())


def test_a_parent_that_is_gone_is_not_found(engine):
    with pytest.raises(NotFound):
        engine.store.open("0" * 16)


@pytest.mark.parametrize("at", [0, 7])
def test_a_halt_ends_a_job_at_its_next_frame_and_leaves_nothing(engine, spec, tmp_path, at):
    latch = Latch(tmp_path / "reactor")
    drawn = []

    def progress(stage, done, total):
        drawn.append(done)
        if done == at:
            latch.trip(reason="enough")

    config = replace(engine.config, halted_by=tmp_path / "reactor")
    with pytest.raises(Halted, match="enough"):
        replace(engine, config=config, progress=progress).generate(spec())
    assert drawn == list(range(at + 1))
    assert not list(engine.store.cache.glob("[0-9a-f]*"))


def test_a_halt_ends_a_regeneration_and_the_parent_stays(engine, spec, tmp_path):
    parent = engine.generate(spec()).clip
    Latch(tmp_path / "reactor").trip(reason="enough")
    config = replace(engine.config, halted_by=tmp_path / "reactor")
    with pytest.raises(Halted):
        replace(engine, config=config).regen(spec(windows=(Window(4, 8),)), parent=parent)
    assert [folder.name for folder in engine.store.cache.glob("[0-9a-f]*")] == [parent.key]
