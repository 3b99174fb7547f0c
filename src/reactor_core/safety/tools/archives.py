"""Archives, mirrors and searches: programs that touch many files at once."""

from __future__ import annotations

import re

from reactor_core.safety import paths
from reactor_core.safety.tools.line import Known, Line, Textual, read_line, shown
from reactor_core.safety.tools.registry import Call, handles, nothing
from reactor_core.safety.tools.targets import acts, deleted, judged_path, merged, overwritten, read
from reactor_core.safety.verdict import Finding, Judged

__all__: list[str] = []

_TAR_VALUES = (
    "-f", "--file", "-C", "--directory", "-T", "--files-from", "-X", "--exclude-from", "--exclude", "-I",
    "--use-compress-program", "-b", "-g", "--listed-incremental", "-N", "--newer", "-K", "-L", "-F", "--to-command",
    "--checkpoint-action", "--rsh-command", "--transform", "--xform", "--strip-components", "--owner", "--group",
    "--mode", "--mtime", "-V", "--label", "-H", "--format", "--info-script", "--new-volume-script", "--rmt-command",
)  # fmt: skip


def _tar_line(call: Call) -> Line:
    """Old-style bundles (``tar czf x.tgz dir``) take their values from the following words, in order."""
    words = list(call.words[1:])
    first = words[0].text if words else None
    if not first or first.startswith("-") or not first.isalpha():
        return read_line(call.program, words, values=_TAR_VALUES)
    rest = words[1:]
    spread: list[Textual] = []
    for letter in first:
        spread += [Known(f"-{letter}"), *([rest.pop(0)] if f"-{letter}" in _TAR_VALUES and rest else [])]
    return read_line(call.program, [*spread, *rest], values=_TAR_VALUES)


@handles("tar", "gtar", "bsdtar", "star")
def judge_tar(call: Call) -> Judged | None:
    """Creating reads, extracting writes; some options run programs, one deletes what was archived."""
    line = _tar_line(call)
    parts: list[Judged | Finding | None] = [_tar_runs(call, line)]
    folder = (line.values("-C", "--directory") or (Known("."),))[-1]
    if line.has("-t", "--list", "-d", "--diff", "--compare"):
        return merged(*parts)
    if line.has("--delete"):
        return merged(*parts, *(overwritten(call, line.values("-f", "--file")),))
    if line.has("-x", "--extract", "--get"):
        if not line.has("-O", "--to-stdout", "-k", "--keep-old-files", "--skip-old-files"):
            parts.append(
                _extracts(call, folder, line.has("-P", "--absolute-names"), forced=line.has("--overwrite", "-U"))
            )
        return merged(*parts)
    if line.has("-c", "--create", "-r", "--append", "-u", "--update"):
        parts.append(read(call, line.operands))
        if line.has("-c", "--create"):
            # A new archive is ordinary work; one that is put over a disk or a start file is not.
            parts.append(
                overwritten(call, [word for word in line.values("-f", "--file") if acts(call, word.text or "-")])
            )
        if line.has("--remove-files"):
            parts.append(deleted(call, line.operands, recursive=True))
    return merged(*parts)


def _tar_runs(call: Call, line: Line) -> Judged:
    parts: list[Judged | Finding | None] = []
    actions = line.values("--checkpoint-action")
    for word in actions:
        text = word.text
        if text is not None and text.startswith("exec="):
            parts.append(call.nested("shell", text.removeprefix("exec=")))
        elif text is None:
            parts.append(call.found("C6", "tar: runs something that cannot be known beforehand"))
    return merged(*parts, *(call.runs(word) for word in line.values(*_TAR_RUNS)))


_TAR_RUNS = ("--to-command", "-I", "--use-compress-program", "--rsh-command", "--info-script", "-F",
             "--new-volume-script", "--rmt-command")  # fmt: skip


def _extracts(call: Call, folder: Textual, absolute: bool, *, forced: bool = False) -> Judged:
    """Extraction replaces files of the same names, whatever they are."""
    if folder.text is None:
        if folder.known_prefix.startswith(("/tmp/", "build/")):  # noqa: S108  a scratch folder by its name
            return nothing()
        return merged(call.found("C6", f"unpacks into {shown(folder)}, which cannot be known beforehand"))
    if absolute:
        return merged(call.found("C6", "unpacks to the places that the archive names", reversible=False))
    path = paths.normal(folder.text, call.scope)
    if path in call.scope.made:
        return nothing()
    place = paths.place(folder.text, call.scope).name
    if place in {"REGENERABLE", "TEMP", "SCRATCH"} or (place == "PROJECT" and not forced):
        return nothing()
    if place in {"ROOT", "SYSTEM"}:
        return merged(call.found("C5", f"unpacks over system files in {path}", path, privilege=True, reversible=False))
    return merged(call.found("C1", f"may overwrite files in {path or shown(folder)}", path, reversible=False))


@handles("unzip", "7z", "7za", "7zr", "7zz", "unrar", "bsdunzip", "cabextract", "ar", "cpio", "pax")
def judge_unpack(call: Call) -> Judged | None:
    """Unpacking; listing and testing only read."""
    line = call.line
    program = call.program
    if program.startswith("7z"):
        if line.sub() in {"d", "u", "a", "rn"}:
            moved = deleted(call, line.operands[2:], recursive=True) if line.has("-s") and line.sub() == "a" else None
            return merged(overwritten(call, line.operands[1:2]) if line.sub() == "d" else None, moved)
        if line.sub() not in {"x", "e"}:
            return nothing()
        out = [word.known_prefix[2:] for word in call.words if word.known_prefix.startswith("-o")]
        return _extracts(call, Known(out[-1] if out else "."), absolute=False)
    if program == "cpio":
        if line.has("-i", "--extract") and not line.has("-t", "--list"):
            return _extracts(call, (line.values("-D", "--directory") or (Known("."),))[-1], absolute=False)
        return nothing()
    if program == "unzip" and not line.has("-l", "-t", "-p", "-v", "-Z", "-z", "-n", "-c"):
        folder = (line.values("-d") or (Known("."),))[-1]
        return _extracts(call, folder, absolute=False, forced=line.has("-o"))
    if program == "unrar" and line.sub() in {"x", "e"}:
        last = line.operands[-1] if len(line.operands) > 2 else Known(".")
        return _extracts(call, last, absolute=False)
    return nothing()


@handles("zip", "rar")
def judge_zip(call: Call) -> Judged | None:
    """``-m`` moves into the archive, ``-d`` deletes from it, ``-T -TT`` runs a program."""
    line = call.line
    parts: list[Judged | Finding | None] = [read(call, line.operands[1:])]
    if line.has("-m", "--move"):
        parts.append(deleted(call, line.operands[1:], recursive=True))
    if line.has("-d", "--delete") and call.program == "zip":
        parts.append(overwritten(call, line.operands[:1]))
    parts += [call.nested("shell", word.text or "") for word in line.values("-TT", "--unzip-command")]
    return merged(*parts)


_FIND_ACTIONS = ("-delete", "-exec", "-execdir", "-ok", "-okdir", "-print", "-print0", "-ls", "-prune", "-quit")
_SELECTS = frozenset({"-mtime", "-atime", "-ctime", "-mmin", "-amin", "-cmin", "-size", "-user", "-group", "-newer",
                      "-empty", "-regex", "-iregex", "-perm", "-inum", "-links", "-nouser", "-nogroup", "-newermt",
                      "-samefile", "-lname", "-xtype", "-used"})  # fmt: skip
_NAMES = ("-name", "-iname", "-path", "-ipath", "-wholename", "-iwholename", "-lname")


@handles("find", "gfind", "bfs")
def judge_find(call: Call) -> Judged | None:
    """Only ``-delete`` and the ``-fprint`` family do something themselves; what ``-exec`` runs is judged by itself."""
    words = list(call.words[1:])
    starts = _starts(words)
    texts = [word.text or "" for word in words]
    parts: list[Judged | Finding | None] = []
    for index, text in enumerate(texts):
        if text in {"-fprint", "-fprint0", "-fls", "-fprintf"} and index + 1 < len(words):
            parts.append(overwritten(call, [words[index + 1]]))
    if "-delete" in texts:
        if any(word.text is None and not word.known_prefix for word in starts):
            parts.append(call.found("C6", "deletes below a folder that cannot be known beforehand", reversible=False))
        parts.extend(_found_deleted(call, start, texts) for start in starts)
    return merged(*parts)


def _starts(words: list[Textual]) -> list[Textual]:
    starts: list[Textual] = []
    for word in words:
        text = word.text if word.text is not None else word.known_prefix
        if text in {"-H", "-L", "-P"} or text.startswith(("-O", "-D")):
            continue
        if text.startswith("-") or text in {"(", "!", ")", ","}:
            break
        starts.append(word)
    return starts or [Known(".")]


def _found_deleted(call: Call, start: Textual, texts: list[str]) -> Judged | Finding:
    if start.text is None:
        return call.found("C6", f"deletes below {shown(start)}, which cannot be known beforehand", reversible=False)
    if "-empty" in texts:
        return nothing()  # what is empty holds nothing that could be lost
    folder = start.text.rstrip("/") or "/"
    patterns = [
        texts[index + 1]
        for index, text in enumerate(texts[:-1])
        if text in _NAMES and texts[max(index - 1, 0)] not in {"!", "-not"}
    ]
    telling = [pattern for pattern in patterns if pattern.strip("*?./")]
    negated = "!" in texts or "-not" in texts
    selective = bool(telling) or negated or any(text in _SELECTS for text in texts)
    if not selective:
        return judged_path(
            call, folder, lambda path: paths.deletion(path, call.scope, recursive=True, many=True), how="delete"
        )
    if not telling:
        pattern = "*"
    tails = [_tail(pattern) for pattern in telling] or [pattern]
    findings = []
    for tail in tails:
        path = tail if tail.startswith("/") else f"{folder}/{tail}"
        findings.append(
            judged_path(
                call, path, lambda one: paths.deletion(one, call.scope, recursive=False, many=False), how="delete"
            )
        )
    return _bounded(call, merged(*findings), folder)


def _tail(pattern: str) -> str:
    return re.sub(r"^(?:\./|\*/)+", "", pattern)


def _bounded(call: Call, judged: Judged, folder: str) -> Judged:
    """A search that selects loses what it selects: bounded, except where every file is one too many."""
    place = paths.place(folder, call.scope).name
    if place in {"ROOT", "HOME"} and folder in {"/", "/home", "/usr"}:
        return Judged(
            tuple(
                call.found("B1", f"deletes from the whole machine: {finding.says}", folder, reversible=False)
                if finding.rule == "C1" or finding.rule == "C5"
                else finding
                for finding in judged.findings
            )
        )
    if place in {"GIT", "BACKUP", "SYSTEM", "DATA", "CHECKPOINT", "MOUNT", "AUDIT_LOG"}:
        return judged
    findings = tuple(
        call.found("C1", finding.says, finding.effect.target, reversible=False) if finding.rule == "B1" else finding
        for finding in judged.findings
    )
    return Judged(findings, judged.resolved, judged.touches)


@handles("sed", "gsed", "perlsed")
def judge_sed(call: Call) -> Judged | None:
    """Reads, unless it edits in place, writes to a file or runs commands, which GNU sed can do."""
    line = read_line(
        call.program,
        [word for word in call.words[1:] if not _in_place(word)],
        values=("-e", "--expression", "-f", "--file", "-l", "--line-length"),
    )
    in_place = any(_in_place(word) for word in call.words[1:]) or line.has("-i", "--in-place")
    scripts = list(line.values("-e", "--expression"))
    files = line.operands
    if not scripts and not line.has("-f", "--file"):
        scripts, files = list(files[:1]), files[1:]
    parts: list[Judged | Finding | None] = [_sed_script(call, script) for script in scripts]
    text = "\n".join(script.text or "" for script in scripts)
    if in_place:
        parts.append(overwritten(call, files, content=_inserted(text)))
    else:
        parts.append(read(call, files))
    return merged(*parts)


_SUBSTITUTES = re.compile(r"s([/|#,@:!])((?:\\.|(?!\1).)*)\1((?:\\.|(?!\1).)*)\1", re.DOTALL)
_GROUP = re.compile(r"\\?\(([^()]*)\\?\)")


def _inserted(script: str) -> str:
    """What a script may put into a file: lines that it adds, and replacements with each way their group may read."""
    lines = re.findall(r"(?:^|[;\n\d$/])[aic]\\?\s*([^;\n]+)", script)
    for _, pattern, replacement in _SUBSTITUTES.findall(script):
        group = _GROUP.search(pattern)
        ways = re.split(r"\\?\|", group.group(1)) if group is not None else [""]
        lines += [replacement.replace("\\1", way.strip("^#?* \\")) for way in ways]
    return "\n".join(lines)


def _in_place(word: Textual) -> bool:
    text = word.known_prefix
    return text.startswith("--in-place") or bool(re.match(r"^-[nrEsuz]*i", text) and not text.startswith("--"))


_SED_RUNS = re.compile(
    r"(?:^|[;{}\n])\s*(?:\d+|\$|/(?:[^/\\]|\\.)*/)?(?:,(?:\d+|\$|/(?:[^/\\]|\\.)*/))?\s*!?e(?:\s+([^\n]*))?$",
    re.MULTILINE,
)
_SED_WRITES = re.compile(r"(?:^|[;{}\n]|/[gpiI0-9]*)\s*(?:\d+|\$)?w\s+([^\n;}]+)", re.MULTILINE)
_SED_FLAG = re.compile(r"s([/|#,@:!])(?:[^\\]|\\.)*?\1(?:[^\\]|\\.)*?\1[gpiI0-9]*e", re.DOTALL)


def _sed_script(call: Call, script: Textual) -> Judged | Finding | None:
    if script.text is None:
        return None
    ran = _SED_RUNS.search(script.text)
    if ran:
        if ran.group(1):
            return call.nested("shell", ran.group(1))
        return call.found("C6", "sed: runs each line that it reads as a command")
    if _SED_FLAG.search(script.text) and re.search(r"[gpiI0-9/|#,@:!]e(?:$|[;}\s])", script.text):
        return call.found("C6", "sed: runs what a replacement yields as a command")
    written = [Known(name.strip()) for name in _SED_WRITES.findall(script.text) if not name.startswith("/dev/std")]
    return overwritten(call, written)
