"""What is written here is read back by FFmpeg, which knows nothing of us."""

from fractions import Fraction

import av
import numpy as np
import pytest

from a1_reactor.media.boxes import Samples, Track, file_header, fragment_header, init_segment
from a1_reactor.media.h264 import EncoderOptions, SegmentEncoder

PIECES = [(0, 12), (12, 13), (13, 15), (15, 31), (31, 40)]


def picture(index):
    y, x = np.mgrid[0:64, 0:96]
    return np.stack([2 * x + 3 * index, 3 * y, np.full_like(x, 5 * index)], axis=-1).astype(np.uint8)


def segments(fps, preset):
    made = []
    for start, stop in PIECES:
        encoder = SegmentEncoder(width=96, height=64, fps=fps, options=EncoderOptions(preset=preset, crf=10))
        for index in range(start, stop):
            encoder.add(picture(index))
        made.append(encoder.finish())
    return made


@pytest.fixture(scope="module", params=[("24", "ultrafast"), ("24000/1001", "veryfast")], ids=lambda p: " ".join(p))
def clip(request):
    fps = Fraction(request.param[0])
    made = segments(fps, request.param[1])
    track = Track(96, 64, fps, made[0].config)
    return track, made, [Samples(segment.sizes, segment.shifts) for segment in made]


@pytest.fixture
def whole(clip, tmp_path):
    track, made, samples = clip
    path = tmp_path / "whole.mp4"
    path.write_bytes(file_header(track, samples) + b"".join(segment.payload for segment in made))
    return path


def test_the_file_says_what_it_is(clip, whole):
    track = clip[0]
    with av.open(str(whole)) as container:
        stream = container.streams.video[0]
        assert (stream.width, stream.height, stream.frames) == (96, 64, 40)
        assert stream.average_rate == track.fps
        assert stream.duration * stream.time_base == 40 / track.fps
        assert stream.start_time == 0
        assert stream.codec_context.colorspace == 1  # BT.709 in ITU-T H.273


def test_every_frame_is_there_at_its_time_and_in_its_place(clip, whole):
    track = clip[0]
    with av.open(str(whole)) as container:
        frames = list(container.decode(video=0))
    assert [frame.pts * frame.time_base * track.fps for frame in frames] == list(range(40))
    for index, frame in enumerate(frames):
        # The blue level alone tells neighbours apart by 5.
        assert abs(float(frame.to_ndarray(format="rgb24")[..., 2].mean()) - 5 * index) < 2


def test_every_segment_is_a_place_to_enter_at(clip, whole):
    with av.open(str(whole)) as container:
        keys = [
            packet.pts * packet.time_base * clip[0].fps for packet in container.demux(video=0) if packet.is_keyframe
        ]
    assert keys == [start for start, _ in PIECES]


def test_fragments_play_alone_and_together(clip, tmp_path):
    track, made, samples = clip
    parts = [
        fragment_header(track, sample, start) + segment.payload
        for sample, segment, (start, _) in zip(samples, made, PIECES, strict=True)
    ]
    for name, chosen, frames in (("all", parts, 40), ("one", parts[3:4], 16)):
        path = tmp_path / f"{name}.mp4"
        path.write_bytes(init_segment(track) + b"".join(chosen))
        with av.open(str(path)) as container:
            times = [frame.pts * frame.time_base * track.fps for frame in container.decode(video=0)]
        assert [time - times[0] for time in times] == list(range(frames))


def test_a_fragment_states_when_it_is_shown(clip):
    track, _, samples = clip
    header = fragment_header(track, samples[3], 15)
    time = header.index(b"tfdt") + 8
    assert int.from_bytes(header[time : time + 8], "big") == 15 * track.ticks


def test_ticks_are_exact_and_fine():
    track = Track(96, 64, Fraction(24000, 1001), b"")
    assert Fraction(track.timescale, track.ticks) == track.fps
    assert Track(96, 64, Fraction(24), b"").timescale >= 10_000


def test_a_file_beyond_four_gigabytes_gets_wide_offsets():
    huge = [Samples((2**31,), (0,)), Samples((2**31,), (0,)), Samples((2**31,), (0,))]
    header = file_header(Track(96, 64, Fraction(24), b"\1"), huge)
    assert b"co64" in header
    assert b"stco" not in header
    at = header.index(b"co64") + 12
    offsets = [int.from_bytes(header[at + 8 * i : at + 8 * i + 8], "big") for i in range(3)]
    assert offsets == [len(header), len(header) + 2**31, len(header) + 2**32]
    assert header[-16:] == (1).to_bytes(4, "big") + b"mdat" + (16 + 3 * 2**31).to_bytes(8, "big")
