"""Clicks on a page of a browser that is driven through Playwright's asynchronous interface.

Not covered: between the last look and the click the page may still act, for the few milliseconds that the browser takes
to hear of the click.
"""

from __future__ import annotations

import hashlib
from typing import Any, Protocol

from reactor_core.safety.preview.target import AROUND, FRAME, Target, changed

__all__ = ["BrowserDriver", "Page"]


class Page(Protocol):
    """What is needed of ``playwright.async_api.Page``."""

    @property
    def url(self) -> str:
        """Its address."""

    @property
    def mouse(self) -> Any:
        """Its mouse."""

    async def evaluate(self, expression: str, arg: Any = None) -> Any:
        """Run JavaScript in it."""

    async def screenshot(self, **options: Any) -> bytes:
        """A picture of it."""

    async def title(self) -> str:
        """Its title."""


_LOOK = """([x, y]) => {
  let found = document.elementFromPoint(x, y);
  while (found && found.shadowRoot && found.shadowRoot.elementFromPoint(x, y) !== found) {
    const inner = found.shadowRoot.elementFromPoint(x, y);
    if (!inner) break;
    found = inner;
  }
  if (!found) return null;
  const acting = found.closest('button, a, input, select, textarea, label, summary, [role], [onclick]') || found;
  const box = acting.getBoundingClientRect();
  const named = acting.getAttribute('aria-label') || acting.innerText || acting.value || acting.title
    || acting.alt || '';
  const role = acting.getAttribute('role') || acting.tagName.toLowerCase();
  const disabled = acting.disabled ? ' disabled' : '';
  const target = acting.href || (acting.form && acting.form.action) || '';
  return {element: `${role}${disabled} "${String(named).trim().slice(0, 200)}" ${acting.id} ${target}`.trim(),
          box: [box.x, box.y, box.width, box.height].map(Math.round)};
}"""

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

    async def look(self, x: int, y: int) -> Target:
        """What lies under a point now."""
        page = self._page
        seen = await page.evaluate(_LOOK, [x, y]) or {"element": "nothing", "box": [0, 0, 0, 0]}
        clip = {"x": max(0, x - AROUND), "y": max(0, y - AROUND), "width": 2 * AROUND, "height": 2 * AROUND}
        picture = await page.screenshot(clip=clip, caret="hide", animations="allow")
        left, top, width, height = seen["box"]
        window = f"{page.url} {await page.title()!r}"
        return Target(window, seen["element"], (left, top, width, height), hashlib.sha256(picture).hexdigest())

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

    async def click(self, x: int, y: int, button: str, expected: Target) -> str:
        """Look, and click at once if everything is as expected."""
        reason = changed(expected, await self.look(x, y))
        if not reason:
            await self._page.mouse.click(x, y, button=button)
        return reason
