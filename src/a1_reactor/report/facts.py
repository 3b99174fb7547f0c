"""What a page about a clip is made from."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from a1_reactor.engine.report import measures_of
from a1_reactor.eval.consistency import COLOUR_GOAL, SEAM_GOAL
from a1_reactor.eval.measures import Measures
from a1_reactor.eval.seams import Typical
from a1_reactor.storage.clip import Clip
from a1_reactor.storage.store import ClipStore
from reactor_core.errors import ArtifactCorrupt, NotFound

__all__ = ["ClipFacts", "Join", "gather"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Join:
    """One end of a regenerated window."""

    frame: int
    """Number of the later frame of the two that meet."""
    side: str
    """``left`` where the window begins, ``right`` where it ends."""
    before: float
    """Residual ratio with the provider's frames as they came."""
    after: float
    """The same as the clip has it."""
    colour_before: float
    colour_after: float

    @property
    def hidden(self) -> bool:
        """Whether both goals are met."""
        return self.after <= SEAM_GOAL and self.colour_after <= COLOUR_GOAL


@dataclass(frozen=True, slots=True, kw_only=True)
class ClipFacts:
    """A clip, its parent if there is one, and what was measured of both."""

    clip: Clip
    report: Mapping[str, Any]
    measures: Measures
    parent: Clip | None
    """None where the clip has no parent, or its parent is gone."""
    parent_report: Mapping[str, Any] | None
    parent_measures: Measures | None
    joins: tuple[Join, ...]

    @property
    def windows(self) -> list[tuple[int, int]]:
        """Regenerated frames, half-open."""
        return [(window.start, window.stop) for window in self.clip.job.resolved.windows]

    @property
    def seams(self) -> Sequence[Mapping[str, Any]]:
        """What the report says of each window."""
        regen = self.report.get("regen")
        return regen["seams"] if regen is not None else ()

    @property
    def base(self) -> Measures:
        """What ratios are taken to: the parent as it was, or the clip itself."""
        return self.measures if self.parent_measures is None else self.parent_measures

    def ratios(self, measures: Measures) -> NDArray[np.float64]:
        """Residual of each pair over the base's typical one."""
        return _ratios(measures.column("residual"), Typical.of(self.base).residual)

    def colour_ratios(self, measures: Measures) -> NDArray[np.float64]:
        """Colour step of each pair over the base's typical one."""
        return _ratios(measures.column("colour"), Typical.of(self.base).colour)


def gather(store: ClipStore, clip: Clip) -> ClipFacts:
    """Read what the page needs; a parent that has been removed is left out.

    Raises:
        ArtifactCorrupt: The clip's or its parent's report cannot be used.
    """
    report = clip.report()
    parent = _parent(store, clip)
    try:
        joins = tuple(join for seam in report.get("regen", {}).get("seams", ()) for join in _joins(seam))
    except (KeyError, TypeError) as error:
        raise ArtifactCorrupt(
            f"the report of clip {clip.key} lacks {error}", remedy="make the clip again with --force"
        ) from error
    return ClipFacts(
        clip=clip,
        report=report,
        measures=measures_of(clip),
        parent=parent,
        parent_report=None if parent is None else parent.report(),
        parent_measures=None if parent is None else measures_of(parent),
        joins=joins,
    )


def _parent(store: ClipStore, clip: Clip) -> Clip | None:
    if clip.job.parent is None:
        return None
    try:
        return store.open(clip.job.parent)
    except NotFound:
        return None


def _joins(seam: Mapping[str, Any]) -> list[Join]:
    before, after = seam["before_blending"], seam["after_blending"]
    return [
        Join(
            frame=seam["window"][side == "right"],
            side=side,
            before=before[side],
            after=after[side],
            colour_before=before[f"colour_{side}"],
            colour_after=after[f"colour_{side}"],
        )
        for side in ("left", "right")
        if after[side] is not None
    ]


def _ratios(values: NDArray[np.float64], typical: float) -> NDArray[np.float64]:
    return np.array([Typical.ratio(float(value), typical) for value in values])
