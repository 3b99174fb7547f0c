"""Sound of an imported file, brought into the files that a clip is exported to: copied where the format takes it."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from fractions import Fraction
from pathlib import Path
from typing import Any

import av
import av.error

from a1_reactor.media.import_video import ALONE
from reactor_core.errors import ArtifactCorrupt

__all__ = ["SoundFile", "SoundTrack"]

_COPIED = {"mp4": {"aac", "mp3", "ac3", "eac3", "alac", "opus", "flac"}, "webm": {"opus", "vorbis"}}
"""Codecs that a container takes as they are."""
_ENCODERS = {"mp4": ("aac", 192_000), "webm": ("libopus", 128_000)}
"""Encoder and bits per second for all others."""
_RATE = 48_000


@dataclass(frozen=True, slots=True)
class SoundFile:
    """A file with sound that belongs to a clip's pictures."""

    path: Path
    codec: str
    """Of its first sound track."""

    def copied_into(self, kind: str) -> bool:
        """Whether an mp4 or webm takes the sound as it is."""
        return self.codec in _COPIED[kind]


class SoundTrack:
    """The sound on its way into an open container.

    Args:
        sound: Where it comes from.
        container: Open for writing; nothing has been written yet.
        kind: ``mp4`` or ``webm``.
        seconds: Length of the pictures; sound behind that is left out.
    """

    def __init__(self, sound: SoundFile, container: Any, kind: str, seconds: Fraction) -> None:
        self._sound = sound
        self._seconds = seconds
        self._copied = sound.copied_into(kind)
        with _opened(sound.path) as source:
            track = source.streams.audio[0]
            if self._copied:
                self._stream = container.add_stream_from_template(track)
            else:
                encoder, bits = _ENCODERS[kind]
                layout = "mono" if track.codec_context.channels == 1 else "stereo"
                self._stream = container.add_stream(encoder, rate=_RATE, layout=layout)
                self._stream.bit_rate = bits

    def packets(self) -> Iterator[Any]:
        """Packets for the container, in the order of their times.

        Raises:
            ArtifactCorrupt: The sound cannot be read.
        """
        start = _picture_start(self._sound.path)
        with _opened(self._sound.path) as source:
            track = source.streams.audio[0]
            yield from (self._copies(source, track, start) if self._copied else self._encoded(source, track, start))

    def _copies(self, source: Any, track: Any, start: Fraction) -> Iterator[Any]:
        offset = round(start / Fraction(track.time_base))
        for packet in source.demux(track):
            if not packet.size or packet.pts is None:
                continue
            begin = (packet.pts - offset) * Fraction(track.time_base)
            if begin >= self._seconds:
                return
            if begin + (packet.duration or 0) * Fraction(track.time_base) <= 0 and not packet.is_discard:
                # Before the first picture; what the decoder needs to get going is marked and stays.
                continue
            packet.pts -= offset
            packet.dts = packet.pts if packet.dts is None else packet.dts - offset
            packet.stream = self._stream
            yield packet

    def _encoded(self, source: Any, track: Any, start: Fraction) -> Iterator[Any]:
        context = self._stream.codec_context
        resampler = av.AudioResampler(format=context.format, layout=context.layout, rate=_RATE)
        last = round(self._seconds * _RATE)
        first: int | None = None
        written = 0
        for frame in source.decode(track):
            if first is None:
                # Everything after it follows without a gap; it may begin a little before or after the pictures.
                first = max(0, round((frame.pts * Fraction(frame.time_base) - start) * _RATE))
            for piece in resampler.resample(frame):
                if first + written >= last:
                    break
                piece.pts, piece.time_base = first + written, Fraction(1, _RATE)
                written += piece.samples
                yield from self._stream.encode(piece)
        yield from self._stream.encode(None)


def _picture_start(path: Path) -> Fraction:
    """When the first picture of a file is shown; the clip's time begins there."""
    with _opened(path) as container:
        stream = container.streams.video[0]
        first = next(iter(container.decode(stream)), None)
        if first is None or first.pts is None:
            return Fraction(0)
        return Fraction(first.pts * Fraction(first.time_base))


@contextmanager
def _opened(path: Path) -> Iterator[Any]:
    """The container, as an open file; no format can make it read anything else."""
    try:
        with path.open("rb") as file, av.open(file, container_options=ALONE) as container:
            yield container
    except (av.error.FFmpegError, OSError, IndexError) as error:
        raise ArtifactCorrupt(f"the sound of {path} cannot be read: {error}", remedy="import the file again") from error
