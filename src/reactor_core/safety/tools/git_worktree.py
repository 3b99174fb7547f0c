"""git: subcommands that discard work, files or branches."""

from __future__ import annotations

import re

from reactor_core.safety import paths
from reactor_core.safety.tools.git_push import is_shared
from reactor_core.safety.tools.line import Textual, shown
from reactor_core.safety.tools.registry import Call, origin_of
from reactor_core.safety.tools.targets import deleted, merged
from reactor_core.safety.verdict import Finding, Judged

__all__ = ["judge_branch", "judge_checkout", "judge_clean", "judge_restore", "judge_rm"]

_FILE = re.compile(
    r"^(?:\.|\.\.|\./.*|\.\./.*|:/.*|:\(.*|.*\*.*|.*\.[a-zA-Z]{1,5}|.+/|[\w.-]*(?:Makefile|Dockerfile))$"
)


def _discards(call: Call, what: str) -> Judged:
    return merged(call.found("C2", f"discards {what}", reversible=False))


def judge_checkout(call: Call) -> Judged | None:
    """``checkout`` and ``switch``: another branch is harmless; files and force discard changes."""
    line = call.line
    if line.has("-f", "--force", "--discard-changes"):
        return _discards(call, "all changes that are not committed")
    if line.has("-B", "--force-create") or (line.has("-C") and "switch" in {word.text for word in call.words}):
        name = line.value("-B", "--force-create") or line.sub()
        return merged(call.found("C2", f"moves the branch {name}, if there is one", name, reversible=False))
    if line.has("-b", "--orphan", "-c", "--create", "--detach", "-d"):
        return Judged()
    raw = [word.text for word in line.raw]
    if "switch" in {word.text for word in call.words[:6]} and "checkout" not in {word.text for word in call.words[:6]}:
        return Judged()
    named = raw[raw.index("--") + 1 :] if "--" in raw else []
    if named or line.has("--ours", "--theirs", "-p", "--patch", "--pathspec-from-file"):
        return _discards(call, f"changes of {' '.join(name or '…' for name in named) or 'files'}")
    if len(line.operands) > 1 and not line.has("-t", "--track"):
        return _discards(call, f"changes of {' '.join(line.words[1:])}")
    if line.operands and _FILE.match(line.operands[0].text or ""):
        return _discards(call, f"changes of {line.words[0]}")
    return Judged()


def judge_restore(call: Call) -> Judged | None:
    """``restore --staged`` only unstages."""
    line = call.line
    if line.has("--staged", "-S") and not line.has("--worktree", "-W"):
        return Judged()
    return _discards(call, f"changes of {' '.join(line.words) or 'files'}")


def judge_clean(call: Call) -> Judged | None:
    """Only with force; ignored files alone, in folders that can be made again, are no loss."""
    line = call.line
    if line.has("-n", "--dry-run"):
        return Judged()
    if not line.has("-f", "--force", "-i", "--interactive"):
        return merged(_requires_force(call))
    regenerable = bool(line.operands) and all(
        word.text is not None and paths.place(word.text, call.scope).name in {"REGENERABLE", "TEMP"}
        for word in line.operands
    )
    if regenerable:
        return Judged()
    what = "ignored files, settings among them" if line.has("-X") else "files that are in no commit"
    return merged(call.found("C2", f"deletes {what}", " ".join(line.words), reversible=False))


def _requires_force(call: Call) -> Finding | None:
    """git refuses without force, unless it is told not to."""
    if any((word.text or "").lower() == "clean.requireforce=false" for word in call.words):
        return call.found("C2", "deletes files that are in no commit", reversible=False)
    return None


def judge_branch(call: Call) -> Judged | None:
    """Deleting with force loses what no other branch holds."""
    line = call.line
    if line.has("-r", "--remotes") and line.has("-d", "-D", "--delete"):
        return Judged()
    forced_delete = line.has("-D") or (line.has("-d", "--delete") and line.has("-f", "--force"))
    if forced_delete:
        if not line.operands:
            return merged(call.found("C6", "deletes branches that cannot be known beforehand", reversible=False))
        return merged(*(_branch_deleted(call, word) for word in line.operands))
    if line.has("-d", "--delete"):
        unknown = [word for word in line.operands if word.text is None and not _merged_only(word)]
        return merged(call.found("C6", "deletes branches that cannot be known beforehand") if unknown else None)
    if line.has("-M", "-C") or (line.has("-f", "--force") and line.operands):
        return merged(call.found("C2", f"moves the branch {' '.join(line.words)}", reversible=False))
    return Judged()


def _merged_only(word: Textual) -> bool:
    pipeline = origin_of(word).pipeline
    return any(
        part is not None and part.startswith(("--merged", "--no-merged")) for stage in pipeline for part in stage
    )


def _branch_deleted(call: Call, word: Textual) -> Finding:
    if word.text is None:
        pipeline = origin_of(word).pipeline
        lists = any(stage[:2] in {("git", "branch"), ("git", "for-each-ref")} for stage in pipeline)
        narrowed = _merged_only(word) or _selects(pipeline)
        if lists and not narrowed:
            return call.found("B2", "deletes all local branches", reversible=False)
        return call.found("C2" if lists else "C6", f"deletes the branches {shown(word)}", reversible=False)
    if is_shared(call, word.text):
        return call.found("B2", f"deletes the branch {word.text}", word.text, reversible=False)
    return call.found("C2", f"deletes the branch {word.text} with what only it holds", word.text, reversible=False)


def _selects(pipeline: tuple[tuple[str | None, ...], ...]) -> bool:
    """A filter that keeps what matches narrows a list; one that drops what matches (-v) leaves nearly all of it."""
    greps = [stage for stage in pipeline if stage and stage[0] in {"grep", "egrep", "rg"}]
    return any(not any(part is not None and part.startswith("-") and "v" in part for part in stage) for stage in greps)


def judge_rm(call: Call) -> Judged | None:
    """Tracked files can be had back from the last commit; with force, changes are lost."""
    line = call.line
    if line.has("-n", "--dry-run", "--cached"):
        return Judged()
    if any(word.text is None for word in line.operands):
        return merged(call.found("C6", "deletes tracked files that cannot be known beforehand"))
    if line.has("-f", "--force"):
        return _discards(call, f"changes of {' '.join(line.words)}, and deletes the files")
    wide = [word for word in line.operands if word.text in {".", "*", "./", ":/", "-A"}]
    if wide:
        return _discards(call, "every tracked file")
    judged = deleted(call, line.operands, recursive=line.has("-r"))
    return Judged(tuple(one for one in judged.findings if one.rule != "C1"), judged.resolved, judged.touches)
