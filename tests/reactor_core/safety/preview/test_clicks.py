"""The course of a click, on a screen of one point that really changes and is really clicked."""

from __future__ import annotations

import asyncio
import json
import threading
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from reactor_core.errors import ConfigError, Halted
from reactor_core.events.vocabulary import EventType
from reactor_core.integration import EventBridge
from reactor_core.safety.preview import Preview, Target
from reactor_core.safety.preview.target import changed
from reactor_core.utils.settings import Settings


class OnePoint:
    """A screen with a window title, on which happens what ``during`` does while the click is shown."""

    def __init__(self, during: Callable[[OnePoint], None] = lambda screen: None) -> None:
        self.title, self.clicks, self.wanted, self.marks = "before", 0, "", 0
        self.during = during
        self.recorded: Callable[[], int] = lambda: 0
        self.told_before_click = 0

    async def look(self, x: int, y: int) -> Target:
        return Target(self.title, 'button "OK"', (0, 0, 9, 9), "aa")

    async def mark(self, x: int, y: int) -> None:
        self.marks += 1
        self.during(self)

    async def unmark(self) -> None:
        self.marks = 0

    async def veto(self) -> str:
        return self.wanted

    async def click(self, x: int, y: int, button: str, expected: Target) -> str:
        reason = changed(expected, await self.look(x, y))
        if not reason:
            self.told_before_click = self.recorded()
            self.clicks += 1
        return reason


@pytest.fixture
def bridge(tmp_path: Path) -> Iterator[EventBridge]:
    wanted: dict[str, Any] = {
        "workspace": tmp_path / "workspace",
        "state_dir": tmp_path / "state",
        "safety_preview_duration_ms": 40,
    }
    with EventBridge(settings=Settings(**wanted)) as made:
        yield made


def told(bridge: EventBridge) -> list[tuple[str, Any]]:
    kinds = {EventType.VISUAL_CLICK_PREVIEW, EventType.VISUAL_CLICK_VETOED}
    return [
        (event.event_type, event.data["veto_reason"]) for event in bridge.journal.read() if event.event_type in kinds
    ]


def test_a_click_that_nobody_minds_is_recorded_shown_and_made(bridge):
    screen = OnePoint()
    screen.recorded = lambda: len(told(bridge))
    clicked = asyncio.run(Preview(screen, bridge).click(3, 4))
    assert (clicked.made, clicked.reason, screen.clicks, screen.marks) == (True, "", 1, 0)
    assert clicked.shown_ms >= 40
    assert screen.told_before_click == 1
    assert told(bridge) == [(EventType.VISUAL_CLICK_PREVIEW, None)]


def test_a_veto_from_another_thread_calls_it_off_at_once(bridge):
    preview: Preview

    def during(screen: OnePoint) -> None:
        threading.Thread(target=preview.veto, args=("not that one",)).start()

    screen = OnePoint(during)
    preview = Preview(screen, bridge, duration_ms=60_000)
    clicked = asyncio.run(preview.click(3, 4))
    assert (clicked.made, clicked.reason, clicked.by_person, screen.clicks) == (False, "not that one", True, 0)
    assert clicked.shown_ms < 30_000
    assert told(bridge)[-1] == (EventType.VISUAL_CLICK_VETOED, "not that one")


def test_a_veto_on_the_screen_and_a_changed_window_call_it_off(bridge):
    def press(screen: OnePoint) -> None:
        screen.wanted = "the Escape key was pressed"

    def swap(screen: OnePoint) -> None:
        screen.title = "after"

    for during, word in ((press, "Escape"), (swap, "another window")):
        screen = OnePoint(during)
        clicked = asyncio.run(Preview(screen, bridge).click(3, 4))
        assert (clicked.made, screen.clicks, screen.marks) == (False, 0, 0)
        assert word in clicked.reason
        assert word in told(bridge)[-1][1]


def test_what_is_not_there_any_more_is_not_even_shown(bridge):
    screen = OnePoint()
    judged = Target("another time", 'button "OK"', (0, 0, 9, 9), "aa")
    clicked = asyncio.run(Preview(screen, bridge).click(3, 4, expected=judged, metadata={"decision_id": "d"}))
    assert (clicked.made, clicked.by_person, screen.clicks, clicked.shown_ms) == (False, False, 0, 0)
    assert [kind for kind, _ in told(bridge)] == [EventType.VISUAL_CLICK_VETOED]
    (event,) = [event for event in bridge.journal.read() if event.event_type == EventType.VISUAL_CLICK_VETOED]
    assert event.metadata["decision_id"] == "d"


def test_an_unshown_click_is_recorded_only_if_it_is_called_off(bridge):
    screen = OnePoint()
    assert asyncio.run(Preview(screen, bridge).click(3, 4, shown=False)).made
    assert (screen.clicks, told(bridge)) == (1, [])

    async def refuse(target: Target) -> str:
        return f"{target.window} says no"

    clicked = asyncio.run(Preview(screen, bridge).click(3, 4, shown=False, act=refuse))
    assert (clicked.made, clicked.reason, screen.clicks) == (False, "before says no", 1)
    assert told(bridge) == [(EventType.VISUAL_CLICK_VETOED, "before says no")]


def test_secrets_are_cleaned_out_of_what_is_recorded(bridge):
    def clean(value: Any) -> Any:
        return json.loads(json.dumps(value).replace("OK", "[redacted]"))

    asyncio.run(Preview(OnePoint(), bridge, clean=clean).click(3, 4))
    (event,) = [event for event in bridge.journal.read() if event.event_type == EventType.VISUAL_CLICK_PREVIEW]
    assert "OK" not in json.dumps(event.metadata)


def test_the_kill_switch_ends_the_preview(bridge):
    def trip(screen: OnePoint) -> None:
        bridge.latch.trip(reason="enough")

    screen = OnePoint(trip)
    preview = Preview(screen, bridge, duration_ms=60_000)
    with pytest.raises(Halted):
        asyncio.run(preview.click(3, 4))
    assert (screen.clicks, screen.marks) == (0, 0)
    with pytest.raises(Halted):
        asyncio.run(preview.click(3, 4))


def test_with_no_time_to_show_it_still_looks_twice(bridge):
    screen = OnePoint()
    assert asyncio.run(Preview(screen, bridge, duration_ms=0).click(3, 4)).made
    assert screen.clicks == 1


def test_a_veto_without_a_click_holds_for_none(bridge):
    screen = OnePoint()
    preview = Preview(screen, bridge, duration_ms=0)
    preview.veto("too early")
    assert asyncio.run(preview.click(3, 4)).made


def test_what_cannot_be_clicked(bridge):
    with pytest.raises(ConfigError):
        Preview(OnePoint(), bridge, duration_ms=-1)
    with pytest.raises(ConfigError):
        asyncio.run(Preview(OnePoint(), bridge).click(3, 4, "fourth"))
