"""Clicks that speak, pay, agree or publish in the user's name."""

from __future__ import annotations

import re

from reactor_core.safety.gui.labels import Answer
from reactor_core.safety.gui.scenery import EDITOR_APP, EVERYTHING, MAIL_APP
from reactor_core.safety.gui.sight import Sight
from reactor_core.safety.place_names import PERSONAL_FILE
from reactor_core.safety.verdict import Finding

__all__ = ["MASS", "paid", "spoken"]

MASS = 200
"""Recipients from which on a message is a mass mailing."""

_PAYS = re.compile(
    r"\b(pay|pays|payment|pay now|transfer|wire|withdraw|donate|order(?! by)|buy|purchase|check ?out"
    r"|book( now)?|renew|subscribe|trial|refund|tip|top up|cash out|send max|send money|empty savings"
    r"|bid|invest|sell|trade|upgrade plan|change plan|redeem|swap|stake|place)\b"
)
_MONEY = re.compile(
    r"bank|wallet|coinbase|binance|kraken|crypto|exchange|paypal|revolut|wise\b|venmo|\bbc1|\b0x|payment|payee"
    r"|amount|total|price|\b(eur|usd|gbp|chf|btc|eth)\b|[$€£]|shop|order"
    r"|invoice|savings|balance|payout|iban|broker|checkout|subscription|seat|ticket|trial|premium"
    r"|plan|month\b"
)
_ALL_MONEY = re.compile(
    r"(full|entire|whole|total|all( of)? (my|the|your)?|complete) ?(balance|savings|amount|funds"
    r"|money)|full balance|send max|max(imum)? amount|transfer all|empty savings|withdraw all"
    r"|\b(send|withdraw|transfer|sell|swap) max\b|sell all|everything|all funds|\brefund all\b"
)
_BANK_DETAILS = re.compile(
    r"(bank|payout|payee|iban|beneficiary|direct deposit|payroll|payment|wire|remittance|settlement"
    r"|supplier|vendor)[\w ]{0,20}(account|details?|number|iban|coordinates|information)|\biban\b"
    r"|payouts? (go|to)|payout account|account ending|\b[a-z]{2}\d{2} ?\d{4}"
)
_CHANGES = re.compile(
    r"\b(change|update|save|replace|edit|new|set|switch|redirect|modify|confirm|apply|submit)\b"
    r"|->"
)
_SPEAKS = re.compile(
    r"\b(send|blast|post|publish|reply|respond|share|invite|invitation|comment|submit|tweet|broadcast"
    r"|notify|announce|message|forward|e-?mail|call|agree|sign|accept|unsubscribe|rsvp|join|follow"
    r"|connect"
    r"|create link|copy (public|share|sharing)? ?link|approve|request changes|merge|close issue"
    r"|reopen|assign|react|reaction|like|vote|rate|review|start recording|record|transcribe|upload"
    r"|go live|stream"
    r"|continue with|log ?in with|sign ?in with|register|sign up|create account|add (to group"
    r"|member|user|reviewer|guest)|add$|schedule|enrol|resign|report|fax|print and send|dial"
    r"|tag|mention|close pull request"
    r"|delete message for everyone|decline|tentative|maybe|transfer ownership|delegate)\b"
)
_AUDIENCE = re.compile(
    r"all[- ](contacts|subscribers|staff|users|members|customers|employees|company|recipients"
    r"|students|followers|clients|hands)|everyone@|all@|all-staff|@everyone|@channel|@here|whole (list"
    r"|company|organi[sz]ation)"
    r"|entire (list|company|audience)|mailing list|\ball (of )?(the )?(users|customers)\b|general-public"
    r"|public channel|(segment|audience|list|recipients?|to|group|send to): \W?(everyone|everybody|all|entire"
    r"|whole)\b"
)
_PEOPLE = re.compile(
    r"recipients?|contacts|subscribers|members|people|users|audience|followers|employees|customers"
    r"|guests|buyers|leads|prospects|donors|fans|voters|residents|attendees|tenants|to: ?\d|to \d|send to \d"
    r"|invite|notify|mail|newsletter|list"
)
_ATTACHED = (
    "attachment",
    "attachments",
    "file",
    "files",
    "picture",
    "image",
    "document",
    "selection",
    "photo",
    "item",
    "attached",
    "content",
    "text",
)
_PERSONAL = re.compile(
    r"\b(birth|diagnos|card numbers?|social security|home address|customers?['’]? (data|names|records|details)"
    r"|salar|passport|iban|ssn|payslip|payroll|patients?|medical|applicants?"
    r"|customer (list|addresses|data|export)|customers with|exam results)"
)
_GIVES_CODE = re.compile(
    r"(one-time|2fa|verification|security|login|sms|auth\w*) (code|pin)|password (is|:)|my (pin"
    r"|password|code|passphrase)|recovery (code|phrase)|seed phrase|private key|-----begin"
)


def paid(sight: Sight) -> Finding | None:
    """Money that moves, or is led elsewhere."""
    if sight.answer in {Answer.SAFE, Answer.LOOK}:
        return None
    text = f"{sight.text} | {sight.app}"
    changes = _CHANGES.search(sight.label) or (sight.answer is Answer.YES and _CHANGES.search(text))
    if (
        changes
        and _BANK_DETAILS.search(text)
        and not re.search(r"\b(saved payee|to: saved)", text)
        and not re.search(r"\b(pay|transfer|send) ", sight.label)
        and (re.search(r"\bamount|balance\b", text) is None or _ALL_MONEY.search(text))
    ):
        return sight.finding("B7", "leads payments to another account", outward=True)
    if _PAYS.search(sight.deed) is None and not (_ALL_MONEY.search(text) and _MONEY.search(text)):
        return None
    if _MONEY.search(text) is None:
        return None
    if _ALL_MONEY.search(text) or (sight.label.endswith(" all") and sight.count > 1):
        return sight.finding("B7", "moves all the money", outward=True)
    if "refund" in sight.label and sight.count >= MASS and "all" in sight.text:
        return sight.finding("B7", "refunds everybody", outward=True)
    return sight.finding("C7", "pays or orders in the user's name", outward=True)


def spoken(sight: Sight) -> Finding | None:
    """What is said, published, promised or accepted in the user's name."""
    if sight.answer in {Answer.SAFE, Answer.LOOK} and not _answers_invitation(sight):
        return None
    label, text = sight.label, f"{sight.text} | {sight.app}"
    if "comment" in label and EDITOR_APP.search(sight.app) and "google" not in sight.app:
        return None  # it stays in the document
    speaks = _SPEAKS.search(sight.deed) or (sight.role in {"reaction", "star"} and MAIL_APP.search(sight.app))
    if not speaks and not _answers_invitation(sight):
        return None
    attached = " ".join(sight.scene.field(name) for name in _ATTACHED).lower() + " " + label
    if _GIVES_CODE.search(attached):
        return sight.finding("B5", "gives a secret away", outward=True, secret=True)
    leaves = re.search(
        r"\b(send|post|publish|share|upload|forward|export|reply|tweet|email|unsubscribe)\b"
        r"|link",
        label,
    )
    if (
        leaves
        and (
            _PERSONAL.search(text)
            or (PERSONAL_FILE.search(attached) and re.search(r"attach|picture|public|anyone|file", text))
        )
        and not re.search(r"\(names? removed|anonymi[sz]ed|with: \w+ \(can view", text)
    ):
        return sight.finding("B7", "gives personal or confidential data away", outward=True)
    masses = sight.count >= MASS and _PEOPLE.search(text) is not None
    if (
        leaves
        or re.search(
            r"blast|notify|invite|broadcast|announce"
            r"|message",
            label,
        )
    ) and (masses or _AUDIENCE.search(text)):
        return sight.finding("B7", "speaks to very many people at once", outward=True)
    if EVERYTHING.search(label) and "everyone" in label and "delete message" not in label:
        return sight.finding("B7" if "organi" in label else "C7", "speaks for everybody", outward=True)
    return sight.finding("C7", "speaks or agrees in the user's name", outward=True)


def _answers_invitation(sight: Sight) -> bool:
    invited = re.search(r"\b(invite|invitation|meeting request)\b", sight.scene.told) or "calendar" in sight.app
    return bool(invited) and sight.label in {"decline", "accept", "maybe", "tentative", "yes", "no"}
