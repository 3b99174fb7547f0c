"""A model's clicks on a real X display and in a real browser, asked for by the vendor's own client."""

from __future__ import annotations

import asyncio
import subprocess
from pathlib import Path
from typing import Any

import anthropic
import pytest
from tests.reactor_core.safety.adapters.conftest import Asked, Vendor, trail
from tests.reactor_core.safety.adapters.test_anthropic_messages import ASK, message, use
from tests.reactor_core.safety.preview.test_x11 import Window
from tests.servers.display import Display, needs

from reactor_core.errors import ActionBlocked, ActionDenied, ApprovalInvalid, Halted
from reactor_core.safety.adapters import Computer
from reactor_core.safety.gate import SafetyGate
from reactor_core.safety.kill.keys import Corner
from reactor_core.safety.preview import BrowserDriver, X11Driver

pytestmark = pytest.mark.system

PAGE = """<!doctype html><title>Accounts</title><style>body{margin:0} body > *{position:absolute;left:40px;width:200px;
height:40px}</style><script>window.log = []</script>
<button id=help style="top:20px" onclick="log.push('help')">Help</button>
<div role=dialog style="top:80px"><p style="margin:0">Delete the account of Ann? This cannot be undone.</p>
<button id=no style="height:30px;width:80px" onclick="log.push('cancel')">Cancel</button></div>
<form style="top:200px" onsubmit="log.push('form'); return false"><label style="display:block">Amount
<input id=amount style="width:80px"></label></form>
<input id=pass type=password aria-label=Password value=hunter2 style="top:260px">
<input type=checkbox id=mfa checked aria-label="Two-factor authentication" style="top:320px">
<button id=send style="top:380px" onclick="log.push('send')">Send invitation</button>
<canvas style="top:440px" width=200 height=40></canvas>
<button id=double style="top:500px" ondblclick="log.push('double')">Open</button>"""
HELP, CANCEL, AMOUNT, PASSWORD, MFA, SEND, CANVAS, OPEN = (
    (100, 40), (70, 145), (150, 210), (100, 280), (140, 340), (100, 400), (100, 460), (100, 520),
)  # fmt: skip


def click(at: tuple[int, int], name: str = "left_click") -> dict[str, Any]:
    return {"action": name, "coordinate": list(at)}


class Course:
    """One page, one computer."""

    def __init__(self, page: Any, gate: SafetyGate, people: Asked, vendor: Vendor) -> None:
        self.page, self.gate, self.people, self.vendor = page, gate, people, vendor
        self.computer = Computer(gate, BrowserDriver(page), duration_ms=150)

    async def log(self) -> list[str]:
        found: list[str] = await self.page.evaluate("log")
        return found


async def seeing(course: Course) -> None:
    """Elements are known by role, name, state, dialog."""
    say = course.computer.describe
    said = [await asyncio.to_thread(say, *at) for at in (HELP, CANCEL, AMOUNT, PASSWORD, MFA, CANVAS)]
    assert said == [
        'button "Help" | app: "Accounts"',
        'button "Cancel" | app: "Accounts" | dialog: "Delete the account of Ann? This cannot be undone. Cancel"',
        'field "Amount" | app: "Accounts" | near: "Amount"',
        'password field "Password" | app: "Accounts"',
        'checkbox "Two-factor authentication" -> off | app: "Accounts"',
        'window "" | app: "Accounts"',
    ]
    assert "hunter2" not in (await BrowserDriver(course.page).look(*PASSWORD)).element


async def clicking(course: Course) -> None:
    """Harmless ones at once, the risky one after a question, by the name that the client's audit has too."""
    course.vendor.replies = [
        message(use("computer", click(HELP)), use("computer", click(OPEN, "double_click"), "t2"),
                use("computer", click(SEND), "t3"), use("computer", {"action": "screenshot"}, "t4"))
    ]  # fmt: skip
    async with anthropic.AsyncAnthropic(api_key="test", base_url=course.vendor.url, max_retries=0) as made:
        reply = await course.computer.instrument(made).messages.create(**ASK)
    assert await course.log() == []
    results = await course.computer.results(reply)
    assert await course.log() == ["help", "double", "send"]
    assert [result.get("is_error", False) for result in results] == [False] * 4
    assert results[3]["content"][0]["type"] == "image"
    assert [question.asked.action for question in course.people.questions] == [
        'click: button "Send invitation" | app: "Accounts"'
    ]


async def typing(course: Course) -> None:
    """Keys go to the element that was judged, a password goes nowhere else, Return on a button is a click."""
    computer = course.computer
    await computer.do(click(AMOUNT))
    await computer.do({"action": "type", "text": "20"})
    await computer.do({"action": "key", "text": "ctrl+a"})
    await computer.do({"action": "type", "text": "35"})
    assert await course.page.evaluate("amount.value") == "35"
    await course.page.evaluate("document.getElementById('send').focus()")
    course.people.yes = False
    with pytest.raises(ActionDenied):
        await computer.do({"action": "key", "text": "Return"})
    course.people.yes = True
    assert await course.log() == []


async def vetoing(course: Course) -> None:
    """Escape in the page, or another element under the point, call the click off."""
    computer, page = course.computer, course.page

    async def while_shown(act: str) -> None:
        await page.wait_for_selector("#reactor-click-preview", state="attached")
        await (page.keyboard.press("Escape") if act == "escape" else page.evaluate(act))

    slow = Computer(course.gate, BrowserDriver(page), duration_ms=60_000)
    watching = asyncio.create_task(while_shown("escape"))
    with pytest.raises(ActionDenied, match="Escape"):
        await slow.do(click(SEND))
    await watching
    watching = asyncio.create_task(while_shown("send.textContent = 'Delete all'"))
    with pytest.raises(ApprovalInvalid, match="another element"):
        await Computer(course.gate, BrowserDriver(page), duration_ms=1500).do(click(SEND))
    await watching
    with pytest.raises(ActionBlocked):
        await computer.do(click(MFA))
    assert await course.log() == []
    watching = asyncio.create_task(while_shown("1"))
    await page.evaluate("send.textContent = 'Send invitation'")
    doing = asyncio.create_task(slow.do(click(SEND)))
    await watching
    course.gate.bridge.latch.trip(reason="enough")
    with pytest.raises(Halted):
        await doing
    assert await course.log() == []


def test_a_model_uses_a_browser(vendor: Vendor, gate: SafetyGate, people: Asked) -> None:
    """One browser for all courses: it takes seconds to start. The last one trips the switch."""
    needs("chromium")
    from playwright.async_api import async_playwright

    async def run() -> None:
        async with async_playwright() as playwright:
            browser = await playwright.chromium.launch(executable_path="/usr/bin/chromium", args=["--no-sandbox"])
            for course in (seeing, clicking, typing, vetoing):
                people.questions.clear()
                page = await browser.new_page()
                await page.set_content(PAGE)
                await course(Course(page, gate, people, vendor))
            await browser.close()

    asyncio.run(run())


def test_a_model_uses_an_x_display(
    vendor: Vendor, gate: SafetyGate, people: Asked, display: Display, tmp_path: Path
) -> None:
    """Windows are known, elements are not: every click is asked about and shown; a corner calls it off."""

    def point(x: int, y: int) -> None:
        subprocess.run(["xdotool", "mousemove", str(x), str(y)], env={"DISPLAY": display.name}, check=True, timeout=30)

    point(640, 700)
    driver = X11Driver(display.name, corner=Corner("top-left"))
    window = Window(display.name, "Invoices", 0x336699)
    computer = Computer(gate, driver, duration_ms=100)
    vendor.replies = [message(use("computer", click((150, 160)))), message(use("computer", click((150, 160))))]
    with anthropic.Anthropic(api_key="test", base_url=vendor.url, max_retries=0) as made:
        client = computer.instrument(made)
        (result,) = asyncio.run(computer.results(client.messages.create(**ASK)))
        assert "is_error" not in result
        assert window.wait_for_click() == (50, 60)
        assert [question.asked.action for question in people.questions] == ['click: window "Invoices" | app: "Demo"']
        reply = client.messages.create(**ASK)
    window.window.set_wm_name("Wire transfer")
    window.connection.sync()
    people.yes = False
    (result,) = asyncio.run(computer.results(reply))
    assert "alice said no" in result["content"][0]["text"]
    people.yes = True

    async def veto_in_the_corner() -> None:
        doing = asyncio.create_task(Computer(gate, driver, duration_ms=60_000).do(click((150, 160))))
        while not doing.done():
            await asyncio.to_thread(point, 0, 0)
            await asyncio.to_thread(point, 300, 400)
        with pytest.raises(ActionDenied, match="top-left corner"):
            await doing

    asyncio.run(veto_in_the_corner())
    assert window.clicks() == 0
    assert trail(gate)[-1].outcome == "abandoned"
    window.close()
    driver.close()
