"""Windows filled from the two frames beside them: no words, no model of the world, only motion."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Protocol

from a1_reactor.media.frames import Frame
from a1_reactor.providers.base import BaseClip, Capabilities, spans_of
from a1_reactor.providers.modes import anchors_of, pick_mode
from a1_reactor.providers.price import FREE
from a1_reactor.types import JobSpec, Window
from reactor_core.errors import ProviderError

__all__ = ["InBetweenProvider", "Interpolator"]


class Interpolator(Protocol):
    """A way to make frames between two frames."""

    @property
    def name(self) -> str:
        """Name of the provider."""
        ...

    def identity(self) -> Mapping[str, str]:
        """All that tells this one's frames from another's."""
        ...

    def between(self, first: Frame, last: Frame, times: Sequence[float]) -> Iterator[Frame]:
        """Frames at times between 0 (``first``) and 1 (``last``), in order.

        Raises:
            MissingExtra: A library that is needed is not installed.
        """
        ...


class InBetweenProvider:
    """Replaces a window by motion from the frame before it to the frame behind it.

    It repairs a few broken frames and smooths a jump; across a long window things that appear or turn are lost, since
    only the two frames beside it are seen. Prompt and seed change nothing.
    """

    capabilities = Capabilities(
        context_frames=1,
        modes=frozenset({"interpolate"}),
        seed=False,
        windows_apart=True,
        any_frame=True,
        price=FREE,
    )

    def __init__(self, how: Interpolator) -> None:
        self._how = how
        self.name = how.name

    @property
    def version(self) -> str:
        """That of the way frames are made."""
        return self.identity()["version"]

    def identity(self) -> Mapping[str, str]:
        """That of the way frames are made."""
        return self._how.identity()

    def generate_frames(self, job: JobSpec) -> Iterator[Frame]:
        """Not possible.

        Raises:
            ProviderError: Always; ``capabilities`` does not hold the mode ``full``.
        """
        raise self._wordless(job)

    def _wordless(self, job: JobSpec) -> ProviderError:
        return ProviderError(
            f"provider {self.name!r} fills windows of a clip and cannot make {job.frames} frames from words",
            remedy="generate the clip with another provider",
        )

    def regen_frames(self, job: JobSpec, base: BaseClip, windows: Sequence[Window]) -> Iterator[tuple[int, Frame]]:
        """The windows' frames, in order.

        Raises:
            SpecError: A window touches the clip's first or last frame.
            MissingExtra: A library that is needed is not installed.
        """
        yield from self.frames_at(job, base, windows, [index for window in windows for index in window.frames])

    def frames_at(
        self, job: JobSpec, base: BaseClip | None, windows: Sequence[Window], indices: Sequence[int]
    ) -> Iterator[tuple[int, Frame]]:
        """Some of the windows' frames, in order.

        Raises:
            ProviderError: There is no base.
            SpecError, MissingExtra: As :meth:`regen_frames`.
        """
        if base is None:
            raise self._wordless(job)
        for span in spans_of(windows, job, self.capabilities):
            pick_mode(self.capabilities.modes, span)
            first, last = anchors_of(span)
            assert first is not None, "the mode is there only with both"
            assert last is not None
            length = last - first
            wanted = [index for index in indices if index in span.window]
            if not wanted:
                continue
            times = [(index - first) / length for index in wanted]
            yield from zip(wanted, self._how.between(base.frame(first), base.frame(last), times), strict=True)
