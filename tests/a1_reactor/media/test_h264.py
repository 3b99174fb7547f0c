import struct
from fractions import Fraction

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from a1_reactor.media.h264 import EncoderOptions, SegmentEncoder, count_decoded, decoder_configuration, nal_units
from reactor_core.errors import ArtifactCorrupt, StorageError


def picture(shift):
    y, x = np.mgrid[0:64, 0:96]
    return np.stack([2 * x + shift, 3 * y, x + y + shift], axis=-1).astype(np.uint8)


def encoded(frames, preset="veryfast", size=(96, 64)):
    encoder = SegmentEncoder(width=size[0], height=size[1], fps=Fraction(24), options=EncoderOptions(preset=preset))
    for frame in frames:
        encoder.add(frame)
    return encoder.finish()


@pytest.fixture(scope="module")
def segment():
    return encoded([picture(index) for index in range(13)])


def test_a_segment_decodes_to_its_frames(segment):
    assert count_decoded(segment.config, segment.sizes, segment.payload) == 13
    assert sum(segment.sizes) == len(segment.payload)


def test_the_payload_is_units_behind_their_lengths(segment):
    """Annex B under a header that promises lengths is muxed without complaint, and decodes to nothing."""
    position, first = 0, segment.payload[: segment.sizes[0]]
    kinds = []
    while position < len(first):
        length = struct.unpack_from(">I", first, position)[0]
        kinds.append(first[position + 4] & 31)
        position += 4 + length
    assert position == len(first)
    assert 5 in kinds, "the first frame is an IDR frame"


@pytest.mark.parametrize("preset", ["ultrafast", "veryfast"])
@pytest.mark.parametrize("frames", [1, 2, 3])
def test_headers_do_not_depend_on_what_is_encoded(preset, frames):
    noise = np.random.default_rng(1).integers(0, 256, (frames, 64, 96, 3), dtype=np.uint8)
    short, long = encoded(noise, preset), encoded([picture(index) for index in range(9)], preset)
    assert short.config == long.config
    assert count_decoded(long.config, short.sizes, short.payload) == frames


def test_equal_frames_make_equal_segments(segment):
    assert encoded([picture(index) for index in range(13)]) == segment


def test_places_of_decoding_and_of_display_are_the_same_numbers(segment):
    places = [index + shift for index, shift in enumerate(segment.shifts)]
    assert sorted(places) == list(range(13))
    assert places != sorted(places), "this preset has frames that refer to later ones, or the test shows nothing"


def test_a_damaged_segment_is_not_counted_as_whole(segment):
    middle = len(segment.payload) // 2
    damaged = segment.payload[:middle] + bytes(200) + segment.payload[middle + 200 :]
    with pytest.raises(ArtifactCorrupt):
        count_decoded(segment.config, segment.sizes, damaged)


def test_options_that_x264_does_not_know_are_refused_by_name():
    with pytest.raises(StorageError, match="no such preset"):
        SegmentEncoder(width=96, height=64, fps=Fraction(24), options=EncoderOptions(preset="no such preset"))


def test_the_identity_is_of_what_decides_bytes():
    assert EncoderOptions(segment_frames=12).identity() == EncoderOptions().identity()
    assert EncoderOptions(crf=19).identity() != EncoderOptions().identity()


@given(st.lists(st.binary(min_size=1, max_size=20).filter(lambda unit: b"\0\0" not in unit and unit[-1]), max_size=5))
def test_units_come_back_from_a_stream_with_either_start_code(units):
    for code in (b"\0\0\1", b"\0\0\0\1"):
        assert list(nal_units(b"".join(code + unit for unit in units))) == units


def test_the_configuration_of_a_high_profile_states_the_chroma_format():
    sps, pps = bytes.fromhex("67640010aabb"), bytes.fromhex("68ee")
    record = decoder_configuration(b"\0\0\0\1" + sps + b"\0\0\1" + pps)
    assert record.hex() == "01640010ffe10006" + sps.hex() + "010002" + pps.hex() + "fdf8f800"
    base = bytes.fromhex("6742c010aabb")
    assert decoder_configuration(b"\0\0\1" + base + b"\0\0\1" + pps).endswith(pps)
