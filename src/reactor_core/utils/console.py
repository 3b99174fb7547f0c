"""What a person sees while work goes on: bars on a terminal, a line now and then elsewhere. All of it on stderr."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager
from typing import Protocol

from rich.console import Console
from rich.progress import BarColumn, Progress, SpinnerColumn, TextColumn, TimeElapsedColumn, TimeRemainingColumn

__all__ = ["Advance", "Narrator", "Silent", "Terminal"]

_LINE_SECONDS = 5.0
"""Pause between two progress lines where there is no terminal."""


class Advance(Protocol):
    """Tell how far the current step is."""

    def __call__(self, text: str, share: float | None) -> None:
        """Show ``text`` and the share that is done, 0 to 1; None where it is unknown."""
        ...


class Narrator(Protocol):
    """Shows steps and notes to whoever is watching."""

    def step(self, title: str) -> AbstractContextManager[Advance]:
        """A context in which one step runs; it yields an :class:`Advance`."""
        ...

    def note(self, text: str) -> None:
        """Show a line that stays."""
        ...


def _ignore(text: str, share: float | None) -> None:
    """An :class:`Advance` that shows nothing."""


class Silent:
    """Shows nothing."""

    @contextmanager
    def step(self, title: str) -> Iterator[Advance]:  # noqa: ARG002
        yield _ignore

    def note(self, text: str) -> None:
        pass


class Terminal:
    """Bars through rich on a terminal; plain lines where stderr is a file or a pipe.

    Args:
        no_color: Plain output even on a terminal.
        clock: Seconds that never go back.
    """

    def __init__(self, *, no_color: bool = False, clock: Callable[[], float] = time.monotonic) -> None:
        self._console = Console(stderr=True, no_color=no_color, highlight=False)
        self._clock = clock

    def note(self, text: str) -> None:
        self._console.print(text, markup=False, soft_wrap=True)

    @contextmanager
    def step(self, title: str) -> Iterator[Advance]:
        started = self._clock()
        with self._bars(title) if self._console.is_terminal else self._lines(title) as advance:
            yield advance
        self.note(f"✓ {title}  {self._clock() - started:.1f} s")

    @contextmanager
    def _bars(self, title: str) -> Iterator[Advance]:
        columns = (
            SpinnerColumn(),
            TextColumn("{task.description}", markup=False),
            BarColumn(bar_width=28),
            TimeElapsedColumn(),
            TextColumn("left"),
            TimeRemainingColumn(),
        )
        with Progress(*columns, console=self._console, transient=True) as progress:
            task = progress.add_task(title, total=None)

            def advance(text: str, share: float | None) -> None:
                total = None if share is None else 1.0
                progress.update(task, description=f"{title}: {text}", completed=share or 0.0, total=total)

            yield advance

    @contextmanager
    def _lines(self, title: str) -> Iterator[Advance]:
        last = self._clock()

        def advance(text: str, share: float | None) -> None:
            nonlocal last
            if self._clock() - last >= _LINE_SECONDS:
                last = self._clock()
                self.note(f"  {title}: {text}" + ("" if share is None else f" ({share:.0%})"))

        yield advance
