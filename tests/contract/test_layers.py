"""The plan of the house, checked: a folder imports only folders before it, and no folder has a cycle inside.

Every import counts, wherever it stands: at the top, inside a function, under ``TYPE_CHECKING``, by name
through ``importlib.import_module`` or in a table of lazy names.
"""

from __future__ import annotations

import ast
import graphlib
from collections import defaultdict
from collections.abc import Iterator
from functools import cache
from pathlib import Path

import pytest

SRC = Path(__file__).resolve().parents[2] / "src"

CORE = (
    "errors", "utils", "plugins", "cloud", "events", "cost", "integration", "safety", "models", "data", "eval",
    "training", "serving", "gcp", "jobs", "api", "doctor", "doctor_view", "demo", "cli_eval", "cli_events", "cli_jobs",
    "cli_runs", "cli_safety", "cli_train",
    "cli",
)  # fmt: skip
A1 = (
    "types",
    "config",
    "prompts",
    "media",
    "providers",
    "eval",
    "storage",
    "provenance",
    "engine",
    "report",
    "server",
    "plugin",
    "cli_perform",
    "cli_make",
    "cli_providers",
    "cli_report",
    "cli_serve",
    "cli_takes",
    "cli_workspace",
    "cli_files",
    "cli",
)
ORDER = {"reactor_core": CORE, "a1_reactor": A1}
LAZY_CALLS = {"attach", "import_module"}


def modules() -> dict[str, Path]:
    """Dotted name -> file, for every module of both packages."""
    found = {}
    for file in sorted(SRC.rglob("*.py")):
        parts = file.relative_to(SRC).with_suffix("").parts
        found[".".join(parts[:-1] if parts[-1] == "__init__" else parts)] = file
    return found


MODULES = modules()


def resolve(name: str) -> str | None:
    """The module that a dotted name stands in, or None when it is not ours."""
    while name and name not in MODULES:
        name = name.rpartition(".")[0]
    return name or None


def absolute(module: str, file: Path, level: int, name: str) -> str:
    """Undo a relative import as Python does."""
    if level == 0:
        return name
    package = module.split(".") if file.name == "__init__.py" else module.split(".")[:-1]
    return ".".join([*package[: len(package) - level + 1], *([name] if name else [])])


def named(module: str, file: Path) -> Iterator[tuple[str, bool]]:
    """Every dotted name that a module imports, and whether it is only looked up on first use."""
    package = module if file.name == "__init__.py" else module.rpartition(".")[0]
    for node in ast.walk(ast.parse(file.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Import):
            yield from ((alias.name, False) for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            base = absolute(module, file, node.level, node.module or "")
            yield from ((f"{base}.{alias.name}", False) for alias in node.names)
        elif isinstance(node, ast.Call) and getattr(node.func, "attr", getattr(node.func, "id", "")) in LAZY_CALLS:
            for part in ast.walk(node):
                if isinstance(part, ast.Constant) and isinstance(part.value, str):
                    yield (package + part.value if part.value.startswith(".") else part.value), True


@cache
def edges() -> frozenset[tuple[str, str, bool]]:
    """(importer, imported, lazy) over both packages."""
    found = set()
    for module, file in MODULES.items():
        for name, lazy in named(module, file):
            target = resolve(name)
            if target and target != module:
                found.add((module, target, lazy))
    return frozenset(found)


def room(module: str) -> str:
    """The folder (or top-level file) of its package that a module stands in; "" for the package itself."""
    return ([*module.split("."), ""])[1]


def test_every_room_has_a_place_in_the_order() -> None:
    unknown = [m for m in MODULES if room(m) not in {"", "__main__", *ORDER[m.split(".")[0]]}]
    assert unknown == []


@pytest.mark.parametrize("package", ORDER)
def test_a_folder_imports_only_folders_before_it(package: str) -> None:
    order = ORDER[package]
    wrong = [
        f"{importer} imports {imported}"
        for importer, imported, _ in sorted(edges())
        if importer.startswith(package + ".") and imported.startswith(package + ".")
        if room(importer) in order and order.index(room(importer)) < order.index(room(imported))
    ]
    assert wrong == []


def test_no_room_imports_the_package_that_holds_it() -> None:
    """``from reactor_core import X`` inside a room would reach over every wall through the lazy names."""
    wrong = []
    for module, file in MODULES.items():
        for name, _ in named(module, file):
            at_root = name.rpartition(".")[0] in ORDER and resolve(name) in ORDER
            if room(module) not in {"", "cli", "__main__"} and at_root and not name.endswith(".__version__"):
                wrong.append(f"{module} imports {name}")
    assert wrong == []


def test_the_core_never_imports_a1() -> None:
    wrong = [f"{a} imports {b}" for a, b, _ in edges() if a.startswith("reactor_core") and b.startswith("a1_reactor")]
    assert wrong == []


@pytest.mark.parametrize("package", ORDER)
def test_no_cycle_inside_a_folder(package: str) -> None:
    """Lazy tables may point down from a package's ``__init__``; nothing may point back up to it."""
    inside: dict[str, dict[str, set[str]]] = defaultdict(lambda: defaultdict(set))
    for importer, imported, lazy in edges():
        both = {importer.split(".")[0], imported.split(".")[0]} == {package}
        lazy_table = lazy or (MODULES[importer].name == "__init__.py" and "attach(" in MODULES[importer].read_text())
        if both and room(importer) == room(imported) != "" and not lazy_table:
            inside[room(importer)][importer].add(imported)
    for graph in inside.values():
        graphlib.TopologicalSorter(graph).prepare()  # raises CycleError, which names the cycle
