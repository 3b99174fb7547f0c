"""What a request asks for: rights, readers, money, and protection that goes on or off."""

from __future__ import annotations

import json
import re

from reactor_core.safety.naming import wordset
from reactor_core.safety.network.operations import mass_mailing
from reactor_core.safety.network.request import Request
from reactor_core.safety.network.rest import is_draft
from reactor_core.safety.network.said import all_fields, effect_on, last_word
from reactor_core.safety.network.switches import everything, protection
from reactor_core.safety.scope import Scope
from reactor_core.safety.things import split_name
from reactor_core.safety.verdict import Finding, found

__all__ = ["judge_content"]

_COUNTS = wordset(
    """
    count recipients recipientcount total size num number audience subscribers contacts members batch
    """
)
_LISTS = re.compile(
    r"\b(?:all|every|everyone|entire|whole)[-_ ]?(?:customers?|users?|subscribers?|contacts?|staff|employees"
    r"|members|clients|company|list|leads)?\b"
    r"|@(?:channel|everyone|here|all)\b|\bnewsletter\b|\bsubscribers\b|\bmailing[-_ ]?list\b",
    re.IGNORECASE,
)
_MASS = 200
_ADMIN = frozenset(
    {
        "admin",
        "administrator",
        "owner",
        "superuser",
        "root",
        "superadmin",
        "super_admin",
        "cluster-admin",
        "*",
        "roles/owner",
        "administratoraccess",
        "sysadmin",
        "global administrator",
        "god",
        "full",
    }
)
_RIGHTS = wordset("role roles permission permissions policy policies group groups scope access privilege level")


def judge_content(request: Request, scope: Scope) -> list[Finding]:
    """What the fields of a request say."""
    if request.method in {"GET", "HEAD", "OPTIONS"}:
        return []
    findings = [
        protection(request),
        _rights(request),
        _readers(request),
        _money(request),
        mass_mailing(request),
        everything(request, scope),
    ]
    return [finding for finding in findings if finding is not None]


def _rights(request: Request) -> Finding | None:
    for name, value in all_fields(request):
        words = set(split_name(name))
        said = str(value).lower()
        widest = said in _ADMIN or said.endswith(("/owner", "administratoraccess", ":admin"))
        placed = (
            request.method != "DELETE"
            and words <= {"name", "id", "value"}
            and bool({part for segment in request.segments[-3:] for part in split_name(segment)} & _RIGHTS)
        )
        if isinstance(value, str | bool) and (words & _RIGHTS or placed) and widest:
            says = f"gives the rights of {value} at {request.host}"
            return found("B5", says, effect_on(request, privilege=True), part=request.brief)
        if (
            words & {"admin", "superuser", "root", "owner"}
            and words & {"is", "make", "grant", "super"}
            and str(value).lower() in {"true", "1"}
        ):
            return found(
                "B5",
                f"makes somebody an administrator at {request.host}",
                effect_on(request, privilege=True),
                part=request.brief,
            )
    acl = json.dumps(request.body).lower() if isinstance(request.body, dict | list) else ""
    if re.search(r"allusers|allauthenticatedusers|public-read|\"principal\": ?(?:\"\*\"|\{\"aws\": ?\"\*\")", acl):
        return found(
            "B7", f"opens it to everybody at {request.host}", effect_on(request, outward=True), part=request.brief
        )
    if re.search(r"\"(?:cidr\w*|source\w*|ip\w*)\": ?\[?\"(?:0\.0\.0\.0/0|::/0)", acl):
        return found(
            "C7", f"opens a port to everybody at {request.host}", effect_on(request, outward=True), part=request.brief
        )
    return None


def _readers(request: Request) -> Finding | None:
    """How many people a message reaches that is sent, and not only written down."""
    if is_draft(request):
        return None
    words = {part for segment in (*request.segments, *request.labels) for part in split_name(segment)}
    speaks = bool(
        words
        & wordset(
            """
            send mail email emails message messages sms campaign campaigns notify notification notifications
            broadcast push publish post newsletter invite invitations invites announce mailing blast hooks webhook
            chat
            """
        )
    )
    most, lists = 0, ""
    for name, value in all_fields(request):
        plain = last_word(name)
        if isinstance(value, list) and plain in wordset(
            """
            to bcc cc recipients emails numbers users contacts personalizations audience
            """
        ):
            most = max(most, len(value))
        if plain in _COUNTS and str(value).isdigit():
            most = max(most, int(value))
        if isinstance(value, str) and plain in wordset(
            """
            to list lists audience segment recipients group channel target topic bcc listid mailinglist segmentid
            """
        ):
            numbers = [int(number.replace(",", "")) for number in re.findall(r"\d[\d,]*", value) if len(number) < 12]
            if _LISTS.search(value):
                lists = value
            if plain != "to":
                most = max([most, *numbers])
    if "broadcast" in words and not most:
        lists = lists or "a broadcast"
    if speaks and (most >= _MASS or lists):
        who = f"{most:,} people" if most >= _MASS else lists
        return found(
            "B7", f"writes to {who} through {request.host}", effect_on(request, outward=True), part=request.brief
        )
    return None


def _money(request: Request) -> Finding | None:
    pays = {part for segment in (*request.segments, *request.labels) for part in split_name(segment)}
    account = wordset(
        """
        iban bankaccount accountnumber routingnumber sortcode payoutaccount bankdetails payoutdestination payee
        beneficiaryaccount bic externalaccount walletaddress payoutaddress
        """
    )
    transfer = bool(
        pays
        & wordset(
            """
            transfers transfer payments payment payouts payout withdraw withdrawal withdrawals wire send
            """
        )
    )
    for name, value in all_fields(request):
        plain = last_word(name)
        if plain in account and not transfer and not isinstance(value, dict | list):
            return found(
                "B7",
                f"changes where money is paid to at {request.host}",
                effect_on(request, outward=True),
                part=request.brief,
            )
        whole = isinstance(value, str) and value.strip().lower() in {
            "all",
            "max",
            "everything",
            "full",
            "balance",
            "entire balance",
            "*",
            "100%",
        }
        if (
            plain in {"amount", "quantity", "sum", "value"}
            and whole
            and (transfer or pays & {"bank", "wallet", "balance", "account", "accounts", "orders", "trade"})
        ):
            return found(
                "B7",
                f"pays out the whole balance at {request.host}",
                effect_on(request, outward=True),
                part=request.brief,
            )
        if plain in {"sendall", "sweep", "drain", "entirebalance"} and str(value).lower() in {"true", "1"}:
            return found(
                "B7",
                f"pays out the whole balance at {request.host}",
                effect_on(request, outward=True),
                part=request.brief,
            )
    return None
