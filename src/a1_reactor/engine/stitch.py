"""The video of a clip, put together from segments: only those that hold a new frame are encoded."""

from __future__ import annotations

import hashlib
from collections import Counter
from collections.abc import Callable, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from typing import Any

from a1_reactor.engine.stages import Stages
from a1_reactor.media.boxes import Track
from a1_reactor.media.cuts import Piece, grid_pieces, pieces_after_edit
from a1_reactor.media.fragments import build_fragment, closed_prefix, read_fragment, shorten
from a1_reactor.media.frames import Frame
from a1_reactor.media.h264 import EncoderOptions, Segment, SegmentEncoder, count_decoded
from a1_reactor.media.memory import return_free_memory
from a1_reactor.storage.clip import Clip
from a1_reactor.storage.draft import Draft
from a1_reactor.storage.manifest import SegmentEntry
from a1_reactor.types import JobSpec
from reactor_core.errors import ArtifactCorrupt, StorageError
from reactor_core.utils.canonical import content_hash

__all__ = ["Stitcher"]

ReadFrame = Callable[[int], tuple[Frame, str]]
"""A frame that is not new, and its pixel hash, by number."""


class Stitcher:
    """Encodes a clip's new frames segment by segment, takes the other segments over, and joins them.

    Args:
        draft: Where the segments and the mp4 go.
        spec: Size, rate and length.
        options: How new segments are encoded.
        stages: Told how long it takes.
        parent: The clip that windows were regenerated in, or None for a new clip.
    """

    def __init__(
        self, draft: Draft, spec: JobSpec, options: EncoderOptions, stages: Stages, *, parent: Clip | None = None
    ) -> None:
        self._draft = draft
        self._spec = spec
        self._options = options
        self._stages = stages
        self._parent = parent
        with stages.stage("encode"):
            first = self._encoder()
        self.track = Track(spec.width, spec.height, spec.fps, first.config)
        self._counts: Counter[str] = Counter()
        self._why: str | None = None
        self._open: tuple[Piece, SegmentEncoder, list[str]] | None = None
        self._closing: tuple[Piece, Future[Segment], list[str]] | None = None
        self._closer = ThreadPoolExecutor(1, thread_name_prefix="close-segment")
        self._old = self._usable_segments()
        self._pieces = self._plan()
        self._anew: list[Piece] = []
        """Pieces whose segment is not, as a whole or in part, that of the parent."""
        self._unchecked: list[Piece] = []
        draft.add_init(self.track)

    @property
    def identity(self) -> str:
        """What the segments were encoded with."""
        return self._options.identity()

    def take_over(self) -> None:
        """Link the parent's segments that hold no new frame, and keep the beginnings of those that do."""
        with self._stages.stage("keep"):
            for piece in self._pieces:
                entry = self._old.get(piece[0])
                if self._touched(piece) or entry is None:
                    continue
                if entry.stop == piece[1]:
                    assert self._parent is not None
                    self._draft.link_segment(entry, self._parent, self.track.ticks)
                    self._counts["kept"] += 1
                else:
                    self._shorten(entry, piece)

    def encode_unchanged(self, read: ReadFrame, told: Callable[[int, int], None]) -> None:
        """Encode the pieces that hold no new frame and yet have no segment, because a window before them cut it off.

        This needs nothing from the provider, so it can be done before the provider is asked.

        Args:
            read: Frame by number.
            told: Called with the frames done and their number.
        """
        there = {entry.start for entry in self._draft.segments()}
        missing = [piece for piece in self._pieces if piece[0] not in there and not self._touched(piece)]
        total, done = sum(stop - start for start, stop in missing), 0
        for piece in missing:
            assert self._parent is not None, "a new clip has no frames that are not new"
            ids = [self._parent.manifest.frames[index].pixels for index in range(*piece)]
            with self._stages.stage("keep"):
                found = self._draft.find_segment(self._key(piece, ids), *piece, self.track.ticks)
            if found:
                # Its name in the store is its hash, and it was decoded before it got that name.
                self._counts["found"] += 1
                self._anew.append(piece)
            else:
                for offset, index in enumerate(range(*piece)):
                    told(done + offset, total)
                    self._feed(piece, *read(index))
            done += piece[1] - piece[0]
            told(done, total)
        self.settle()

    def lead_in(self, read: ReadFrame) -> None:
        """Feed the old frames before the first new one to the encoder of its segment, while the provider is not asked.

        Args:
            read: Frame by number.
        """
        first = self._spec.windows[0].start
        piece = next(piece for piece in self._pieces if piece[0] <= first < piece[1])
        for before in range(piece[0], first):
            self._feed(piece, *read(before))

    def add(self, index: int, frame: Frame, pixels: str, read: ReadFrame | None = None) -> None:
        """Append a new frame; within a piece they come in order.

        Args:
            pixels: The frame's hash.
            read: The frames of its piece that come before a window; a new clip has none.
        """
        piece = next(piece for piece in self._pieces if piece[0] <= index < piece[1])
        if self._open is None and index > piece[0]:
            assert read is not None, "the frames of a new clip come in order, from the first one on"
            for before in range(piece[0], index):
                self._feed(piece, *read(before))
        self._feed(piece, frame, pixels)

    def finish(self, told: Callable[[int, int], None] | None = None) -> int:
        """Decode the new segments, and join all of them to the mp4.

        Args:
            told: Called with the segments decoded and their number; None for nobody.

        Returns:
            How many frames the mp4 decodes to: segments that were taken over were decoded when they were made.

        Raises:
            ArtifactCorrupt: A segment does not decode to its frames.
        """
        self.settle()
        self._closer.shutdown()
        entries = {entry.start: entry for entry in self._draft.segments()}
        with self._stages.stage("decode"):
            for done, (start, stop) in enumerate(self._unchecked):
                if told is not None:
                    told(done, len(self._unchecked))
                self._check(entries[start], start, stop)
        with self._stages.stage("mux"):
            self._draft.write_playlist(self.track, ended=True)
            decoded = sum(entry.stop - entry.start for entry in entries.values())
            if decoded != self._spec.frames:
                raise ArtifactCorrupt(f"the segments hold {decoded} frames, the clip has {self._spec.frames}")
            self._draft.write_artifact(self.track, decoded_frames=decoded)
        if told is not None:
            told(len(self._unchecked), len(self._unchecked))
        return decoded

    def to_json(self) -> dict[str, Any]:
        """What was encoded and what was not, for the report."""
        return {
            "segments": {
                "total": len(self._pieces),
                **{name: self._counts[name] for name in ("kept", "shortened", "found", "encoded")},
            },
            "frames_encoded": self._counts["frames"],
            "encoder": self._options.to_json(),
            "touched": [list(piece) for piece in sorted(self._anew)],
            "all_encoded_because": self._why,
        }

    def _usable_segments(self) -> dict[int, SegmentEntry]:
        """The parent's segments by first frame, or none where they cannot stand beside new ones."""
        if self._parent is None:
            return {}
        video = self._parent.manifest.video
        if video is None:
            self._why = "the parent's mp4 has no segments: it was made by an earlier release"
        elif video.encoder != self.identity or bytes.fromhex(video.config) != self.track.config:
            self._why = "the parent's mp4 was encoded with other options or another x264"
        else:
            return {entry.start: entry for entry in video.segments}
        return {}

    def _plan(self) -> list[Piece]:
        length = self._options.segment_frames
        grid = grid_pieces(self._spec.frames, length)
        if not self._spec.windows:
            return grid
        old = [(entry.start, entry.stop) for entry in self._old.values()] or grid
        return pieces_after_edit(old, self._spec.windows, length, self._keepable)

    def _keepable(self, piece: Piece, frames: int) -> int:
        entry = self._old.get(piece[0])
        if entry is None:
            return frames
        assert self._parent is not None
        fragment = read_fragment(self._parent.segment_path(entry), self.track.ticks)
        return closed_prefix(fragment.samples, frames)

    def _touched(self, piece: Piece) -> bool:
        if self._parent is None:
            return True
        return any(window.start < piece[1] and piece[0] < window.stop for window in self._spec.windows)

    def _shorten(self, entry: SegmentEntry, piece: Piece) -> None:
        assert self._parent is not None
        path = self._parent.segment_path(entry)
        # These bytes are read, so they are hashed.
        self._parent.check_segment_file(entry)
        data, fragment = shorten(
            path.read_bytes(), read_fragment(path, self.track.ticks), self.track, piece[0], piece[1] - piece[0]
        )
        self._draft.add_segment(
            content_hash({"of": entry.key, "frames": piece[1] - piece[0]}), piece[0], data, fragment
        )
        self._unchecked.append(piece)
        self._counts["shortened"] += 1

    def _feed(self, piece: Piece, frame: Frame, pixels: str) -> None:
        with self._stages.stage("encode"):
            if self._closing is not None and self._closing[1].done():
                self._write_closed()
            if self._open is None:
                self._open = piece, self._encoder(), []
            opened, encoder, ids = self._open
            assert opened == piece, "one piece is fed at a time, and in order"
            encoder.add(frame)
            ids.append(pixels)
            if encoder.frames < piece[1] - piece[0]:
                return
            self._open = None
            self._write_closed()
            # x264 looks a dozen frames ahead, so most of a segment is encoded when it is closed. The next one is made
            # meanwhile; one at a time, so that memory holds two encoders and no more.
            self._closing = piece, self._closer.submit(encoder.finish), ids

    def settle(self) -> None:
        """Wait until every segment whose frames are all there is encoded, written and listed.

        Raises:
            StorageError: One of them cannot be encoded or written.
        """
        with self._stages.stage("encode"):
            self._write_closed()

    def _write_closed(self) -> None:
        if self._closing is None:
            return
        (piece, closed, ids), self._closing = self._closing, None
        segment = closed.result()
        if segment.config != self.track.config:
            raise StorageError("x264 wrote other headers for one segment than for the others of this clip")
        data, fragment = build_fragment(self.track, segment, piece[0])
        self._draft.add_segment(self._key(piece, ids), piece[0], data, fragment)
        self._draft.write_playlist(self.track, ended=False)
        return_free_memory()
        self._anew.append(piece)
        self._unchecked.append(piece)
        self._counts["encoded"] += 1
        self._counts["frames"] += piece[1] - piece[0]

    def _check(self, entry: SegmentEntry, start: int, stop: int) -> None:
        path = self._draft.segment_path(start, stop)
        data, fragment = path.read_bytes(), self._draft.fragment(start)
        if hashlib.sha256(memoryview(data)[fragment.offset :]).hexdigest() != entry.payload:
            raise ArtifactCorrupt(f"{path} is not what was written")
        decoded = count_decoded(self.track.config, fragment.samples.sizes, data[fragment.offset :])
        if decoded != stop - start:
            raise ArtifactCorrupt(f"{path} decodes to {decoded} frames, it has {stop - start}")

    def _encoder(self) -> SegmentEncoder:
        spec = self._spec
        return SegmentEncoder(width=spec.width, height=spec.height, fps=spec.fps, options=self._options)

    def _key(self, piece: Piece, ids: Sequence[str]) -> str:
        """All that decides the bytes of a segment file: frames, encoder, and where in the clip it stands."""
        spec = self._spec
        place = {"start": piece[0], "fps": str(spec.fps), "size": [spec.width, spec.height]}
        return content_hash({"frames": list(ids), "encoder": self.identity, **place})
