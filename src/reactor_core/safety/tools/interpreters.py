"""Interpreters: what they are given on the command line, by standard input, or as a file."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import replace

from reactor_core.safety import paths
from reactor_core.safety.tools.javascript import runs_package
from reactor_core.safety.tools.line import Known, Line, Textual, read_line, shown, spelled, wordset
from reactor_core.safety.tools.oneliners import judge_source
from reactor_core.safety.tools.registry import Call, handler_of, handles, origin_of
from reactor_core.safety.tools.table import lookup
from reactor_core.safety.tools.targets import fetched, judged_path, merged, read
from reactor_core.safety.verdict import Finding, Judged

__all__: list[str] = []

MAX_SCRIPT = 262_144

_PYTHONS = ("python", "python2", "python3", "pypy", "pypy3", "ipython", "ipython3", "bpython", "pythonw", "py",
            *(f"python3.{minor}" for minor in range(6, 16)), "python2.7")  # fmt: skip
_OWN_SCRIPTS = frozenset({"manage.py", "setup.py", "conftest.py", "noxfile.py", "runtests.py", "app.py", "main.py"})


@handles(*_PYTHONS)
def judge_python(call: Call) -> Judged | None:
    """``-c`` is judged as Python, ``-m`` as the program of that name, a script by its content if it can be read."""
    line = read_line(call.program, call.words[1:], values=("-c", "-m", "-W", "-X", "-Q"), stops=True)
    code = line.values("-c")
    if code:
        return _python(call, code[0])
    module = line.values("-m")
    if module:
        return _module(call, module[0], _behind(call, module[0]))
    if line.has("-V", "-h", "-VV"):
        return Judged()
    if not line.operands or line.operands[0].text == "-":
        return _from_stdin(call, "python")
    script = line.operands[0]
    if script.text is not None and script.text.rsplit("/", 1)[-1] == "setup.py":
        return _setup(call, line)
    return _script(call, script, "python", line.operands[1:])


def _behind(call: Call, word: Textual) -> tuple[Textual, ...]:
    """Words behind the module: ``-m`` may be part of the same word, as in ``-mjson.tool``."""
    words = list(call.words)
    for index, one in enumerate(words):
        text = one.text or ""
        if one is word:
            return tuple(words[index + 1 :])
        if text.startswith("-m") and len(text) > 2 and text[2:] == word.text:
            return tuple(words[index + 1 :])
    return ()


def _python(call: Call, code: Textual) -> Judged:
    if origin_of(code).fetched:
        return merged(call.found("B5", f"{call.program}: runs what another machine sends", outward=True))
    if code.text is None:
        return merged(call.found("C6", f"{call.program}: runs a program that cannot be known beforehand"))
    return call.nested("python", code.text)


def _module(call: Call, module: Textual, rest: tuple[Textual, ...]) -> Judged:
    name = module.text
    if name is None:
        return merged(call.found("C6", f"{call.program}: runs a module that cannot be known beforehand"))
    if name == "http.server":
        return _http_server(call, rest)
    program = name.partition(".")[0] if name not in _MODULES else _MODULES[name]
    if program in _READING_MODULES:
        return Judged()
    if program == "venv" or program == "ensurepip":
        clears = [word for word in rest if not word.known_prefix.startswith("-")]
        wipes = any(word.text == "--clear" for word in rest)
        return merged(*(_cleared(call, word) for word in clears)) if wipes else Judged()
    return call.nested("shell", spelled((Known(program), *rest)))


def _cleared(call: Call, word: Textual) -> Judged | None:
    if word.text is None or word.text.rstrip("/").endswith((".venv", "venv")):
        return None
    return judged_path(call, word, lambda path: paths.deletion(path, call.scope, recursive=True), how="delete")


_READING_MODULES = wordset("""
    json py_compile compileall dis ast tokenize timeit calendar this antigravity platform site sysconfig pydoc
    doctest unittest trace cProfile profile pstats zipfile tarfile gzip base64 uuid textwrap difflib tabnanny
    idlelib pyclbr symtable inspect ensurepip build wheel packaging mimetypes locale turtledemo zoneinfo sqlite3
    asyncio html string quopri encodings
""")
_MODULES = {"reactor_core.cli": "reactor", "a1_reactor.cli": "reactor", "reactor_core": "reactor",
            "pip._internal": "pip", "IPython": "ipython", "jupyter": "jupyter", "torch.distributed.run": "torchrun",
            "torch.distributed.launch": "torchrun", "django": "django-admin", "sphinx": "sphinx-build"}  # fmt: skip


def _http_server(call: Call, rest: tuple[Textual, ...]) -> Judged:
    line = read_line("http.server", rest, values=("-b", "--bind", "-d", "--directory", "-p"))
    bind = line.value("-b", "--bind") or "0.0.0.0"  # noqa: S104  its default
    if bind in {"127.0.0.1", "localhost", "::1"}:
        return Judged()
    folder = line.value("-d", "--directory") or "."
    place = paths.place(folder, call.scope)
    if place in {paths.Place.HOME, paths.Place.ROOT, paths.Place.SECRET, paths.Place.SYSTEM}:
        return merged(
            call.found("B5", f"offers {folder} with its keys to the network", folder, outward=True, secret=True)
        )
    return merged(call.found("C7", f"offers {folder} to the network", folder, outward=True))


def _setup(call: Call, line: Line) -> Judged:
    subs = [word.text for word in line.operands[1:]]
    if "upload" in subs or "register" in subs:
        return merged(call.found("C7", "publishes a package", outward=True))
    return Judged()


def _from_stdin(call: Call, language: str) -> Judged:
    if not call.has_stdin:
        return Judged()  # a prompt, and nobody there to type
    if call.origin.fetched:
        return merged(call.found("B5", f"{call.program}: runs what another machine sends", outward=True))
    if call.stdin is None:
        return merged(call.found("C6", f"{call.program}: runs a program that cannot be known beforehand"))
    judged = (
        call.nested("python", call.stdin) if language == "python" else judge_source(call, call.stdin, language=language)
    )
    decoded = call.found("C6", f"{call.program}: decodes a program and runs it") if call.origin.decoded else None
    return merged(judged, decoded)


def _script(call: Call, script: Textual, language: str, rest: Sequence[Textual] = ()) -> Judged:
    if origin_of(script).fetched or fetched(call, script):
        return merged(call.found("B5", f"runs {shown(script)}, which the same action has fetched", outward=True))
    if script.text is None:
        return merged(call.found("C6", f"{call.program}: runs a script that cannot be known beforehand"))
    text = script.text
    known = text.rsplit("/", 1)[-1]
    if handler_of(known) is not None or lookup(known) is not None:  # manage.py, artisan: projects carry them
        return call.nested("shell", spelled((Known(known), *rest)))
    if text.startswith(("http://", "https://")):
        return merged(call.found("B5", f"runs {text}, which nobody has looked at", text, outward=True))
    disk = call.scope.disk
    if disk is not None and not call.scope.host:
        content = disk.read(paths.normal(text, call.scope), MAX_SCRIPT)
        if content is not None:
            source = content.decode("utf-8", "replace")
            return (
                call.nested("python", source) if language == "python" else judge_source(call, source, language=language)
            )
    return merged(call.found("C6", f"runs {text}, whose content is not known", text))


_LANGUAGES = {
    "perl": "perl", "perl5": "perl", "ruby": "ruby", "jruby": "ruby", "node": "node", "nodejs": "node", "deno": "node",
    "bun": "node", "php": "php", "lua": "lua", "luajit": "lua", "tsx": "node", "ts-node": "node", "zx": "node",
    "Rscript": "ruby", "R": "ruby", "julia": "ruby", "groovy": "ruby", "osascript": "ruby", "elixir": "ruby",
    "guile": "ruby", "sbcl": "ruby", "ghci": "ruby",
    "runghc": "ruby",
    "raku": "perl", "php8": "php", "irb": "ruby", "swipl": "ruby", "octave": "ruby", "jshell": "node", "racket": "ruby",
    "qjs": "node", "scala": "node", "kotlin": "node", "crystal-eval": "ruby", "pry": "ruby",
    "luajit2": "lua", "lua5.4": "lua", "lua5.3": "lua", "perl6": "perl", "php-cli": "php",
}  # fmt: skip
"""Programs and the language whose way of writing strings is near enough to theirs."""

_CODE_OPTIONS = ("-e", "-E", "--eval", "--print", "-p", "-pe", "-ne", "-r", "--run", "-R", "--exec", "-ex")


@handles(*_LANGUAGES)
def judge_interpreter(call: Call) -> Judged | None:
    """A program on the command line, from standard input, or a script."""
    language = _LANGUAGES[call.program]
    if call.program in {"deno", "bun"} and (judged := _deno(call)) is not None:
        return judged
    if (served := _serves(call)) is not None:
        return served
    codes, files, edits = _programs(call, language)
    parts: list[Judged | Finding | None] = []
    for code in codes:
        if origin_of(code).fetched:
            parts.append(call.found("B5", f"{call.program}: runs what another machine sends", outward=True))
        elif code.text is None:
            parts.append(call.found("C6", f"{call.program}: runs a program that cannot be known beforehand"))
        else:
            parts.append(judge_source(call, code.text, language=language))
    if codes:
        if edits:
            parts += [_edited(call, word) for word in files]
        elif call.program in {"perl", "ruby"}:
            parts.append(read(call, files))
        return merged(*parts)
    if any(
        word.text in {"-v", "--version", "-h", "--help", "--check", "-c", "-l", "-wc", "-V"} for word in call.words[1:3]
    ):
        return Judged()
    if files and files[0].text != "-":
        return _script(call, files[0], language, files[1:])
    return _from_stdin(call, language)


def _serves(call: Call) -> Judged | None:
    """``php -S address`` and ``ruby -run -e httpd`` serve the current folder."""
    texts = [word.text or "" for word in call.words[1:]]
    if call.program.startswith("php") and "-S" in texts:
        address = texts[texts.index("-S") + 1] if texts.index("-S") + 1 < len(texts) else ""
        own = address.startswith(("localhost", "127.", "[::1]"))
        return (
            Judged() if own else merged(call.found("C7", f"serves to the network at {address}", address, outward=True))
        )
    if call.program == "ruby" and "-run" in texts and "httpd" in texts:
        return merged(call.found("C7", "serves to the network", outward=True))
    return None


def _edited(call: Call, word: Textual) -> Judged | Finding | None:
    if word.text is None:
        return call.found("C6", f"{call.program}: edits files that cannot be known beforehand")
    return judged_path(call, word, lambda path: paths.overwriting(path, call.scope))


def _programs(call: Call, language: str) -> tuple[list[Textual], list[Textual], bool]:
    """Program texts, other words, and whether files are edited in place (``-i``)."""
    codes: list[Textual] = []
    files: list[Textual] = []
    edits = False
    words = list(call.words[1:])
    index = 0
    while index < len(words):
        word = words[index]
        text = word.text if word.text is not None else word.known_prefix
        index += 1
        if text == "--":
            files.extend(words[index:])
            break
        if not text.startswith("-") or text == "-":
            files.append(word)
            if not codes and language != "perl":
                files.extend(words[index:])
                break
            continue
        edits = edits or bool(
            re.match(r"^-[a-zA-Z0-9]*i", text) and call.program in {"perl", "ruby"} and not text.startswith("-M")
        )
        if _takes_code(text, call.program) and index < len(words):
            codes.append(words[index])
            index += 1
        elif text.startswith(("--eval=", "--print=", "--run=")):
            codes.append(Known(text.partition("=")[2]))
        elif (
            text in {"-r", "--require", "-I", "-M", "--import", "--loader", "-d", "-f", "-B", "-C"}
            and index < len(words)
            and call.program != "php"
        ):
            index += 1
    return codes, files, edits


def _takes_code(text: str, program: str) -> bool:
    if program.startswith("php"):
        return text in {"-r", "--run", "-R", "-B"}
    if program in {"ruby", "node", "nodejs", "bun", "jruby", "tsx", "ts-node"}:
        return text in {"-e", "--eval", "-p", "--print", "-pe"} or (
            program == "ruby" and bool(re.match(r"^-[a-z]*e$", text))
        )
    if program.startswith("perl") or program == "raku":
        return bool(re.match(r"^-[a-zA-Z0-9.]*[eE]$", text)) and not text.startswith(("-M", "-m", "-I"))
    return text in _CODE_OPTIONS or (program == "guile" and text == "-c")


def _deno(call: Call) -> Judged | None:
    line = read_line(call.program, call.words[1:], values=("-e", "--eval"), stops=True)
    sub = line.sub()
    if sub == "eval" and len(line.operands) > 1:
        code = line.operands[-1]
        return judge_source(call, code.text or "", language="node") if code.text is not None else None
    if sub in {
        "fmt",
        "lint",
        "test",
        "check",
        "doc",
        "info",
        "types",
        "bench",
        "cache",
        "task",
        "compile",
        "bundle",
        "coverage",
        "init",
        "build",
    }:
        return Judged()
    if sub in {"install", "add", "remove", "i", "ci", "update", "outdated", "pm", "link", "patch", "why", "audit"}:
        return (
            merged(call.found("C5", "installs a program for the user"))
            if line.has("-g", "--global") or (call.program == "deno" and sub == "install" and len(line.operands) > 1)
            else Judged()
        )
    if sub == "publish":
        return (
            merged(call.found("C7", "publishes a package", outward=True))
            if not call.line.has("--dry-run")
            else Judged()
        )
    if sub == "x":
        return runs_package(replace(call, line=line), line.operands[1:])
    if sub in {"run", "serve"} and len(line.operands) > 1:
        if call.program == "bun" and re.fullmatch(r"[\w:-]+", line.sub(1)):
            return Judged()
        target = [word for word in line.operands[1:] if not word.known_prefix.startswith("-")]
        return _script(call, target[0], "node") if target else Judged()
    if call.program == "bun" and re.fullmatch(r"[\w:-]+", sub):
        return Judged()
    return None


_AWK_VALUES = ("-F", "--field-separator", "-v", "--assign", "-f", "--file", "-i", "--include", "-E", "--exec", "-l")


@handles("awk", "gawk", "mawk", "nawk", "original-awk", "goawk", "frawk")
def judge_awk(call: Call) -> Judged | None:
    """``system``, pipes and redirections are what awk does beside printing."""
    line = read_line(call.program, call.words[1:], values=_AWK_VALUES, stops=True)
    files = line.operands
    parts: list[Judged | Finding | None] = []
    if line.has("-f", "--file", "-E", "--exec"):
        script = line.values("-f", "--file", "-E", "--exec")[0]
        return merged(_script(call, script, "awk"), read(call, files))
    if not files:
        return Judged()
    program, files = files[0], files[1:]
    if program.text is None:
        parts.append(
            None if program.known_prefix else call.found("C6", "awk: runs a program that cannot be known beforehand")
        )
    else:
        parts.append(judge_source(call, program.text, language="awk"))
        parts += [
            judged_path(call, name, lambda path: paths.overwriting(path, call.scope))
            for name in re.findall(r"\bprintf?\b[^;}>|]*>{1,2}\s*\"([^\"]+)\"", program.text)
            if not name.startswith("/dev/std")
        ]
        if line.values("-i", "--include") and line.value("-i", "--include") == "inplace":
            parts += [
                judged_path(call, word, lambda path: paths.overwriting(path, call.scope)) for word in files if word.text
            ]
    parts.append(read(call, [word for word in files if "=" not in word.known_prefix]))
    return merged(*parts)


@handles("java", "javaw", "wine", "mono", "dotnet-script", "wasmtime", "wasmer", "qemu-x86_64")
def judge_java(call: Call) -> Judged | None:
    """A compiled program of unknown effect, unless it is one that the project has just built."""
    jars = [*call.line.values("-jar"), *call.line.operands[:1]]
    if call.line.has("-version", "--version", "-h", "-help"):
        return Judged()
    if any(fetched(call, word) for word in jars):
        return merged(call.found("B5", "runs a program which the same action has fetched", outward=True))
    if any(word.text and paths.place(word.text, call.scope) is paths.Place.REGENERABLE for word in jars) or not jars:
        return Judged()
    return merged(call.found("C6", f"runs {shown(jars[0])}, whose content is not known"))
