"""Commands that change the shell itself: ``cd``, ``export``, ``read``, ``set``, ``trap``, ``alias`` and so on."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from reactor_core.safety.shell.command import Word
from reactor_core.safety.shell.conditions import holds
from reactor_core.safety.shell.outputs import printed
from reactor_core.safety.shell.running import Call, Outcome, absolute
from reactor_core.safety.shell.scripts import evaluate, run_shell, source
from reactor_core.safety.shell.sources import Source
from reactor_core.safety.shell.state import EMPTY, UNKNOWN, Value, literal
from reactor_core.safety.shell.wrappers import SHELLS

__all__ = ["BUILTINS"]


def _cd(call: Call) -> Outcome:
    shell = call.shell
    words = [word for word in call.args if word.text is None or not (word.text.startswith("-") and len(word.text) > 1)]
    target: str | None
    if call.name == "popd" or (words and words[0].text == "-"):
        target = shell.variables.get("OLDPWD", (UNKNOWN,))[0].text
    elif not words:
        home = shell.ways("HOME")
        target = home[0].text if home else None
    else:
        target = words[0].text
    if target is None:
        shell.set("PWD", literal(""))
    else:
        path = absolute(target, call.scope.cwd)
        shell.set("PWD", literal(call.world.links.get(path, path) if path.startswith("/") else ""))
    shell.set("OLDPWD", literal(call.scope.cwd))
    return Outcome(status=None)


def _export(call: Call) -> Outcome:
    shell = call.shell
    names = [assignment.name for assignment in call.declared]
    flags = "".join(word.text[1:] for word in call.args if word.text and word.text.startswith("-"))
    for word in call.args:
        text = word.known_prefix
        if text.startswith("-"):
            continue
        name, equals, value = text.partition("=")
        if equals:
            shell.set(name, Value((value, *word.parts[1:]), word.origin))
        names.append(name)
    if call.name == "export" and "n" in flags:
        shell.exported = shell.exported - set(names)
    elif call.name == "export" or "x" in flags:
        shell.exported = shell.exported | set(names)
    return Outcome(status=True)


def _unset(call: Call) -> Outcome:
    functions = any(word.text == "-f" for word in call.args)
    for word in call.args:
        if word.text is None or word.text.startswith("-"):
            continue
        if functions or word.text not in call.shell.variables:
            call.shell.functions.pop(word.text, None)
        if not functions:
            call.shell.forget(word.text)
    return Outcome(status=True)


def _set(call: Call) -> Outcome:
    shell = call.shell
    words = list(call.args)
    while words:
        text = words[0].text
        if text is None or not text.startswith(("-", "+")):
            break
        words.pop(0)
        if text == "--":
            shell.positional = None if any(word.many for word in words) else tuple(_value(word) for word in words)
            return Outcome(status=True)
        if text in ("-o", "+o") and words:
            shell.options.add(words.pop(0).text or "")
        elif text.startswith("-") and "a" in text[1:]:
            shell.options.add("allexport")
    if words:
        shell.positional = None if any(word.many for word in words) else tuple(_value(word) for word in words)
    return Outcome(status=True)


def _shopt(call: Call) -> Outcome:
    if any(word.text == "-s" for word in call.args):
        call.shell.options |= {word.text for word in call.args if word.text and not word.text.startswith("-")}
    return Outcome(status=True)


def _alias(call: Call) -> Outcome:
    for word in call.args:
        name, equals, value = word.known_prefix.partition("=")
        if equals and name and not name.startswith("-"):
            call.shell.aliases[name] = value if word.text is not None else f"{value}$UNKNOWN"
    return Outcome(status=True)


def _unalias(call: Call) -> Outcome:
    for word in call.args:
        if word.text == "-a":
            call.shell.aliases.clear()
        call.shell.aliases.pop(word.text or "", None)
    return Outcome(status=True)


def _read(call: Call) -> Outcome:
    """Sets the variables to the words of the first line; what is left of the input stays there."""
    shell = call.shell
    args = list(call.args)
    names = []
    array = False
    while args:
        text = args.pop(0).text
        if text is None:
            continue
        if text.startswith("-") and len(text) > 1:
            array = array or "a" in text
            if text[-1] in "dinNptu" and args:
                args.pop(0)
            continue
        names.append(text)
    names = names or ["REPLY"]
    stdin = call.stdin if call.stdin is not None else UNKNOWN
    if stdin.text is None:
        for name in names:
            shell.set(name, Value(stdin.parts if len(names) == 1 else (None,), stdin.origin, stdin.globbed))
        return Outcome(status=None)
    line, _, rest = stdin.text.partition("\n")
    if shell.stdin is not None:
        shell.stdin = Value((rest,), stdin.origin, stdin.globbed)
    separators = call.env["IFS"].text if "IFS" in call.env else None
    if array:
        items = tuple(Value((piece,), stdin.origin) for piece in line.split(separators or None))
        shell.set(names[0], Value(("",), stdin.origin, items=items))
    else:
        fields = _fields(line, separators, len(names))
        for name, field in zip(names, fields + [""] * len(names), strict=False):
            shell.set(name, Value((field,), stdin.origin, stdin.globbed))
    return Outcome(status=stdin.text != "")


def _fields(line: str, separators: str | None, count: int) -> list[str]:
    if separators == "":
        return [line]
    if separators is None or separators.isspace():
        return line.split(None, count - 1) if line.strip() else [""]
    out = [line]
    while len(out) < count:
        last = out[-1]
        at = next((i for i, char in enumerate(last) if char in separators), -1)
        if at < 0:
            break
        out[-1:] = [last[:at], last[at + 1 :]]
    return out


def _mapfile(call: Call) -> Outcome:
    names = [word.text for word in call.args if word.text and not word.text.startswith("-")]
    stdin = call.stdin if call.stdin is not None else UNKNOWN
    lines: list[str | None] = [None] if stdin.text is None else list(stdin.text.splitlines())
    items = tuple(Value((line,), stdin.origin, stdin.globbed) for line in lines)
    call.shell.set(names[-1] if names else "MAPFILE", Value(("",), stdin.origin, items=items))
    return Outcome(status=True)


def _printf(call: Call) -> Outcome | None:
    if len(call.args) > 2 and call.args[0].text == "-v" and call.args[1].text:
        value = printed(Source("printf", call.args[2:], None, call.shell, call.scope.cwd))
        call.shell.set(call.args[1].text, value)
        return Outcome(status=True)
    return None


def _shift(call: Call) -> Outcome:
    text = call.args[0].text if call.args else "1"
    if call.shell.positional is not None:
        count = int(text) if text and text.isdigit() else 1
        call.shell.positional = call.shell.positional[count:]
    return Outcome(status=True)


def _trap(call: Call) -> Outcome:
    words = [word for word in call.args if word.text != "--"]
    if len(words) > 1 and not (words[0].text or "").startswith("-"):
        call.shell.traps.append(words[0].text if words[0].text is not None else "$UNKNOWN")
    return Outcome(status=True)


def _ends(call: Call) -> Outcome:
    ends = {"break": "loop", "continue": "loop", "return": "function"}
    call.shell.dead = ends.get(call.name, "exit")
    return Outcome(status=None)


def _test(call: Call) -> Outcome:
    words: Sequence[Word] = call.args
    if call.name == "[" and words and words[-1].text == "]":
        words = words[:-1]
    return Outcome(status=holds(words))


def _let(call: Call) -> Outcome:
    for word in call.args:
        name = word.known_prefix.partition("=")[0].rstrip("+-*/%")
        if name.isidentifier():
            call.shell.set(name, UNKNOWN)
    return Outcome(status=None)


def _command(call: Call) -> Outcome | None:
    if call.args and call.args[0].text in ("-v", "-V"):
        return Outcome(printed(Source("which", call.args[1:], None, call.shell, call.scope.cwd)))
    return None


def _getopts(call: Call) -> Outcome:
    for word in call.args[1:2]:
        if word.text:
            call.shell.set(word.text, UNKNOWN)
    call.shell.set("OPTARG", UNKNOWN)
    return Outcome(status=None)


def _value(word: Word) -> Value:
    return Value(word.parts, word.origin, word.globbed)


def _nothing(status: bool | None) -> Callable[[Call], Outcome]:
    return lambda _call: Outcome(EMPTY, status)


BUILTINS: dict[str, Callable[[Call], Outcome | None]] = {
    **dict.fromkeys(("cd", "pushd", "popd", "chdir"), _cd),
    **dict.fromkeys(("export", "declare", "typeset", "local", "readonly"), _export),
    **dict.fromkeys(("exit", "return", "break", "continue", "logout"), _ends),
    **dict.fromkeys(("test", "["), _test),
    **dict.fromkeys(("source", "."), source),
    **dict.fromkeys(("mapfile", "readarray"), _mapfile),
    **dict.fromkeys(
        ("setopt", "wait", "hash", "umask", "jobs", "bg", "fg", "times", "enable", "complete", "bind",
             "suspend", "dirs",
         "disown", "autoload", "unsetopt", "emulate", "compinit", ":", "true"),
        _nothing(True),
    ),
    "false": _nothing(False),
    "compgen": _nothing(None),
    "unset": _unset,
    "set": _set,
    "shopt": _shopt,
    "alias": _alias,
    "unalias": _unalias,
    "read": _read,
    "printf": _printf,
    "shift": _shift,
    "trap": _trap,
    "let": _let,
    "command": _command,
    "getopts": _getopts,
    "eval": evaluate,
    **dict.fromkeys(SHELLS, run_shell),
}  # fmt: skip
"""None as the outcome: the call goes on as that of a program."""
