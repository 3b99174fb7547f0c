import os
import shutil
from fractions import Fraction

import pytest

from a1_reactor.storage.store import ClipStore
from reactor_core.errors import NotFound

SIZE = {"width": 96, "height": 64, "fps": Fraction(24), "frames": 6}


@pytest.fixture
def clips(engine, spec):
    return [engine.generate(spec(seconds="1/4", seed=seed)).clip for seed in (0, 1)]


def age(clip, seconds):
    """Make a clip look older, so that no test depends on the clock's grain."""
    stat = (clip.path / "job.json").stat()
    os.utime(clip.path / "job.json", ns=(stat.st_atime_ns, stat.st_mtime_ns - seconds * 10**9))


def test_a_clip_is_found_by_its_key_its_folder_and_its_mp4(engine, clips):
    first = clips[0]
    for name in (first.key, first.path, str(first.path), str(first.artifact)):
        assert engine.store.open(name).key == first.key


def test_an_unknown_clip_is_named(engine):
    with pytest.raises(NotFound, match="0123456789abcdef"):
        engine.store.open("0123456789abcdef")


def test_the_newest_clip_of_that_size_rate_and_length(engine, clips):
    age(clips[0], 60)
    assert engine.store.newest(**SIZE).key == clips[1].key
    for other in ({"width": 98}, {"height": 66}, {"fps": Fraction(25)}, {"frames": 7}):
        assert engine.store.newest(**{**SIZE, **other}) is None


def test_a_clip_that_was_asked_for_again_is_the_newest(engine, clips, spec):
    age(clips[0], 120)
    age(clips[1], 60)
    assert engine.generate(spec(seconds="1/4", seed=0)).reused
    assert engine.store.newest(**SIZE).key == clips[0].key


def test_damaged_and_foreign_folders_are_passed_over(engine, clips):
    age(clips[0], 60)
    clips[1].artifact.unlink()
    (engine.store.cache / "not a clip").mkdir()
    (engine.store.cache / ("f" * 16)).mkdir()
    (engine.store.cache / ("f" * 16) / "job.json").write_text("{")
    assert engine.store.newest(**SIZE).key == clips[0].key


def test_an_empty_workspace_has_no_newest_clip(tmp_path):
    assert ClipStore(tmp_path / "none").newest(**SIZE) is None


def test_a_damaged_clip_is_made_again(engine, clips, spec):
    clips[0].frame_path(3).unlink()
    result = engine.generate(spec(seconds="1/4", seed=0))
    assert not result.reused
    assert "damaged" in result.notes[0]
    assert result.clip.frame(3) is not None


def test_the_workspace_may_be_copied(engine, clips, tmp_path):
    shutil.copytree(engine.config.workspace, tmp_path / "copy")
    assert ClipStore(tmp_path / "copy").open(clips[0].key).frame_count == 6


def test_sweeping_removes_what_the_dead_left_and_spares_the_living(engine):
    store = engine.store
    for key in ("a" * 16, "b" * 16):
        (store.building / key).mkdir(parents=True)
    (store.building / ("a" * 16 + ".old")).mkdir()
    with store.lock("b" * 16):
        assert store.sweep() == 2
    assert [path.name for path in store.building.iterdir()] == ["b" * 16]
