"""Segment files: written, read back, shortened, listed and put together.

A segment file is a media fragment (``.m4s``) that plays by itself behind the clip's ``init.mp4``; the frames of the
clip's mp4 are the same bytes without the fragments' headers.
"""

from __future__ import annotations

import errno
import math
import os
import struct
from collections.abc import Sequence
from dataclasses import dataclass
from fractions import Fraction
from pathlib import Path

from a1_reactor.media.boxes import Samples, Track, fragment_header
from a1_reactor.media.h264 import Segment
from reactor_core.errors import ArtifactCorrupt

__all__ = ["Fragment", "append_payload", "build_fragment", "closed_prefix", "playlist", "read_fragment", "shorten"]

_TRUN_HEAD = 8 + 4 + 12
"""Box header, version and flags, then count, data offset and first flags."""


@dataclass(frozen=True, slots=True)
class Fragment:
    """Where the frames of a segment lie in its file."""

    samples: Samples
    offset: int
    """Bytes in front of the first frame."""


def build_fragment(track: Track, segment: Segment, start: int) -> tuple[bytes, Fragment]:
    """The bytes of a segment file, and its index.

    Args:
        start: Number of the segment's first frame in the clip.
    """
    samples = Samples(segment.sizes, segment.shifts)
    head = fragment_header(track, samples, start)
    return head + segment.payload, Fragment(samples, len(head))


def read_fragment(path: Path, ticks: int) -> Fragment:
    """The index of a segment file; its frames are not read.

    Args:
        ticks: Length of a frame in the file's time, :attr:`a1_reactor.media.boxes.Track.ticks`.

    Raises:
        ArtifactCorrupt: This is no segment file of ours.
    """
    try:
        with path.open("rb") as stream:
            # Sizes and shifts of a segment take 8 bytes a frame; 64 KiB hold those of 8000 frames.
            head = stream.read(1 << 16)
            style = struct.unpack_from(">I", head)[0]
            moof = struct.unpack_from(">I", head, style)[0]
            if len(head) < style + moof + 8:
                head += stream.read(style + moof + 8 - len(head))
    except (OSError, struct.error) as error:
        raise ArtifactCorrupt(f"{path} cannot be read: {error}") from error
    try:
        if head[4:8] != b"styp" or head[style + 4 : style + 8] != b"moof":
            raise ValueError("it does not begin with styp and moof")
        run = head.index(b"trun", style) - 4
        count, data = struct.unpack_from(">Ii", head, run + 12)
        entries = struct.unpack_from(f">{'Ii' * count}", head, run + _TRUN_HEAD)
        return Fragment(Samples(tuple(entries[::2]), tuple(shift // ticks for shift in entries[1::2])), style + data)
    except (ValueError, struct.error) as error:
        raise ArtifactCorrupt(f"{path} is no segment of a clip: {error}") from error


def closed_prefix(samples: Samples, frames: int) -> int:
    """How many frames can be kept from the front of a segment if the one numbered ``frames`` changes.

    A frame may refer to frames that are shown after it, but they are decoded before it: so any beginning of the order
    of decoding decodes alone, and it can be kept where it is also a beginning of the order of display.

    Args:
        frames: Most frames to keep.

    Returns:
        The largest such number, 0 to ``frames``.
    """
    best = last = 0
    for index, shift in enumerate(samples.shifts[:frames]):
        last = max(last, index + shift)
        if last == index:
            best = index + 1
    return best


def shorten(data: bytes, fragment: Fragment, track: Track, start: int, frames: int) -> tuple[bytes, Fragment]:
    """A segment file with the first frames of another one, as they are.

    Args:
        data: The whole file.
        frames: How many to keep, as :func:`closed_prefix` allows.
    """
    samples = Samples(fragment.samples.sizes[:frames], fragment.samples.shifts[:frames])
    head = fragment_header(track, samples, start)
    payload = data[fragment.offset : fragment.offset + samples.payload]
    return head + payload, Fragment(samples, len(head))


def append_payload(source: Path, fragment: Fragment, descriptor: int) -> None:
    """Append a segment's frames to an open file, inside the kernel where it can do that.

    Raises:
        OSError: The file system fails, or the segment file is shorter than its index says.
    """
    offset, left = fragment.offset, fragment.samples.payload
    with source.open("rb") as stream:
        if hasattr(os, "copy_file_range"):
            while left:
                try:
                    done = os.copy_file_range(stream.fileno(), descriptor, left, offset)
                except OSError as error:
                    # Not between these file systems, or not on this kernel.
                    if error.errno not in {errno.EXDEV, errno.ENOSYS, errno.EINVAL, errno.ENOTSUP, errno.EPERM}:
                        raise
                    break
                if done == 0:
                    break
                offset, left = offset + done, left - done
        stream.seek(offset)
        while left:
            part = memoryview(stream.read(min(left, 1 << 20)))
            if not part:
                raise OSError(errno.EIO, "the segment file is shorter than its index says")
            left -= len(part)
            while part:
                part = part[os.write(descriptor, part) :]


def playlist(fps: Fraction, segments: Sequence[tuple[str, int]], *, ended: bool) -> str:
    """An HLS playlist (RFC 8216) of a clip's segment files.

    Args:
        segments: File name and number of frames of each, in order.
        ended: False while more may come.
    """
    longest = max((frames for _, frames in segments), default=1)
    lines = [
        "#EXTM3U",
        "#EXT-X-VERSION:7",
        f"#EXT-X-TARGETDURATION:{math.ceil(longest / fps)}",
        f"#EXT-X-PLAYLIST-TYPE:{'VOD' if ended else 'EVENT'}",
        "#EXT-X-INDEPENDENT-SEGMENTS",
        '#EXT-X-MAP:URI="init.mp4"',
    ]
    for name, frames in segments:
        lines += [f"#EXTINF:{float(frames / fps):.6f},", name]
    return "\n".join([*lines, *(["#EXT-X-ENDLIST"] if ended else [])]) + "\n"
