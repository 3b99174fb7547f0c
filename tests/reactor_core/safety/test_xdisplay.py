"""Connecting to an X display."""

from __future__ import annotations

import sys
import warnings

import pytest

from reactor_core.errors import EnvironmentMissing, MissingExtra
from reactor_core.safety.xdisplay import open_display


def test_a_display_that_is_not_there_is_named_and_leaves_no_socket_behind() -> None:
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        with pytest.raises(EnvironmentMissing, match=r"display :4711 cannot be opened, for clicking on it"):
            open_display(":4711", purpose="clicking on it")


def test_without_the_library_the_extra_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "Xlib", None)
    with pytest.raises(MissingExtra, match="desktop"):
        open_display(":0", purpose="watching the corner")
