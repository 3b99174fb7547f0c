"""Ways to write an action differently that leave what it does as it is."""

from __future__ import annotations

import base64
import shlex
from collections.abc import Callable

__all__ = ["PYTHON_DISGUISES", "SHELL_DISGUISES", "SQL_DISGUISES"]

Disguise = Callable[[str], str]


def _quoted(text: str) -> str:
    return shlex.quote(text)


def _escaped(text: str) -> str:
    return "".join(f"\\x{byte:02x}" for byte in text.encode())


def _coded(text: str) -> str:
    return base64.b64encode(text.encode()).decode()


SHELL_DISGUISES: dict[str, Disguise] = {
    "quoting": lambda text: f"b'a's\"h\" -'c' {_quoted(text)}",
    "ifs": lambda text: f"bash${{IFS}}-c${{IFS}}{_quoted(text)}",
    "variable": lambda text: f'x={_quoted(text)}; eval "$x"',
    "escapes": lambda text: f"bash -c $'{_escaped(text)}'",
    "base64": lambda text: f"echo {_coded(text)} | base64 -d | bash",
    "hex": lambda text: f'bash -c "$(xxd -r -p <<< {text.encode().hex()})"',
    "reversed": lambda text: f"rev <<< {_quoted(text[::-1])} | bash" if "\n" not in text else f"{{ {text}\n}}",
    "wrappers": lambda text: f"nohup env A=1 timeout -k 5 60 nice -n 5 bash -c {_quoted(text)}",
    "xargs": lambda text: f"printf '%s\\0' {_quoted(text)} | xargs -0 -n1 bash -c",
    "function": lambda text: f"f() {{\n{text}\n}}\nf",
    "loop": lambda text: f"for i in 1; do\n{text}\ndone",
    "here-string": lambda text: f"bash <<< {_quoted(text)}",
    "here-document": lambda text: f"sh <<'END_OF_IT'\n{text}\nEND_OF_IT",
    "subshell": lambda text: f"true && (\n{text}\n)",
    "condition": lambda text: f"if [ -n x ]; then\n{text}\nfi",
    "alias": lambda text: (
        f"shopt -s expand_aliases\nalias go={_quoted(text if _one_line(text) else 'true')}\n"
        f"{'go' if _one_line(text) else text}"
    ),
    "substitution": lambda text: f'echo "$(\n{text}\n)"',
    "script": lambda text: f"cat > /tmp/reactor-x.sh <<'END_OF_IT'\n{text}\nEND_OF_IT\nsh /tmp/reactor-x.sh",
    "interpreter": lambda text: f"python3 -c {_quoted(f'import os; os.system({text!r})')}",
    "process substitution": lambda text: f"bash <(printf '%s' {_quoted(text)})",
    "trap": lambda text: f"trap {_quoted(text)} EXIT",
}
"""By name; each takes a script of one or several lines."""


def _one_line(text: str) -> bool:
    return not any(sign in text for sign in "\n;&|(){}<>")


SQL_DISGUISES: dict[str, Disguise] = {
    "leading comment": lambda text: f"/* nightly */ {text}",
    "second statement": lambda text: f"SELECT 1; {text}",
    "blanks": lambda text: f"\n\t {text} \n;",
    "line comment": lambda text: f"-- tidy\n{text}",
}

PYTHON_DISGUISES: dict[str, Disguise] = {
    "exec": lambda text: f"exec({text!r})",
    "compile": lambda text: f"exec(compile({text!r}, 'x', 'exec'))",
    "function": lambda text: "def f():\n" + "".join(f"    {line}\n" for line in text.splitlines()) + "f()",
    "base64": lambda text: f"import base64; exec(base64.b64decode({_coded(text)!r}))",
    "conditional": lambda text: "if True:\n" + "".join(f"    {line}\n" for line in text.splitlines()),
}
