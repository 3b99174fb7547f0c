"""Mail over the interfaces of libraries: Gmail's and Graph's clients, IMAP, SMTP."""

from __future__ import annotations

import re
from dataclasses import replace
from typing import Any

from reactor_core.safety.calls import Call, Unresolved
from reactor_core.safety.email.verbs import judge_call
from reactor_core.safety.naming import wordset
from reactor_core.safety.scope import Scope
from reactor_core.safety.things import split_name
from reactor_core.safety.verdict import Effect, Finding, Scale, found

__all__ = ["judge_api"]

_HTTP = frozenset({"get", "post", "patch", "put", "delete", "head"})
_IMAP_READS = wordset(
    """
    select fetch search list lsub status noop login logout capability namespace examine uid sort thread idle close
    check starttls enable getquota getacl append copy create subscribe rename xatom recent response socket
    """
)
_MAIN = re.compile(r"^\"?(?:inbox|sent\w*|archive|all ?mail|\[gmail\].*|important)\"?$", re.IGNORECASE)


def judge_api(call: Call, scope: Scope) -> tuple[bool, Finding | None]:
    """Whether a call is one of these interfaces', and the finding for it."""
    receiver = call.receiver.lower()
    if re.search(r"\bimap\w*$|\bimap\b|mailbox_conn", receiver) and (
        call.name in _IMAP_READS or call.name in {"store", "expunge", "delete", "uid", "setacl", "move"}
    ):
        return True, _imap(call)
    if re.search(r"\bsmtp\w*$|\bserver$", receiver) and call.name in {"sendmail", "send_message"}:
        return True, judge_call(_smtp(call), scope, ["send"])
    if (
        call.name in _HTTP
        and call.positional
        and isinstance(call.positional[0], str)
        and call.positional[0].startswith(("/", "http"))
    ):
        return True, _by_path(call, scope)
    if call.receiver.endswith(")") or re.search(
        r"\b(?:gmail|graph|service|outlook|exchange|nylas|client|mail|users|settings|campaign|m|msg|message)\b",
        receiver,
    ):
        return True, judge_call(_flattened(call), scope, _words(call))
    return False, None


def _words(call: Call) -> list[str]:
    """The verb first, then the things that the chain in front of it names."""
    chain = [
        part
        for part in re.findall(r"[A-Za-z_]\w*", re.sub(r"\([^()]*\)", "", call.receiver))
        if part not in {"gmail", "service", "users", "graph", "client", "self", "me", "mail", "api"}
    ]
    words = [word for part in chain for word in split_name(part)]
    verb = split_name(call.name)
    singulars = [
        word[:-1]
        if word
        in wordset(
            """
            drafts filters delegates messages labels threads rules attachments events
            """
        )
        else word
        for word in words
    ]
    return [*verb, *singulars]


def _flattened(call: Call) -> Call:
    """The call with the fields of its body as if they were its own."""
    body = call.named.get("body")
    if not isinstance(body, dict):
        return call
    named: dict[str, Any] = {name: value for name, value in call.named.items() if name != "body"}
    named.update({str(name): value for name, value in body.items()})
    criteria, action = named.pop("criteria", None), named.pop("action", None)
    if isinstance(criteria, dict):
        named["match"] = " ".join(str(value) for value in criteria.values()) or "*"
    if isinstance(action, dict):
        named["action"] = " ".join(f"{name} {value}" for name, value in action.items())
    if "delegateEmail" in named:
        named["user"], named["rights"] = named["delegateEmail"], "full"
    return replace(call, named=named)


def _smtp(call: Call) -> Call:
    """``sendmail(from, to, message)`` and ``send_message(message, from_addr, to_addrs)``."""
    if call.name == "sendmail" and len(call.positional) > 1:
        message = call.positional[2] if len(call.positional) > 2 else ""
        return replace(call, positional=(), named={**call.named, "to": call.positional[1], "body": message})
    return call


def _by_path(call: Call, scope: Scope) -> Finding | None:
    path = call.positional[0]
    body = next(
        (
            value
            for value in (*call.positional[1:], call.named.get("json"), call.named.get("data"))
            if isinstance(value, dict)
        ),
        {},
    )
    last = re.split(r"[/?]", path.rstrip("/"))[-1]
    noun = path.lower()
    named: dict[str, Any] = {str(name): value for name, value in body.items()}
    if call.name in {"get", "head"}:
        return None
    if call.name == "delete":
        words = [
            "delete",
            *("folder" for _ in [0] if "folder" in noun),
            *("rule" for _ in [0] if "rule" in noun),
            *("event" for _ in [0] if "event" in noun),
        ]
        whole = re.search(r"/(?:users|mailboxes)/[^/]+$|/me$", noun)
        words = ["delete", "mailbox"] if whole else [*words, "message"] if len(words) == 1 else words
        return judge_call(replace(call, positional=(last,), named={"name": last}), scope, words)
    if "messagerules" in noun or "filters" in noun:
        actions = named.get("actions", named)
        return judge_call(
            replace(call, positional=(), named={"match": str(named.get("conditions", "*")), "action": f"{actions}"}),
            scope,
            ["create", "rule"],
        )
    if re.search(r"sendmail|/send$|/reply\w*$|/forward$", noun):
        message = named.get("message", named)
        flat = message if isinstance(message, dict) else named
        return judge_call(replace(call, positional=(), named={**flat, "id": last}), scope, ["send"])
    if "isRead" in named or "flag" in named or "categories" in named or last == "move":
        return None
    if "mailboxsettings" in noun and "automaticRepliesSetting" in named:
        return judge_call(replace(call, positional=(), named={}), scope, ["set", "vacation"])
    return judge_call(
        replace(call, positional=(), named=named),
        scope,
        [{"post": "create", "patch": "update", "put": "update"}[call.name], *split_name(last)],
    )


def _imap(call: Call) -> Finding | None:
    said = " ".join(str(value) for value in call.positional)

    def finding(rule: str, says: str) -> Finding:
        scale = Scale.ALL if rule[0] == "B" else Scale.ITEM
        return found(rule, says, Effect(said[:80], scale, reversible=False), part=call.source[:300])

    match call.name:
        case "store" | "uid" if "Deleted" in said:
            if "-FLAGS" in said:
                return None
            numbers = call.positional[1 if call.name == "uid" else 0] if call.positional else ""
            everything = isinstance(numbers, Unresolved) or (isinstance(numbers, str) and "*" in numbers)
            return finding(
                "B7" if everything else "C1",
                "deletes messages for good" if everything else "marks messages for deletion",
            )
        case "expunge":
            return finding("C1", "removes what is marked for deletion")
        case "delete":
            main = bool(call.positional) and (
                not isinstance(call.positional[0], str) or bool(_MAIN.match(call.positional[0]))
            )
            return finding("B7" if main else "C1", "deletes a folder of mail")
        case "setacl":
            return finding("C7", "gives others rights to a folder")
    return None
