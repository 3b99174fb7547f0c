"""Short programs given on the command line of perl, ruby, node, php, lua, awk and their like.

They are read into tokens, their constants folded, and only the calls that destroy, run or send are looked for. This is
no parser of these languages: where one of these calls is given what cannot be folded, a person is asked.
"""

from __future__ import annotations

import re
import shlex
from collections.abc import Iterator, Sequence

from reactor_core.safety import paths
from reactor_core.safety.tools.folding import Folded, Sink, fold
from reactor_core.safety.tools.registry import Call
from reactor_core.safety.tools.targets import judged_path, merged
from reactor_core.safety.tools.tokens import tokens
from reactor_core.safety.verdict import Finding, Judged, Verdict

__all__ = ["judge_source", "spelled_out"]


def _names(text: str) -> frozenset[str]:
    return frozenset(text.split())


_RUNS = _names("""
    system exec qx popen popen2 popen3 spawn execSync execFileSync execFile spawnSync passthru shell_exec proc_open
    pcntl_exec execute capture2 capture3 capture2e system2 run Command doShellScript readpipe pipeline_start
""")
_RUNS_IN_NODE = _names("exec execSync execFile execFileSync spawn spawnSync fork Command Deno.run execa execaSync")
_DELETES_TREE = _names("""
    rmtree remove_tree rm_rf rm_r rmSync remove_dir remove_entry remove_entry_secure rimraf removeSync
    emptyDirSync rimrafSync
""")
_DELETES = _names("unlink unlinkSync rm rm_f safe_unlink remove delete rmdir rmdirSync")
_DELETES_OF = re.compile(r"^(?:os|File|Dir|Pathname|file|fs|fsp|fse|FileUtils|IO|Deno|Bun|require|fs\.promises|path)$")
_WRITES = _names("""
    writeFile writeFileSync truncateSync truncate file_put_contents outputFileSync createWriteStream writeTextFile
    writeTextFileSync appendFile appendFileSync spew write_file
""")
_MOVES = _names("rename renameSync mv move cp copy copySync cpSync copyFileSync cp_r")
_COPIES = _names("cp copy copySync cpSync copyFileSync cp_r")
_MODES = _names("chmod chmodSync chown chownSync chmod_R chown_R")
_EVALUATES = _names("""
    eval Function instance_eval class_eval runInThisContext runInNewContext create_function loadstring dostring
    unserialize eval_string
""")
_CALLS_FOR_EACH = _names(
    "array_map array_walk array_filter call_user_func call_user_func_array usort register_shutdown_function"
)
_CONNECTS = re.compile(
    r"IO::Socket|TCPSocket|fsockopen|net\.(?:connect|Socket|createConnection)|\bsocket\s*\(|/inet/tcp/|socket\.tcp|"
    r"stream_socket_client|new\s+Socket|Deno\.connect|TCPClient|socketConnection"
)
_SHELL = re.compile(
    r"/bin/(?:ba|da|z|k)?sh|\bexec\b|spawn|popen|proc_open|\bsh\s+-i|cmd\.exe|os\.execute|\|&\s*getline"
)
_FORKS = re.compile(
    r"\bfork\b\s*(?:\(\s*\))?\s*(?:while|until)\b|\b(?:while|loop|for|until)\b[^;{]*[{(:]?[^;]*\bfork\b|\$0\s*&\s*\$0"
)


def judge_source(call: Call, source: str, *, language: str) -> Judged:
    """What a short program does.

    Args:
        call: The command that carries it.
        source: The program.
        language: perl, ruby, node, php, lua, awk: how strings and comments are written.
    """
    call.scope.effort.spend(1 + len(source) // 16)
    parts: list[Judged | Finding | None] = []
    if _FORKS.search(source):
        parts.append(call.found("B6", "starts copies of itself without end"))
    if _CONNECTS.search(source) and _SHELL.search(source):
        parts.append(call.found("B5", "gives a shell to whoever is at the other end", outward=True, privilege=True))
    sinks = list(fold(tokens(source, language), call.scope.setting.home, language))
    parts.extend(_judge_sink(call, sink, language) for sink in sinks)
    parts.extend(_walked(call, sinks))
    if call.program in _FOREIGN:
        parts.extend(spelled_out(call, source))
    return merged(*parts)


_FOREIGN = _names("groovy scala elixir guile racket sbcl julia octave swipl kotlin jshell deno runghc ghci crystal")
"""Languages whose way of calling is not read; what they would give to a shell is looked for in their strings."""
_STARTS = re.compile(r"(?i)\b(system|exec\w*|process|run\w*|cmd|command|shell|spawn|popen|sys)\b|\.!|`")
_STRING = re.compile(r'"((?:[^"\\]|\\.)*)"|\'((?:[^\'\\]|\\.)*)\'')


def spelled_out(call: Call, source: str) -> Iterator[Judged]:
    """Strings of a program that starts others, which are grave lines of shell by themselves."""
    if _STARTS.search(source) is None:
        return
    for match in _STRING.finditer(source):
        text = match[1] or match[2] or ""
        if " " in text.strip():
            judged = call.nested("shell", text)
            if judged.verdict is Verdict.BLOCK:
                yield judged


_WALKS = _names("find finddepth walk readdirSync readdir scandir glob each_child")


def _walked(call: Call, sinks: Sequence[Sink]) -> Iterator[Judged]:
    """A program that walks a folder and deletes what it comes upon deletes the folder."""
    unknown = any(
        sink.name.rsplit(".", 1)[-1] in _DELETES | _DELETES_TREE
        and (not sink.arguments or any(one.text is None and not one.option for one in sink.arguments))
        for sink in sinks
    )
    if not unknown:
        return
    for sink in sinks:
        if re.split(r"\.|::|->", sink.name)[-1] in _WALKS:
            for one in sink.arguments:
                if one.text is not None and not one.option and one.text.startswith(("/", "~", ".")):
                    yield _deleted(call, one.text, wide=True)


def _judge_sink(call: Call, sink: Sink, language: str) -> Judged | Finding | None:
    name = sink.name
    owner, _, last = name.replace("::", ".").replace("->", ".").rpartition(".")
    if name in {"`", "|"} or _runs(owner, last, language) or (last == "script" and call.program == "osascript"):
        return _ran(call, sink, language)
    if last in _CALLS_FOR_EACH and sink.arguments and sink.arguments[0].text:
        return _judge_sink(call, Sink(sink.arguments[0].text, sink.arguments[1:]), language)
    if last in _EVALUATES and not owner.startswith("db"):
        return _evaluated(call, sink, language)
    if last in _DELETES_TREE:
        return _removed(call, sink, recursive=True)
    if last in _DELETES and language != "awk" and (not owner or _DELETES_OF.match(owner)):
        return _removed(call, sink, recursive=False)
    if last == "open" or name in {"File.new", "fs.openSync"}:
        return _opened(call, sink, language)
    if last in _WRITES or name in {"File.write", "IO.write", "Bun.write"}:
        return _written(call, sink, last)
    if last in _MOVES and len(sink.arguments) >= 2 and (not owner or _DELETES_OF.match(owner)):
        return _moved(call, sink, last)
    if last in _MODES and len(sink.arguments) >= 2:
        return _mode(call, sink, last)
    if last == "kill" and sink.arguments:
        return _killed(call, sink)
    return None


def _runs(owner: str, last: str, language: str) -> bool:
    """``/x/.exec(s)`` of JavaScript is a search; ``io.popen`` and ``os.execute`` are Lua's."""
    if language == "node":
        return last in _RUNS_IN_NODE and not (
            last == "exec" and owner and not re.search(r"child|cp|require|proc", owner)
        )
    if last == "run":
        return owner in {"IPC", "TTY", "Deno"}
    return last in _RUNS


def _ran(call: Call, sink: Sink, language: str) -> Judged | Finding | None:
    if not sink.arguments:
        return None
    first, rest = sink.arguments[0], sink.arguments[1:]
    if any(one.fetched for one in sink.arguments):
        return call.found("B5", f"{call.program}: runs what it fetches", outward=True)
    words = _words_of(first, rest, language)
    if words is None and first.text is None:
        return call.found("C6", f"{call.program}: runs a command that cannot be known beforehand", reversible=False)
    decoded = any(one.decoded for one in sink.arguments)
    encoded = call.found("C6", f"{call.program}: decodes a command and runs it") if decoded else None
    return merged(call.nested("shell", shlex.join(words) if words else first.text or ""), encoded)


def _words_of(first: Folded, rest: tuple[Folded, ...], language: str) -> list[str] | None:
    """The command as words, if it is given as such; None if it is a line for the shell."""
    listed: Sequence[Folded]
    if first.elements is not None:
        listed = first.elements
    elif rest and rest[0].elements is not None:  # spawn("rm", ["-rf", "/"])
        listed = (first, *rest[0].elements)
    elif language in {"perl", "ruby", "php"} and any(not one.option for one in rest):
        listed = (first, *(one for one in rest if not one.option))
    else:
        return None
    texts = [one.text for one in listed]
    known = [text for text in texts if text is not None]
    return known if len(known) == len(texts) else None


def _evaluated(call: Call, sink: Sink, language: str) -> Judged | Finding | None:
    if not sink.arguments:
        return None
    last = sink.arguments[-1]
    if any(one.fetched for one in sink.arguments):
        return call.found("B5", f"{call.program}: runs what it fetches", outward=True)
    if last.text is None:
        return call.found("C6", f"{call.program}: evaluates what cannot be known beforehand", reversible=False)
    if last.option:
        return None  # eval { ... } of Perl catches errors
    encoded = call.found("C6", f"{call.program}: decodes a program and runs it") if last.decoded else None
    return merged(judge_source(call, last.text, language=language), encoded)


def _removed(call: Call, sink: Sink, *, recursive: bool) -> Judged | Finding | None:
    words: list[Folded] = []
    for one in sink.arguments:
        words.extend(one.elements if one.elements is not None else (one,))
    wide = recursive or any(one.option and "recursive" in (one.text or "") for one in words)
    parts: list[Judged | Finding | None] = []
    for one in words:
        if one.option:
            continue
        if one.text is None:
            parts.append(call.found("C6", f"{call.program}: deletes what cannot be known beforehand", reversible=False))
        elif not re.fullmatch(r"-?\d+(?:\.\d+)?", one.text):
            parts.append(_deleted(call, one.text, wide))
    if not sink.arguments:
        parts.append(call.found("C6", f"{call.program}: deletes the files whose names it reads", reversible=False))
    return merged(*parts)


def _deleted(call: Call, path: str, wide: bool) -> Judged:
    return judged_path(call, path, lambda one: paths.deletion(one, call.scope, recursive=wide), how="delete")


def _opened(call: Call, sink: Sink, language: str) -> Judged | Finding | None:
    known = [one.text for one in sink.arguments if one.text is not None]
    if language == "perl":
        return _opened_in_perl(call, known)
    if known and known[0].startswith("|"):
        return call.nested("shell", known[0][1:])
    mode = sink.arguments[1].text if len(sink.arguments) > 1 else None
    if mode is not None and re.match(r"^[wax]|^r\+", mode):
        if sink.arguments[0].text is None:
            return call.found("C6", f"{call.program}: writes to a file that cannot be known beforehand")
        return _put(call, sink.arguments[0].text, append=mode.startswith("a"))
    return _read(call, known[0]) if known else None


def _opened_in_perl(call: Call, known: list[str]) -> Judged | Finding | None:
    for index, text in enumerate(known):
        if text in {"-|", "|-"}:
            return call.nested("shell", " ".join(known[index + 1 :]))
        if text.rstrip().endswith("|"):
            return call.nested("shell", text.rstrip()[:-1])
        match = re.match(r"^\s*(\+?>>?|\+<|\|)\s*(?::\S*)?\s*(.*)$", text, re.DOTALL)
        if match is None:
            continue
        target = match.group(2) or (known[index + 1] if index + 1 < len(known) else "")
        if not target:
            return call.found("C6", "perl: writes to a file that cannot be known beforehand")
        if match.group(1) == "|":
            return call.nested("shell", target)
        return _put(call, target, append=">>" in match.group(1))
    return _read(call, known[-1]) if known else None


def _put(call: Call, path: str, *, append: bool) -> Judged:
    judge = paths.appending if append else paths.overwriting
    return judged_path(call, path, lambda one: judge(one, call.scope))


def _read(call: Call, path: str) -> Judged | None:
    if len(path) > 300:
        return None
    return judged_path(call, path, lambda one: paths.reading(one, call.scope), how="read")


def _written(call: Call, sink: Sink, last: str) -> Judged | Finding | None:
    if not sink.arguments:
        return None
    path = sink.arguments[0].text
    if path is None:
        return call.found("C6", f"{call.program}: writes to a file that cannot be known beforehand")
    content = sink.arguments[1].text if len(sink.arguments) > 1 and not sink.arguments[1].option else None
    if last in {"truncate", "truncateSync"}:
        content = ""
    if "append" in last:
        return judged_path(call, path, lambda one: paths.appending(one, call.scope, content=content))
    return judged_path(call, path, lambda one: paths.overwriting(one, call.scope, content=content))


def _moved(call: Call, sink: Sink, last: str) -> Judged | Finding | None:
    source, target = sink.arguments[0].text, sink.arguments[1].text
    if source is None or target is None:
        return call.found("C6", f"{call.program}: moves files that cannot be known beforehand")
    judge = paths.copying if last in _COPIES else paths.moving
    return judged_path(call, source, lambda path: judge(path, target, call.scope))


def _mode(call: Call, sink: Sink, last: str) -> Judged | Finding | None:
    texts = [one.text for one in sink.arguments if one.text is not None]
    numbers = [text for text in texts if re.fullmatch(r"0?o?[0-7]{1,5}", text)]
    files = [text for text in texts if text not in numbers]
    if not files:
        return call.found("C6", f"{call.program}: changes rights of what cannot be known beforehand")
    recursive, path = last.endswith("_R"), files[0]
    if last.startswith("chown"):
        return judged_path(call, path, lambda one: paths.owner_change(one, call.scope, recursive=recursive))
    mode = numbers[0].replace("o", "") if numbers else "777"
    return judged_path(call, path, lambda one: paths.mode_change(one, call.scope, mode=mode, recursive=recursive))


def _killed(call: Call, sink: Sink) -> Finding | None:
    texts = [one.text for one in sink.arguments]
    if "-1" in texts[1:] or texts == ["-1"]:
        return call.found("B6", "ends every process of the user")
    return None if "0" in texts else call.found("C5", "ends a process")
