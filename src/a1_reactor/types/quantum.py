"""How many frames a model makes at once, and which frames go to it for a window.

Video models make frames in fixed amounts (4n + 1, 8n + 1, 17n), people mark windows of any length. A window is grown to
the next amount by frames beside it, which the model sees as context; what it makes there is dropped.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from a1_reactor.types.window import Window
from reactor_core.errors import SpecError

__all__ = ["FrameQuantum", "Span", "grow_window"]


@dataclass(frozen=True, slots=True, kw_only=True)
class FrameQuantum:
    """Amounts of frames that a model makes in one call: ``n * step + offset`` from ``minimum`` to ``maximum``."""

    step: int = 1
    """Frames from one amount to the next."""
    offset: int = 0
    """What is left when an amount is divided by ``step``."""
    minimum: int = 1
    """No smaller amount."""
    maximum: int | None = None
    """No larger amount; None for no limit."""

    def __post_init__(self) -> None:
        assert self.step >= 1, "amounts grow"
        assert 0 <= self.offset < self.step, "an offset is a remainder"
        assert self.minimum >= 1, "nobody makes no frame"
        assert self.maximum is None or self.at_least(1) is not None, "some amount exists"

    def at_least(self, count: int) -> int | None:
        """The smallest amount that is not below ``count``, or None if every amount is."""
        count = max(count, self.minimum)
        amount = count + (self.offset - count) % self.step
        return None if self.maximum is not None and amount > self.maximum else amount

    def at_most(self, count: int) -> int | None:
        """The largest amount that is not above ``count``, or None if every amount is."""
        if self.maximum is not None:
            count = min(count, self.maximum)
        amount = count - (count - self.offset) % self.step
        return None if amount < self.minimum else amount

    def __str__(self) -> str:
        amounts = "any number" if self.step == 1 else f"{self.step}n" + (f"+{self.offset}" if self.offset else "")
        limit = "" if self.maximum is None else f" up to {self.maximum}"
        return amounts + (f" from {self.minimum}" if self.minimum > 1 else "") + limit


@dataclass(frozen=True, slots=True)
class Span:
    """Frames ``[start, stop)`` that go to a provider for one window: the window, and context around it.

    ``stop`` lies behind the clip's end where the clip has fewer frames than the model's smallest amount; there the last
    frame stands again.
    """

    window: Window
    """What was asked for and what is kept."""
    start: int
    """First frame that is sent."""
    stop: int
    """First frame that is not sent."""
    clip_frames: int
    """Length of the clip."""

    @property
    def indices(self) -> list[int]:
        """Frame numbers of the clip, one for each frame that is sent; the last one may stand several times."""
        return [min(index, self.clip_frames - 1) for index in range(self.start, self.stop)]

    @property
    def context(self) -> list[int]:
        """Frame numbers that are sent and not asked for, each once."""
        return [index for index in range(self.start, min(self.stop, self.clip_frames)) if index not in self.window]

    def __len__(self) -> int:
        return self.stop - self.start

    def to_json(self) -> dict[str, Any]:
        """Frames asked for and frames used, both half-open."""
        return {"asked": [self.window.start, self.window.stop], "used": [self.start, self.stop]}


def grow_window(window: Window, *, clip_frames: int, context: int, quantum: FrameQuantum) -> Span:
    """The frames to send for a window: at least the window, with context, in an amount that the model makes.

    Both sides get as much context as each other where the clip has it. Where window and context together are more than
    the model makes, there is less context, but one frame on each side if any was asked for.

    Args:
        clip_frames: Length of the clip.
        context: Frames wanted on each side of the window.

    Raises:
        SpecError: The window is longer than what the model makes at once.
    """
    least = _clipped(window, min(context, 1), clip_frames)
    wanted = _clipped(window, context, clip_frames)
    count = quantum.at_least(len(wanted)) or quantum.at_most(len(wanted))
    if count is None or count < len(least):
        raise SpecError(
            f"window of frames {window.start}..{window.stop} has {len(window)} frames, the provider makes {quantum} "
            f"at once, {len(least) - len(window)} of them context",
            remedy=f"mark at most {(quantum.maximum or 0) - 2 * min(context, 1)} frames, or several windows",
        )
    extra = count - len(least)
    left = min(extra // 2, least.start)
    right = min(extra - left, clip_frames - least.stop)
    left = min(extra - right, least.start)
    return Span(window, least.start - left, least.start - left + count, clip_frames)


def _clipped(window: Window, margin: int, clip_frames: int) -> range:
    return range(max(0, window.start - margin), min(clip_frames, window.stop + margin))
