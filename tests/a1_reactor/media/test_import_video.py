from fractions import Fraction

import numpy as np
import pytest
from tests.a1_reactor.media.videos import corner, counting, write_video

from a1_reactor.media.import_video import open_video, video_frames
from a1_reactor.media.mp4 import EncoderOptions, write_mp4
from reactor_core.errors import NotFound, SpecError

AT_25 = [index * 40 for index in range(5)]


def quarters(frame):
    """Which quarters are red: upper left, upper right, lower left, lower right."""
    height, width, _ = frame.shape
    rows, columns = (height // 4, 3 * height // 4), (width // 4, 3 * width // 4)
    return [bool(frame[row, column, 0] > 100) for row in rows for column in columns]


def test_a_clip_of_ours_comes_back_as_it_was(tmp_path):
    frames = [corner()(index) for index in range(6)]
    write_mp4(tmp_path / "a.mp4", frames, fps=Fraction(24000, 1001), options=EncoderOptions("ultrafast", 4))
    file = open_video(tmp_path / "a.mp4")
    assert (file.width, file.height, file.timing.fps, file.timing.frames) == (96, 64, Fraction(24000, 1001), 6)
    assert (file.notes, file.sound) == ((), None)
    # 4:2:0 smears colour over the edges; a flat area comes back within rounding.
    for made, old in zip(video_frames(file), frames, strict=True):
        assert np.abs(made[8:24, 8:40].astype(int) - old[8:24, 8:40]).max() <= 3
        assert np.abs(made[40:, 56:].astype(int) - old[40:, 56:]).max() <= 3


@pytest.mark.parametrize(
    ("degrees", "flip", "red", "size"),
    [
        # Counter-clockwise degrees: turned by 90 the upper left quarter is the lower left one.
        (0, False, 0, (96, 64)),
        (90, False, 2, (64, 96)),
        (180, False, 3, (96, 64)),
        (-90, False, 1, (64, 96)),
        (0, True, 1, (96, 64)),
        (180, True, 2, (96, 64)),
    ],
)
def test_a_picture_that_was_held_otherwise_is_turned_upright(tmp_path, degrees, flip, red, size):
    write_video(
        tmp_path / "a.mp4",
        corner(),
        AT_25,
        setup=lambda stream: stream.set_display_rotation(degrees, hflip=flip),
    )
    file = open_video(tmp_path / "a.mp4")
    frame = next(video_frames(file))
    assert (file.width, file.height) == size == frame.shape[1::-1]
    assert quarters(frame) == [quarter == red for quarter in range(4)]
    assert any("upright" in note for note in file.notes) == (degrees != 0 or flip)


def test_an_odd_size_is_cut_and_said(tmp_path):
    write_video(tmp_path / "a.mkv", corner(97, 65), AT_25, codec="ffv1", pix_fmt="bgr0")
    file = open_video(tmp_path / "a.mkv")
    assert (file.width, file.height) == (96, 64)
    assert "cut from 97x65 to 96x64" in file.notes[0]
    assert np.array_equal(next(video_frames(file)), corner(97, 65)(0)[:64, :96])


def test_pixels_that_are_not_square_are_made_square(tmp_path):
    def wide(stream):
        stream.codec_context.sample_aspect_ratio = Fraction(4, 3)

    write_video(tmp_path / "a.mp4", corner(), AT_25, setup=wide)
    file = open_video(tmp_path / "a.mp4")
    assert (file.width, file.height) == (128, 64)
    assert any("4:3 made square" in note for note in file.notes)
    assert next(video_frames(file)).shape == (64, 128, 3)


def test_a_variable_frame_rate_is_resampled_and_said(tmp_path):
    # 33 ms but for a pause: frame 3 is on the screen from 100 to 200 ms.
    write_video(tmp_path / "a.mp4", counting(), [0, 33, 67, 100, 200, 233, 267])
    file = open_video(tmp_path / "a.mp4")
    assert (file.timing.fps, file.timing.constant) == (Fraction(30), False)
    assert any("7 frames resampled to 9 at 30 fps" in note for note in file.notes)
    levels = [round((int(frame[32, 32, 1]) - 16) / 8) for frame in video_frames(file)]
    assert levels == [0, 1, 2, 3, 3, 3, 4, 5, 6]


def test_another_rate_is_resampled_to(tmp_path):
    write_video(tmp_path / "a.mp4", counting(), AT_25)
    file = open_video(tmp_path / "a.mp4", fps=Fraction(50))
    assert file.timing.frames == 10
    assert "rate that was asked for" in file.notes[-1]
    assert len(list(video_frames(file))) == 10


def test_more_than_8_bits_are_rounded_only_where_that_is_asked_for(tmp_path):
    write_video(tmp_path / "a.mp4", counting(), AT_25, pix_fmt="yuv420p10le")
    with pytest.raises(SpecError, match="10 bits") as caught:
        open_video(tmp_path / "a.mp4")
    assert "--reduce-depth" in caught.value.remedy
    file = open_video(tmp_path / "a.mp4", reduce_depth=True)
    assert "rounded from 10 to 8 bits per sample" in file.notes
    assert [int(frame[32, 32, 1]) for frame in video_frames(file)] == pytest.approx([16, 24, 32, 40, 48], abs=2)


@pytest.mark.parametrize(("transfer", "primaries", "says"), [(16, 9, "PQ"), (18, 9, "HLG"), (14, 9, "BT.2020")])
def test_high_dynamic_range_and_wide_colours_are_refused(tmp_path, transfer, primaries, says):
    def tag(context):
        context.color_trc, context.color_primaries, context.colorspace = transfer, primaries, 9

    write_video(tmp_path / "a.mp4", corner(), AT_25, pix_fmt="yuv420p10le", colour=tag)
    with pytest.raises(SpecError, match=says):
        open_video(tmp_path / "a.mp4", reduce_depth=True)


def test_interlaced_video_is_refused(tmp_path):
    def fields(stream):
        stream.options = {"preset": "ultrafast", "x264-params": "interlaced=1"}

    write_video(tmp_path / "a.mp4", corner(), AT_25, setup=fields)
    with pytest.raises(SpecError, match="interlaced"):
        open_video(tmp_path / "a.mp4")


def test_the_sound_is_named_and_other_streams_are_said_to_be_left_out(tmp_path):
    write_video(tmp_path / "a.mp4", corner(), AT_25, tone=440)
    file = open_video(tmp_path / "a.mp4")
    assert (file.sound, file.timing.frames) == ("aac", 5)


def test_what_is_no_video_is_refused_without_reading_other_files(tmp_path):
    (tmp_path / "a.mp4").write_bytes(b"no video at all" * 100)
    write_video(tmp_path / "b.mp4", corner(), AT_25)
    lines = ["#EXTM3U", "#EXT-X-TARGETDURATION:1", "#EXTINF:1,", str(tmp_path / "b.mp4"), "#EXT-X-ENDLIST"]
    (tmp_path / "list.m3u8").write_text("\n".join(lines))
    (tmp_path / "list.txt").write_text(f"ffconcat version 1.0\nfile '{tmp_path / 'b.mp4'}'\n")
    for name in ("a.mp4", "list.m3u8", "list.txt"):
        with pytest.raises(SpecError, match="no video file"):
            open_video(tmp_path / name)
    with pytest.raises(NotFound):
        open_video(tmp_path / "none.mp4")


def test_a_file_that_breaks_off_is_refused_with_the_time(tmp_path):
    moments = [index * 40 for index in range(200)]
    whole = write_video(tmp_path / "a.mkv", corner(), moments, codec="ffv1", pix_fmt="bgr0")
    data = bytearray(whole.read_bytes())
    middle = len(data) // 2
    data[middle : middle + 4000] = b"\xff" * 4000
    (tmp_path / "b.mkv").write_bytes(bytes(data))
    with pytest.raises(SpecError, match="damaged"):
        list(video_frames(open_video(tmp_path / "b.mkv")))
