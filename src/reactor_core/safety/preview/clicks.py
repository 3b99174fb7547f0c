"""A click that is shown first: preview, time for a veto, one more look, then the click or the reason against it."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass
from typing import Any

from reactor_core.errors import ConfigError
from reactor_core.events.event import Event
from reactor_core.integration import EventBridge
from reactor_core.safety.kill import Station
from reactor_core.safety.preview.target import Driver, Target, changed

__all__ = ["Clicked", "Preview"]

BUTTONS = ("left", "middle", "right")
LOOK_SECONDS = 0.02
"""How often the screen is asked for a veto."""


@dataclass(frozen=True, slots=True)
class Clicked:
    """What became of a click.

    Attributes:
        made: Whether it was made.
        reason: Why not; empty if it was.
        target: What lay under the point when it was shown.
        shown_ms: How long it was shown.
        by_person: Whether a person called it off.
    """

    made: bool
    reason: str
    target: Target
    shown_ms: float
    by_person: bool = False


class Preview:
    """Shows each click for a while before it makes it.

    Whatever happens in that time counts against the click: a person's veto on the screen or by :meth:`veto`, another
    window or element under the point, other pixels around it, the kill switch. A click is made only if a last look, in
    the same breath as the click, still sees what was shown.

    Not covered: what the target does when it is clicked; judge that with the gate before.

    Args:
        driver: The screen.
        bridge: Where previews and vetoes are recorded, each before its click.
        duration_ms: How long a click is shown; None takes SAFETY_PREVIEW_DURATION_MS. 0 shows nothing, but still looks
            twice.
        clean: Takes secrets out of what is recorded; None records it as it is.
    """

    def __init__(
        self,
        driver: Driver,
        bridge: EventBridge,
        *,
        duration_ms: float | None = None,
        clean: Callable[[Any], Any] | None = None,
    ) -> None:
        self._driver, self._bridge = driver, bridge
        self._clean = clean or (lambda value: value)
        self._duration_ms = bridge.settings.safety_preview_duration_ms if duration_ms is None else duration_ms
        if self._duration_ms < 0:
            raise ConfigError(f"duration_ms={duration_ms} is negative", remedy="use 0 or more")
        self._station = Station.of(bridge)
        self._one_at_a_time = asyncio.Lock()
        self._vetoed = asyncio.Event()
        self._reason = ""
        self._loop: asyncio.AbstractEventLoop | None = None

    def veto(self, reason: str) -> None:
        """Call off the click that is shown now. From any thread; without a shown click, nothing happens."""
        loop = self._loop
        if loop is not None:
            loop.call_soon_threadsafe(self._call_off, reason or "called off")

    def _call_off(self, reason: str) -> None:
        self._reason = self._reason or reason
        self._vetoed.set()

    async def click(
        self,
        x: int,
        y: int,
        button: str = "left",
        *,
        expected: Target | None = None,
        shown: bool = True,
        act: Callable[[Target], Awaitable[str]] | None = None,
        metadata: Mapping[str, Any] | None = None,
    ) -> Clicked:
        """Show a click, wait, and make it if nothing speaks against it.

        Args:
            x: Where, from the left.
            y: Where, from the top.
            button: left, middle or right.
            expected: What was seen there when the click was judged; anything else calls it off.
            shown: False only looks, and records nothing unless the click is called off.
            act: Makes the click if what it is given is still there, and says otherwise why not; None: the driver.
            metadata: What else is recorded.

        Raises:
            ConfigError: The button is unknown.
            Halted: The kill switch is tripped, or was while the click was shown.
            JournalError: The preview cannot be recorded; nothing is clicked.
        """
        if button not in BUTTONS:
            raise ConfigError(f"button={button!r} is unknown", remedy=f"use one of {', '.join(BUTTONS)}")
        async with self._one_at_a_time:
            self._station.check()
            self._vetoed = asyncio.Event()  # an event belongs to the loop that first waits for it
            self._reason = ""
            self._loop = asyncio.get_running_loop()
            try:
                return await self._course((x, y, button), expected, shown, act, metadata or {})
            finally:
                self._loop = None

    async def _course(
        self,
        click: tuple[int, int, str],
        expected: Target | None,
        shown: bool,
        act: Callable[[Target], Awaitable[str]] | None,
        metadata: Mapping[str, Any],
    ) -> Clicked:
        driver, (x, y, button) = self._driver, click
        duration_ms = self._duration_ms if shown else 0
        target = await driver.look(x, y)
        shown_ms = 0.0
        reason = "" if expected is None else changed(expected, target)
        if not reason:
            if shown:
                await self._tell(click, target, None, duration_ms, metadata)
            began = time.monotonic()
            try:
                if duration_ms:
                    await driver.mark(x, y)
                    await self._wait(began + duration_ms / 1000)
            finally:
                if duration_ms:
                    await driver.unmark()
            shown_ms = (time.monotonic() - began) * 1000
            reason = self._reason or changed(target, await driver.look(x, y))
            # A veto that came in during that look counts as well, and so does the switch.
            if shown and not reason:
                self._reason = await driver.veto() or self._reason
            reason = self._reason or reason
            self._station.check()
        if not reason:
            reason = await (driver.click(x, y, button, target) if act is None else act(target))
        if reason:
            reason = str(self._clean(reason))
            await self._tell(click, target, reason, shown_ms, metadata)
        return Clicked(not reason, reason, target, shown_ms, by_person=bool(reason and self._reason))

    async def _wait(self, until: float) -> None:
        """Until the time is over or somebody calls the click off."""
        while not self._vetoed.is_set() and (left := until - time.monotonic()) > 0:
            self._station.check()
            reason = await self._driver.veto()
            if reason:
                self._call_off(reason)
                return
            try:
                await asyncio.wait_for(self._vetoed.wait(), min(left, LOOK_SECONDS))
            except TimeoutError:
                continue

    async def _tell(
        self,
        click: tuple[int, int, str],
        target: Target,
        vetoed: str | None,
        shown_ms: float,
        metadata: Mapping[str, Any],
    ) -> Event:
        x, y, button = click
        seen = {"window": target.window, "element": target.element, "box": list(target.box), "pixels": target.pixels}
        return await self._bridge.emit_visual_click_event(
            x=x,
            y=y,
            button=button,
            vetoed=vetoed is not None,
            preview_duration_ms=shown_ms,
            veto_reason=vetoed,
            metadata={**metadata, "target": self._clean(seen)},
        )
