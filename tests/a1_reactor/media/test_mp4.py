import hashlib
from fractions import Fraction
from pathlib import Path

import av
import numpy as np
import pytest

from a1_reactor.media.mp4 import EncoderOptions, count_frames, decode_frames, write_mp4
from reactor_core.errors import ArtifactCorrupt, StorageError, StorageFull

FPS = Fraction(24000, 1001)
FAST = EncoderOptions(preset="ultrafast", crf=12)


def ramp(shift: int) -> np.ndarray:
    y, x = np.mgrid[0:64, 0:96]
    return np.stack([2 * x + shift, 3 * y, x + y + shift], axis=-1).astype(np.uint8)


@pytest.fixture
def clip(tmp_path):
    path = tmp_path / "a.mp4"
    write_mp4(path, (ramp(i) for i in range(10)), fps=FPS, options=FAST)
    return path


def test_every_frame_comes_back(clip):
    assert count_frames(clip) == 10


def test_frames_look_like_what_went_in(clip):
    for index, frame in enumerate(decode_frames(clip)):
        error = np.mean((frame.astype(float) - ramp(index)) ** 2)
        assert 10 * np.log10(255**2 / error) > 32  # dB; about 35 is left by 4:2:0 alone at these colour ramps


def test_rate_size_and_colours_are_in_the_file(clip):
    with av.open(str(clip)) as container:
        stream = container.streams.video[0]
        assert stream.average_rate == FPS
        assert (stream.width, stream.height, stream.codec_context.pix_fmt) == (96, 64, "yuv420p")
        assert stream.codec_context.colorspace == 1  # BT.709 in ITU-T H.273


def test_the_index_stands_in_front_of_the_frames(clip):
    data = clip.read_bytes()
    assert 0 < data.index(b"moov") < data.index(b"mdat")


def test_equal_frames_make_equal_files(clip, tmp_path):
    again = tmp_path / "b.mp4"
    write_mp4(again, (ramp(i) for i in range(10)), fps=FPS, options=FAST)
    assert hashlib.sha256(again.read_bytes()).digest() == hashlib.sha256(clip.read_bytes()).digest()


def test_a_clip_of_one_frame(tmp_path):
    write_mp4(tmp_path / "one.mp4", [ramp(0)], fps=FPS, options=FAST)
    assert count_frames(tmp_path / "one.mp4") == 1


def test_no_frames_are_no_clip(tmp_path):
    with pytest.raises(StorageError, match="no frames"):
        write_mp4(tmp_path / "none.mp4", [], fps=FPS, options=FAST)


def test_a_folder_that_is_not_there_is_named(tmp_path):
    with pytest.raises(StorageError, match="gone"):
        write_mp4(tmp_path / "gone" / "a.mp4", [ramp(0)], fps=FPS, options=FAST)


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="needs Linux's /dev/full, a device that is always full")
def test_a_full_disk_is_a_typed_error(tmp_path):
    noise = np.random.default_rng(0).integers(0, 256, (64, 96, 3), dtype=np.uint8)
    full = tmp_path / "a.mp4"
    full.symlink_to("/dev/full")
    with pytest.raises(StorageFull, match="no space left"):
        write_mp4(full, [noise] * 60, fps=FPS, options=FAST)


@pytest.mark.parametrize("keep", [0, 100, 400])
def test_a_file_without_its_index_is_corrupt(clip, keep):
    clip.write_bytes(clip.read_bytes()[:keep])
    with pytest.raises(ArtifactCorrupt, match=r"a\.mp4"):
        count_frames(clip)


def test_a_file_that_lacks_frames_does_not_count_as_whole(clip):
    clip.write_bytes(clip.read_bytes()[:-2000])
    try:
        found = count_frames(clip)
    except ArtifactCorrupt:
        return
    assert found < 10


def test_a_missing_file_is_corrupt(tmp_path):
    with pytest.raises(ArtifactCorrupt):
        count_frames(tmp_path / "gone.mp4")
    with pytest.raises(ArtifactCorrupt):
        list(decode_frames(tmp_path / "gone.mp4"))
