import os

import pytest

from a1_reactor.storage.verify import verify_clip


@pytest.fixture
def clip(engine, spec):
    return engine.generate(spec(seconds="1/4")).clip


def test_a_clip_that_was_just_made_is_whole(clip):
    report = verify_clip(clip)
    assert report.whole
    assert (report.frames, report.segments, report.decoded) == (6, 1, 6)
    assert report.to_json()["whole"] is True


def flip(path):
    """Change one byte and set everything back that a glance would notice."""
    stat = path.stat()
    data = bytearray(path.read_bytes())
    data[-5] ^= 1
    path.chmod(0o644)
    path.write_bytes(data)
    path.chmod(stat.st_mode & 0o777)
    os.utime(path, ns=(stat.st_atime_ns, stat.st_mtime_ns))


@pytest.mark.parametrize(
    "name", ["artifact.mp4", "run/frames/000003.png", "run/preview/init.mp4", "run/preview/000000-000006.m4s"]
)
def test_a_flipped_bit_is_found_under_an_unbroken_seal(clip, name):
    flip(clip.path / name)
    report = verify_clip(clip, decode=False)
    assert not report.whole
    assert name in report.problems[0]
    assert len(report.problems) == 1


def test_every_problem_is_listed(clip):
    flip(clip.frame_path(1))
    flip(clip.frame_path(4))
    assert len(verify_clip(clip, decode=False).problems) == 2


def test_a_missing_file_is_a_problem_and_not_an_end(clip):
    clip.frame_path(2).unlink()
    clip.artifact.unlink()
    report = verify_clip(clip)
    assert report.decoded is None
    for name in ("000002.png", "artifact.mp4"):
        assert any(name in line for line in report.problems)
