"""Writing events to stdout: lines on a terminal, columns or JSON in a pipe, and a quiet end when the reader is gone."""

from __future__ import annotations

import contextlib
import json
import os
import select
import sys
import time
from collections import deque
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import date

from rich.console import Console
from rich.live import Live
from rich.text import Text

from reactor_core.cli_events.lines import HEAD, columns, line
from reactor_core.events.event import Event

__all__ = ["EventPrinter", "reader_is_gone", "until_the_reader_is_gone"]

_RATE_SECONDS = 10.0


class EventPrinter:
    """Shows events one after the other.

    Args:
        as_json: One JSON object in each line.
        plain: No colours on a terminal.
        watching: Keep a line with the counts at the bottom of a terminal while events come.
    """

    def __init__(self, *, as_json: bool, plain: bool, watching: str | None = None) -> None:
        self._json = as_json
        self._console = Console(no_color=plain, highlight=False)
        self._lines = not as_json and self._console.is_terminal
        self._day: date | None = None
        self._count = 0
        self._urgent = 0
        self._seen: deque[tuple[float, int]] = deque()
        self._watching = watching
        self._live: Live | None = None
        self._headed = False

    def __enter__(self) -> EventPrinter:
        if self._watching is not None and self._lines:
            self._live = Live(get_renderable=self._footer, console=self._console, refresh_per_second=2, transient=True)
            self._live.start()
        return self

    def __exit__(self, *_: object) -> None:
        if self._live is not None:
            with contextlib.suppress(OSError):  # the terminal is gone
                self._live.stop()

    def show(self, event: Event) -> None:
        """Show one event."""
        self._count += 1
        self._urgent += event.priority == 1
        if self._json:
            sys.stdout.write(json.dumps(event.to_dict()) + "\n")
        elif not self._lines:
            sys.stdout.write(columns(event) + "\n")
        else:
            self._head(event)
            self._console.print(line(event), no_wrap=True, overflow="ellipsis", crop=True)

    def flush(self) -> None:
        """Let the reader have what was shown."""
        sys.stdout.flush()

    def _head(self, event: Event) -> None:
        """The names of the columns once, and a line wherever the day changes."""
        day = event.timestamp.astimezone().date()
        if not self._headed:
            self._headed = True
            self._console.print(Text(HEAD, "dim"), no_wrap=True, crop=True)
        if day != self._day:
            self._day = day
            self._console.print(Text(f"── {day.isoformat()} ──", "dim"))

    def _footer(self) -> Text:
        now = time.monotonic()
        self._seen.append((now, self._count))
        while now - self._seen[0][0] > _RATE_SECONDS:
            self._seen.popleft()
        seconds, before = now - self._seen[0][0], self._seen[0][1]
        rate = (self._count - before) / seconds if seconds else 0.0
        text = Text(no_wrap=True, overflow="ellipsis")
        text.append(f"{self._count} events  {rate:.1f}/s", "bold")
        if self._urgent:
            text.append(f"  {self._urgent} urgent", "bold red")
        text.append(f"  Ctrl-C ends  {self._watching}", "dim")
        return text


@contextmanager
def until_the_reader_is_gone() -> Iterator[None]:
    """End the block without a word when whoever reads stdout has closed it, as ``head`` does."""
    try:
        yield
        sys.stdout.flush()
    except BrokenPipeError:
        # Python would write what is left at its end, and complain then.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())


def reader_is_gone() -> Callable[[], bool]:
    """A function that says whether the pipe that stdout is has been closed at its other end."""
    try:
        number = sys.stdout.fileno()
    except (OSError, ValueError):
        return lambda: False
    poll = select.poll()
    poll.register(number, 0)  # errors and hang-ups are always reported

    def gone() -> bool:
        return any(flags & (select.POLLERR | select.POLLNVAL) for _, flags in poll.poll(0))

    return gone
