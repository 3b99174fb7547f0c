"""gh and glab: what they do to the hosted repository and in the user's name."""

from __future__ import annotations

import json
import re

from reactor_core.safety.tools.fetching import personal
from reactor_core.safety.tools.git_push import is_shared
from reactor_core.safety.tools.line import Line, Textual, read_line, shown, wordset
from reactor_core.safety.tools.registry import Call, handles
from reactor_core.safety.tools.targets import merged
from reactor_core.safety.verdict import Finding, Judged

__all__: list[str] = []

_VALUES = ("-R", "--repo", "-X", "--method", "-f", "--raw-field", "-F", "--field", "-H", "--header", "--input", "-q",
           "--jq", "-t", "--template", "--title", "-b", "--body", "--body-file", "-B", "--base", "--head", "-L",
           "--limit", "-s", "--state", "-S", "--search", "-l", "--label", "-a", "--assignee", "--author", "-r",
           "--reviewer", "-m", "--milestone", "--json", "--ref", "--visibility", "--branch", "-w", "--workflow", "-u",
           "--user", "-e", "--env", "-o", "--org", "-n", "--notes", "--notes-file", "--target", "-d-", "--description",
           "--default-branch", "--hostname", "-p-", "--pattern", "-D", "--dir", "--reason", "--clone-x", "--log-x",
           "--cache", "-g", "--group", "--job", "--sort", "--subject", "--homepage", "--remote", "--key",
           "--value")  # fmt: skip

_READS = wordset("""
    list ls view status diff checks watch download browse search get describe show verify blocked top validate
    preview usage ports logs token-scopes stats trace lint
""")  # fmt: skip
_OWN = wordset("""
    checkout clone co setup-git fork-x develop alias completion config sync-x switch open ready-x
""")


@handles("gh", "glab", "hub-api", "tea", "bb")
def judge_gh(call: Call) -> Judged | None:
    """Reading is free; the rest happens in the user's name; some of it destroys what is shared."""
    line = read_line(call.program, call.words[1:], values=_VALUES)
    if line.operands and line.operands[0].text is None:
        return merged(call.found("C6", f"{call.program}: what is to be done cannot be known beforehand"))
    group, sub, rest = line.sub(), line.sub(1), line.operands[2:]
    if group == "api":
        return _api(call, line)
    if line.has("--dry-run"):
        return Judged()
    if group == "repo" or (group == "project" and call.program == "glab"):
        return merged(_repo(call, sub, line, rest))
    if group == "auth":
        return (
            merged(call.found("C8", "shows or changes the token of the account", secret=True))
            if sub in {"token", "login", "refresh", "setup-git"} or line.has("-t", "--show-token")
            else Judged()
        )
    if group in {"secret", "ssh-key", "gpg-key", "deploy-key", "variable", "token", "securefile"}:
        return merged(_keys(call, group, sub, line))
    if group == "alias" and sub == "set" and len(rest) > 1:
        value = rest[1].text or ""
        return call.nested("shell", value[1:] if value.startswith("!") else f"gh {value}")
    if group == "extension" and sub in {"install", "upgrade", "exec"}:
        return merged(call.found("C6", f"runs code of the extension {' '.join(shown(word) for word in rest)}"))
    if sub in _READS or group in {
        "status",
        "browse",
        "search",
        "completion",
        "help",
        "version",
        "licenses",
        "org-list",
        "changelog",
        "config",
        "check-update",
    }:
        return Judged()
    if sub in _OWN or (group in {"pr", "mr"} and sub in {"checkout", "co"}):
        return Judged()
    return merged(_acts(call, group, sub, line, rest))


def _acts(call: Call, group: str, sub: str, line: Line, rest: tuple[Textual, ...]) -> Finding | None:
    named = " ".join(shown(word) for word in rest)
    if group in {"pr", "mr"}:
        if sub == "merge":
            return call.found("C2", f"merges {named} into the shared branch", named, outward=True)
        return call.found("C7", f"{sub} of a pull request in the user's name: {named}", named, outward=True)
    if group in {"gist", "snippet"}:
        if sub == "create" and (line.has("-p", "--public") or call.program == "glab"):
            if personal(line.words):
                return call.found("B7", f"publishes {named}, which names people", named, outward=True, reversible=False)
            return call.found("C7", f"publishes {named}", named, outward=True)
        return call.found("C7", f"{group} {sub} {named}", named, outward=True)
    if group in {"workflow", "run", "pipeline", "ci", "job", "schedule"}:
        return call.found("C4", f"{sub} of {named or 'a pipeline'}", named, outward=True)
    if group == "cache" and sub == "delete":
        return None
    if group in {"codespace", "cs", "environment", "cluster"}:
        return call.found("C4", f"{group} {sub} {named}", named)
    if group in {
        "release",
        "issue",
        "label",
        "milestone",
        "discussion",
        "incident",
        "project",
        "board",
        "iteration",
        "ruleset",
    }:
        if group == "release" and sub in {"delete", "delete-asset"}:
            return call.found("C2", f"deletes the release {named}", named, outward=True, reversible=False)
        return call.found("C7", f"{group} {sub} {named}", named, outward=True)
    if not sub:
        return None
    return call.found("C7", f"{group} {sub} {named}", named, outward=True)


def _repo(call: Call, sub: str, line: Line, rest: tuple[Textual, ...]) -> Finding | None:
    named = " ".join(shown(word) for word in rest)
    if sub == "delete":
        return call.found("B2", f"deletes the hosted repository {named}", named, reversible=False, outward=True)
    if sub == "edit":
        if (line.value("--visibility") or "").startswith("public"):
            return call.found("B7", f"makes the repository {named} public", named, outward=True, reversible=False)
        if line.has("--default-branch"):
            return call.found("C4", f"changes the default branch of {named}", named, outward=True)
        return call.found("C7", f"changes the repository {named}", named, outward=True)
    if sub == "create":
        return call.found("C7", f"creates the repository {named}", named, outward=True)
    if sub in {"archive", "unarchive", "rename", "transfer", "mirror"}:
        return call.found("B2" if sub == "transfer" else "C4", f"{sub} of the repository {named}", named, outward=True)
    if sub == "deploy-key":
        return (
            None if rest and rest[0].text == "list" else call.found("C8", "changes keys of the repository", secret=True)
        )
    if sub == "sync":
        return call.found("C2", "overwrites the branch with that of its source") if line.has("--force") else None
    if sub == "fork":
        return call.found("C7", f"creates a copy of {named}", named, outward=True)
    return None


def _keys(call: Call, group: str, sub: str, line: Line) -> Finding | None:
    if sub in {"list", "ls", "get", "view"} and group != "token":
        return call.found("C8", "shows a value", secret=True) if group == "variable" and sub == "get" else None
    if sub in {"list", "ls"}:
        return None
    return call.found("C8", f"{group} {sub} {' '.join(line.words[2:])}", secret=True, privilege=True, outward=True)


def _api(call: Call, line: Line) -> Judged:
    """A request to the service's own API, as the request that it is."""
    fields: dict[str, object] = {}
    for word in line.values("-f", "--raw-field", "-F", "--field"):
        key, _, value = (word.text or word.known_prefix).partition("=")
        fields[key] = {"true": True, "false": False}.get(value, value)
    method = (line.value("-X", "--method") or ("POST" if fields or line.has("--input") else "GET")).upper()
    target = line.operands[1] if len(line.operands) > 1 else None
    if target is None:
        return Judged()
    if target.text is None and method not in {"GET", "HEAD"}:
        return merged(call.found("C6", f"{method} to {shown(target)}, which cannot be known beforehand", outward=True))
    path = (target.text if target.text is not None else target.known_prefix).lstrip("/")
    base = "https://gitlab.com/api/v4" if call.program == "glab" else "https://api.github.com"
    url = path if "://" in path else f"{base}/{path}"
    body = json.dumps(fields) if fields else ""
    if line.value("--input") == "-" and call.stdin:
        body = call.stdin
    return merged(_refs(call, method, path, fields), call.nested("network", f"{method} {url} {body}".strip()))


def _refs(call: Call, method: str, path: str, fields: dict[str, object]) -> Finding | None:
    match = re.search(r"git/refs/heads/(.+)$|/repository/branches/(.+)$|/branches/([^/]+)$", path)
    if match is None:
        return None
    branch = next(group for group in match.groups() if group)
    forced = method == "DELETE" or fields.get("force") is True or fields.get("force") == "true"
    if not forced:
        return None
    rule = "B2" if is_shared(call, branch) else "C2"
    return call.found(rule, f"deletes or forces the branch {branch} of the hosted repository", branch, reversible=False)
