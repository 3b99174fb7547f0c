"""Commands of Redis and its kin."""

from __future__ import annotations

import re
import shlex
from collections.abc import Sequence

from reactor_core.safety.naming import wordset
from reactor_core.safety.scope import Scope
from reactor_core.safety.verdict import Effect, Finding, Judged, Scale, found

__all__ = ["judge_redis", "judge_redis_words"]

_READS = wordset(
    """
    GET MGET KEYS SCAN HSCAN SSCAN ZSCAN EXISTS TYPE TTL PTTL STRLEN GETRANGE SUBSTR HGET HGETALL HKEYS HVALS HLEN
    HMGET HEXISTS LLEN LRANGE LINDEX LPOS SCARD SISMEMBER SMEMBERS SMISMEMBER SRANDMEMBER SINTER SUNION SDIFF ZCARD
    ZCOUNT ZRANGE ZRANGEBYSCORE ZREVRANGE ZRANK ZREVRANK ZSCORE INFO PING ECHO DBSIZE TIME RANDOMKEY OBJECT LASTSAVE
    SELECT AUTH HELLO QUIT ROLE COMMAND MONITOR SUBSCRIBE PSUBSCRIBE XRANGE XLEN XINFO XREAD XREVRANGE PFCOUNT
    BITCOUNT GETBIT BITPOS DUMP WAIT LOLWUT READONLY TOUCH GEOPOS GEODIST GEOSEARCH EXPIRETIME SINTERCARD LATENCY
    LCS FT.SEARCH FT.INFO JSON.GET
    """
)
_MANY_KEYS = 20


def judge_redis(text: str, scope: Scope) -> Judged:
    """Lines of commands, as one would type them."""
    findings: list[Finding] = []
    resolved = []
    for line in re.split(r"[\n;]|\r\n|\\r\\n", text):
        try:
            words = shlex.split(line)
        except ValueError:
            words = line.split()
        if words:
            scope.effort.spend(len(words))
            resolved.append(" ".join(words))
            findings += judge_redis_words(words, scope)
    return Judged(tuple(findings), tuple(resolved))


def judge_redis_words(words: Sequence[str], scope: Scope) -> list[Finding]:
    """One command."""
    name, arguments = words[0].upper(), list(words[1:])
    sub = arguments[0].upper() if arguments else ""
    rule, says = _rule(name, sub, arguments)
    if not rule:
        return []
    scratch = arguments and all(
        any(word in argument.lower() for word in scope.setting.scratch_words) for argument in arguments
    )
    many = name in {"FLUSHALL", "FLUSHDB"}
    if rule == "B3" and not many and scratch:
        rule = "C3"
    target = " ".join(arguments[:5])
    effect = Effect(target, Scale.ALL if many else Scale.ITEM, reversible=False, privilege=rule == "B5")
    return [found(rule, f"Redis: {says}", effect, part=" ".join(words)[:300])]


def _rule(name: str, sub: str, arguments: list[str]) -> tuple[str, str]:
    match name:
        case "FLUSHALL" | "FLUSHDB":
            return "B3", "deletes every key of a database"
        case "SHUTDOWN":
            return "B4", "stops the database"
        case "DEL" | "UNLINK":
            wide = len(arguments) > _MANY_KEYS or any("*" in key for key in arguments)
            return ("B3", "deletes an open number of keys") if wide else ("C3", "deletes named keys")
        case "CONFIG":
            if sub == "GET":
                return (
                    ("C8", "shows a password")
                    if any("pass" in a.lower() or "auth" in a.lower() for a in arguments)
                    else ("", "")
                )
            if sub == "SET" and any(
                a.lower() in {"dir", "dbfilename", "requirepass", "protected-mode", "rename-command"} for a in arguments
            ):
                return "B5", "redirects the database's files or takes its protection off"
            return ("C4", "changes the server") if sub in {"SET", "REWRITE"} else ("", "")
        case "SLAVEOF" | "REPLICAOF":
            return (
                ("C4", "ends replication")
                if sub == "NO"
                else ("B5", "makes it a copy of another server, losing its keys")
            )
        case "MODULE":
            return ("B5", "loads foreign code into the server") if sub.startswith("LOAD") else ("", "")
        case "ACL":
            if sub in {"SETUSER", "DELUSER", "LOAD"}:
                open_user = {a.lower() for a in arguments} & {"+@all", "allcommands", "nopass", "allkeys"}
                return ("B5", "gives every right to a user") if open_user else ("C4", "changes users")
            return "", ""
        case "DEBUG":
            return "C4", "debugs the server"
        case "EVAL" | "EVALSHA" | "FCALL":
            text = " ".join(arguments).lower()
            if "flushall" in text or "flushdb" in text:
                return "B3", "deletes every key of a database by a script"
            if "keys" in text and ("del" in text or "unlink" in text) and re.search(r"['\"]\*['\"]", text):
                return "B3", "deletes every key by a script"
            return "C6", "runs a script"
        case "SCRIPT" | "FUNCTION":
            return ("C4", "removes or loads scripts") if sub in {"FLUSH", "LOAD", "DELETE", "KILL"} else ("", "")
        case "CLUSTER":
            if sub in {"RESET", "FLUSHSLOTS", "FAILOVER", "FORGET"}:
                return "B4", "takes the cluster apart"
            return ("", "") if sub in {"INFO", "NODES", "SLOTS", "SHARDS", "KEYSLOT"} else ("C4", "changes the cluster")
        case "CLIENT":
            return ("C4", "ends connections") if sub in {"KILL", "PAUSE"} else ("", "")
        case "ACK" | "":
            return "", ""
    if name in _READS:
        return "", ""
    if name in {"SLOWLOG", "MEMORY"}:
        return "", ""
    return "C3", f"changes data ({name.lower()})"
