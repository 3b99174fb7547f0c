"""Optional parts: one clear error with the install line where an extra is absent."""

from __future__ import annotations

import importlib
import importlib.util
from types import ModuleType

from reactor_core.errors import MissingExtra

__all__ = ["installed", "require"]


def installed(module: str) -> bool:
    """Whether a module can be imported, without importing it."""
    try:
        return importlib.util.find_spec(module) is not None
    except ModuleNotFoundError:  # a parent package is absent
        return False


def require(module: str, *, feature: str, extra: str) -> ModuleType:
    """Import an optional module.

    Args:
        module: Name to import, such as ``"torch"``.
        feature: What the caller was about to do, for the message.
        extra: Extra of this distribution that installs it.

    Raises:
        MissingExtra: The module is not installed.
    """
    if not installed(module.partition(".")[0]):
        raise MissingExtra(feature, extra)
    return importlib.import_module(module)
