"""Which old frames a model gets to see, by what it can make frames from."""

from __future__ import annotations

from collections.abc import Collection

from a1_reactor.providers.base import Mode
from a1_reactor.types import Span
from reactor_core.errors import SpecError

__all__ = ["anchors_of", "pick_mode", "shown_frames"]


def anchors_of(span: Span) -> tuple[int | None, int | None]:
    """First and last frame of a span, where they are kept frames of the clip; None at the clip's ends."""
    first = span.start if span.start not in span.window else None
    last = span.stop - 1
    return first, last if last not in span.window and last < span.clip_frames else None


def pick_mode(modes: Collection[Mode], span: Span) -> Mode:
    """The mode that shows a model most of the old clip: mask, then both ends, then the gap, then words alone.

    Raises:
        SpecError: All modes need a kept frame beside the window, and there is none.
    """
    first, last = anchors_of(span)
    if "mask" in modes and span.context:
        return "mask"
    if "first_last" in modes and not (first is None and last is None):
        return "first_last"
    if "interpolate" in modes and first is not None and last is not None:
        return "interpolate"
    if "full" in modes:
        return "full"
    if "mask" in modes:
        return "mask"
    raise SpecError(
        f"window of frames {span.window.start}..{span.window.stop} has no kept frame "
        + ("on either side" if first is last is None else "on one side")
        + f", and the provider makes frames from those ({', '.join(sorted(modes))})",
        remedy="mark a window that leaves frames at both ends of the clip, or take another provider",
    )


def shown_frames(span: Span, mode: Mode) -> list[int]:
    """Numbers of the old frames that a mode sends, in order, each once."""
    if mode == "full":
        return []
    if mode == "mask":
        return sorted(set(span.indices))
    return [index for index in anchors_of(span) if index is not None]
