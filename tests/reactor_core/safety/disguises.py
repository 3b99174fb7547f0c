"""Ways to write an action differently that leave what it does as it is."""

from __future__ import annotations

import base64
import shlex
from collections.abc import Callable

__all__ = ["PYTHON_DISGUISES", "SHELL_DISGUISES", "SQL_DISGUISES", "Disguise"]

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


def _indented(text: str) -> str:
    return "".join(f"    {line}\n" for line in text.splitlines())


SQL_DISGUISES: dict[str, Disguise] = {
    "leading comment": lambda text: f"/* nightly */ {text}",
    "second statement": lambda text: f"SELECT 1; {text}",
    "blanks": lambda text: f"\n\t {text} \n;",
    "line comment": lambda text: f"-- tidy\n{text}",
    "block": lambda text: f"BEGIN;\n{text.rstrip('; ')};\nCOMMIT;",
    "three statements": lambda text: f"SELECT 1;\n{text.rstrip('; ')};\nSELECT 2;",
    "trailing comment": lambda text: f"{text.rstrip('; ')} -- WHERE id = 1",
    "trailing block": lambda text: f"{text.rstrip('; ')} /* WHERE id = 1 */",
    "windows lines": lambda text: "\r\n" + text.replace("\n", "\r\n"),
    "many semicolons": lambda text: f";;{text.rstrip('; ')};;;",
    "comments in a row": lambda text: f"/* a */ -- b\n/* c */ {text}",
    "blanks around the end": lambda text: f"\n\n\t{text.rstrip('; ')}   ;   ",
    "setting first": lambda text: f"SET search_path = public; {text}",
}

PYTHON_DISGUISES: dict[str, Disguise] = {
    "exec": lambda text: f"exec({text!r})",
    "compile": lambda text: f"exec(compile({text!r}, 'x', 'exec'))",
    "function": lambda text: "def f():\n" + "".join(f"    {line}\n" for line in text.splitlines()) + "f()",
    "base64": lambda text: f"import base64; exec(base64.b64decode({_coded(text)!r}))",
    "eval": lambda text: f"eval(compile({text!r}, '', 'exec'))",
    "hex": lambda text: f"exec(bytes.fromhex({text.encode().hex()!r}))",
    "reversed": lambda text: f"exec({text[::-1]!r}[::-1])",
    "characters": lambda text: f"exec(''.join(map(chr, {[ord(one) for one in text]!r})))",
    "builtins": lambda text: f"import builtins\ngetattr(builtins, 'ex' + 'ec')({text!r})",
    "dunder": lambda text: f"__builtins__.exec({text!r})",
    "try": lambda text: "try:\n" + _indented(text) + "finally:\n    pass\n",
    "thread": lambda text: "import threading\ndef f():\n" + _indented(text) + "threading.Thread(target=f).start()",
    "class": lambda text: "class A:\n    def run(self):\n" + _indented(_indented(text)) + "A().run()",
    "loop": lambda text: "for _ in [0]:\n" + _indented(text),
    "conditional": lambda text: "if True:\n" + "".join(f"    {line}\n" for line in text.splitlines()),
}
