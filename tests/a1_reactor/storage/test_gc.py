import threading
from dataclasses import replace

import pytest
from filelock import Timeout

from a1_reactor.storage.gc import collect
from a1_reactor.storage.verify import verify_clip
from a1_reactor.types import Window
from reactor_core.errors import NotFound


@pytest.fixture
def family(engine, spec):
    """A clip, two takes of one window of it, and a take of the first take."""
    asked = spec(seconds="1/2", windows=(Window(4, 8),))
    base = engine.generate(asked).clip
    first = engine.regen(replace(asked, seed=1), parent=base).clip
    second = engine.regen(replace(asked, seed=2), parent=base).clip
    third = engine.regen(replace(asked, seed=3), parent=first).clip
    return base, first, second, third


def shared(store):
    return {name for name, _ in store.blobs.files()}


def needed(*clips):
    names = set()
    for clip in clips:
        names |= {entry.pixels for entry in clip.manifest.frames}
        names |= {entry.key for entry in clip.manifest.video.segments}
    return names


def test_without_roots_no_clip_goes_and_nothing_that_one_needs(engine, family):
    before = shared(engine.store)
    report = collect(engine.store)
    assert (report.clips, report.frames, report.segments, report.bytes) == ((), 0, 0, 0)
    assert shared(engine.store) == before == needed(*family)


def test_a_kept_take_keeps_its_ancestors_and_every_byte_of_them(engine, family):
    base, first, second, third = family
    report = collect(engine.store, keep=[third.key])
    assert report.clips == (second.key,)
    assert engine.store.clip_keys() == sorted([base.key, first.key, third.key])
    for clip in (base, first, third):
        assert verify_clip(engine.store.open(clip.key)).whole
    assert shared(engine.store) == needed(base, first, third)
    # The second take's own frames, 4 of 12; what it shared with its parent stays.
    assert report.frames == 4
    assert report.segments >= 1
    assert report.bytes > 0
    with pytest.raises(NotFound):
        engine.store.open(second.key)


def test_a_dry_run_tells_the_same_and_does_nothing(engine, family):
    before = shared(engine.store), engine.store.clip_keys()
    told = collect(engine.store, keep=[], dry_run=True)
    assert (shared(engine.store), engine.store.clip_keys()) == before
    done = collect(engine.store, keep=[])
    assert replace(told, dry_run=False) == done
    assert done.clips == tuple(sorted(clip.key for clip in family))
    assert shared(engine.store) == set()


def test_the_space_that_was_told_comes_free(engine, family):
    def space():
        files = {
            path.stat().st_ino: path.stat().st_size for path in engine.store.workspace.rglob("*") if path.is_file()
        }
        return sum(files.values())

    before = space()
    report = collect(engine.store, keep=[family[0].key])
    assert space() == before - report.bytes


def test_a_frame_that_is_removed_from_the_store_is_no_loss_to_a_clip(engine, spec, family):
    for _, path in engine.store.blobs.files():
        path.unlink()
    for clip in family:
        assert verify_clip(clip).whole
    again = engine.regen(spec(seconds="1/2", seed=9, windows=(Window(4, 8),)), parent=family[0])
    assert verify_clip(again.clip).whole


def test_a_clip_that_somebody_works_on_stays(engine, family):
    with engine.store.lock(family[3].key):
        report = collect(engine.store, keep=[family[0].key])
    assert report.busy == (family[3].key,)
    assert family[3].key in engine.store.clip_keys()


def test_the_parent_of_a_clip_in_the_making_stays(engine, spec, family):
    base, first, second, _ = family
    made, seen = [], []

    def progress(stage, done, total):
        if stage == "blend" and done == 1:
            # In a thread of its own, as another process would.
            other = threading.Thread(target=lambda: seen.append(collect(engine.store, keep=[])))
            other.start()
            other.join()

    asked = spec(seconds="1/2", seed=7, windows=(Window(4, 8),))
    made.append(replace(engine, progress=progress).regen(asked, parent=first).clip)
    assert second.key in seen[0].clips
    assert set(engine.store.clip_keys()) == {base.key, first.key, made[0].key}
    assert verify_clip(made[0]).whole
    assert engine.store.pinned() == set()


def test_nobody_finishes_a_clip_meanwhile(engine, family):
    with engine.store.exclusive(), pytest.raises(Timeout):
        engine.store.exclusive().acquire(timeout=0.01)


def test_a_clip_that_cannot_be_read_is_not_taken_for_wanted(engine, family):
    (family[2].path / "job.json").write_text("{")
    report = collect(engine.store, keep=[family[3].key])
    assert report.clips == (family[2].key,)
