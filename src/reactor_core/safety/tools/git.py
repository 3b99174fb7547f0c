"""git: what its options make it run, and where each subcommand is judged."""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import replace

from reactor_core.safety.tools.git_push import helper_line, judge_push
from reactor_core.safety.tools.git_worktree import judge_branch, judge_checkout, judge_clean, judge_restore, judge_rm
from reactor_core.safety.tools.judging import judge_by_table
from reactor_core.safety.tools.line import Known, Textual, read_line, shown, spelled, wordset
from reactor_core.safety.tools.registry import Call, handles
from reactor_core.safety.tools.table import known_options
from reactor_core.safety.tools.targets import merged
from reactor_core.safety.verdict import Finding, Judged

__all__: list[str] = []

_GLOBAL_VALUES = ("-C", "-c", "--git-dir", "--work-tree", "--namespace", "--exec-path", "--super-prefix",
                  "--config-env", "--attr-source")  # fmt: skip

_COMMAND_KEYS = re.compile(
    r"^(?:core\.(?:pager|editor|sshcommand|askpass|gitproxy)|pager\..+|sequence\.editor|diff\.external|"
    r"diff\..+\.(?:command|textconv)|filter\..+\.(?:clean|smudge|process)|credential(?:\..+)?\.helper|"
    r"gpg(?:\..+)?\.program|uploadpack\.packobjectshook|remote\..+\.(?:uploadpack|receivepack|vcs)|"
    r"(?:difftool|mergetool|browser|man)\..+\.(?:cmd|path)|trailer\..+\.(?:command|cmd)|interactive\.difffilter|"
    r"merge\..+\.driver|sendemail\.(?:smtpserver|tocmd|cccmd|sendmailcmd)|tar\..+\.command|web\.browser|init\.templatedir)$"
)
"""Keys of the configuration whose values are commands, in lower case."""

_EXTENSIONS = wordset("""
    flow lfs absorb town cliff interactive-rebase-tool delta extras standup quick-stats
""")

_JUDGES: dict[str, Callable[[Call], Judged | None]] = {
    "push": judge_push,
    "checkout": judge_checkout,
    "switch": judge_checkout,
    "restore": judge_restore,
    "clean": judge_clean,
    "branch": judge_branch,
    "rm": judge_rm,
}

_VALUES = ("-m", "--message", "-F", "--file", "-C", "-c", "--author", "--date", "-b", "-B", "-e", "--exclude", "-s",
           "--strategy", "-X", "--strategy-option", "-o", "--output", "--push-option", "--repo", "--receive-pack",
           "--exec", "--upload-pack", "-u-", "--onto", "-S", "-G", "-n-", "-L", "--since", "--until", "--format",
           "--pretty", "--source", "--reference", "--depth", "--branch", "--origin", "--config", "--template",
           "--tree-filter",
           "--index-filter", "--msg-filter", "--env-filter", "--commit-filter", "--tag-name-filter", "--expire",
           "--expire-unreachable", "-x", "--extcmd", "-t", "--tool", "--open-files-in-pager", "--max-count", "--grep",
           "-O", "--orphan", "--pathspec-from-file", "--cleanup", "--trailer", "--to", "--cc", "--path", "--conflict",
           "--prefix", "--remote", "--contains", "--no-contains", "--points-at", "--sort", "--color")  # fmt: skip
_OPTIONAL = frozenset({"--color", "--format", "--pretty", "--contains", "--no-contains", "--open-files-in-pager", "-S",
                       "-O", "--expire", "--expire-unreachable"})  # fmt: skip
"""Options whose value is only in the same word."""

_NO_VALUE = {
    "checkout": ("-m", "-t", "-s", "-e", "-C"),
    "switch": ("-m", "-t", "-B", "-b"),
    "restore": ("-S", "-m", "-e"),
    "clean": ("-x", "-X", "-n", "-m"),
    "branch": ("-m", "-t", "-C", "-c", "-u", "-e", "-F"),
    "push": ("-n", "-u", "-s", "-t"),
    "rm": ("-e",),
    "log": ("-m", "-c", "-t", "-s", "-e", "-F", "-x", "-C", "-B"),
    "show": ("-m", "-c", "-t", "-s", "-e", "-F", "-x", "-C", "-B"),
    "diff": ("-m", "-c", "-t", "-s", "-e", "-F", "-x", "-b", "-C", "-B", "-u"),
    "stash": ("-S",),
    "commit": ("-s", "-e", "-S", "-o", "-x", "-b"),
    "cherry-pick": ("-x", "-e", "-s", "-S"),
    "rebase": ("-m", "-S", "-e"),
    "tag": ("-s", "-e", "-n"),
    "grep": ("-e-", "-c", "-o", "-n", "-b", "-x", "-F", "-G", "-O", "-m", "-s", "-L", "-C"),
    "add": ("-e",),
    "apply": ("-C",),
    "fetch": ("-m", "-t"),
    "pull": ("-t", "-e", "-n"),
    "config": ("-e",),
    "reset": ("-m",),
    "merge": ("-e", "-n"),
    "ls-files": ("-m", "-c", "-o", "-s", "-t", "-x-", "-e"),
    "ls-tree": ("-t",),
    "cat-file": ("-t", "-s", "-e"),
    "worktree": ("-e",),
    "submodule": ("-n",),
    "reflog": ("-n",),
    "blame": ("-e", "-s", "-t", "-C", "-c", "-b"),
    "revert": ("-n", "-e", "-s"),
    "mv": ("-n",),
    "prune": ("-n",),
    "am": ("-s", "-c", "-m"),
    "status": ("-s", "-b"),
    "update-ref": ("-d",),
}


@handles("git", "hub")
def judge_git(call: Call) -> Judged | None:
    """The configuration given on the command line, then the subcommand."""
    outer = read_line("git", call.words[1:], values=_GLOBAL_VALUES, stops=True)
    parts: list[Judged | Finding | None] = []
    aliases: dict[str, str] = {}
    for word in outer.values("-c"):
        key, _, value = (word.text if word.text is not None else word.known_prefix).partition("=")
        if key.lower().startswith("alias."):
            aliases[key[6:]] = value
        parts.append(judge_setting(call, key, value if word.text is not None else None))
    parts += [judge_setting(call, name, setting) for name, setting in _settings_of_environment(call)]
    if not outer.operands:
        return merged(*parts)
    sub, rest = outer.operands[0], outer.operands[1:]
    if sub.text is None:
        return merged(*parts, call.found("C6", "runs a git command that cannot be known beforehand"))
    if sub.text in aliases:
        return merged(*parts, _alias(call, aliases[sub.text], rest))
    return merged(*parts, _judge_sub(call, sub.text, rest))


def _settings_of_environment(call: Call) -> list[tuple[str, str | None]]:
    pairs: list[tuple[str, str | None]] = []
    for name, key in call.env.items():
        if name.startswith("GIT_CONFIG_KEY_") and key:
            pairs.append((key, call.env.get(name.replace("_KEY_", "_VALUE_"))))
    return pairs


def _judge_sub(call: Call, sub: str, rest: tuple[Textual, ...]) -> Judged | Finding | None:
    without = {name.rstrip("-") if name.endswith("-") and len(name) > 2 else name for name in _NO_VALUE.get(sub, ())}
    values = [name for name in _VALUES if name not in without and name not in _OPTIONAL]
    known = known_options(call.tool) if call.tool is not None else frozenset()
    line = read_line("git", rest, values=values, known=known)
    inner = replace(call, line=line)
    judge = _JUDGES.get(sub)
    if judge is not None and (judged := judge(inner)) is not None:
        return judged
    if sub == "config":
        return _config(inner)
    if sub == "submodule" and line.sub() == "foreach":
        return _runs(call, line.operands[1:])
    if sub == "bisect" and line.sub() == "run":
        return _runs(call, rest[1:])
    if sub in {"clone", "fetch", "pull", "ls-remote"} and (foreign := _transport(inner, sub)) is not None:
        return foreign
    if call.tool is None:
        return None
    return judge_by_table(replace(inner, line=replace(line, operands=(Known(sub), *line.operands))), call.tool)


def _runs(call: Call, words: tuple[Textual, ...]) -> Judged:
    if len(words) == 1 and words[0].text is not None:
        return call.nested("shell", words[0].text)
    return call.nested("shell", spelled(words)) if words else Judged()


def _transport(call: Call, sub: str) -> Judged | Finding | None:
    """Addresses and options that run a program to get at a repository."""
    parts: list[Judged | Finding | None] = []
    parts += [
        call.nested("shell", helper_line(word.text))
        for word in call.line.operands
        if word.text is not None and word.text.startswith("ext::")
    ]
    programs = call.line.values("--upload-pack", "--exec", *(["-u"] if sub == "clone" else []))
    parts += [call.runs(word) for word in programs]
    for word in call.line.values("-c", "--config") if sub == "clone" else ():
        key, _, value = (word.text or "").partition("=")
        parts.append(judge_setting(call, key, value))
    forced = [
        word
        for word in call.line.operands[1:]
        if (word.text or "").startswith("+") and "refs/heads/" in (word.text or "").partition(":")[2]
    ]
    if forced:
        parts.append(call.found("C2", "overwrites local branches with those of the remote", reversible=False))
    return merged(*parts) if parts else None


def _alias(call: Call, value: str, rest: tuple[Textual, ...]) -> Judged:
    words = f" {spelled(rest)}" if rest else ""
    if value.startswith("!"):
        return call.nested("shell", f"{value[1:]}{words}")
    return call.nested("shell", f"git {value}{words}")


_CONFIG_VALUES = ("-f", "--file", "--blob", "-t", "--type", "--default", "--comment", "--value", "--url")


def _config(call: Call) -> Judged | Finding | None:
    """``git config [set] KEY VALUE``: keeps what it sets."""
    line = read_line("git", call.line.raw, values=_CONFIG_VALUES)
    words = line.operands
    if words and words[0].text in {"set", "get", "unset", "list", "edit", "rename-section", "remove-section"}:
        if words[0].text in {"get", "list"}:
            return None
        words = words[1:] if words[0].text == "set" else ()
    if line.has(
        "-l", "--list", "--get", "--get-all", "--get-regexp", "--get-urlmatch", "--get-color", "--get-colorbool"
    ):
        return None
    if line.has("-e", "--edit"):
        return call.found("C5", "edits the configuration of git")
    if line.has("--unset", "--unset-all", "--remove-section"):
        return None
    if len(words) < 2:
        return None
    key = words[0].text
    if key is None:
        return call.found("C6", "sets a key of git's configuration that cannot be known beforehand")
    if key.lower().startswith("alias.") and words[1].text is not None:
        everywhere = call.found("C5", f"changes a setting of git for all projects: {key}", key)
        return merged(_alias(call, words[1].text, ()), everywhere if line.has("--global", "--system") else None)
    judged = judge_setting(call, key, words[1].text, stays=True)
    if judged is None and line.has("--global", "--system"):
        return call.found("C5", f"changes a setting of git for all projects: {key}", key)
    return judged


def judge_setting(call: Call, key: str, value: str | None, *, stays: bool = False) -> Judged | Finding | None:
    """One key of git's configuration."""
    name = key.lower()
    if _COMMAND_KEYS.match(name):
        return _command_key(call, name, value, stays)
    if name == "core.hookspath":
        if (
            value is not None and re.match(r"^(?:\./)?\.(?:husky|githooks|hooks)(?:/|$)", value)
        ) or value == "/dev/null":
            return call.found("C6", "lets git run other hooks or none") if value == "/dev/null" else None
        return call.found("C6", f"lets git run the hooks in {value or 'a folder that is not known'}", value or "")
    if name == "core.fsmonitor" and value not in {"true", "false", "1", "0", ""}:
        return call.nested("shell", value) if value else call.found("C6", "runs what is not known")
    if name == "protocol.ext.allow" and value != "never":
        return call.found("C6", "lets addresses of repositories run commands")
    if name in {"http.sslverify", "transfer.fsckobjects", "receive.denynonfastforwards", "receive.denydeletes"} and (
        value or ""
    ).lower() in {"false", "0", "no", "off"}:
        return call.found("C5", f"switches {key} off, which protects", key, privilege=True)
    if name.startswith("remote.") and name.endswith(".push") and value:
        if value.startswith(("+", ":")):
            return _forced_refspec(call, value)
        return None
    if name.startswith("remote.") and name.endswith((".mirror",)) and value == "true":
        return call.found("B2", "makes every push overwrite all branches of the remote", reversible=False, outward=True)
    if name.endswith((".insteadof", ".pushinsteadof")) or (name.startswith("remote.") and name.endswith("url")):
        return call.found("C5", f"redirects a remote: {key}", key, outward=True) if stays else None
    return None


def _forced_refspec(call: Call, refspec: str) -> Judged | None:
    return judge_push(replace(call, line=read_line("git", (Known("origin"), Known(refspec)))))


_PAGERS = re.compile(
    r"^(?:|less|more|cat|bat|delta|diff-so-fancy|vim?|nvim|nano|emacs|code|subl|true|:|store|cache|osxkeychain|manager|"
    r"manager-core|libsecret|gnome-keyring|wincred|!?gh auth git-credential|false|ssh|gpg2?)\b[\w\s=.,+-]*$"
)


def _command_key(call: Call, name: str, value: str | None, stays: bool) -> Judged | Finding | None:
    if value is None:
        return call.found("C6", f"git runs the value of {name}, which cannot be known beforehand")
    if name.endswith(".helper") and re.match(r"^store\b", value):
        return call.found("C8", "keeps passwords in a file in plain text", secret=True)
    if (
        not value
        or _PAGERS.match(value)
        or (
            name.endswith((".textconv", ".clean", ".smudge", ".process")) and re.match(r"^[\w-]+(?: [\w%.-]+)*$", value)
        )
    ):
        return None
    judged = call.nested("shell", value.removeprefix("!"))
    if stays and not judged.findings and name in {"core.sshcommand", "core.gitproxy", "core.askpass"}:
        return call.found("C5", f"keeps {shown(Known(value))} as {name}")
    return judged
