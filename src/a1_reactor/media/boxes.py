"""Boxes of the ISO base media file format (ISO/IEC 14496-12) for one video track.

Two kinds of file are written from the same encoded segments: an mp4 with its index in front, and fragments (an
initialisation segment and one media segment each, as HLS and Media Source Extensions want them). Times are whole
numbers of ticks: a frame lasts ``Track.ticks`` of them at ``Track.timescale`` a second, exactly.
"""

from __future__ import annotations

import struct
from collections.abc import Sequence
from dataclasses import dataclass
from fractions import Fraction
from itertools import accumulate

__all__ = ["Samples", "Track", "file_header", "fragment_header", "init_segment"]

_MATRIX = struct.pack(">9i", 0x10000, 0, 0, 0, 0x10000, 0, 0, 0, 0x40000000)
"""No rotation, no scaling."""
_LEAST_TIMESCALE = 10_000
"""Ticks a second: players round to milliseconds where a file's clock is as coarse as its frames."""
_SYNC, _NOT_SYNC = 0x02000000, 0x01010000  # sample flags: depends on no other; depends on others and is no entry


@dataclass(frozen=True, slots=True)
class Track:
    """What all segments of a clip share."""

    width: int
    """Pixels."""
    height: int
    """Pixels."""
    fps: Fraction
    """Frames per second."""
    config: bytes
    """Decoder configuration record."""

    @property
    def scale(self) -> int:
        """Factor on the rate's own numerator and denominator."""
        factor = 1
        while self.fps.numerator * factor < _LEAST_TIMESCALE:
            factor *= 2
        return factor

    @property
    def timescale(self) -> int:
        """Ticks per second."""
        return self.fps.numerator * self.scale

    @property
    def ticks(self) -> int:
        """Ticks per frame."""
        return self.fps.denominator * self.scale


@dataclass(frozen=True, slots=True)
class Samples:
    """The frames of one segment as an index needs them, in the order of decoding; the first is an entry point."""

    sizes: tuple[int, ...]
    """Bytes of each."""
    shifts: tuple[int, ...]
    """Place in the order of display minus place in the order of decoding."""

    def __len__(self) -> int:
        return len(self.sizes)

    @property
    def payload(self) -> int:
        """Bytes of all."""
        return sum(self.sizes)


def box(kind: bytes, *parts: bytes) -> bytes:
    """A box of four-letter type ``kind``."""
    content = b"".join(parts)
    return struct.pack(">I4s", 8 + len(content), kind) + content


def full_box(kind: bytes, version: int, flags: int, *parts: bytes) -> bytes:
    """A box with version and flags."""
    return box(kind, struct.pack(">I", version << 24 | flags), *parts)


def init_segment(track: Track) -> bytes:
    """What stands in front of fragments: the track without frames."""
    extends = box(b"mvex", full_box(b"trex", 0, 0, struct.pack(">5I", 1, 1, track.ticks, 0, 0)))
    empty = _sample_table(track, full_box(b"stts", 0, 0, _u32(0)), full_box(b"stsc", 0, 0, _u32(0)),
                          full_box(b"stsz", 0, 0, _u32(0, 0)), full_box(b"stco", 0, 0, _u32(0)))  # fmt: skip
    return box(b"ftyp", b"iso6", _u32(0), b"iso6", b"cmfc", b"avc1", b"mp41") + _movie(track, 0, b"", empty, extends)


def fragment_header(track: Track, samples: Samples, start: int) -> bytes:
    """What stands in front of a segment's frames to make it a fragment.

    Args:
        start: Number of the segment's first frame in the clip: when it is shown.
    """
    entries = b"".join(
        struct.pack(">Ii", size, shift * track.ticks) for size, shift in zip(samples.sizes, samples.shifts, strict=True)
    )

    def fragment(data_offset: int) -> bytes:
        # tfhd: base is this fragment, then length and flags of all frames. trun version 1: shifts may be negative.
        run = full_box(b"trun", 1, 0xA05, struct.pack(">IiI", len(samples), data_offset, _SYNC), entries)
        head = full_box(b"tfhd", 0, 0x20028, _u32(1, track.ticks, _NOT_SYNC))
        time = full_box(b"tfdt", 1, 0, struct.pack(">Q", start * track.ticks))
        return box(b"moof", full_box(b"mfhd", 0, 0, _u32(start + 1)), box(b"traf", head, time, run))

    moof = fragment(len(fragment(0)) + 8)
    return box(b"styp", b"msdh", _u32(0), b"msdh", b"msix") + moof + struct.pack(">I4s", 8 + samples.payload, b"mdat")


def file_header(track: Track, segments: Sequence[Samples]) -> bytes:
    """What stands in front of the segments' frames, one after another, to make them an mp4 file."""
    frames = sum(len(segment) for segment in segments)
    total = sum(segment.payload for segment in segments)
    # Times of display may not lie before those of decoding here; an edit list takes the delay out again.
    delay = max(0, -min(min(segment.shifts) for segment in segments))
    brands = box(b"ftyp", b"isom", _u32(0x200), b"isom", b"iso2", b"avc1", b"mp41")
    data = (
        struct.pack(">I4s", 8 + total, b"mdat") if total < 2**32 - 8 else struct.pack(">I4sQ", 1, b"mdat", 16 + total)
    )
    wide = total > 2**31
    # Looked up once: it is worked out from fractions, and a minute has 1440 frames.
    ticks = track.ticks
    shifts = [shift for segment in segments for shift in segment.shifts]
    sizes = struct.pack(f">{frames}I", *(size for segment in segments for size in segment.sizes))
    reordered = b"".join([struct.pack(">II", 1, (shift + delay) * ticks) for shift in shifts]) if any(shifts) else b""

    def movie(first: int) -> bytes:
        starts = list(accumulate((segment.payload for segment in segments), initial=first))[:-1]
        offsets = full_box(
            b"co64" if wide else b"stco",
            0,
            0,
            _u32(len(starts)),
            struct.pack(f">{len(starts)}{'QI'[not wide]}", *starts),
        )
        edit = b""
        tables = [full_box(b"stts", 0, 0, _u32(1, frames, ticks))]
        if reordered:
            tables.append(full_box(b"ctts", 0, 0, _u32(frames), reordered))
            segment_edit = struct.pack(">QqHH", frames * ticks, delay * ticks, 1, 0)
            edit = box(b"edts", full_box(b"elst", 1, 0, _u32(1), segment_edit))
        entries = accumulate((len(segment) for segment in segments), initial=1)
        tables += [
            full_box(b"stss", 0, 0, _u32(len(segments), *list(entries)[:-1])),
            _samples_per_chunk(segments),
            full_box(b"stsz", 0, 0, _u32(0, frames), sizes),
            offsets,
        ]
        return _movie(track, frames * ticks, edit, _sample_table(track, *tables), b"")

    front = len(brands) + len(movie(0)) + len(data)
    return brands + movie(front) + data


def _samples_per_chunk(segments: Sequence[Samples]) -> bytes:
    """Each segment is one chunk; entries are written where the number of frames changes."""
    entries, last = [], 0
    for number, segment in enumerate(segments, start=1):
        if len(segment) != last:
            entries.append(_u32(number, len(segment), 1))
            last = len(segment)
    return full_box(b"stsc", 0, 0, _u32(len(entries)), *entries)


def _movie(track: Track, duration: int, edit: bytes, table: bytes, extends: bytes) -> bytes:
    head = struct.pack(">QQIQ", 0, 0, track.timescale, duration)
    movie = full_box(b"mvhd", 1, 0, head, struct.pack(">IHHII", 0x10000, 0x100, 0, 0, 0), _MATRIX, bytes(24), _u32(2))
    size = struct.pack(">II", track.width << 16, track.height << 16)
    # Flags 3: the track is enabled and part of the movie.
    track_head = full_box(b"tkhd", 1, 3, struct.pack(">QQIIQ", 0, 0, 1, 0, duration), bytes(8), bytes(8), _MATRIX, size)
    media_head = full_box(b"mdhd", 1, 0, head, struct.pack(">HH", 0x55C4, 0))  # language "und"
    handler = full_box(b"hdlr", 0, 0, struct.pack(">I4s12x", 0, b"vide"), b"VideoHandler\0")
    here = box(b"dinf", full_box(b"dref", 0, 0, _u32(1), full_box(b"url ", 0, 1)))
    info = box(b"minf", full_box(b"vmhd", 0, 1, bytes(8)), here, table)
    return box(b"moov", movie, box(b"trak", track_head, edit, box(b"mdia", media_head, handler, info)), extends)


def _sample_table(track: Track, *tables: bytes) -> bytes:
    colours = box(b"colr", b"nclx", struct.pack(">HHHB", 1, 1, 1, 0))  # BT.709 (ITU-T H.273), limited range
    square = box(b"pasp", _u32(1, 1))
    entry = box(
        b"avc1",
        struct.pack(">6xH16xHH", 1, track.width, track.height),
        struct.pack(">IIIH32sHh", 0x480000, 0x480000, 0, 1, b"", 24, -1),  # 72 dpi, one frame a sample, no name
        box(b"avcC", track.config),
        colours,
        square,
    )
    return box(b"stbl", full_box(b"stsd", 0, 0, _u32(1), entry), *tables)


def _u32(*values: int) -> bytes:
    return struct.pack(f">{len(values)}I", *values)
