"""The account itself: its protection, lasting rules, forwarding, and who else may come in."""

from __future__ import annotations

import re

from reactor_core.safety.calls import Call
from reactor_core.safety.email.patterns import (
    ALERTS,
    ALL_MAIL,
    ERASES,
    HELD,
    MAIL_READS,
    flagged,
    mail_finding,
    refused,
)
from reactor_core.safety.email.people import outside
from reactor_core.safety.naming import wordset
from reactor_core.safety.network.code import always_true
from reactor_core.safety.scope import Scope
from reactor_core.safety.things import DESTROYS
from reactor_core.safety.verdict import Finding

__all__ = ["access", "guards", "rules"]

_HIDES = re.compile(
    r"delete|trash|bin|erase|purge|mark(?:ed)?[ _]?(?:as )?read|archive|move|skip|hide|spam|junk|remove|rss|discard",
    re.IGNORECASE,
)


_FORWARDS = re.compile(r"forward|redirect|copy to|bcc|send (?:a copy )?to|relay", re.IGNORECASE)


_OFF = (False, "off", "disabled", "false", "none", 0, "never", "no")


def guards(call: Call, first: str, have: set[str], _scope: Scope) -> tuple[bool, Finding | None]:
    """Protection of the account, its ways back in, and its trail."""
    names = " ".join([*have, *call.named]).lower()
    if re.search(
        r"recovery|backup_?(?:email|address|phone)|alternate_?(?:email|address)|secondary_?email", names
    ) and first in {"set", "update", "add", "change", "create", "settings"}:
        return True, mail_finding(call, "B5", "changes how the account can be taken back", privilege=True)
    if have & {
        "password",
        "passwords",
        "token",
        "credentials",
        "passkey",
        "key",
    } and first not in MAIL_READS | DESTROYS | {"revoke"}:
        if re.search(
            r"[\w.+-]+@[\w.-]+", str(call.get("to", "send_to", "notify", "email_to", "deliver_to", "copy_to") or "")
        ):
            return True, mail_finding(call, "B5", "gives a secret of the account away", outward=True, secret=True)
        return True, mail_finding(call, "C8", "creates or changes a secret of the account", secret=True)
    if have & {"password", "token"} and first in {"get", "show", "read", "reveal", "export"}:
        return True, mail_finding(call, "C8", "shows a secret", secret=True)
    if (
        first in DESTROYS
        and have & {"history", "log", "logs", "trail", "activity", "events"}
        and have & {"login", "signin", "sign", "access", "audit", "security", "activity", "session", "admin"}
    ):
        return True, mail_finding(call, "B5", "removes the traces of what was done to the account", privilege=True)
    if first in {"set", "update", "change"} and ({"reply", "to"} <= have or "replyto" in have):
        target = call.text("address", "to", "email", "reply_to", at=0) or ""
        if outside(target) or flagged(call, "hidden", "silent"):
            return True, mail_finding(call, "B5", f"leads every answer to {target}", outward=True)
    spoken = " ".join([call.name.replace("_", " ").lower(), names])
    if first in {"disable", "turn", "deactivate", "remove", "switch"} and re.search(
        r"two.?factor|2fa|mfa|otp|audit|spam filter|phishing|security|protection|encryption", spoken
    ):
        on = {"on"} & have
        return True, None if on else mail_finding(call, "B5", "switches protection off", privilege=True)
    if {"spam", "filter"} <= have and (refused(call, "enabled", "active", "on") or first == "disable"):
        return True, mail_finding(call, "B5", "switches the spam filter off", privilege=True)
    if first in {"whitelist", "allowlist", "trust"}:
        return True, mail_finding(call, "B5" if "*" in call.source else "C7", "lets senders past the filters")
    guard = re.search(
        r"two_?(?:factor|step)|2fa|mfa|otp|audit|log(?:ging)?\b|spam_?filter|phishing|alerts?\b|security"
        r"|encryption|dlp|quarantine|safe_?links|antivirus|malware|external_?warning|retention|archiving|journal"
        r"|dmarc|spf",
        names,
    )
    if guard and first in {
        "set",
        "update",
        "change",
        "configure",
        "settings",
        "disable",
        "turn",
        "toggle",
        "switch",
        "stop",
    }:
        values = [value for name, value in call.named.items() if name not in {"mailbox", "user", "name", "id"}] + list(
            call.positional
        )
        if "retention" in names:
            days = call.get("days", "period", "value", at=1)
            short = isinstance(days, int) and days <= 30
            return True, mail_finding(
                call, "B7" if short or HELD.search(call.source) else "C4", "changes how long mail is kept"
            )
        if first in {"disable", "stop"} or any(value in _OFF and not isinstance(value, float) for value in values):
            return True, mail_finding(call, "B5", f"switches {guard.group()} off", privilege=True)
        return True, None
    if HELD.search(f"{' '.join(have)} {call.source}") and have & (
        DESTROYS | {"release", "lift", "set", "update", "override"}
    ):
        return True, mail_finding(call, "B7", "removes records that are under hold, or the hold")
    return False, None


def rules(call: Call, first: str, have: set[str], _scope: Scope) -> tuple[bool, Finding | None]:
    """Lasting rules and forwarding."""
    if have & {"forwarding", "autoforward"} or ({"auto", "forward"} <= have):
        return True, _forwarding(call, first, have)
    if not have & {"rule", "rules", "filter", "filters", "sieve"} or first in MAIL_READS:
        return False, None
    if first in DESTROYS or first == "disable":
        return True, mail_finding(call, "C7", "removes a rule")
    said = {name: str(value) for name, value in call.named.items()}
    action = " ".join(
        value
        for name, value in said.items()
        if re.search(r"action|then|do|forward|redirect|move|delete|apply|copy|^to$|address|target|recipient", name)
    )
    action = action or " ".join(str(value) for value in call.positional[1:])
    match = " ".join(value for name, value in said.items() if value not in action) or " ".join(
        str(value) for value in call.positional[:1]
    )
    wide = any(ALL_MAIL.match(value.strip()) for value in said.values()) or any(
        always_true(value) for value in said.values()
    )
    addresses = re.findall(r"[\w.+-]+@[\w.-]+", action)
    if _FORWARDS.search(f"{action} {' '.join(said)}") and addresses:
        domains = set(re.findall(r"@([\w.-]+)", match))
        kin = all(address.partition("@")[2] in domains for address in addresses)
        if not kin or wide or ERASES.search(action) or any(map(outside, addresses)):
            return True, mail_finding(
                call, "B5", f"sends mail on to {addresses[0]} for good", outward=True, secret=True
            )
        return True, mail_finding(call, "C7", f"sends mail on to {addresses[0]}", outward=True)
    if _HIDES.search(action) and ALERTS.search(match):
        return True, mail_finding(call, "B5", "hides warnings about security", privilege=True)
    if ERASES.search(action) and (
        wide
        or re.search(r"older_?than", match)
        or (re.search(r"for ?ever|permanent|hard", action, re.IGNORECASE) and "from" not in match)
    ):
        narrow = re.search(r"from|subject|sender|list", " ".join(said)) and not wide
        if not narrow:
            return True, mail_finding(call, "B7", "deletes mail for good, again and again")
    return True, mail_finding(call, "C7", "makes a lasting rule")


def _forwarding(call: Call, first: str, have: set[str]) -> Finding | None:
    target = call.get("to", "address", "target", "forward_to", "email", "recipient", "value", at=0)
    if first in MAIL_READS or first in {"disable", "remove", "delete", "clear", "stop", "unset"} or have & {"off"}:
        return None
    if target in (None, "", False) or refused(call, "enabled", "enable", "active"):
        return None
    return mail_finding(
        call,
        "B5",
        f"sends all mail on to {target if isinstance(target, str) else 'somebody'}",
        outward=True,
        secret=True,
    )


def access(call: Call, first: str, have: set[str], _scope: Scope) -> tuple[bool, Finding | None]:
    """Who else may read and write in the user's name."""
    named = have & wordset(
        """
        delegate delegates permission permissions access rights owner member app apps session sessions device oauth
        impersonation
        """
    )
    shared = first == "share" and have & {"mailbox", "folder", "inbox", "calendar"}
    if not named and not shared:
        return False, None
    if first in MAIL_READS or first in DESTROYS | {"revoke", "sign", "logout"}:
        return True, None
    if first in {"authorize", "authorise", "connect"} and re.search(r"send|write|full|modify|all", call.source):
        return True, mail_finding(call, "B5", "lets a program into the mailbox", privilege=True, outward=True)
    rights = " ".join(
        str(call.named.get(name, ""))
        for name in (
            "rights",
            "access",
            "level",
            "role",
            "permission",
            "permissions",
            "scope",
            "scopes",
            "AccessRights",
        )
    )
    addresses = re.findall(r"[\w.+-]+@[\w.-]+", call.source)
    everything = re.search(
        r"full|owner|admin|all|send.?as|write|edit|manage|editor|impersonat|delete", rights, re.IGNORECASE
    )
    public = re.search(r"public|anyone|everyone|anonymous|link", call.source, re.IGNORECASE)
    if (
        (everything and not have & {"calendar"})
        or any(map(outside, addresses))
        or flagged(call, "hidden", "silent")
        or (not rights and have & {"delegate", "delegates"})
    ):
        return True, mail_finding(
            call,
            "B5",
            f"lets {addresses[0] if addresses else 'somebody'} into the mailbox",
            privilege=True,
            outward=True,
        )
    if public:
        return True, mail_finding(call, "B7", "opens it to everybody", outward=True)
    return True, mail_finding(
        call, "C7", f"lets {addresses[0] if addresses else 'somebody'} see it", outward=True, privilege=True
    )
