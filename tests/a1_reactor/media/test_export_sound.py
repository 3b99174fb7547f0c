from fractions import Fraction

import av
import numpy as np
import pytest
from tests.a1_reactor.media.videos import counting, write_video

from a1_reactor.media.export_sound import SoundFile, SoundTrack
from reactor_core.errors import ArtifactCorrupt


@pytest.fixture(scope="module")
def filmed(tmp_path_factory):
    """A second of pictures with a tone of 440 Hz."""
    path = tmp_path_factory.mktemp("sound") / "a.mp4"
    return write_video(path, counting(), [index * 40 for index in range(26)], tone=440)


def bring(sound, target, kind, seconds=Fraction(1)):
    """Write the sound alone into a file."""
    with av.open(str(target), "w", format=kind) as container:
        track = SoundTrack(sound, container, kind, seconds)
        for packet in track.packets():
            container.mux(packet)
    return target


def payloads(path):
    with av.open(str(path)) as container:
        return [bytes(packet) for packet in container.demux(audio=0) if packet.size]


def samples(path):
    """Mono samples of a file, and the second at which they begin."""
    with av.open(str(path)) as container:
        frames = list(container.decode(audio=0))
        return np.concatenate([frame.to_ndarray()[0] for frame in frames]), float(frames[0].pts * frames[0].time_base)


def test_what_an_mp4_takes_is_copied_packet_for_packet(filmed, tmp_path):
    copy = bring(SoundFile(filmed, "aac"), tmp_path / "a.mp4", "mp4")
    assert payloads(copy) == payloads(filmed)[: len(payloads(copy))]
    assert len(payloads(copy)) >= 46  # a second at 1024 samples of 48000
    ours, theirs = samples(copy), samples(filmed)
    assert ours[1] == pytest.approx(theirs[1], abs=1e-4)
    assert np.array_equal(ours[0][:40_000], theirs[0][:40_000])


def test_what_a_webm_does_not_take_is_encoded_in_step_with_the_pictures(filmed, tmp_path):
    made, begin = samples(bring(SoundFile(filmed, "aac"), tmp_path / "a.webm", "webm"))
    assert abs(len(made) / 48_000 + begin - 1) < 0.03
    middle = made[12_000:36_000]
    spectrum = np.abs(np.fft.rfft(middle * np.hanning(len(middle))))
    assert spectrum.argmax() * 48_000 / len(middle) == pytest.approx(440, abs=3)


def test_sound_behind_the_pictures_is_left_out(filmed, tmp_path):
    half = samples(bring(SoundFile(filmed, "aac"), tmp_path / "a.mp4", "mp4", Fraction(1, 2)))[0]
    assert abs(len(half) - 24_000) <= 2048
    half = samples(bring(SoundFile(filmed, "aac"), tmp_path / "a.webm", "webm", Fraction(1, 2)))[0]
    assert abs(len(half) - 24_000) <= 2048


def test_a_file_that_is_gone_is_said(tmp_path):
    with av.open(str(tmp_path / "a.mp4"), "w") as container, pytest.raises(ArtifactCorrupt, match="import the file"):
        SoundTrack(SoundFile(tmp_path / "none.mp4", "aac"), container, "mp4", Fraction(1))
