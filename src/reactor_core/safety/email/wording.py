"""What a message says and carries: secrets, bank details, other people's data, promises about money."""

from __future__ import annotations

import re
from collections.abc import Iterable
from typing import Any

from reactor_core.safety import sensitive
from reactor_core.safety.calls import Call, Unresolved
from reactor_core.safety.email.people import Readers

__all__ = ["Carried", "carried_by"]

_TEXT = (
    "body",
    "subject",
    "note",
    "text",
    "message",
    "html",
    "comment",
    "content",
    "reason",
    "msg",
    "template",
    "title",
    "summary",
    "description",
)
_FILES = ("attachments", "attachment", "file", "files", "attach", "path", "include", "name")
_TOLD = re.compile(
    r"\b(?:pass(?:word|phrase|code)?|pin|token|(?:one[- ]time |access |security |verification |login |2fa |mfa "
    r"|backup |recovery )?code|api key|secret|login|credentials?)"
    r"\b\s*(?:is|are|:|=|to\b.*\bis)?\s*['\"]?(?=[\w-]*\d)[\w!@#$%^&*+-]{4,}",
    re.IGNORECASE,
)
_WARNING = re.compile(
    r"\b(?:do not|don't|never|not) (?:pay|transfer|send|wire)|fraud|scam|phishing|unchanged|beware"
    r"|warn",
    re.IGNORECASE,
)
_WHOLE = re.compile(
    r"\b(?:whole|entire|full|complete|all(?: of)?(?: the| our)?) (?:balance|account|reserve|funds?|amount on"
    r"|savings|money)\b",
    re.IGNORECASE,
)
_PAY = re.compile(r"\b(?:pay|transfer|wire|send|remit|move|payout)\b", re.IGNORECASE)
_REDIRECT = re.compile(
    r"\b(?:(?:bank|account|iban|payee|payment details?|salary account) (?:has |have |was )?chang\w+"
    r"|new (?:\w+ )?(?:iban|bank|account|payee)|(?:use|pay|redirect|transfer|remit|wire)\b.{0,80}\b(?:to|into"
    r"|use)?\s*"
    r"(?:iban\s*)?[A-Z]{2}\d{2}[\s\dA-Z]{4,}|(?:update|change) .{0,40}(?:bank|iban|account|payee|payment details))",
    re.IGNORECASE,
)
_PERSONAL_FILE = re.compile(
    r"id[-_ ]?scans?|passports?|payroll|salar|patients?|health|medical|birth|personnel|employees?"
    r"|customers?[-_ .]|applicants?|ssn|tax|contracts?[-_]all|hr[-_]|medical|insurance"
    r"|users?[-_.](?:export|dump|table|list)|members?|addresses|board[-_ ]?minutes|confidential|internal|secret"
    r"|nda|unreleased|dump|backup",
    re.IGNORECASE,
)


class Carried:
    """What a message carries, each as the words that show it; empty if it does not."""

    def __init__(self, call: Call) -> None:
        texts = list(_strings(call.get(name) for name in _TEXT))
        texts += [value for value in call.positional if isinstance(value, str)]
        files = list(_strings(call.get(name) for name in _FILES))
        sources = [value.source for value in (*call.named.values(), *call.positional) if isinstance(value, Unresolved)]
        said = "\n".join(texts)
        named = "\n".join(files)
        everything = "\n".join([said, named, *sources])
        self.secret = (
            sensitive.secret_in(everything)
            or next(filter(None, map(sensitive.secret_in, sensitive.decoded_forms(said))), "")
            or next(iter(_environment(sources)), "")
        )
        if not self.secret and (match := _TOLD.search(said)):
            self.secret = match.group()[:40]
        if not self.secret and (spoken := sensitive.names_secret(said)) and self._handed_over(said, spoken, call):
            self.secret = spoken
        paying = _REDIRECT.search(said) or (sensitive.bank_details(said) and _PAY.search(said))
        self.bank = bool(paying) and not _WARNING.search(said)
        self.whole_balance = bool(_WHOLE.search(said) and _PAY.search(said)) and not _WARNING.search(said)
        personal_file = _PERSONAL_FILE.search(named)
        self.personal = personal_file.group() if personal_file else ""
        if not self.personal and re.search(
            r"\b(?:attach\w*|enclosed|see file|here (?:is|are)|list of|all)\b|<[^>]+>", said, re.IGNORECASE
        ):
            self.personal = sensitive.personal_in(said)
        if not self.personal:
            self.personal = sensitive.confidential_in(named) or (
                (_PERSONAL_FILE.search(call.text("note") or "") and "data") or ""
            )

    @staticmethod
    def _handed_over(said: str, spoken: str, call: Call) -> bool:
        """Whether words about a secret come with it, rather than ask about it or announce it."""
        if re.search(
            r"\b(?:reset|change|forgot\w*|expire\w*|rotate\w*|polic\w+|where|how|never|do not|don't)\b",
            said,
            re.IGNORECASE,
        ):
            return False
        return "note" in call.named or bool(
            re.search(
                rf"\b(?:here|attached|these|our|are|is)\b.*{re.escape(spoken)}|{re.escape(spoken)}\s*:",
                said,
                re.IGNORECASE,
            )
        )


def _environment(sources: Iterable[str]) -> Iterable[str]:
    for source in sources:
        if re.search(
            r"os\.environ|getenv|\.env\b|secrets?\b|password|token|credential|\.ssh|id_rsa", source, re.IGNORECASE
        ):
            yield source[:60]


def _strings(values: Iterable[Any]) -> Iterable[str]:
    for value in values:
        if isinstance(value, str):
            yield value
        elif isinstance(value, list | tuple):
            yield from _strings(value)
        elif isinstance(value, dict):
            yield from _strings(value.values())
        elif isinstance(value, Unresolved):
            yield value.source


def carried_by(call: Call, readers: Readers) -> tuple[str, str]:
    """Rule and sentence for what a message carries; empty if nothing speaks against it."""
    carried = Carried(call)
    to = ", ".join(readers.named[:3]) or "others"
    if carried.secret:
        return "B5", f"sends a secret ({carried.secret}) to {to}"
    if carried.bank:
        return "B7", f"tells {to} to pay somewhere else"
    if carried.whole_balance:
        return "B7", f"asks {to} to pay out the whole balance"
    if carried.personal:
        return "B7", f"gives {to} data that is not theirs to see ({carried.personal})"
    return "", ""
