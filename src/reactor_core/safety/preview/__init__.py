"""Showing a click before it is made, so that a person can call it off."""

from __future__ import annotations

from reactor_core.safety.preview.browser import BrowserDriver
from reactor_core.safety.preview.clicks import Clicked, Preview
from reactor_core.safety.preview.target import Driver, Screen, Target, told
from reactor_core.safety.preview.x11 import X11Driver

__all__ = ["BrowserDriver", "Clicked", "Driver", "Preview", "Screen", "Target", "X11Driver", "told"]
