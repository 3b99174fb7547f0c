"""Public names that are imported when they are first used (PEP 562).

``import reactor_core`` must cost milliseconds and must not import torch, and yet ``reactor_core.Trainer`` must work.
"""

from __future__ import annotations

import importlib
import sys
from collections.abc import Callable, Mapping
from typing import Any

from reactor_core.utils.extras import missing_extra

__all__ = ["attach"]


def attach(package: str, names: Mapping[str, str]) -> tuple[Callable[[str], Any], Callable[[], list[str]], list[str]]:
    """Make ``__getattr__``, ``__dir__`` and ``__all__`` for a package.

    Args:
        package: The package's ``__name__``.
        names: Public name -> module that defines it, absolute or relative to ``package`` (``".training.trainer"``).

    Returns:
        The three values, to be assigned at module level. ``__getattr__`` raises AttributeError for other names, and
        MissingExtra where a name needs an extra that is not installed.
    """

    def __getattr__(name: str) -> Any:
        module = names.get(name)
        if module is None:
            raise AttributeError(f"module {package!r} has no attribute {name!r}")
        try:
            value = getattr(importlib.import_module(module, package), name)
        except ModuleNotFoundError as error:
            raise missing_extra(error, f"{package}.{name}") or error from None
        setattr(sys.modules[package], name, value)
        return value

    def __dir__() -> list[str]:
        return sorted({*vars(sys.modules[package]), *names})

    return __getattr__, __dir__, sorted(names)
