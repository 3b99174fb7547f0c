"""Mail actions: calls of mail tools, interfaces of mail libraries, mail programs of the shell."""

from __future__ import annotations

import ast
import re

from reactor_core.safety.calls import Call, Unresolved, parse_calls
from reactor_core.safety.email.apis import judge_api
from reactor_core.safety.email.cmdlets import judge_cmdlets
from reactor_core.safety.email.verbs import judge_call
from reactor_core.safety.scope import Scope, unclear
from reactor_core.safety.verdict import Effect, Finding, Judged, Touch, Verdict, found

__all__ = ["judge"]

_PYTHON = re.compile(r"\b(?:os|subprocess|shutil|socket|requests|pathlib|sys|ctypes|pickle)$")
_ADDRESS = re.compile(r"[\w.+-]+@[\w-]+(?:\.[\w-]+)+")


def judge(text: str, scope: Scope) -> Judged:
    """Judge calls such as ``send_email(to=..., subject=...)``, alone, in loops, or as programs of the shell."""
    scope.effort.spend(1 + len(text) // 32)
    calls = (
        parse_calls(re.sub(r"(?<=[=(,\s])\$\{?(\w+)\}?", r"\1", text))
        if "(" in text or text.lstrip().startswith("{")
        else None
    )
    touches = tuple(Touch("account", address, "write") for address in dict.fromkeys(_ADDRESS.findall(text)))
    if calls is not None:
        judged = [_call(call, scope) for call in calls]
        findings = tuple(finding for part in judged for finding in part.findings)
        return Judged(findings, tuple(call.source for call in calls), touches)
    cmdlets = judge_cmdlets(text, scope)
    if cmdlets is not None:
        return Judged(cmdlets.findings, cmdlets.resolved, touches)
    named = _mentioned(text, scope)
    if named is not None:
        return Judged(named.findings, named.resolved, touches)
    inner = scope.nested("shell", text)
    return Judged(inner.findings, inner.resolved, touches + inner.touches)


def _call(call: Call, scope: Scope) -> Judged:
    scope.effort.spend()
    if call.name in {"exec", "eval", "compile"} and not call.receiver:
        return _decoded(call, scope)
    if call.name == "help" and not call.receiver:
        return Judged()
    if _PYTHON.search(call.receiver) and call.name not in {"send", "sendmail"}:
        return _ran(call, scope)
    is_api, finding = judge_api(call, scope)
    if not is_api:
        finding = judge_call(call, scope)
    return Judged(() if finding is None else (finding,))


def _ran(call: Call, scope: Scope) -> Judged:
    """Python of its own, such as opening an attachment with its program."""
    if call.name in {"startfile", "system", "popen", "Popen", "run", "call"} and re.search(
        r"\.(?:hta|exe|js|vbs|ps1|bat|scr|cmd|sh|jar|lnk|iso|docm|xlsm)\b", call.source
    ):
        says = "runs an attachment"
        return Judged((found("B5", says, Effect(privilege=True), part=call.source[:300]),))
    return scope.nested("python", call.source)


def _decoded(call: Call, scope: Scope) -> Judged:
    """Code that a text holds: judged as mail calls if it is such, else as Python."""
    inner = call.positional[0] if call.positional else None
    if not isinstance(inner, str):
        source = inner.source if isinstance(inner, Unresolved) else call.source
        return Judged((unclear("runs what is put together at run time", part=source[:300]),))
    calls = parse_calls(inner)
    judged = judge(inner, scope) if calls is not None else scope.nested("python", inner)
    if judged.verdict is Verdict.BLOCK:
        worst: Finding = next(one for one in judged.findings if one.verdict is Verdict.BLOCK)
        says = f"runs something encoded; in plain it {worst.says}"
        return Judged((found("B8", says, worst.effect, part=inner[:300]), *judged.findings), (inner,), judged.touches)
    return Judged((*judged.findings, unclear("runs something encoded", part=inner[:300])), (inner,), judged.touches)


def _mentioned(text: str, scope: Scope) -> Judged | None:
    """Python in which calls are made in a roundabout way: each function that it names is judged as if it were called
    with all the arguments in sight. None if it is no Python."""
    if "(" not in text:
        return None
    try:
        tree = ast.parse(text.strip())
    except (SyntaxError, ValueError, RecursionError, MemoryError):
        return None
    keywords = ", ".join(ast.unparse(node) for node in ast.walk(tree) if isinstance(node, ast.keyword))
    names = {node.attr for node in ast.walk(tree) if isinstance(node, ast.Attribute)}
    names |= {node.id for node in ast.walk(tree) if isinstance(node, ast.Name)}
    names |= {
        node.value
        for node in ast.walk(tree)
        if isinstance(node, ast.Constant) and isinstance(node.value, str) and node.value.isidentifier()
    }
    findings = [unclear("calls in a way that hides what is called", part=text[:300])]
    for name in sorted(names):
        scope.effort.spend()
        calls = parse_calls(f"{name}({keywords})")
        for call in calls or ():
            finding = judge_call(call, scope) if "_" in name or len(names) < 6 else None
            if finding is not None and finding.rule != "C6":
                findings.append(finding)
    return Judged(tuple(findings), (text,))
