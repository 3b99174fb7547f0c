"""Whether a clip goes on showing the same thing: likeness as a network sees it that knows objects."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from statistics import fmean
from typing import Any, Protocol

from a1_reactor.eval.embedding_net import Embedding, cosine
from a1_reactor.media.frames import Frame
from a1_reactor.report.facts import ClipFacts
from a1_reactor.report.words import Finding

__all__ = ["Looks", "Subject", "spread_over", "subject_finding", "subject_of"]

_SAMPLES = 9
_ALIKE = 0.9
"""On the reference scene neighbours have 0.99, another take of the same frames 0.97, another shot 0.80, noise 0.31."""


class Looks(Protocol):
    """What turns frames into embeddings."""

    def embed(self, frames: Sequence[Frame]) -> list[Embedding]: ...


@dataclass(frozen=True, slots=True, kw_only=True)
class Subject:
    """Cosines, 1 for the same subject."""

    frames: tuple[int, ...]
    """Frames that were looked at, over the whole clip."""
    to_first: tuple[float, ...]
    """Likeness of each to the first."""
    old_new: float | None
    """Mean likeness of the window's new frames to the old ones; None without a window or a parent."""

    def to_json(self) -> dict[str, Any]:
        return {
            "frames": list(self.frames),
            "to_first": [round(value, 4) for value in self.to_first],
            "old_new": None if self.old_new is None else round(self.old_new, 4),
        }


def subject_of(facts: ClipFacts, looks: Looks) -> Subject:
    """Look at a few frames of a clip, and at a few of each window, old and new.

    Raises:
        ArtifactCorrupt: A frame is not the one that was stored.
    """
    clip, parent = facts.clip, facts.parent
    frames = spread_over(0, clip.frame_count, _SAMPLES)
    seen = [looks.embed([clip.frame(index)])[0] for index in frames]
    alike = []
    for start, stop in facts.windows if parent is not None else ():
        for index in spread_over(start, stop, _SAMPLES):
            assert parent is not None
            old, new = looks.embed([parent.frame(index), clip.frame(index)])
            alike.append(cosine(old, new))
    return Subject(
        frames=tuple(frames),
        to_first=tuple(cosine(seen[0], one) for one in seen),
        old_new=fmean(alike) if alike else None,
    )


def subject_finding(subject: Subject) -> Finding:
    """The same as a sentence."""
    if subject.old_new is None:
        least = min(subject.to_first)
        return Finding("fact", f"Seen as objects, every frame is at least {least:.2f} like the first; 1 is the same.")
    if subject.old_new >= _ALIKE:
        return Finding("good", f"The window shows what it showed: {subject.old_new:.2f} like before, seen as objects.")
    return Finding("look", f"The window shows something else: {subject.old_new:.2f} like before, seen as objects.")


def spread_over(start: int, stop: int, count: int) -> list[int]:
    """Up to ``count`` different frame numbers, from the first to the last of a stretch in even steps."""
    last = stop - 1 - start
    return sorted({start + round(number * last / max(1, count - 1)) for number in range(count)})
