"""Habits of this code base that a reader may rely on, each checked over the whole source."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from functools import cache
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
SRC = ROOT / "src"
SOURCES = sorted(SRC.rglob("*.py"))

MAX_LINES = 400
PICKLE_MODULES = {"pickle", "cPickle", "_pickle", "dill", "cloudpickle", "joblib", "shelve", "marshal"}
PICKLE_CALLS = {"torch.load", "torch.save", "pd.read_pickle", "pandas.read_pickle"}
# Foreign weights that exist only as a pickle: read as tensors, in a process of their own, and converted once.
UNPICKLERS = {"a1_reactor/eval/embedding_convert.py", "a1_reactor/providers/rife_convert.py"}

# Source files without a test file of their own, each with the reason.
UNMIRRORED: dict[str, str] = {}


def name_of(path: Path) -> str:
    return path.relative_to(SRC).as_posix()


def dotted(node: ast.AST) -> str:
    """``os.environ`` for the expression of that form, "" for any other."""
    if isinstance(node, ast.Attribute):
        base = dotted(node.value)
        return f"{base}.{node.attr}" if base else ""
    return node.id if isinstance(node, ast.Name) else ""


def imported(tree: ast.AST) -> Iterator[str]:
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom) and node.module and not node.level:
            yield from (f"{node.module}.{alias.name}" for alias in node.names)


@cache
def tree_of(path: Path) -> ast.Module:
    return ast.parse(path.read_text(encoding="utf-8"))


@cache
def used(path: Path) -> frozenset[str]:
    """Every name and dotted name in a file, and what it imports."""
    tree = tree_of(path)
    named = {dotted(node) for node in ast.walk(tree) if isinstance(node, ast.Attribute | ast.Name)}
    return frozenset(named | set(imported(tree)))


def test_only_the_settings_read_the_environment() -> None:
    readers = {}
    for path in SOURCES:
        hits = {n for n in used(path) if n.startswith(("os.environ", "os.getenv", "os.putenv", "pydantic_settings."))}
        if hits and name_of(path) != "reactor_core/utils/settings.py":
            readers[name_of(path)] = sorted(hits)
    assert readers == {}


def test_nothing_is_pickled() -> None:
    picklers = {}
    for path in SOURCES:
        tree = tree_of(path)
        hits = {n for n in imported(tree) if n.split(".")[0] in PICKLE_MODULES} | (used(path) & PICKLE_CALLS)
        hits |= {
            "allow_pickle"
            for node in ast.walk(tree)
            if isinstance(node, ast.keyword) and node.arg == "allow_pickle" and getattr(node.value, "value", 1)
        }
        if name_of(path) in UNPICKLERS:
            loads = [n for n in ast.walk(tree) if isinstance(n, ast.Call) and dotted(n.func) == "torch.load"]
            safe = [
                n for n in loads for k in n.keywords if k.arg == "weights_only" and getattr(k.value, "value", 0) is True
            ]
            hits -= {"torch.load"} if len(safe) == len(loads) else set()
        if hits:
            picklers[name_of(path)] = sorted(hits)
    assert picklers == {}


def test_no_file_is_two_rooms() -> None:
    long = {name_of(p): n for p in SOURCES if (n := len(p.read_text(encoding="utf-8").splitlines())) > MAX_LINES}
    assert long == {}


def test_every_package_folder_holds_something() -> None:
    folders = sorted({p.parent for p in SOURCES})
    missing = [name_of(f) for f in folders if not (f / "__init__.py").exists()]
    empty = [name_of(f) for f in folders if not [p for p in f.glob("*.py") if p.name != "__init__.py"]]
    assert (missing, empty) == ([], [])


@pytest.mark.parametrize("path", SOURCES, ids=name_of)
def test_every_module_says_what_it_is(path: Path) -> None:
    assert ast.get_docstring(ast.parse(path.read_text(encoding="utf-8")))


def test_every_module_has_a_test_file_of_its_own() -> None:
    missing = []
    for path in SOURCES:
        twin = ROOT / "tests" / path.relative_to(SRC).with_name(f"test_{path.stem}.py")
        if not path.name.startswith("__") and not twin.exists() and name_of(path) not in UNMIRRORED:
            missing.append(name_of(path))
    assert missing == [], "write the test file, or list the module in UNMIRRORED with the reason"


def test_the_exceptions_are_still_exceptions() -> None:
    gone = [n for n in UNMIRRORED if not (SRC / n).exists()]
    mirrored = [n for n in UNMIRRORED if (ROOT / "tests" / Path(n).with_name(f"test_{Path(n).stem}.py")).exists()]
    assert (gone, mirrored) == ([], [])
