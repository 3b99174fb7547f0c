from fractions import Fraction

import av
import numpy as np
import pytest
from tests.a1_reactor.media.videos import counting, write_video

from a1_reactor.media.export_sound import SoundFile
from a1_reactor.media.export_video import export_mp4, export_webm
from a1_reactor.media.mp4 import EncoderOptions, decode_frames, write_mp4
from reactor_core.errors import StorageError


@pytest.fixture(scope="module")
def clip(tmp_path_factory):
    """A clip's mp4 of a second at 25 frames, and a file with sound that it could come from."""
    folder = tmp_path_factory.mktemp("export")
    frames = [counting()(index) for index in range(25)]
    write_mp4(folder / "clip.mp4", frames, fps=Fraction(25), options=EncoderOptions("ultrafast", 10))
    write_video(folder / "filmed.mp4", counting(), [index * 40 for index in range(26)], tone=440)
    return folder / "clip.mp4", SoundFile(folder / "filmed.mp4", "aac"), frames


def streams(path):
    with av.open(str(path)) as container:
        return [stream.codec_context.name for stream in container.streams]


def packets(path):
    with av.open(str(path)) as container:
        return [(packet.pts * packet.time_base, bytes(packet)) for packet in container.demux(video=0) if packet.size]


def test_without_sound_the_mp4_is_the_same_file(clip, tmp_path):
    export_mp4(clip[0], tmp_path / "a.mp4", seconds=Fraction(1), sound=None)
    assert (tmp_path / "a.mp4").read_bytes() == clip[0].read_bytes()


def test_with_sound_the_pictures_are_the_same_packets_and_decode_to_the_same_frames(clip, tmp_path):
    export_mp4(clip[0], tmp_path / "a.mp4", seconds=Fraction(1), sound=clip[1])
    assert streams(tmp_path / "a.mp4") == ["h264", "aac"]
    assert packets(tmp_path / "a.mp4") == packets(clip[0])
    for ours, theirs in zip(decode_frames(tmp_path / "a.mp4"), decode_frames(clip[0]), strict=True):
        assert np.array_equal(ours, theirs)
    with av.open(str(tmp_path / "a.mp4")) as container:
        assert float(container.duration / av.time_base) == pytest.approx(1, abs=0.05)


@pytest.mark.parametrize("sound", [False, True])
def test_a_webm_shows_the_frames_at_their_times(clip, tmp_path, sound):
    export_webm(
        clip[2], tmp_path / "a.webm", width=64, height=64, fps=Fraction(25), seconds=Fraction(1),
        sound=clip[1] if sound else None,
    )  # fmt: skip
    assert streams(tmp_path / "a.webm") == (["vp9", "opus"] if sound else ["vp9"])
    shown = list(decode_frames(tmp_path / "a.webm"))
    for frame, old in zip(shown, clip[2], strict=True):
        assert abs(int(frame[32, 32, 1]) - int(old[32, 32, 1])) <= 4
    with av.open(str(tmp_path / "a.webm")) as container:
        times = [frame.time for frame in container.decode(video=0)]
    assert times == pytest.approx([index / 25 for index in range(25)], abs=0.001)


def test_a_folder_that_is_not_there_is_said(clip, tmp_path):
    for sound in (None, clip[1]):
        with pytest.raises(StorageError):
            export_mp4(clip[0], tmp_path / "none" / "a.mp4", seconds=Fraction(1), sound=sound)
