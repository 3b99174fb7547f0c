"""What surrounds statements: names that a test replaces, and loops that wait."""

from __future__ import annotations

import ast

from reactor_core.safety.python.modules import canonical
from reactor_core.safety.python.values import Value

__all__ = ["patched", "waits"]


def waits(node: ast.AST) -> bool:
    """Whether this makes a loop wait for something, so that it does not run wild."""
    called = node.func if isinstance(node, ast.Call) else None
    name = called.attr if isinstance(called, ast.Attribute) else called.id if isinstance(called, ast.Name) else ""
    return name in ("sleep", "wait", "input", "get", "recv", "accept", "select", "poll", "readline", "receive", "join")


def patched(value: Value) -> set[str]:
    """What ``mock.patch('shutil.rmtree')`` replaces while its block runs."""
    if not value.calls or not value.name.endswith("()"):
        return set()
    call, name = value.calls[-1], value.name
    if "patch" not in name and "monkeypatch" not in name:
        return set()
    texts = [one.string for one in call.args if one.string is not None]
    if name.endswith("object()") and len(call.args) > 1:
        return {f"{call.args[0].name}.{call.args[1].string}"}
    return {canonical(text) for text in texts[:1]} | {
        text.rpartition(".")[2] for text in texts[:1] if text.count(".") > 1
    }
