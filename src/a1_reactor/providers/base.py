"""What a generator of frames must do.

A provider is stateless between calls. It gets a *resolved* spec (prompts spelled out, see ``prompts.resolve``) and
yields frames; it never touches the disk. To add one, write the two methods, ``identity`` and ``capabilities``.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Literal, Protocol, runtime_checkable

from a1_reactor.media.frames import Frame, frame_problem
from a1_reactor.providers.price import Price
from a1_reactor.types import FrameQuantum, JobSpec, Span, Window, grow_window
from reactor_core.errors import ProviderError

__all__ = [
    "BaseClip",
    "Capabilities",
    "FramewiseProvider",
    "Mode",
    "Provider",
    "check_frame",
    "checked_clip",
    "checked_windows",
    "spans_of",
]

Mode = Literal["full", "mask", "first_last", "interpolate"]
"""What frames can be made from: words alone; a clip and a mask of what to fill; the first and the last frame; the two
frames beside a gap, without words."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Capabilities:
    """What a provider says about itself."""

    context_frames: int
    """Frames on each side of a window that ``regen_frames`` wants to see."""
    modes: frozenset[Mode] = frozenset({"full"})
    """What it can make frames from. ``generate_frames`` needs ``full``."""
    quantum: FrameQuantum = field(default_factory=FrameQuantum)
    """Amounts of frames that one call makes; a window is grown to the next one (see :func:`spans_of`)."""
    size_multiple: int = 2
    """Both sides must be multiples of this."""
    max_frames: int | None = None
    """Longest clip in frames that ``generate_frames`` makes; None for no limit of its own."""
    seed: bool = True
    """Whether the seed is honoured, so that equal specs give equal frames."""
    window_only: bool = True
    """Whether ``regen_frames`` makes the window's frames alone; if not, the rest of what it makes is dropped."""
    windows_apart: bool = False
    """Whether each window is made by a call of its own, so that one that is there need not be asked for again."""
    spatial_mask: bool = False
    """Whether it heeds the mask of a job: it paints where the mask does and sees the old frames elsewhere. The engine
    pastes everything outside back in any case."""
    any_frame: bool = False
    """Whether it can be asked for some frames alone and makes what it would make among the others; it is a
    :class:`FramewiseProvider` then."""
    price: Price | None = None
    """What a call costs; None where that is not known."""

    def to_json(self) -> dict[str, Any]:
        """For ``a1-reactor providers --json``."""
        return {
            "modes": sorted(self.modes),
            "quantum": {
                "step": self.quantum.step,
                "offset": self.quantum.offset,
                "minimum": self.quantum.minimum,
                "maximum": self.quantum.maximum,
            },
            "context_frames": self.context_frames,
            "size_multiple": self.size_multiple,
            "max_frames": self.max_frames,
            "seed": self.seed,
            "window_only": self.window_only,
            "windows_apart": self.windows_apart,
            "spatial_mask": self.spatial_mask,
            "any_frame": self.any_frame,
            "price": None if self.price is None else self.price.to_json(),
        }


class BaseClip(Protocol):
    """The locked clip, as a provider may see it: for each window its span, that is the old window and context."""

    @property
    def origin(self) -> JobSpec:
        """Resolved spec that the clip's first ancestor was generated from."""
        ...

    def frame(self, index: int) -> Frame:
        """One old frame; IndexError outside the spans."""
        ...


class Provider(Protocol):
    """Makes frames.

    Where the answer itself says what it has cost, the iterator is a generator that returns that: US dollars, as a
    ``Decimal``. Anything else it returns is passed over, and the price in ``capabilities`` counts.
    """

    @property
    def name(self) -> str:
        """Name in specs and reports."""
        ...

    @property
    def version(self) -> str:
        """Changes whenever equal specs may give other frames."""
        ...

    @property
    def capabilities(self) -> Capabilities: ...

    def identity(self) -> Mapping[str, str]:
        """All that tells this provider's frames from another's (endpoint, model); part of the cache key."""
        ...

    def generate_frames(self, job: JobSpec) -> Iterator[Frame]:
        """All ``job.frames`` frames in order.

        Raises:
            ProviderError: They cannot be made.
        """
        ...

    def regen_frames(self, job: JobSpec, base: BaseClip, windows: Sequence[Window]) -> Iterator[tuple[int, Frame]]:
        """New frames for the windows, as (frame number, frame).

        Every frame inside the windows exactly once, in any order; frames outside may come and are dropped. ``base``
        shows the frames of :func:`spans_of` and no others.

        Raises:
            ProviderError: They cannot be made.
        """
        ...


@runtime_checkable
class FramewiseProvider(Provider, Protocol):
    """Makes any frame without those before it, so that only what an interruption left out is asked for again."""

    def frames_at(
        self, job: JobSpec, base: BaseClip | None, windows: Sequence[Window], indices: Sequence[int]
    ) -> Iterator[tuple[int, Frame]]:
        """Some of the frames that ``generate_frames`` or, with a base, ``regen_frames`` makes of the same job.

        Args:
            base: As ``regen_frames``; None for a whole clip.
            windows: All windows of the job; none for a whole clip.
            indices: Frames that are wanted, in rising order.

        Returns:
            (frame number, frame), in this order.

        Raises:
            ProviderError: They cannot be made.
        """
        ...


def spans_of(windows: Sequence[Window], job: JobSpec, capabilities: Capabilities) -> tuple[Span, ...]:
    """What goes to a provider for each window; the engine and the provider both ask this, and agree.

    Raises:
        SpecError: A window is longer than what the provider makes at once.
    """
    return tuple(
        grow_window(window, clip_frames=job.frames, context=capabilities.context_frames, quantum=capabilities.quantum)
        for window in windows
    )


def check_frame(frame: Frame, index: int, job: JobSpec, provider: str) -> Frame:
    """A frame of the right size and type.

    Raises:
        ProviderError: It is not; names provider, frame and what is wrong.
    """
    problem = frame_problem(frame, width=job.width, height=job.height)
    if problem is not None:
        raise ProviderError(f"provider {provider!r}: frame {index} {problem}")
    return frame


def checked_clip(frames: Iterator[Frame], job: JobSpec, provider: str) -> Iterator[Frame]:
    """Pass frames on, holding a provider to its promise: exactly ``job.frames`` of them, each of the right size.

    Raises:
        ProviderError: Too few, too many, or a frame of another size or type.
    """
    count = 0
    for frame in frames:
        if count == job.frames:
            raise ProviderError(f"provider {provider!r} returned more than the {job.frames} frames of the clip")
        yield check_frame(frame, count, job, provider)
        count += 1
    if count < job.frames:
        raise ProviderError(f"provider {provider!r} returned {count} frames, the clip has {job.frames}", retryable=True)


def checked_windows(
    frames: Iterator[tuple[int, Frame]], job: JobSpec, windows: Sequence[Window], provider: str
) -> Iterator[tuple[int, Frame]]:
    """Pass on the frames inside the windows, each exactly once; whatever lies outside is dropped.

    Raises:
        ProviderError: A frame is missing, comes twice, has a number outside the clip, or another size or type.
    """
    wanted = {index for window in windows for index in window.frames}
    for index, frame in frames:
        if not 0 <= index < job.frames:
            raise ProviderError(f"provider {provider!r} returned frame {index} of a clip of {job.frames} frames")
        if any(index in window.frames for window in windows):
            if index not in wanted:
                raise ProviderError(f"provider {provider!r} returned frame {index} twice")
            wanted.remove(index)
            yield index, check_frame(frame, index, job, provider)
    if wanted:
        raise ProviderError(
            f"provider {provider!r} left out {len(wanted)} frames of the window, the first is {min(wanted)}",
            retryable=True,
        )
