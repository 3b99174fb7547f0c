"""The public surface is what the packages list, all of it can be imported, and growing it is a decision.

``public_names.txt`` is the frozen list. A name that appears or goes changes that file in the same commit.
"""

from __future__ import annotations

import importlib
import pkgutil
from pathlib import Path
from types import ModuleType

import pytest

import a1_reactor
import reactor_core

FROZEN = Path(__file__).parent / "public_names.txt"
# What the lazy tables themselves need stands in a package's namespace without being part of its surface.
SCAFFOLDING = {"TYPE_CHECKING", "annotations", "attach"}


def packages() -> list[str]:
    """Both import packages, their folders, and the module of errors."""
    found = ["reactor_core.errors"]
    for root in (reactor_core, a1_reactor):
        found.append(root.__name__)
        found += [m.name for m in pkgutil.walk_packages(root.__path__, root.__name__ + ".") if m.ispkg]
    return sorted(found)


def listed(module: ModuleType) -> list[str]:
    return list(getattr(module, "__all__", ()))


@pytest.mark.parametrize("name", packages())
def test_every_listed_name_can_be_imported(name: str) -> None:
    module = importlib.import_module(name)
    for public in listed(module):
        assert getattr(module, public) is not None, public


@pytest.mark.parametrize("name", packages())
def test_nothing_unlisted_is_public(name: str) -> None:
    module = importlib.import_module(name)
    submodules = {m.name for m in pkgutil.iter_modules(getattr(module, "__path__", []))}
    visible = {n for n in dir(module) if not n.startswith("_")} - submodules - SCAFFOLDING
    if name == "reactor_core.errors":  # a module, not a package: its own imports are visible in it
        visible = {n for n in visible if getattr(getattr(module, n), "__module__", None) == name}
    assert visible <= set(listed(module)), "add to __all__, or import it under a private name"


@pytest.mark.parametrize("name", packages())
def test_the_list_names_nothing_twice(name: str) -> None:
    names = listed(importlib.import_module(name))
    assert len(names) == len(set(names))


def test_the_public_names_are_the_frozen_ones() -> None:
    now = {f"{name}.{public}" for name in packages() for public in listed(importlib.import_module(name))}
    frozen = set(FROZEN.read_text(encoding="utf-8").split())
    assert sorted(now - frozen) == [], "new public names: add them to public_names.txt if they are meant"
    assert sorted(frozen - now) == [], "public names that are gone: users import them"
