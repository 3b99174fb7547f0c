import json
import stat

import numpy as np
import pytest

from a1_reactor.media.png import encode_png
from a1_reactor.storage.clip import Clip
from reactor_core.errors import ArtifactCorrupt


@pytest.fixture
def clip(engine, spec):
    return engine.generate(spec(seconds="1/4")).clip


def overwrite(path, data):
    path.chmod(0o644)
    path.write_bytes(data)


def test_the_layout_is_the_seeds(clip, engine):
    assert clip.path.parent == engine.config.workspace / "cache"
    assert len(clip.key) == 16
    assert clip.artifact == clip.path / "artifact.mp4"
    assert clip.frame_path(5) == clip.path / "run" / "frames" / "000005.png"
    assert sorted(path.name for path in clip.path.iterdir()) == ["artifact.mp4", "job.json", "run"]


def test_frames_are_read_only(clip):
    assert not clip.frame_path(0).stat().st_mode & (stat.S_IWUSR | stat.S_IWGRP | stat.S_IWOTH)


def test_stray_files_are_ignored(clip):
    (clip.frame_path(0).parent / "000006.png").write_bytes(b"stray")
    (clip.frame_path(0).parent / ".DS_Store").write_bytes(b"stray")
    assert Clip.open(clip.path).frame_count == 6


def test_other_pixels_in_a_frame_are_noticed_when_it_is_read(clip):
    overwrite(clip.frame_path(2), encode_png(np.zeros((64, 96, 3), np.uint8)))
    with pytest.raises(ArtifactCorrupt, match=r"000002\.png.*--force"):
        clip.frame(2)


def test_another_file_with_the_same_pixels_is_noticed_byte_for_byte(clip):
    overwrite(clip.frame_path(2), clip.frame_path(2).read_bytes() + b"\0")
    clip.frame(2)
    with pytest.raises(ArtifactCorrupt, match="not the file that was stored"):
        clip.check_frame_file(2)


def test_a_frame_that_cannot_be_read_is_named(clip):
    clip.frame_path(1).unlink()
    with pytest.raises(ArtifactCorrupt, match=r"000001\.png"):
        clip.check_frame_file(1)


@pytest.mark.parametrize("name", ["artifact.mp4", "run/frames/000003.png", "run/manifest.json", "job.json"])
def test_a_clip_without_one_of_its_files_does_not_open(clip, name):
    (clip.path / name).unlink()
    with pytest.raises(ArtifactCorrupt):
        Clip.open(clip.path)


def test_a_file_of_another_size_is_noticed_at_once(clip):
    overwrite(clip.artifact, b"short")
    with pytest.raises(ArtifactCorrupt, match="5 bytes"):
        Clip.open(clip.path)


def test_a_manifest_with_too_few_frames_is_noticed(clip):
    path = clip.path / "run" / "manifest.json"
    document = json.loads(path.read_text())
    document["frames"].pop()
    path.write_text(json.dumps(document))
    with pytest.raises(ArtifactCorrupt, match="segments do not cover its frames"):
        Clip.open(clip.path)
