"""Clicks on a page of a browser that is driven through Playwright's asynchronous interface.

Not covered: between the last look and the click the page may still act, for the few milliseconds that the browser takes
to hear of the click.
"""

from __future__ import annotations

import hashlib
from collections.abc import Mapping, Sequence
from typing import Any, Protocol
from urllib.parse import urlsplit

from reactor_core.safety.preview.target import AROUND, FRAME, Target, changed

__all__ = ["NOTCH", "BrowserDriver", "Page"]

NOTCH = 100
"""Pixels that a page scrolls by one notch of a wheel."""


class Page(Protocol):
    """What is needed of ``playwright.async_api.Page``."""

    @property
    def url(self) -> str:
        """Its address."""

    @property
    def mouse(self) -> Any:
        """Its mouse."""

    @property
    def keyboard(self) -> Any:
        """Its keyboard."""

    async def evaluate(self, expression: str, arg: Any = None) -> Any:
        """Run JavaScript in it."""

    async def screenshot(self, **options: Any) -> bytes:
        """A picture of it."""

    async def title(self) -> str:
        """Its title."""


_SEE = """found => {
  if (!found || found === document.body || found === document.documentElement) return null;
  const tidy = (text, most) => String(text || '').replace(/\\s+/g, ' ').trim().slice(0, most);
  const acting = found.closest('button, a[href], input, select, textarea, label, summary, option, [role], [onclick], '
    + '[contenteditable=""], [contenteditable=true]') || found;
  const held = acting.control || acting;  // a click on a label is one on what it labels
  const box = acting.getBoundingClientRect();
  const tag = held.tagName.toLowerCase(), type = (held.getAttribute('type') || '').toLowerCase();
  const kinds = {checkbox: 'checkbox', radio: 'radio', submit: 'button', button: 'button', reset: 'button',
    image: 'button', password: 'password field', file: 'file field', range: 'slider'};
  const plain = {a: 'link', button: 'button', textarea: 'field', select: 'dropdown', summary: 'button', img: 'image',
    option: 'option', iframe: 'window', frame: 'window', canvas: 'window', embed: 'window', object: 'window'};
  const role = held.getAttribute('role') || (tag === 'input' ? kinds[type] || 'field' : plain[tag]) || 'text';
  const shown = ['submit', 'button', 'reset'].includes(type) ? acting.value : '';
  const labels = acting.labels && acting.labels.length ? acting.labels[0].innerText : '';
  const byId = (acting.getAttribute('aria-labelledby') || '').split(' ')
    .map(id => document.getElementById(id)?.innerText || '').join(' ').trim();
  const typed = ['field', 'password field'].includes(role);
  // What holds other elements that act is not called by their names.
  const own = role === 'text' && acting.querySelector('button, a, input, select, textarea, [role], [onclick]')
    ? [...acting.childNodes].filter(node => node.nodeType === 3).map(node => node.data).join(' ') : acting.innerText;
  const name = byId || acting.getAttribute('aria-label') || labels || shown || (typed ? '' : own)
    || acting.alt || acting.title || acting.placeholder || acting.getAttribute('name') || '';
  const on = ['checkbox', 'radio'].includes(held.type) ? held.checked
    : ({true: true, false: false})[acting.getAttribute('aria-checked') || acting.getAttribute('aria-pressed')];
  const dialog = acting.closest('dialog, [role=dialog], [role=alertdialog], [aria-modal=true]');
  const around = acting.closest('form, tr, li, fieldset, section, article');
  const near = around && around.innerText.length <= 300 ? around.innerText : '';
  const target = acting.href || (acting.form && acting.form.action) || '';
  const state = on === undefined ? '' : on ? 'off' : 'on';
  return {element: `${role}${acting.disabled ? ' disabled' : ''} "${tidy(name, 200)}" ${acting.id} ${state} ${target}`
            .trim(),
          box: [box.x, box.y, box.width, box.height].map(Math.round), role, name: tidy(name, 200), state,
          dialog: tidy(dialog && dialog.innerText, 1000), near: dialog ? '' : tidy(near, 300)};
}"""

_LOOK = f"""([x, y]) => {{
  let found = document.elementFromPoint(x, y);
  while (found && found.shadowRoot && found.shadowRoot.elementFromPoint(x, y) !== found) {{
    const inner = found.shadowRoot.elementFromPoint(x, y);
    if (!inner) break;
    found = inner;
  }}
  return ({_SEE})(found);
}}"""

_FOCUS = f"""() => {{
  let found = document.activeElement;
  while (found && found.shadowRoot && found.shadowRoot.activeElement) found = found.shadowRoot.activeElement;
  return ({_SEE})(found);
}}"""

_WATCH = """() => {
  if (window.__reactorVeto === undefined) {
    window.__reactorVeto = '';
    window.addEventListener('keydown', event => {
      if (event.key === 'Escape') window.__reactorVeto = 'the Escape key was pressed';
    }, true);
  }
  window.__reactorVeto = '';
}"""

_MARK = """([x, y, frame]) => {
  const mark = document.createElement('div');
  mark.id = 'reactor-click-preview';
  Object.assign(mark.style, {position: 'fixed', left: `${x - frame}px`, top: `${y - frame}px`, width: `${2 * frame}px`,
    height: `${2 * frame}px`, border: '3px solid #d0021b', boxSizing: 'content-box', pointerEvents: 'none',
    zIndex: 2147483647});
  document.documentElement.append(mark);
}"""

_UNMARK = "() => { const mark = document.getElementById('reactor-click-preview'); if (mark) mark.remove(); }"


class BrowserDriver:
    """One page. A person vetoes with the Escape key in it.

    Args:
        page: A page of ``playwright.async_api``. Points are in its viewport.
    """

    def __init__(self, page: Page) -> None:
        self._page = page
        self._at = (0, 0)

    async def look(self, x: int, y: int) -> Target:
        """What lies under a point now."""
        clip = {"x": max(0, x - AROUND), "y": max(0, y - AROUND), "width": 2 * AROUND, "height": 2 * AROUND}
        seen = await self._page.evaluate(_LOOK, [x, y])
        picture = await self._page.screenshot(clip=clip, caret="hide", animations="allow")
        return await self._target(seen, hashlib.sha256(picture).hexdigest())

    async def focus(self) -> Target:
        """What has the keyboard now: an element, or the page as a whole."""
        return await self._target(await self._page.evaluate(_FOCUS), "")

    async def _target(self, seen: Mapping[str, Any] | None, pixels: str) -> Target:
        page = self._page
        title = await page.title()
        window, app = f"{page.url} {title!r}", " - ".join(part for part in (title, urlsplit(page.url).hostname) if part)
        if not seen:
            return Target(window, "nothing", (0, 0, 0, 0), pixels, "page", title, app=app)
        told = {key: str(seen[key]) for key in ("role", "name", "state", "dialog", "near")}
        left, top, width, height = seen["box"]
        return Target(window, str(seen["element"]), (left, top, width, height), pixels, app=app, **told)

    async def mark(self, x: int, y: int) -> None:
        """A red frame around the point that takes no clicks itself."""
        await self._page.evaluate(_WATCH)
        await self._page.evaluate(_MARK, [x, y, FRAME])

    async def unmark(self) -> None:
        """Take the frame away."""
        await self._page.evaluate(_UNMARK)

    async def veto(self) -> str:
        """Escape was pressed in the page since the click is shown."""
        return str(await self._page.evaluate("() => window.__reactorVeto || ''"))

    async def click(self, x: int, y: int, button: str, expected: Target, *, times: int = 1) -> str:
        """Look, and click at once if everything is as expected."""
        reason = changed(expected, await self.look(x, y))
        if not reason:
            await self._page.mouse.click(x, y, button=button, click_count=times)
        return reason

    async def drag(self, path: Sequence[tuple[int, int]], expected: Target, onto: Target) -> str:
        """Look at both ends, and drag at once if both are as expected."""
        reason = changed(expected, await self.look(*path[0])) or changed(onto, await self.look(*path[-1]))
        if not reason:
            mouse = self._page.mouse
            await mouse.move(*path[0])
            await mouse.down()
            for x, y in path[1:]:
                await mouse.move(x, y, steps=5)
            await mouse.up()
        return reason

    async def type(self, text: str, expected: Target) -> str:
        """Type if the same element has the keyboard."""
        reason = changed(expected, await self.focus())
        if not reason:
            await self._page.keyboard.type(text)
        return reason

    async def press(self, keys: Sequence[str], expected: Target) -> str:
        """Press keys together if the same element has the keyboard."""
        reason = changed(expected, await self.focus())
        if not reason:
            await self._page.keyboard.press("+".join(keys))
        return reason

    async def scroll(self, x: int, y: int, right: int, down: int) -> None:
        """Turn the wheel at a point."""
        await self.move(x, y)
        await self._page.mouse.wheel(NOTCH * right, NOTCH * down)

    async def move(self, x: int, y: int) -> None:
        """Move the page's pointer, which is not the person's."""
        await self._page.mouse.move(x, y)
        self._at = (x, y)

    async def pointer(self) -> tuple[int, int]:
        """Where the page's pointer was moved last."""
        return self._at

    async def size(self) -> tuple[int, int]:
        """The viewport's."""
        width, height = await self._page.evaluate("() => [innerWidth, innerHeight]")
        return int(width), int(height)

    async def picture(self) -> bytes:
        """The viewport, a pixel for each unit of the page."""
        return await self._page.screenshot(scale="css")
