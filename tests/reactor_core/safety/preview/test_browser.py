"""A real page in a real browser."""

from __future__ import annotations

import asyncio
import struct
from typing import Any

import pytest
from tests.servers.display import needs

from reactor_core.safety.preview import BrowserDriver
from reactor_core.safety.preview.target import changed

pytestmark = pytest.mark.system

PAGE = """<!doctype html><title>Shop</title><style>body{margin:0}
button{position:absolute;left:40px;top:40px;width:120px;
height:60px}</style><button id=b onclick="window.clicks=(window.clicks||0)+1">Pay</button>"""


async def clicking(page: Any, driver: BrowserDriver) -> None:
    seen = await driver.look(100, 70)
    assert 'button "Pay" b' in seen.element
    assert seen.box == (40, 40, 120, 60)
    assert "'Shop'" in seen.window
    await driver.mark(100, 70)
    assert changed(seen, await driver.look(100, 70)) == ""
    await driver.unmark()
    assert await driver.click(100, 70, "left", seen) == ""
    assert await page.evaluate("window.clicks") == 1


async def naming(page: Any, driver: BrowserDriver) -> None:
    """What lies around elements that act is not called by their names."""
    await page.evaluate("""document.body.insertAdjacentHTML('beforeend', `<div style="position:absolute;top:200px;
      width:300px;height:90px">Invoice <button>Pay</button></div>
      <p style="position:absolute;top:300px;margin:0"><b>Due</b> today</p>`)""")
    around, text, blank = [await driver.look(x, y) for x, y in ((200, 270), (5, 310), (600, 100))]
    assert [(one.role, one.name) for one in (around, text, blank)] == [
        ("text", "Invoice"), ("text", "Due"), ("page", "Shop"),
    ]  # fmt: skip


async def changing(page: Any, driver: BrowserDriver) -> None:
    seen = await driver.look(100, 70)
    for change, word in (
        ("b.textContent = 'Pay all'", "element"),
        ("b.textContent = 'Pay'; b.style.left = '60px'", "moved"),
        ("b.style.left = '40px'; b.style.background = 'red'", "picture"),
        ("b.style.visibility = 'hidden'", "element"),
        ("b.style.visibility = ''; document.title = 'Other'", "window"),
    ):
        await page.evaluate(change)
        assert word in await driver.click(100, 70, "left", seen)
    assert await page.evaluate("window.clicks || 0") == 0


async def vetoing(page: Any, driver: BrowserDriver) -> None:
    await driver.mark(100, 70)
    assert await driver.veto() == ""
    await page.keyboard.press("Escape")
    assert "Escape" in await driver.veto()
    await driver.mark(100, 70)
    assert await driver.veto() == ""


async def typing(page: Any, driver: BrowserDriver) -> None:
    await page.evaluate("document.body.insertAdjacentHTML('beforeend', '<input id=q aria-label=Query>'); q.focus()")
    field = await driver.focus()
    assert (field.role, field.name, field.pixels) == ("field", "Query", "")
    assert await driver.type("cats", field) == ""
    assert await driver.press(("Control", "a"), field) == ""
    assert await driver.press(("Delete",), field) == ""
    assert await driver.type("dogs", field) == ""
    await page.evaluate("b.focus()")
    assert "another element" in await driver.type("x", field)
    assert "another element" in await driver.press(("Enter",), field)
    assert await page.evaluate("[q.value, window.clicks || 0]") == ["dogs", 0]
    await page.evaluate("b.blur()")
    assert (await driver.focus()).role == "page"


async def wheeling(page: Any, driver: BrowserDriver) -> None:
    """Wheel, drag, pictures."""
    await page.evaluate("""document.body.insertAdjacentHTML('beforeend', '<div style="height:5000px"></div>');
      window.seen = []; for (const kind of ['mousedown', 'mouseup', 'dblclick'])
        addEventListener(kind, event => seen.push([kind, event.clientX, event.clientY]));""")
    start, end = await driver.look(300, 300), await driver.look(400, 350)
    assert await driver.drag(((300, 300), (400, 350)), start, end) == ""
    assert await page.evaluate("seen") == [["mousedown", 300, 300], ["mouseup", 400, 350]]
    assert await driver.click(100, 70, "left", await driver.look(100, 70), times=2) == ""
    assert (await page.evaluate("seen"))[-1] == ["dblclick", 100, 70]
    await driver.scroll(300, 300, 0, 2)
    await page.wait_for_function("scrollY === 200")
    assert await driver.pointer() == (300, 300)
    picture = await driver.picture()
    assert struct.unpack(">II", picture[16:24]) == await driver.size()


def test_a_page_is_clicked_as_it_was_shown_or_not_at_all() -> None:
    """One browser for all courses: it takes seconds to start."""
    needs("chromium")
    from playwright.async_api import async_playwright

    async def run() -> None:
        async with async_playwright() as playwright:
            browser = await playwright.chromium.launch(executable_path="/usr/bin/chromium", args=["--no-sandbox"])
            for course in (clicking, naming, changing, vetoing, typing, wheeling):
                page = await browser.new_page()
                await page.set_content(PAGE)
                await course(page, BrowserDriver(page))
            await browser.close()

    asyncio.run(run())
