"""Commands of MongoDB: documents such as ``{"dropDatabase": 1}`` and the calls of its shell."""

from __future__ import annotations

import re

from reactor_core.safety.naming import wordset
from reactor_core.safety.scope import Scope
from reactor_core.safety.verdict import Effect, Finding, Judged, Scale, found

__all__ = ["judge_mongo"]

_CALL = re.compile(
    r"\.\s*([A-Za-z_]\w*)\s*\(|\[\s*['\"](\w+)['\"]\s*\]\s*\(|\b(load|eval|exit|quit|print|printjson"
    r"|passwordPrompt|sleep)\s*\("
)
_COMMAND = re.compile(r"['\"]?\b(dropDatabase|drop|delete|deleteIndexes|dropIndexes|shutdown|dropUser"
                      r"|dropAllUsersFromDatabase|"
                      r"dropRole|createUser|updateUser|grantRolesToUser|findAndModify|update|insert"
                      r"|renameCollection|fsync|"
                      r"replSetReconfig|removeShard|killOp|killAllSessions|setParameter)['\"]?\s*:")  # fmt: skip
_EMPTY = re.compile(r"^\s*(?:\{\s*\})?\s*(?:,|$)")
_ALWAYS = re.compile(
    r"^\s*\{\s*['\"]?[\w.]+['\"]?\s*:\s*\{\s*['\"]?\$(?:exists['\"]?\s*:\s*true|ne['\"]?\s*:\s*(?:null|['\"]{2}"
    r"|-1)|gte?['\"]?\s*:\s*0"
    r"|regex['\"]?\s*:\s*['\"/](?:\.\*|\^|\.)?['\"/]|nin['\"]?\s*:\s*\[\s*\])\s*\}\s*\}"
    r"|^\s*\{\s*['\"]?\$(?:where|expr)['\"]?\s*:\s*['\"]?(?:true|1|return true"
    r"|function\s*\(\)\s*\{\s*return true;?\s*\})['\"]?\s*\}"
    r"|^\s*\{\s*['\"]?\$(?:or|and|nor)['\"]?\s*:\s*\[\s*(?:\{\s*\})?\s*\]\s*\}",
    re.DOTALL,
)
_WRITES = wordset(
    """
    insert insertOne insertMany save updateOne replaceOne findOneAndUpdate findOneAndReplace findAndModify
    createIndex ensureIndex dropIndex createCollection createView bulkWrite
    """
)
_GRANTS = frozenset(
    ["createUser", "updateUser", "grantRolesToUser", "createRole", "grantPrivilegesToRole", "changeUserPassword"]
)


def judge_mongo(text: str, scope: Scope) -> Judged:
    """A command document or a script of the shell."""
    scope.effort.spend(1 + len(text) // 32)
    findings: list[Finding] = []
    plain = re.sub(r"(?m)^\s*//.*$|/\*.*?\*/", " ", text, flags=re.DOTALL)
    for match in _CALL.finditer(plain):
        name = next(filter(None, match.groups()))
        arguments = plain[match.end() : match.end() + 2000]
        findings += _call(name, arguments, plain[max(0, match.start() - 80) : match.start()], scope)
    for match in _COMMAND.finditer(plain):
        findings += _command(match.group(1), plain[match.end() :], scope)
    return Judged(tuple(findings), (text.strip(),))


def _finding(rule: str, says: str, target: str = "") -> Finding:
    scale = Scale.ALL if rule[0] == "B" else Scale.ITEM
    return found(rule, f"MongoDB: {says}", Effect(target, scale, reversible=False, privilege=rule == "B5"))


def _call(name: str, arguments: str, before: str, scope: Scope) -> list[Finding]:
    collection = (re.findall(r"[\w-]+", before) or [""])[-1]
    scratch = any(word in collection.lower() for word in scope.setting.scratch_words)
    match name:
        case "dropDatabase":
            return [_finding("B3", "drops the database")]
        case "drop" | "remapDrop":
            return [_finding("C3" if scratch else "B3", "drops a collection", collection)]
        case "deleteMany" | "remove" | "updateMany" | "update" | "deleteOne" | "findOneAndDelete":
            does = "changes" if name.startswith("update") else "deletes"
            one = name in {"deleteOne", "findOneAndDelete"} or (name == "update" and "multi" not in arguments)
            wide = bool(_EMPTY.match(arguments.split(")")[0]) or _ALWAYS.match(arguments)) and not one
            if wide:
                return [_finding("C3" if scratch else "B3", f"{does} every document", collection)]
            return [_finding("C3", f"{does} documents", collection)]
        case "shutdownServer":
            return [_finding("B4", "stops the server")]
        case "dropUser" | "dropAllUsers" | "removeUser":
            return [_finding("B5" if name == "dropAllUsers" else "C4", "removes users")]
        case "dropIndexes":
            return [_finding("C3", "drops indexes", collection)]
        case "load" | "eval":
            return [_finding("C6", "runs code that is not known")]
        case "remove_shard" | "removeShard" | "reconfig" | "stepDown" | "fsyncLock" | "killOp":
            return [_finding("C4", f"changes the cluster ({name})")]
    if name in _GRANTS:
        wide = bool(re.search(r"root|AnyDatabase|__system|dbOwner|clusterAdmin", arguments))
        return [_finding("B5" if wide else "C7", "gives rights to a user")]
    if name in _WRITES:
        return [_finding("C3", f"changes documents ({name})", collection)]
    return []


def _command(name: str, rest: str, scope: Scope) -> list[Finding]:
    target = (re.findall(r"^\s*['\"]([\w.$-]+)", rest) or [""])[0]
    scratch = any(word in target.lower() for word in scope.setting.scratch_words)
    match name:
        case "dropDatabase":
            return [_finding("B3", "drops the database")]
        case "drop":
            return [_finding("C3" if scratch else "B3", "drops a collection", target)] if target else []
        case "delete":
            wide = bool(re.search(r"['\"]?q['\"]?\s*:\s*\{\s*\}", rest) and not re.search(r"limit['\"]?\s*:\s*1", rest))
            return [_finding("B3" if wide and not scratch else "C3", "deletes documents", target)] if target else []
        case "update" | "insert" | "findAndModify":
            wide = bool(
                name == "update"
                and re.search(r"['\"]?q['\"]?\s*:\s*\{\s*\}", rest)
                and re.search(r"multi['\"]?\s*:\s*true", rest)
            )
            return [_finding("B3" if wide and not scratch else "C3", "changes documents", target)] if target else []
        case "shutdown":
            return [_finding("B4", "stops the server")]
        case "dropAllUsersFromDatabase":
            return [_finding("B5", "removes every user")]
        case "createUser" | "updateUser" | "grantRolesToUser":
            wide = bool(re.search(r"root|AnyDatabase|__system|dbOwner|clusterAdmin", rest))
            return [_finding("B5" if wide else "C7", "gives rights to a user", target)]
    return [_finding("C4", f"changes the server ({name})", target)]
