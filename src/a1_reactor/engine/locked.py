"""The locked clip, as a provider sees it."""

from __future__ import annotations

from collections.abc import Sequence

from a1_reactor.media.frames import Frame
from a1_reactor.storage.clip import Clip
from a1_reactor.types import JobSpec, Span

__all__ = ["LockedClip"]


class LockedClip:
    """Old frames of the spans, which are the windows and some context; a provider gets to see no more.

    Raises:
        ArtifactCorrupt: A frame that is read is not the one that was stored.
    """

    def __init__(self, clip: Clip, spans: Sequence[Span]) -> None:
        self._clip = clip
        self._shown = {index for span in spans for index in span.indices}

    @property
    def origin(self) -> JobSpec:
        """Resolved spec of the clip's first ancestor."""
        return self._clip.job.origin

    def frame(self, index: int) -> Frame:
        """One old frame; IndexError outside the spans."""
        if index not in self._shown:
            raise IndexError(f"frame {index} is neither in a window nor in its context")
        return self._clip.frame(index)
