"""Asking a provider for what an earlier attempt has not left, and writing down what that costs."""

from __future__ import annotations

from collections.abc import Generator, Iterable, Iterator, Sequence
from dataclasses import dataclass
from decimal import Decimal
from pathlib import Path
from typing import Any, TypeVar, cast

from a1_reactor.engine.stages import Progress
from a1_reactor.media.frames import Frame
from a1_reactor.providers.base import (
    BaseClip,
    FramewiseProvider,
    Provider,
    check_frame,
    checked_clip,
    checked_windows,
    spans_of,
)
from a1_reactor.storage.answers import Answer
from a1_reactor.types import JobSpec, Window
from reactor_core.errors import ProviderError

__all__ = ["Asking", "Expense"]

T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class Expense:
    """What a clip's provider was paid, all attempts together."""

    calls: int
    """Calls that were answered to their end."""
    broken_off: int
    """Calls that were not, because they failed or the process was killed; whether those are charged is not known."""
    usd: Decimal | None
    """What the answered calls cost; None where that is not known of one of them."""

    @classmethod
    def of(cls, lines: Iterable[dict[str, Any]]) -> Expense:
        """From what :class:`Asking` wrote of the calls."""
        begun, ended = 0, list[str | None]()
        for line in lines:
            if line.get("ended"):
                ended.append(line.get("usd"))
            else:
                begun += 1
        known = [Decimal(usd) for usd in ended if usd is not None]
        return cls(len(ended), begun - len(ended), sum(known, Decimal(0)) if len(known) == len(ended) else None)

    def to_json(self) -> dict[str, Any]:
        """For the report."""
        return {
            "calls": self.calls,
            "broken_off": self.broken_off,
            "usd": None if self.usd is None else round(float(self.usd), 9),
        }


class Asking:
    """One clip's conversation with its provider.

    Frames that an earlier attempt kept are given from there. What is missing is asked for: frame by frame where the
    provider makes any frame alone, window by window where each is a call of its own, else all of it again.

    Args:
        provider: Makes the frames.
        spec: Resolved.
        answer: What came before; it gets what comes now.
    """

    def __init__(self, provider: Provider, spec: JobSpec, answer: Answer) -> None:
        self._provider = provider
        self._spec = spec
        self._answer = answer
        self._found = len(answer)
        self._taken = 0

    @property
    def notes(self) -> tuple[str, ...]:
        """What became of the frames of earlier attempts, once all frames have been drawn; empty if there were none."""
        told = []
        if self._taken:
            told.append(f"went on from an earlier attempt: {self._taken} of its frames were there")
        if self._found > self._taken:
            why = "they are damaged" if self._framewise else f"provider {self._provider.name!r} cannot begin in between"
            told.append(f"asked again for {self._found - self._taken} frames of an earlier attempt, since {why}")
        return tuple(told)

    def expense(self) -> Expense:
        """What the calls cost, those of earlier attempts among them."""
        return Expense.of(self._answer.calls())

    def clip(self, told: Progress) -> Iterator[Frame]:
        """All frames, in order.

        A provider that makes any frame alone is followed frame by frame: give each to :meth:`stored`. Of any other one
        the whole answer is kept before the first frame is given, since its rest could not be asked for.

        Args:
            told: Told of each frame that comes before the first is given.

        Raises:
            ProviderError: The provider failed or broke its promise.
            StorageError: A frame cannot be kept.
        """
        spec, provider = self._spec, self._provider
        if (framewise := self._framewise) is not None:
            if self._found:
                return self._followed(framewise)
            return checked_clip(self._call(provider.generate_frames(spec), spec.frames), spec, provider.name)
        return self._whole_clip(told)

    def stored(self, index: int, pixels: str, path: Path) -> None:
        """A frame of :meth:`clip` has a file of its own: keep that, where the frame is not kept yet."""
        if index not in self._answer:
            self._answer.keep_file(index, pixels, path)

    def windows(self, base: BaseClip, windows: Sequence[Window]) -> Iterator[tuple[int, Frame]]:
        """The windows' frames as (frame number, frame), in any order; give each to :meth:`received`.

        Raises:
            ProviderError: The provider failed or broke its promise.
        """
        if self._found and (framewise := self._framewise) is not None:
            yield from self._gaps(framewise, base, windows)
            return
        apart = self._provider.capabilities.windows_apart
        there = [window for window in windows if self._whole(window.frames)]
        if not apart and len(there) < len(windows):
            there = []
        for index in (index for window in there for index in window.frames):
            self._taken += 1
            yield index, self._read(index)
        rest = [window for window in windows if window not in there]
        for window in rest:
            self._answer.forget(window.frames)
        for asked in [[window] for window in rest] if apart else [rest] if rest else []:
            frames = self._provider.regen_frames(self._spec, base, asked)
            yield from checked_windows(self._call(frames, self._amount(asked)), self._spec, asked, self._provider.name)

    def received(self, index: int, frame: Frame) -> None:
        """A frame of :meth:`windows` has come: keep it, where it is not kept yet.

        Raises:
            StorageError: It cannot be kept.
        """
        if index not in self._answer:
            self._answer.keep(index, frame)

    @property
    def _framewise(self) -> FramewiseProvider | None:
        provider = self._provider
        return provider if provider.capabilities.any_frame and isinstance(provider, FramewiseProvider) else None

    def _amount(self, windows: Sequence[Window]) -> int:
        """How many frames the provider makes for these windows."""
        can = self._provider.capabilities
        return sum(len(span) for span in spans_of(windows, self._spec, can)) if can.window_only else self._spec.frames

    def _whole_clip(self, told: Progress) -> Iterator[Frame]:
        spec, provider = self._spec, self._provider
        everything = range(spec.frames)
        if self._whole(everything):
            self._taken = spec.frames
        else:
            self._answer.forget(everything)
            amount = provider.capabilities.quantum.at_least(spec.frames) or spec.frames
            frames = checked_clip(self._call(provider.generate_frames(spec), amount), spec, provider.name)
            for index, frame in enumerate(frames):
                self._answer.keep(index, frame)
                told("receive", index + 1, spec.frames)
        for index in everything:
            yield self._read(index)

    def _followed(self, provider: FramewiseProvider) -> Iterator[Frame]:
        missing = [index for index in range(self._spec.frames) if index not in self._answer]
        fresh, due = self._ask_for(provider, None, (), missing), set(missing)
        for index in range(self._spec.frames):
            frame = self._answer.read(index)
            if frame is not None:
                self._taken += 1
            elif index in due:
                _, frame = next(fresh)
            else:
                [(_, frame)] = self._ask_for(provider, None, (), [index])  # what was kept is damaged
            yield frame
        for _ in fresh:  # to its end, where the call is paid
            raise AssertionError("no frame was left")

    def _gaps(
        self, provider: FramewiseProvider, base: BaseClip, windows: Sequence[Window]
    ) -> Iterator[tuple[int, Frame]]:
        for window in windows:
            missing = []
            for index in window.frames:
                frame = self._answer.read(index)
                if frame is None:
                    missing.append(index)
                else:
                    self._taken += 1
                    yield index, frame
            yield from self._ask_for(provider, base, windows, missing)

    def _ask_for(
        self, provider: FramewiseProvider, base: BaseClip | None, windows: Sequence[Window], indices: Sequence[int]
    ) -> Iterator[tuple[int, Frame]]:
        """Exactly these frames, in order."""
        wanted = list(indices)
        if not wanted:
            return
        due = iter(list(indices))
        for index, frame in self._call(provider.frames_at(self._spec, base, windows, wanted), len(wanted)):
            if index != next(due, None):
                raise ProviderError(f"provider {provider.name!r} returned frame {index}, which was not due")
            yield index, check_frame(frame, index, self._spec, provider.name)
        if (first := next(due, None)) is not None:
            raise ProviderError(f"provider {provider.name!r} left out frame {first}", retryable=True)

    def _call(self, frames: Iterator[T], amount: int) -> Iterator[T]:
        """Pass an answer on, writing down that it is asked for, and what it cost once it has come to its end."""
        self._answer.add_call({"begun": True, "frames": amount})
        said = yield from cast("Generator[T, None, object]", frames)
        price = self._provider.capabilities.price
        usd = said if isinstance(said, Decimal) else None
        if usd is None and price is not None:
            usd = price.of(frames=amount, fps=self._spec.fps)
        self._answer.add_call({"ended": True, "usd": None if usd is None else str(usd)})

    def _whole(self, indices: Iterable[int]) -> bool:
        """Whether all of these frames are kept and are what they were."""
        wanted = list(indices)
        return all(index in self._answer for index in wanted) and all(
            self._answer.read(index) is not None for index in wanted
        )

    def _read(self, index: int) -> Frame:
        frame = self._answer.read(index)
        if frame is None:
            raise ProviderError(f"the kept frame {index} was damaged this moment", retryable=True)
        return frame
