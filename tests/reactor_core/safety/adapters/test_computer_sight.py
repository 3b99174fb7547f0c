from __future__ import annotations

import asyncio
import logging

import pytest
from tests.reactor_core.safety.screens import Element, MemoryScreen

from reactor_core.safety.adapters.computer_sight import Remembered, Sight
from reactor_core.safety.preview import Target

OK = 'button "OK" | app: "Files"'


class Waiting(MemoryScreen):
    """A screen that answers only through its loop, as a browser does."""

    async def look(self, x: int, y: int) -> Target:
        await asyncio.sleep(0)
        return await super().look(x, y)


def one(kind: type[MemoryScreen] = MemoryScreen) -> MemoryScreen:
    return kind(Element("button", "OK", (0, 0, 9, 9)))


def test_it_says_what_is_there_without_a_loop():
    sight = Sight(one(Waiting))
    assert (sight(3, 4), sight.focus()) == (OK, OK)


async def test_it_asks_the_screens_loop_from_another_thread():
    assert await asyncio.to_thread(Sight(one(Waiting)), 3, 4) == OK


async def test_on_the_screens_own_loop_only_a_screen_that_need_not_wait_is_known(caplog: pytest.LogCaptureFixture):
    assert Sight(one())(3, 4) == OK
    with caplog.at_level(logging.WARNING):
        assert Sight(one(Waiting))(3, 4) is None
    assert "nobody knows what a click hits" in caplog.text


async def test_it_remembers_what_it_said_until_it_is_done():
    screen = one()
    sight = Sight(screen)
    before = await screen.look(3, 4)
    sight(3, 4)
    screen.elements[0].colour = "red"
    now = await screen.look(3, 4)
    assert now != before
    assert sight.judged({(3, 4): now}) == {(3, 4): before}
    assert sight.judged({(3, 4): now}) == {(3, 4): now}


async def test_the_callers_names_come_first():
    screen = one()
    sight = Sight(screen, names=lambda x, y: 'link "Home"' if x == 3 else None)
    assert (sight(3, 4), sight(5, 5)) == ('link "Home"', OK)
    seen = {(5, 5): await screen.look(5, 5), None: await screen.focus()}
    assert (Remembered(seen, sight)(5, 5), Remembered(seen, sight).focus()) == (OK, OK)
