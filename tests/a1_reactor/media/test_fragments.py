import errno
import os
from fractions import Fraction

import av
import numpy as np
import pytest

from a1_reactor.media.boxes import Samples, Track
from a1_reactor.media.fragments import append_payload, build_fragment, closed_prefix, playlist, read_fragment, shorten
from a1_reactor.media.h264 import EncoderOptions, Segment, SegmentEncoder, count_decoded
from reactor_core.errors import ArtifactCorrupt


def picture(index):
    """Motion and noise, so that the encoder uses every kind of frame that it has."""
    noise = np.random.default_rng(7).integers(0, 256, (64, 160, 3), dtype=np.uint8)
    return np.ascontiguousarray(noise[:, 2 * index : 2 * index + 96])


@pytest.fixture(scope="module")
def encoded():
    encoder = SegmentEncoder(width=96, height=64, fps=Fraction(24), options=EncoderOptions())
    for index in range(24):
        encoder.add(picture(index))
    segment = encoder.finish()
    return Track(96, 64, Fraction(24), segment.config), segment


@pytest.fixture
def stored(encoded, tmp_path):
    track, segment = encoded
    data, fragment = build_fragment(track, segment, 24)
    path = tmp_path / "000024-000048.m4s"
    path.write_bytes(data)
    return path, fragment


def test_a_segment_file_tells_its_frames(encoded, stored):
    track, segment = encoded
    path, fragment = stored
    assert read_fragment(path, track.ticks) == fragment
    assert fragment.samples.sizes == segment.sizes
    assert path.read_bytes()[fragment.offset :] == segment.payload


@pytest.mark.parametrize(
    "data", [b"", b"stray", b"\0\0\0\x08moof" * 9, bytes(100)], ids=["empty", "text", "moof", "zeros"]
)
def test_what_is_no_segment_is_refused_by_name(tmp_path, data):
    path = tmp_path / "stray.m4s"
    path.write_bytes(data)
    with pytest.raises(ArtifactCorrupt, match="stray"):
        read_fragment(path, 512)


def test_a_torn_segment_file_is_refused(encoded, stored):
    path, fragment = stored
    path.write_bytes(path.read_bytes()[: fragment.offset - 30])
    with pytest.raises(ArtifactCorrupt):
        read_fragment(path, encoded[0].ticks)


def test_any_prefix_that_is_called_closed_decodes_to_the_same_pictures(encoded):
    segment = encoded[1]

    def pictures(sizes):
        context = av.CodecContext.create("h264", "r")
        context.extradata = segment.config
        found, position = [], 0
        for size in sizes:
            found += context.decode(av.Packet(segment.payload[position : position + size]))
            position += size
        return [frame.to_ndarray().tobytes() for frame in found + context.decode(None)]

    samples = Samples(segment.sizes, segment.shifts)
    all_of_them = pictures(segment.sizes)
    kept = {closed_prefix(samples, frames) for frames in range(25)}
    assert {0, 24} < kept, "some are shorter, or the test shows nothing"
    for frames in kept - {0}:
        assert pictures(segment.sizes[:frames]) == all_of_them[:frames]


def test_at_most_a_few_frames_are_lost_to_references(encoded):
    samples = Samples(encoded[1].sizes, encoded[1].shifts)
    # x264 puts at most 3 frames between two that later ones refer to (veryfast: bframes=3).
    assert all(frames - closed_prefix(samples, frames) <= 3 for frames in range(25))


def test_a_shortened_segment_is_a_segment(encoded, stored, tmp_path):
    track, segment = encoded
    path, fragment = stored
    frames = closed_prefix(fragment.samples, 17)
    data, short = shorten(path.read_bytes(), fragment, track, 24, frames)
    (tmp_path / "short.m4s").write_bytes(data)
    assert read_fragment(tmp_path / "short.m4s", track.ticks) == short
    assert count_decoded(segment.config, short.samples.sizes, data[short.offset :]) == frames


@pytest.mark.parametrize("kernel", [True, False])
def test_frames_are_appended_as_they_are(encoded, stored, tmp_path, monkeypatch, kernel):
    path, fragment = stored
    if not kernel:

        def refuse(*args):
            raise OSError(errno.EXDEV, "other device")

        monkeypatch.setattr(os, "copy_file_range", refuse)
    target = tmp_path / "a.mp4"
    target.write_bytes(b"head")
    descriptor = os.open(target, os.O_WRONLY)
    os.lseek(descriptor, 0, os.SEEK_END)
    append_payload(path, fragment, descriptor)
    os.close(descriptor)
    assert target.read_bytes() == b"head" + encoded[1].payload


def test_a_segment_file_that_ends_early_is_an_error_and_no_short_film(encoded, stored, tmp_path):
    path, fragment = stored
    path.write_bytes(path.read_bytes()[:-10])
    descriptor = os.open(tmp_path / "a.mp4", os.O_WRONLY | os.O_CREAT)
    with pytest.raises(OSError, match="shorter than its index"):
        append_payload(path, fragment, descriptor)
    os.close(descriptor)


def test_a_playlist_names_its_segments_and_their_lengths():
    text = playlist(Fraction(24000, 1001), [("a.m4s", 24), ("b.m4s", 12)], ended=True)
    assert "#EXT-X-TARGETDURATION:2\n" in text  # 1.001 s, rounded up
    assert '#EXT-X-MAP:URI="init.mp4"\n' in text
    assert text.endswith("#EXTINF:1.001000,\na.m4s\n#EXTINF:0.500500,\nb.m4s\n#EXT-X-ENDLIST\n")


def test_a_playlist_that_may_grow_has_no_end():
    text = playlist(Fraction(24), [("a.m4s", 24)], ended=False)
    assert "EVENT" in text
    assert "ENDLIST" not in text


def test_a_frame_without_references_to_later_ones_can_always_be_cut_after():
    plain = Segment(b"", (5,) * 9, (0,) * 9, bytes(45))
    assert [closed_prefix(Samples(plain.sizes, plain.shifts), n) for n in range(10)] == list(range(10))
