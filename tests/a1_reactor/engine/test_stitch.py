"""Which segments of a video are encoded, and what the rest of it is proved by."""

import hashlib
import itertools
import json
import shutil
import subprocess
import sys
from dataclasses import replace

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from a1_reactor.engine.stages import Stages
from a1_reactor.engine.stitch import Stitcher
from a1_reactor.media.h264 import EncoderOptions, SegmentEncoder
from a1_reactor.media.mp4 import decode_frames
from a1_reactor.storage.verify import verify_clip
from a1_reactor.types import Window
from reactor_core.errors import ArtifactCorrupt, StorageError

OPTIONS = EncoderOptions(preset="veryfast", crf=20, segment_frames=8)


@pytest.fixture
def engine(engine):
    return replace(engine, encoder=OPTIONS)


@pytest.fixture
def parent(engine, spec):
    return engine.generate(spec()).clip


def pieces(clip):
    return [(entry.start, entry.stop) for entry in clip.manifest.video.segments]


def video(result):
    return result.report["regen"]["video"]


def test_a_new_clip_is_cut_on_the_grid(parent):
    assert pieces(parent) == [(0, 8), (8, 16), (16, 24)]
    assert (parent.preview / "playlist.m3u8").read_text().count(".m4s") == 3


def test_segments_without_a_new_frame_are_the_same_files(engine, spec, parent):
    result = engine.regen(spec(windows=(Window(11, 14),), seed=4), parent=parent)
    child = result.clip
    for start, stop in ((0, 8), (16, 24)):
        old, new = (clip.preview / f"{start:06d}-{stop:06d}.m4s" for clip in (parent, child))
        assert old.read_bytes() == new.read_bytes()
    kept = video(result)["segments"]
    assert kept["kept"] == 2
    assert kept["encoded"] <= 2
    # 8 .. 16 at most, without what could be kept of its beginning.
    assert video(result)["frames_encoded"] <= 8


def test_the_second_take_of_a_window_encodes_the_window_alone(engine, spec, parent):
    asked = spec(windows=(Window(8, 13),), seed=4)
    first, second = (engine.regen(replace(asked, seed=seed), parent=parent) for seed in (4, 5))
    assert video(first)["frames_encoded"] == 8
    assert video(second)["frames_encoded"] == 5
    assert video(second)["segments"]["found"] == 1


@settings(max_examples=6, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(spans=st.lists(st.tuples(st.integers(0, 23), st.integers(1, 9)), min_size=1, max_size=3))
def test_for_any_windows_the_mp4_decodes_to_the_same_frames_outside_touched_segments(engine, spec, parent, spans):
    windows = tuple(Window(start, min(24, start + length)) for start, length in spans)
    result = engine.regen(spec(prompt="another", windows=windows), parent=parent, force=True)
    old, new = list(decode_frames(parent.artifact)), list(decode_frames(result.clip.artifact))
    assert len(new) == 24
    touched = {index for start, stop in video(result)["touched"] for index in range(start, stop)}
    inside = {index for window in windows for index in window.frames}
    assert inside <= touched
    for index in set(range(24)) - touched:
        assert np.array_equal(old[index], new[index]), f"frame {index}"
    # And every frame, wherever it is, looks like the one that was stored.
    for index in range(24):
        error = np.mean((new[index].astype(float) - result.clip.frame(index)) ** 2)
        assert 10 * np.log10(255**2 / max(error, 1e-9)) > 24  # dB; 4:2:0 and crf 20 leave about 30 here
    assert verify_clip(result.clip).whole


def test_a_chain_of_takes_stays_whole(engine, spec, parent):
    clip = parent
    for seed, window in enumerate([Window(3, 9), Window(5, 7), Window(0, 2), Window(22, 24), Window(6, 20)], start=1):
        clip = engine.regen(spec(windows=(window,), seed=seed), parent=clip).clip
        assert verify_clip(clip).whole
    assert len(clip.job.lineage) == 5


def test_other_options_encode_the_whole_clip_and_say_so(engine, spec, parent):
    result = replace(engine, encoder=replace(OPTIONS, crf=30)).regen(spec(windows=(Window(3, 5),)), parent=parent)
    assert video(result)["frames_encoded"] == 24
    assert "other options" in video(result)["all_encoded_because"]
    assert verify_clip(result.clip).whole


def test_a_clip_of_the_first_format_can_be_a_parent(engine, spec, parent):
    """Its manifest knows no segments and hashes the mp4 in one piece."""
    path = parent.path / "run" / "manifest.json"
    document = json.loads(path.read_text())
    del document["video"]
    data = parent.artifact.read_bytes()
    document["artifact"] = {"file": hashlib.sha256(data).hexdigest(), "size": len(data), "frames": 24}
    path.write_text(json.dumps({**document, "version": 1}))
    shutil.rmtree(parent.preview)
    old = engine.store.open(parent.key)
    assert verify_clip(old).whole
    result = engine.regen(spec(windows=(Window(3, 5),)), parent=old)
    assert "earlier release" in video(result)["all_encoded_because"]
    assert verify_clip(result.clip).whole


def test_a_damaged_segment_of_the_parent_is_not_built_upon(engine, spec, parent):
    path = parent.preview / "000008-000016.m4s"
    data = bytearray(path.read_bytes())
    data[-9] ^= 1
    path.chmod(0o644)
    path.write_bytes(data)
    with pytest.raises(ArtifactCorrupt, match="000008-000016"):
        engine.regen(spec(windows=(Window(12, 14),)), parent=parent)


def test_the_video_plays_before_frames_are_stored_and_scored(engine, spec, parent):
    seen = {}

    def progress(stage, done, total):
        if stage == "preview":
            (draft,) = engine.store.building.iterdir()
            seen["playlist"] = engine.store.preview(draft.name)
            seen["listed"] = (seen["playlist"] / "playlist.m3u8").read_text()
            seen["frames"] = sorted(path.name for path in (draft / "run" / "frames").iterdir())

    replace(engine, progress=progress).regen(spec(windows=(Window(8, 13),)), parent=parent)
    assert "000008-000013.m4s" in seen["listed"]
    assert "000008.png" not in seen["frames"], "the window's frames come behind the preview"


def test_segments_are_listed_in_order_once_their_frames_are_there(engine, spec):
    """The last frames of one are encoded while the next is fed; who settles waits for them."""
    frames = engine.generate(spec()).clip
    with engine.store.draft("0" * 16) as draft:
        stitcher = Stitcher(draft, spec(), OPTIONS, Stages())
        for index in range(20):
            stitcher.add(index, frames.frame(index), str(index))
            listed = [(entry.start, entry.stop) for entry in draft.segments()]
            assert listed == [(0, 8), (8, 16)][: len(listed)]
        stitcher.settle()
        assert [(entry.start, entry.stop) for entry in draft.segments()] == [(0, 8), (8, 16)]
        assert (draft.preview / "playlist.m3u8").read_text().count(".m4s") == 2


def test_a_segment_that_cannot_be_closed_ends_the_clip(engine, spec, monkeypatch):
    def broken(encoder):
        raise StorageError("x264 gave up")

    monkeypatch.setattr(SegmentEncoder, "finish", broken)
    with pytest.raises(StorageError, match="gave up"):
        engine.generate(spec())
    assert engine.store.clip_keys() == []


@pytest.mark.parametrize("window", [Window(0, 1), Window(23, 24), Window(0, 24), Window(7, 8)])
def test_windows_of_one_frame_at_the_ends_and_of_the_whole_clip(engine, spec, parent, window):
    clip = engine.regen(spec(windows=(window,), seed=8), parent=parent).clip
    assert verify_clip(clip).decoded == 24


def test_a_clip_of_one_frame_can_be_made_again(engine, spec):
    one = engine.generate(spec(seconds="1/24")).clip
    clip = engine.regen(spec(seconds="1/24", seed=8, windows=(Window(0, 1),)), parent=one).clip
    assert verify_clip(clip).decoded == 1


PEAK = """
import re, sys
from pathlib import Path
from a1_reactor import JobSpec, ReactorConfig, ReactorEngine
from a1_reactor.engine.stages import Stages
from a1_reactor.engine.stitch import Stitcher
from a1_reactor.media.h264 import EncoderOptions, SegmentEncoder
from a1_reactor.providers.mock import MockProvider

engine = ReactorEngine(ReactorConfig(workspace=Path(sys.argv[1])), MockProvider(), encoder=EncoderOptions("ultrafast"))
engine.generate(JobSpec(prompt="harbour", seconds=int(sys.argv[2]), width=320, height=192))
# Not getrusage: its peak counts what the parent held before this program was loaded.
print(re.search(r"VmHWM:\\s+(\\d+) kB", Path("/proc/self/status").read_text())[1])
"""


@pytest.mark.slow
@pytest.mark.skipif(sys.platform != "linux", reason="the peak is read from /proc")
def test_memory_does_not_grow_with_the_clip(tmp_path):
    # What the allocator keeps in its threads' arenas differs by tens of MiB from run to run, and only ever adds: the
    # least of three runs is the clip's own.
    peaks = {length: [] for length in ("4", "16")}
    for take, length in itertools.product(range(3), peaks):
        run = [sys.executable, "-c", PEAK, str(tmp_path / f"{length}-{take}"), length]
        peaks[length].append(int(subprocess.run(run, capture_output=True, check=True).stdout))
    print(f"peaks: {peaks} KiB")
    # 1 MiB a second; 288 frames of 180 KiB more would be 51 MiB if they were held.
    assert min(peaks["16"]) - min(peaks["4"]) < 12 * 1024
