"""Calls of a mail tool: what each does, by the words of its name and its arguments."""

from __future__ import annotations

import re

from reactor_core.safety import paths, sensitive
from reactor_core.safety.calls import Call, Unresolved
from reactor_core.safety.email.account import access, guards, rules
from reactor_core.safety.email.patterns import (
    ALERTS,
    ALL_MAIL,
    HELD,
    MAIL_READS,
    flagged,
    mail_finding,
    refused,
)
from reactor_core.safety.email.people import Readers, outside, readers_of
from reactor_core.safety.email.wording import carried_by
from reactor_core.safety.naming import wordset
from reactor_core.safety.network.code import always_true
from reactor_core.safety.scope import Scope, unclear
from reactor_core.safety.things import DESTROYS, split_name
from reactor_core.safety.verdict import Finding

__all__ = ["judge_call"]

_TIDIES = wordset(
    """
    archive label labels star unstar flag unflag mark move snooze unsnooze mute unmute sort pin unpin undo unsend
    restore undelete untrash recover tag untag categorize category unarchive untag collapse expand junk spam
    phishing report compose template print select close noop login logout enable copy
    """
)
_SENDS = wordset(
    """
    send reply forward resend redirect bounce broadcast blast mail email publish launch merge invite notify announce
    post respond message sms remind sendmail
    """
)
_ASSENTS = wordset(
    """
    accept decline tentative rsvp sign approve agree confirm subscribe unsubscribe vacation autoreply auto reply pay
    order buy book schedule cancel share publish grant invite transfer rename
    """
)
_PROGRAMS = re.compile(
    r"\.(?:exe|scr|bat|cmd|com|msi|js|jse|vbs|vbe|wsf|hta|ps1|jar|sh|bash|py|pyw|lnk|iso|img|dmg|pkg|app|apk|deb"
    r"|rpm|docm|xlsm|pptm|dll|reg|chm|command|run|bin)$",
    re.IGNORECASE,
)
_MAIN_FOLDERS = re.compile(
    r"^(?:inbox|sent\w*|archive|all ?mail|all|\*|mailbox|root|important|\[gmail\]/all mail)$", re.IGNORECASE
)


_TRACES = re.compile(
    r"security (alert|notice|notification)|new (sign-?in|log-?in|device|forwarding|delegate|recovery)"
    r"|sign-?in (alert|from|attempt)"
    r"|forwarding (address|rule)|password (was )?(changed|reset)|suspicious|audit|2fa|two-factor|mfa|unusual activity"
    r"|(rule|delegate|recovery \w+) (was )?(added|created|changed)|account (alert|activity)",
    re.IGNORECASE,
)
"""Mail that tells an owner what was done to the account."""
_SCREEN = wordset(
    """
    view sort sorting layout theme density display column columns page tab pane window zoom font language order group
    grouping panel sidebar list thread conversation folder folders
    """
)
"""What one looks at, or how."""
_SHOWS = wordset(
    """
    open goto go show set change switch toggle use select next previous prev jump scroll focus highlight resize
    """
)
_HARMLESS = wordset(
    """
    block enable refresh sync fetch wait sleep print len range log connect login highlight jump scroll focus next
    previous prev goto summarize summarise classify detect predict suggest diff render parse compare ping status health
    lookup resolve autocomplete spellcheck transcribe redact estimate bookmark hide show toggle paginate reload decode
    format convert group calculate measure audit inspect dedupe compress sort order rank score
    """
)


def _dry(call: Call) -> bool:
    if flagged(
        call, "dry_run", "dryrun", "preview", "simulate", "test", "what_if", "whatif", "test_only", "preview_only"
    ):
        return True
    return refused(call, "send", "apply", "commit", "execute", "deliver") or str(
        call.named.get("status", "")
    ).lower() in {"draft", "for review", "review"}


def judge_call(call: Call, scope: Scope, words: list[str] | None = None) -> Finding | None:
    """The finding for one call; None if nothing speaks against it.

    Args:
        call: The call.
        scope: Where it is made.
        words: Words of its name, where they are put together from more than the name.
    """
    words = split_name(call.name) if words is None else words
    have = set(words)
    first = words[0] if words else ""
    if _dry(call) and not have & {"open", "run"}:
        return mail_finding(call, "A4", "changes and sends nothing")
    for special in (_runs, guards, rules, access, _drafts):
        done, finding = special(call, first, have, scope)
        if done:
            return finding
    if first in {"close", "deactivate"} and have & {"account", "mailbox"}:
        return mail_finding(call, "B7", "closes an account")
    if first == "delete" and have & {"label", "labels", "category"} and not {"id", "ids", "message"} & set(call.named):
        return mail_finding(call, "C1", "deletes a label")
    if first in {"insert", "attach"} and (have & {"draft"} or "draft" in call.named):
        return None
    if first in _TIDIES or (
        have & {"label", "labels", "star", "flag", "read", "unread"}
        and have & {"remove", "clear", "add", "set", "mark", "delete"}
        and not have & {"all"}
        and not have & {"message", "messages", "mail"}
    ):
        return _tidies(call, have)
    if first in MAIL_READS or (have & {"count", "search", "list", "get"} and not have & DESTROYS):
        return _reads(call, scope)
    if (
        have & {"pause", "unschedule"}
        or (first == "cancel" and have & {"scheduled", "send", "sending"})
        or (first == "remove" and "recipient" in have)
    ):
        return None
    if have & DESTROYS or first in {"wipe", "archive"}:
        return _deletes(call, have)
    if first in {"not", "recall", "discard"} or (have & {"reminder"} and not have & _SENDS):
        return None
    if "compose" in have:
        return None
    if have & {"autoreply", "vacation"} or {"auto", "reply"} <= have or {"out", "office"} <= have:
        return _others(call, first, have)
    if first == "cancel" or have & {"event", "meeting", "calendar", "invite", "appointment"}:
        return _calendar(call, first, have)
    if have & _SENDS or ("to" in call.named and first not in _ASSENTS | {"move", "set", "update", "add", "create"}):
        return _sends(call, words)
    if first in {"share", "publish"}:
        return _shares(call)
    return _others(call, first, have)


def _runs(call: Call, first: str, have: set[str], scope: Scope) -> tuple[bool, Finding | None]:
    """Attachments and scripts."""
    name = call.text("name", "file", "path", "attachment", at=1) or ""
    if first in {"open", "run", "execute", "launch", "start", "startfile", "preview"} and have & {
        "attachment",
        "attachments",
        "file",
        "startfile",
        "link",
        "url",
        "macro",
        "script",
    }:
        if first == "preview" or "link" in have or "url" in have:
            return True, None
        risky = _PROGRAMS.search(name) or flagged(
            call, "run", "execute", "enable_macros", "macros", "enable_content", "elevate"
        )
        if have & {"macro", "script"}:
            return True, unclear("runs a script that is not shown", part=call.source[:300])
        if flagged(call, "sandbox", "isolated"):
            return True, unclear("runs an attachment in a sandbox", part=call.source[:300])
        if risky or first in {"run", "execute", "startfile"}:
            return True, mail_finding(call, "B5", f"runs the attachment {name}".strip(), privilege=True)
        return True, None
    if have & {"script", "macro", "sieve"} and have & {"run", "execute", "apply", "install", "upload"}:
        return True, unclear("runs a script that is not shown", part=call.source[:300])
    if have & {"save", "download"} and flagged(call, "execute", "run", "open_after", "launch"):
        return True, mail_finding(call, "B5", f"runs the attachment {name}".strip(), privilege=True)
    if have & {"save", "download", "export"} and not have & {"draft"}:
        target = call.text("path", "folder", "dst", "to", "dest", "destination", "url", "target", "out", "directory")
        if (
            have & {"mailbox", "contacts", "export", "mail", "archive", "messages"}
            and target
            and ("@" in target or "://" in target)
        ):
            return True, mail_finding(call, "B5", f"gives the mail to {target}", outward=True, secret=True)
        finding = (
            paths.overwriting(target, scope)
            if target and target.startswith(("/", "~", ".")) and re.search(r"\.\w+$", target)
            else None
        )
        return True, finding
    return False, None


def _drafts(call: Call, _first: str, have: set[str], _scope: Scope) -> tuple[bool, Finding | None]:
    if have & {"draft", "drafts"} and not have & (_SENDS - {"reply", "forward", "invite", "mail", "email", "message"}):
        if have & DESTROYS:
            return True, mail_finding(call, "C1", "deletes a draft")
        return True, None
    return False, None


def _tidies(call: Call, have: set[str]) -> Finding | None:
    if have & {"trash", "bin"} and not have & {"restore", "undelete", "untrash", "recover", "undo"}:
        return _deletes(call, have)
    folder = call.text("folder", "to", "destination", "label") or ""
    if re.search(r"^(?:trash|bin|deleted)", folder, re.IGNORECASE) and have & {"move"}:
        return _deletes(call, have | {"move"})
    if have & {"event", "meeting"}:
        return _calendar(call, "move", have)
    if "template" in have and have & _SENDS:
        return None
    return None


def _reads(call: Call, scope: Scope) -> Finding | None:
    query = call.text("query", "q", "subject", at=0) or ""
    query = " ".join([query, call.text("subject", "title") or ""])
    telling = sensitive.names_secret(query) or re.search(
        r"(?i)has:credentials|\bpassword\b|\b(one-?time|login|security|verification|recovery|backup|2fa|mfa"
        r"|access) codes?\b"
        r"|\botp\b|magic link",
        query,
    )
    if telling and flagged(call, "show_body", "bodies", "full", "include_body", "raw"):
        return mail_finding(call, "C8", "shows secrets that stand in mail", secret=True)
    target = call.text("path", "out", "dst")
    return paths.overwriting(target, scope) if target and target.startswith(("/", "~")) else None


def _permanent(call: Call, have: set[str]) -> bool:
    if flagged(
        call,
        "permanent",
        "permanently",
        "hard",
        "hard_delete",
        "skip_trash",
        "purge",
        "force",
        "expunge",
        "all_copies",
        "irreversible",
        "immediately",
        "forever",
    ):
        return True
    return bool(
        have & {"purge", "permanently", "expunge", "erase", "destroy", "wipe", "shred", "batch", "obliterate"}
    ) or bool(re.search(r"permanent|for ?ever|hard", str(call.named.get("mode", "")), re.IGNORECASE))


def _deletes(call: Call, have: set[str]) -> Finding | None:
    said = " ".join(str(value) for value in (*call.positional, *call.named.values()))
    permanent = _permanent(call, have)
    if HELD.search(said) or flagged(call, "override_hold", "ignore_hold", "bypass_hold"):
        return mail_finding(call, "B7", "removes records that are under hold")
    if have & {"mailbox", "mailboxes", "account", "accounts", "domain", "tenant"}:
        return mail_finding(call, "B7", "deletes a mailbox or an account")
    if (have & {"backup", "backups"} or "backup" in said) and have & {"backup", "backups", "archive", "archives"}:
        return mail_finding(call, "B1", "deletes a backup of the mail")
    if (permanent or have & {"expunge"}) and _TRACES.search(said):
        return mail_finding(call, "B5", "removes the traces of what was done to the account", privilege=True)
    folder = call.text("folder", "name", "mailbox", at=0) or ""
    query = call.text("query", "q", "search", "filter", "match", "older_than", "ids", at=0) or ""
    count = call.get("count", "limit", "n", "total")
    many = isinstance(count, int) and count >= 1000
    ids = call.get("ids", "id", "message_ids", "uids", at=0)
    open_ids = isinstance(ids, Unresolved) and bool(
        re.search(r"\ball|every|list|search", ids.source.replace("_", " "), re.IGNORECASE)
    )
    named = isinstance(ids, list | int | tuple) or (
        isinstance(ids, str) and not ALL_MAIL.match(ids.strip()) and "id" in call.named
    )
    everything = bool(ALL_MAIL.match(query.strip()) or always_true(query)) if query and not named else False
    everything = (
        everything
        or (not named and call.times is None)
        or open_ids
        or flagged(call, "all", "everything")
        or "all" in have
    )
    if have & {"trash", "bin", "spam", "junk"} and have & {"empty", "clear", "purge", "clean"}:
        return mail_finding(call, "C1", "empties the bin")
    if have & {"folder", "folders", "label"} or (folder and have & {"purge", "empty", "clear", "wipe"}):
        main = bool(_MAIN_FOLDERS.match(folder.strip())) or "all" in have
        return mail_finding(call, "B7" if main else "C1", f"deletes the folder {folder}".strip())
    if (everything or many) and (permanent or (call.times is None and permanent)):
        return mail_finding(call, "B7", "deletes all mail for good")
    if have & {"contacts", "contact"} and (everything or have & {"all"}):
        return mail_finding(call, "B7", "deletes all contacts")
    if everything and not permanent and have & {"all", "wipe"}:
        return mail_finding(call, "B7", "deletes all mail")
    return mail_finding(call, "C1", "deletes mail or contacts")


def _calendar(call: Call, first: str, have: set[str]) -> Finding | None:
    readers = readers_of(call)
    everything = bool(ALL_MAIL.match((call.text("query", "q", at=0) or "").strip()))
    if readers.mass or everything:
        return mail_finding(call, "B7", f"writes to {_whom(readers)} about an event", outward=True)
    guests = call.get("guests", "attendees", "invitees", "to", "participants")
    if first in {"create", "add", "schedule", "new", "draft"} and (
        guests in (None, [], "", ()) or refused(call, "notify", "send_invites")
    ):
        return None
    if first == "set" and have & {"calendar"}:
        return None
    return mail_finding(call, "C7", "answers, invites or changes an event in the user's name", outward=True)


def _whom(readers: Readers) -> str:
    if readers.count and not readers.open_list:
        return f"{readers.count:,} people"
    return readers.open_list or ", ".join(readers.named[:3]) or "others"


def _sends(call: Call, words: list[str]) -> Finding:
    readers = readers_of(call)
    if words[:1] == ["forward"] and "all" in words:
        return mail_finding(call, "B5", "sends all mail on", outward=True, secret=True)
    rule, says = carried_by(call, readers)
    if rule:
        return mail_finding(call, rule, says, outward=True, secret=rule == "B5")
    if (
        call.named.get("query") is not None
        and readers.named
        and re.search(
            r"forward|redirect"
            r"|resend",
            " ".join(words),
        )
    ):
        sensitive_query = ALERTS.search(str(call.named["query"])) or ALL_MAIL.match(str(call.named["query"]).strip())
        if sensitive_query or any(map(outside, readers.named)):
            return mail_finding(
                call, "B5", f"sends mail about {call.named['query']} to {readers.named[0]}", outward=True, secret=True
            )
    if readers.mass or (set(words) & {"bulk", "mass"} and not readers.named and not readers.count):
        return mail_finding(call, "B7", f"writes to {_whom(readers)}", outward=True)
    if readers.unknown and not readers.named:
        return unclear("writes to somebody who cannot be known beforehand", part=call.source[:300])
    return mail_finding(call, "C7", f"writes to {_whom(readers)} in the user's name", outward=True)


def _shares(call: Call) -> Finding:
    readers = readers_of(call)
    rule, says = carried_by(call, readers)
    if rule:
        return mail_finding(call, rule, says, outward=True)
    public = re.search(r"public|anyone|everyone|open link", call.source, re.IGNORECASE)
    many = readers.count >= 200 or re.search(r"\ball\b", str(call.named.get("list", "")))
    return mail_finding(call, "B7" if public or many else "C7", "gives others access", outward=True)


def _others(call: Call, first: str, have: set[str]) -> Finding | None:
    if (
        have & {"payee", "iban", "supplier", "bank", "payout", "direct", "salary"}
        and first in {"update", "set", "change", "add", "create"}
    ) or {"iban", "bank_account", "account_number"} & set(call.named):
        return mail_finding(call, "B7", "changes where money is paid to", outward=True)
    if have & {"contact", "contacts"}:
        if first in {"import", "merge", "update", "edit", "sync"}:
            return mail_finding(call, "C3", "changes contacts")
        return None if first in {"add", "create", "new"} else mail_finding(call, "C7", "changes contacts")
    if first in {"create", "add", "new", "rename", "make"} and have & {
        "folder",
        "label",
        "category",
        "note",
        "task",
        "reminder",
        "signature",
    }:
        return None
    if have & {"vacation", "autoreply", "responder", "away", "ooo"} or {"auto", "reply"} <= have:
        return mail_finding(call, "C7", "answers everybody who writes in the user's name", outward=True)
    if first in _ASSENTS or have & _ASSENTS:
        return mail_finding(call, "C7", "agrees, pays or publishes in the user's name", outward=True)
    if first in _HARMLESS or (first in _SHOWS and have & _SCREEN):
        return None
    if first in {"exec", "eval", "compile", "run", "call", "execute", "apply", "import"}:
        return unclear("runs what is not shown", part=call.source[:300])
    if first in {"set", "update", "configure", "change", "settings"}:
        return mail_finding(call, "C7", "changes a setting of the mailbox")
    return unclear(f"a mail action that is not known ({call.name})", part=call.source[:300])
