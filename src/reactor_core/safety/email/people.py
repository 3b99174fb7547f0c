"""Who a message reaches: named people, lists, and numbers of them."""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

from reactor_core.safety.calls import Call, Many, Unresolved

__all__ = ["MASS", "Readers", "is_list", "outside", "readers_of"]

MASS = 200
"""So many recipients are a mass mailing."""

_ADDRESS = re.compile(r"[\w.+%'-]+@[\w.-]+")
_OPEN_LIST = re.compile(
    r"^(?:all|every\w*|entire|whole)(?:[-_. ]|$)|(?:^|[-_. ])(?:all|everyone|everybody|subscribers|customers"
    r"|clients|users|members|newsletter|announce\w*"
    r"|company|staff|employees|leads|prospects|mailing|list|broadcast|contacts|community|forum|alumni|patients"
    r"|students)(?:[-_. ]\w+)?$",
    re.IGNORECASE,
)
_TEAM = re.compile(
    r"^(?:team|shift|support|desk|office|web|dev|ops|ci|qa|on-?call|group)\b|(?:-team|-shift|-desk|team-\w+)$",
    re.IGNORECASE,
)
_LIST_HOST = re.compile(
    r"^(?:lists?|groups?|mailman|newsletters?|googlegroups)\b|\.(?:lists?|groups?|googlegroups)\.", re.IGNORECASE
)
_OPEN_WORDS = re.compile(
    r"\b(?:all|every\w*|entire|whole|customers?|clients?|users|subscribers?|contacts|members|leads|prospects"
    r"|newsletter|address_?book|mailing|audience"
    r"|recipients|employees|staff|crm|list_?all|everybody|segment|list|people|emails|addresses)\b",
    re.IGNORECASE,
)
_NUMBER = re.compile(r"(?<![\w.@-])\d{1,3}(?:[,.]\d{3})+(?![\w.])|(?<![\w.@-])\d+(?![\w.-]*@)(?!\w)")
_TO = ("to", "cc", "bcc", "recipients", "recipient", "to_addrs", "address", "addresses", "list", "segment",
"audience", "group", "guests", "attendees",
       "invitees", "users", "contacts", "who", "targets", "mailing_list", "distribution", "emails", "with_",
       "toRecipients", "people", "source")  # fmt: skip
_COUNTS = ("count", "rows", "audience", "guests", "bcc_count", "cc_count", "to_count", "recipients", "notify",
"size", "total", "recipient_count", "n",
           "limit_recipients", "number", "attendees", "audience_size", "list_size", "batch")  # fmt: skip
_FREE = re.compile(
    r"freemail|gmail|googlemail|outlook|hotmail|yahoo|proton|icloud|gmx|web\.de|mail\.ru|yandex|qq\.com|tutanota"
    r"|zoho|aol|throwaway|tempmail|temp|disposable"
    r"|mailinator|guerrilla|10minute|inbox|drop|collector|evil|attacker|mailbox|quickpost|mailhop|hop\b|anon|hack"
    r"|phish|exfil|privat|personal|freedns|dyn",
    re.IGNORECASE,
)


@dataclass(frozen=True, slots=True)
class Readers:
    """Recipients of one call.

    Attributes:
        named: Addresses that are written out.
        count: How many are known to be reached.
        open_list: What stands for an open number of people; empty if nothing does.
        unknown: Whether some recipients cannot be known.
    """

    named: tuple[str, ...] = ()
    count: int = 0
    open_list: str = ""
    unknown: bool = False

    @property
    def mass(self) -> bool:
        """Whether it is a mass mailing or goes to a list that nobody has looked through."""
        return self.count >= MASS or bool(self.open_list)


def is_list(address: str) -> bool:
    """Whether an address stands for an open number of people: ``all-staff@...``, ``x@lists.example``."""
    local, _, domain = address.strip("<> ").partition("@")
    if _LIST_HOST.search(domain):
        return True
    return bool(_OPEN_LIST.search(local)) and not _TEAM.search(local)


def outside(address: str) -> bool:
    """Whether an address is one that anybody can get, rather than a colleague's."""
    return bool(_FREE.search(address.partition("@")[2])) or bool(
        re.search(r"\d{3,}|^[a-z]\d", address.partition("@")[0])
    )


def readers_of(call: Call) -> Readers:
    """Everybody that a call writes to, loops counted."""
    named: list[str] = []
    count, unknown, open_list = 0, False, ""
    for value in _values(call):
        for item in value if isinstance(value, list | tuple) else [value]:
            if isinstance(item, str):
                addresses = _ADDRESS.findall(item)
                named += addresses
                count += len(addresses)
                numbers = [int(re.sub(r"\D", "", number)) for number in _NUMBER.findall(item)]
                count = max([count, *numbers])
                words = item if not addresses else ""
                if any(map(is_list, addresses)) or (
                    words and (_OPEN_LIST.search(words) or re.search(r"\b(?:all|every\w*)\b", words, re.IGNORECASE))
                ):
                    open_list = open_list or item
            elif isinstance(item, Many):
                count += item.count or 0
                if item.count is None:
                    open_list = open_list or (item.source if _OPEN_WORDS.search(_plain(item.source)) else "")
                    unknown = True
            elif isinstance(item, Unresolved):
                unknown = True
                if _open_source(item.source):
                    open_list = open_list or item.source
            elif isinstance(item, dict):
                addresses = _ADDRESS.findall(str(item))
                named += addresses
                count += len(addresses)
    for name in _COUNTS:
        value = call.named.get(name)
        if isinstance(value, int) and not isinstance(value, bool):
            count = max(count, value)
        elif isinstance(value, str) and (numbers := _NUMBER.findall(value)):
            count = max([count, *(int(re.sub(r"\D", "", str(number))) for number in numbers)])
    if call.times is None:
        open_list = open_list or "a loop of unknown length"
    elif call.times > 1:
        count = max(count, 1) * call.times
    return Readers(tuple(dict.fromkeys(named)), count, open_list, unknown)


def _plain(source: str) -> str:
    return source.replace("_", " ")


def _open_source(source: str) -> bool:
    """Whether an expression stands for many people: ``customers``, ``crm.contacts()``, but not ``address``."""
    if re.search(r"open\(|load\(|read", source):
        return False
    return bool(
        re.search(
            r"\b(?:all \w+|every\w*|customers|clients|users|subscribers|contacts|members|leads|everyone|everybody"
            r"|address ?book|mailing list|audience|employees|staff|prospects|patients)\b",
            _plain(source),
            re.IGNORECASE,
        )
    )


def _values(call: Call) -> Iterable[Any]:
    for name in _TO:
        if name in call.named:
            yield call.named[name]
    for value in call.positional:
        if isinstance(value, Many | list) or (isinstance(value, str) and "@" in value and len(value) < 200):
            yield value
        elif isinstance(value, Unresolved) and (_open_source(value.source) or "_people" in value.source):
            numbers = _NUMBER.findall(_plain(value.source))
            yield [" ".join(numbers)] if numbers else value
    body = call.named.get("body")
    if isinstance(body, Unresolved) and re.search(r"_people|_recipients|_customers", body.source):
        yield [" ".join(_NUMBER.findall(_plain(body.source)))]
