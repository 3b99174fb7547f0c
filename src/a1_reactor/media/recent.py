"""The frames that were read last."""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Callable, Iterable

from a1_reactor.media.frames import Frame

__all__ = ["RecentFrames"]


class RecentFrames:
    """Reads frames by number and keeps the latest, so that stages which follow each other decode a frame once.

    Args:
        read: The frame with a number; it is not asked again for a frame that is still there.
        limit: Most bytes to keep; one frame is kept however large it is.
    """

    def __init__(self, read: Callable[[int], Frame], *, limit: int = 64 << 20) -> None:
        self._read = read
        self._limit = limit
        self._kept: OrderedDict[int, Frame] = OrderedDict()
        self._bytes = 0

    def prefetch(self, indices: Iterable[int]) -> None:
        """Read frames that will be asked for, until the limit is reached."""
        for index in indices:
            frame = self(index)
            if self._bytes + frame.nbytes > self._limit:
                return

    def __call__(self, index: int) -> Frame:
        """The frame with this number; not to be written to."""
        frame = self._kept.get(index)
        if frame is not None:
            self._kept.move_to_end(index)
            return frame
        frame = self._read(index)
        self._kept[index] = frame
        self._bytes += frame.nbytes
        while self._bytes > self._limit and len(self._kept) > 1:
            self._bytes -= self._kept.popitem(last=False)[1].nbytes
        return frame
