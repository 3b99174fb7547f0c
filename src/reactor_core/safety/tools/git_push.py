"""git push: which branches and tags of others it changes, and whether it destroys what they hold."""

from __future__ import annotations

import re
import shlex
from dataclasses import dataclass
from fnmatch import fnmatchcase

from reactor_core.safety.tools.line import Textual
from reactor_core.safety.tools.registry import Call, origin_of
from reactor_core.safety.tools.targets import merged
from reactor_core.safety.verdict import Finding, Judged, Scale

__all__ = ["helper_line", "is_shared", "judge_push"]

_HALF_SHARED = ("dev", "staging", "stable", "next", "gh-pages", "pages", "stage", "qa", "integration", "preprod",
                "support/*", "maintenance/*", "deploy*", "env/*")  # fmt: skip
_TAG = re.compile(r"^(?:v?\d+(?:\.\d+)+(?:[-.+\w]*)?|refs/tags/.*)$")


@dataclass(frozen=True, slots=True)
class _Ref:
    """A destination of a push. ``name`` is None where it is not known."""

    name: str | None
    forced: bool
    deleted: bool
    tag: bool
    listed: bool = False


def is_shared(call: Call, branch: str) -> bool:
    """Whether a branch is the work of several people."""
    name = branch.removeprefix("refs/heads/")
    patterns = call.scope.setting.shared_branches
    return any(fnmatchcase(name, pattern) or fnmatchcase(name, f"{pattern}/*") for pattern in patterns)


def judge_push(call: Call) -> Judged | None:
    """Everything that one push does."""
    line = call.line
    if line.has("-n", "--dry-run"):
        return Judged()
    parts: list[Judged | Finding | None] = []
    parts += [
        call.nested("shell", word.text) if word.text else call.found("C6", "git: runs what is not known")
        for word in line.values("--receive-pack", "--exec")
    ]
    remote = line.operands[0] if line.operands else None
    forced = line.has("-f", "--force", "--force-with-lease", "--force-if-includes")
    if line.has("--mirror"):
        return merged(*parts, _whole(call, "overwrites every branch and tag of the remote with the local ones"))
    if line.has("--prune"):
        return merged(*parts, _whole(call, "deletes every branch of the remote that is not here"))
    if line.has("--all", "--branches"):
        if forced:
            return merged(*parts, _whole(call, "forces all branches of the remote"))
        parts.append(call.found("C2", "pushes all branches, shared ones too", outward=True))
    refs = _refs(call, line.operands[1:], forced, line.has("-d", "--delete"))
    parts += [_judge_ref(call, ref) for ref in refs]
    if line.has("--tags", "--follow-tags"):
        parts.append(call.found("C7", "publishes tags", outward=True))
    parts.append(_judge_remote(call, remote))
    return merged(*parts)


def _whole(call: Call, says: str) -> Finding:
    return call.found("B2", says, "remote", scale=Scale.ALL, reversible=False, outward=True)


def _refs(call: Call, words: tuple[Textual, ...], forced: bool, deleted: bool) -> list[_Ref]:
    if not words:
        named_only_tags = call.line.has("--tags") and not forced
        return (
            []
            if named_only_tags or call.line.has("--all", "--branches")
            else [_Ref(call.scope.setting.branch, forced, deleted, False)]
        )
    refs = []
    tag_next = False
    for word in words:
        if word.text == "tag":
            tag_next = True
            continue
        refs.append(_ref(call, word, forced, deleted, tag_next))
        tag_next = False
    return refs


def _ref(call: Call, word: Textual, forced: bool, deleted: bool, tag: bool) -> _Ref:
    text = word.text if word.text is not None else word.known_prefix
    plus = text.startswith("+")
    source, colon, destination = text.removeprefix("+").partition(":")
    if word.text is None:
        known_end = destination if colon and is_shared(call, destination) else None
        return _Ref(known_end, forced or plus, deleted or (colon != "" and not source), tag, _all_branches(word))
    name = destination if colon else source
    if name in {"HEAD", "@", ""} and (not colon or source):
        name = call.scope.setting.branch
    if name == ":" or (colon and not source and not destination):
        return _Ref("*", forced or plus, False, False)  # ":" pushes all matching branches
    return _Ref(name, forced or plus, deleted or (bool(colon) and not source), tag or bool(_TAG.match(name)))


def _all_branches(word: Textual) -> bool:
    """Whether a word is one of a list of all branches."""
    pipeline = origin_of(word).pipeline
    lists = any(stage[:2] in {("git", "branch"), ("git", "for-each-ref"), ("git", "ls-remote")} for stage in pipeline)
    merged_only = any(part is not None and part.startswith("--merged") for stage in pipeline for part in stage)
    return lists and not merged_only


def _judge_ref(call: Call, ref: _Ref) -> Finding | None:
    if ref.name is None:
        if ref.deleted and ref.listed:
            return _whole(call, "deletes every branch of the remote")
        if ref.forced or ref.deleted:
            return call.found("C6", "forces or deletes a branch that cannot be known beforehand", reversible=False)
        return call.found("C6", "pushes a branch that cannot be known beforehand", outward=True)
    name = ref.name.removeprefix("refs/heads/")
    verb = "deletes" if ref.deleted else "forces" if ref.forced else "pushes to"
    if ref.tag:
        says = f"{verb} the published tag {name}" if ref.deleted or ref.forced else f"publishes the tag {name}"
        return call.found("C2" if ref.deleted or ref.forced else "C7", says, name, outward=True)
    if "*" in name:
        if ref.forced or ref.deleted:
            return _whole(call, f"{verb} all branches that {name} stands for")
        return call.found("C2", "pushes many branches, shared ones too", name, outward=True)
    if is_shared(call, name):
        if ref.forced or ref.deleted:
            return call.found("B2", f"{verb} the shared branch {name}", name, reversible=False, outward=True)
        return call.found("C2", f"{verb} the shared branch {name}", name, outward=True)
    if ref.forced or ref.deleted:
        return call.found("C2", f"{verb} the branch {name} of the remote", name, reversible=False, outward=True)
    if any(fnmatchcase(name, pattern) for pattern in _HALF_SHARED):
        return call.found("C2", f"pushes to {name}, which others build on", name, outward=True)
    if name.startswith(("refs/for/", "refs/changes/", "refs/notes/")) or not name.startswith("refs/"):
        return None
    return call.found("C2", f"{verb} {name} of the remote", name, outward=True)


def helper_line(address: str) -> str:
    """The command of ``ext::sh -c rm% -rf% /x``: a space behind a percent sign is part of a word."""
    words = re.split(r"(?<!%) +", address.removeprefix("ext::"))
    return shlex.join(word.replace("% ", " ") for word in words)


def _judge_remote(call: Call, remote: Textual | None) -> Finding | Judged | None:
    if remote is None:
        return None
    if remote.text is None:
        return call.found("C6", "pushes to a remote that cannot be known beforehand", outward=True)
    text = remote.text
    if text.startswith("ext::"):
        return call.nested("shell", helper_line(text))
    if "://" in text or re.match(r"^[\w.-]+@[\w.-]+:", text):
        return call.found("C7", f"publishes the branch to {text}", text, outward=True)
    if text in {"heroku", "dokku"} or re.search(r"prod|live|deploy", text):
        return call.found("C4", f"deploys to {text}", text, outward=True)
    return None
