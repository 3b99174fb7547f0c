"""kill -9 at every phase, and two processes at one clip."""

import errno
import json
import os
import signal
import subprocess
import sys
from dataclasses import replace

import pytest

from a1_reactor.engine.engine import ReactorEngine
from a1_reactor.storage.gc import collect
from a1_reactor.storage.verify import verify_clip
from a1_reactor.types import Window
from reactor_core.errors import StorageFull

VICTIM = """
import sys
from pathlib import Path
from a1_reactor import JobSpec, ReactorConfig, ReactorEngine, Window
from a1_reactor.media.mp4 import EncoderOptions
from a1_reactor.providers.mock import MockProvider

def progress(stage, done, total):
    if stage == sys.argv[2] and done == total // 2:
        print("now", flush=True)
        sys.stdin.read()  # until the end comes

if sys.argv[2] == "commit":
    from a1_reactor.storage.draft import Draft

    Draft._move_into_place = lambda self: progress("commit", 0, 0)

engine = ReactorEngine(
    ReactorConfig(workspace=Path(sys.argv[1])), MockProvider(),
    encoder=EncoderOptions(preset="ultrafast", crf=20), progress=progress,
)
spec = JobSpec(prompt="golden hour, handheld", seconds=1, width=96, height=64)
if sys.argv[2] == "generate":
    engine.generate(spec, force=True)
else:
    engine.regen(JobSpec(prompt="sharper", seconds=1, width=96, height=64, windows=(Window(8, 16),)))
"""


@pytest.mark.parametrize("phase", ["generate", "prepare", "regen", "blend", "score", "stitch", "commit"])
def test_killed_in_the_middle_no_broken_clip_is_found(engine: ReactorEngine, spec, phase):
    parent = engine.generate(spec()).clip
    before = {path.name for path in engine.store.cache.iterdir()}
    victim = subprocess.Popen(
        [sys.executable, "-c", VICTIM, str(engine.config.workspace), phase],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
    )
    try:
        assert victim.stdout.readline() == b"now\n"
    finally:
        victim.send_signal(signal.SIGKILL)
        victim.communicate()
    assert {path.name for path in engine.store.cache.iterdir()} == before
    for index in range(24):
        parent.check_frame_file(index)

    left = list(engine.store.building.iterdir())
    assert len(left) == 1, "the half-made clip is where nobody looks for clips"
    assert engine.store.sweep() == 1
    again = engine.regen(spec(prompt="sharper", windows=(Window(8, 16),)), parent=parent)
    assert not again.reused
    assert again.report["decoded_frames"] == 24
    # Whatever the dead one had shared and nobody needs can be told apart and removed.
    collect(engine.store)
    assert {name for name, _ in engine.store.blobs.files()} == {
        name
        for clip in (parent, again.clip)
        for name in (
            *(entry.pixels for entry in clip.manifest.frames),
            *(entry.key for entry in clip.manifest.video.segments),
        )
    }
    assert verify_clip(again.clip).whole
    assert verify_clip(parent).whole


def test_a_half_made_clip_does_not_disturb_the_next_attempt(engine, spec):
    asked = spec()
    key = engine.generate(asked).clip.key
    left = engine.store.building / key / "run" / "frames"
    left.mkdir(parents=True)
    (left / "000000.png").write_bytes(b"half a frame")
    assert engine.generate(asked, force=True).clip.frame(0).shape == (64, 96, 3)


def test_of_two_processes_one_makes_the_clip_and_the_other_finds_it(tmp_path):
    command = [
        sys.executable, "-m", "a1_reactor.cli", "demo", "--prompt", "a fox", "--seconds", "1", "--width", "96",
        "--height", "64", "--json",
    ]  # fmt: skip
    environment = {**os.environ, "A1_REACTOR_WORKSPACE": str(tmp_path / "a1r")}
    both = [
        subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, env=environment) for _ in range(2)
    ]
    results = [json.loads(process.communicate()[0]) for process in both]
    assert [process.returncode for process in both] == [0, 0]
    assert sorted(result["reused"] for result in results) == [False, True]
    assert results[0]["clip_id"] == results[1]["clip_id"]


@pytest.mark.parametrize("room", [0, 5_000, 60_000])
def test_a_full_disk_in_a_regeneration_leaves_the_parent_and_nothing_else(engine, spec, monkeypatch, room):
    parent = engine.generate(spec()).clip
    real, written = os.write, 0

    def limited(descriptor, data):
        nonlocal written
        written += len(data)
        if written > room:
            raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))
        return real(descriptor, data)

    monkeypatch.setattr(os, "write", limited)
    with pytest.raises(StorageFull, match="no space left"):
        engine.regen(spec(prompt="sharper", windows=(Window(8, 16),)), parent=parent)
    monkeypatch.undo()
    assert [path.name for path in engine.store.cache.iterdir()] == [parent.key]
    assert not list(engine.store.building.iterdir())
    for index in range(24):
        parent.check_frame_file(index)


def test_ctrl_c_leaves_no_draft(engine, spec):
    def stop(stage, done, total):
        if done == 3:
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        replace(engine, progress=stop).generate(spec())
    for folder in (engine.store.cache, engine.store.building):
        assert not [path for path in folder.rglob("*") if path.suffix in {".png", ".mp4"}]
    assert engine.generate(spec()).clip.frame_count == 24
