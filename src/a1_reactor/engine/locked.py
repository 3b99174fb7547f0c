"""The locked clip, as a provider sees it."""

from __future__ import annotations

from collections.abc import Sequence

from a1_reactor.media.frames import Frame
from a1_reactor.storage.clip import Clip
from a1_reactor.types import JobSpec, Window

__all__ = ["LockedClip"]


class LockedClip:
    """Old frames of the windows and of ``context`` frames on each side; a provider gets to see no more.

    Raises:
        ArtifactCorrupt: A frame that is read is not the one that was stored.
    """

    def __init__(self, clip: Clip, windows: Sequence[Window], context: int) -> None:
        self._clip = clip
        self._ranges = [range(window.start - context, window.stop + context) for window in windows]

    @property
    def origin(self) -> JobSpec:
        """Resolved spec of the clip's first ancestor."""
        return self._clip.job.origin

    def frame(self, index: int) -> Frame:
        """One old frame; IndexError outside the windows and their context."""
        if not (0 <= index < self._clip.frame_count and any(index in allowed for allowed in self._ranges)):
            raise IndexError(f"frame {index} is neither in a window nor in its context")
        return self._clip.frame(index)
