"""What a request carries: secrets, other people's data, money, rights, readers, and words that switch protection off."""

from __future__ import annotations

import json
import re
from typing import Any

from reactor_core.safety import sensitive
from reactor_core.safety.network.request import Request, fields
from reactor_core.safety.network.sockets import is_local
from reactor_core.safety.scope import Scope
from reactor_core.safety.things import DESTROYS, STOPS, split_name, stop_rule, weight_of
from reactor_core.safety.verdict import Effect, Finding, Scale, found

__all__ = ["judge_content", "leaks"]

_LOGIN = frozenset(
    ["auth", "oauth", "oauth2", "login", "signin", "token", "tokens", "session", "sessions", "authorize", "sso", "identity", "secret", "secrets", "vault", "credentials", "register", "signup"]
)
_OFF = frozenset(
    {
        "false",
        "0",
        "off",
        "disabled",
        "disable",
        "inactive",
        "none",
        "never",
        "no",
        "null",
        "suspended",
        "paused",
        "stopped",
        "allow_all",
        "allow-all",
        "permissive",
        "monitor",
        "dismissed",
    }
)
_GUARDS = re.compile(
    r"\b(?:mfa|2fa|two[ -]?factor|otp|audit\w*|logging|log sink|branch protection|protection|protected|firewall|waf|guard\w*|scanning|antivirus"
    r"|edr|monitoring|alerts?|alerting|alarms?|detector|detection|encryption|sso|policy enforcement|enforce\w*|deletion protection|termination protection"
    r"|versioning|retention|object lock|quarantine|dlp|siem|approvals?|confirm\w*|review required|require\w* review\w*|safety|tls verify"
    r"|signature verification|ip allow ?list|rate ?limit\w*|captcha|password policy|integrity|siem|secret scanning|push protection)\b"
)
_COUNTS = frozenset(
    ["count", "recipients", "recipientcount", "total", "size", "num", "number", "audience", "subscribers", "contacts", "members", "batch"]
)
_LISTS = re.compile(
    r"\b(?:all|every|everyone|entire|whole)[-_ ]?(?:customers?|users?|subscribers?|contacts?|staff|employees|members|clients|company|list|leads)?\b"
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
_WEIGHTY_ACTS = frozenset(
    {
        "action",
        "op",
        "operation",
        "command",
        "state",
        "status",
        "desiredstate",
        "event",
        "type",
        "verb",
        "task",
        "method",
        "do",
        "power",
        "powerstate",
    }
)
_SELECTORS = frozenset(
    {
        "selector",
        "where",
        "filter",
        "filters",
        "query",
        "match",
        "ids",
        "targets",
        "target",
        "hosts",
        "names",
        "instances",
        "scope",
        "predicate",
        "condition",
        "id",
        "search",
        "items",
        "users",
        "servers",
        "resources",
    }
)
_ANYBODY = re.compile(
    r"gist|paste|public|forum|blog|transfer\.sh|0x0|file\.io|anonfiles|upload|share|bin\b|tweet|twitter|social|reddit|webhook|hook|requestbin|collect|drop|exfil|evil|attacker|ngrok|slack|discord|telegram|chat"
)


def _names(request: Request) -> list[tuple[str, Any]]:
    return [*fields(request.body), *request.query]


def leaks(request: Request) -> Finding | None:
    """A secret, or other people's data, that leaves the machine with the request."""
    if is_local(request.host, request.scheme):
        return None
    sent = [request.path, *(f"{name}={value}" for name, value in request.query), request.text]
    sent += [f"{name}: {value}" for name, value in request.headers.items() if name not in _CREDENTIAL_HEADERS]
    if re.search(
        r"\b(?:body|file|attach\w*|upload\w*|contents?|with|payload|data|form|stdin|source|from|sends?)\b",
        request.note,
        re.IGNORECASE,
    ):
        sent.append(request.note)
    text = "\n".join(sent)
    secret = sensitive.secret_in(text) or next(
        filter(None, map(sensitive.secret_in, sensitive.decoded_forms(text))), ""
    )
    reads = request.method in {"GET", "HEAD", "OPTIONS"}
    if secret and not (reads and _in_path_only(request, secret)):
        return _secret_leak(request, secret)
    if reads and not request.text:
        return None
    spoken = sensitive.names_secret(request.text)
    if spoken and re.search(
        rf"[<({{\[][^>)}}\]]*{re.escape(spoken)}|(?:contents? of|dump of|copy of|cat )[^,;]*{re.escape(spoken)}",
        request.text,
        re.IGNORECASE,
    ):
        return _secret_leak(request, spoken)
    return _personal_leak(request, text)


_CREDENTIAL_HEADERS = frozenset(
    {
        "authorization",
        "cookie",
        "x-api-key",
        "api-key",
        "private-token",
        "x-auth-token",
        "x-vault-token",
        "job-token",
        "proxy-authorization",
        "x-github-token",
        "dd-api-key",
        "apikey",
        "x-access-token",
        "circle-token",
    }
)


def _in_path_only(request: Request, secret: str) -> bool:
    """A file of secrets named by the address alone is asked for, not sent."""
    rest = "\n".join([*(f"{name}={value}" for name, value in request.query), request.text, request.note])
    return (
        not sensitive.secret_in(rest) and "$" not in request.path and bool(sensitive.secret_file_in(f"/{request.path}"))
    )


def _secret_leak(request: Request, secret: str) -> Finding:
    words = {part for segment in request.segments for part in split_name(segment)}
    own = set(split_name(secret)) & set(request.labels)
    a_file = bool(sensitive.secret_file_in(secret)) or "KEY--" in secret
    logs_in = bool(words & _LOGIN) and request.scheme != "http" and not a_file and not request.query
    if logs_in or (own and not a_file):
        return found(
            "C8",
            f"gives {secret} to {request.host}",
            Effect(request.host, secret=True, outward=True),
            part=request.brief,
        )
    return found(
        "B5",
        f"sends {secret} to {request.host}",
        Effect(request.host, Scale.ITEM, reversible=False, outward=True, secret=True),
        part=request.brief,
    )


def _personal_leak(request: Request, text: str) -> Finding | None:
    """Data of many people, or anything confidential where anybody can read it."""
    if not request.text:
        return None
    personal, confidential = sensitive.personal_in(text), sensitive.confidential_in(text)
    public = request.flag("public", "ispublic") or bool(_ANYBODY.search(f"{request.host}{request.path}".lower()))
    public = public or any(
        str(value).lower() in {"public", "public-read", "anyone", "world", "everyone"} for _, value in _names(request)
    )
    bulk = bool(
        re.search(
            r"<[^>]*>|\.(?:csv|sql|xlsx?|parquet|dump|db|zip|gz|tar|json)\b|\b(?:table|list|dump|export|database|all|records|contents? of)\b|@",
            text,
        )
    )
    if personal and (public or re.search(r"<[^>]*>|@/|contents? of", request.text)) and bulk:
        return _published(request, personal)
    if confidential and public:
        return _published(request, confidential)
    return None


def _published(request: Request, what: str) -> Finding:
    effect = Effect(request.host, Scale.MANY, reversible=False, outward=True)
    return found("B7", f"gives others {what} through {request.host}", effect, part=request.brief)


def judge_content(request: Request, scope: Scope) -> list[Finding]:
    """What the fields of a request say."""
    if request.method in {"GET", "HEAD", "OPTIONS"}:
        return []
    findings = [_protection(request), _rights(request), _readers(request), _money(request), _everything(request, scope)]
    return [finding for finding in findings if finding is not None]


def _effect(request: Request, **more: Any) -> Effect:
    return Effect(request.host or request.path, Scale.MANY, reversible=False, **more)


def _protection(request: Request) -> Finding | None:
    """A guard that is switched off, by its own name or by the address that it lies at."""
    place = " ".join(part for segment in request.segments for part in split_name(segment))
    about = _GUARDS.search(place)
    for name, value in _names(request):
        if isinstance(value, dict | list):
            continue
        words = " ".join(split_name(name))
        off = str(value).strip().lower() in _OFF and not isinstance(value, float)
        disabling = re.search(r"\b(?:disabled?|disable|skip|bypass|ignore|suppress|mute|suspend|turn off)\b", words)
        on = str(value).strip().lower() in {"true", "1", "yes", "on"}
        named = _GUARDS.search(words)
        state = set(words.split()) & {
            "enabled",
            "enable",
            "status",
            "state",
            "active",
            "mode",
            "value",
            "enforcement",
            "required",
            "enforced",
            "on",
        }
        if (named and off) or (about and state and off) or (disabling and on and (named or about)):
            what = (named or about).group()  # type: ignore[union-attr]
            return found(
                "B5", f"switches {what} off at {request.host}", _effect(request, privilege=True), part=request.brief
            )
        if (
            about
            and isinstance(value, str)
            and value.lower() in {"disable", "off", "suspend", "silence", "mute", "deactivate"}
        ):
            return found(
                "B5",
                f"switches {about.group()} off at {request.host}",
                _effect(request, privilege=True),
                part=request.brief,
            )
    return None


def _rights(request: Request) -> Finding | None:
    for name, value in _names(request):
        words = set(split_name(name))
        if isinstance(value, str | bool) and words & {
            "role",
            "roles",
            "permission",
            "permissions",
            "group",
            "groups",
            "scope",
            "access",
            "privilege",
            "level",
        }:
            if str(value).lower() in _ADMIN or str(value).lower().endswith(("/owner", "administratoraccess", ":admin")):
                return found(
                    "B5",
                    f"gives the rights of {value} at {request.host}",
                    _effect(request, privilege=True),
                    part=request.brief,
                )
        if (
            words & {"admin", "superuser", "root", "owner"}
            and words & {"is", "make", "grant", "super"}
            and str(value).lower() in {"true", "1"}
        ):
            return found(
                "B5",
                f"makes somebody an administrator at {request.host}",
                _effect(request, privilege=True),
                part=request.brief,
            )
    acl = json.dumps(request.body).lower() if isinstance(request.body, dict | list) else ""
    if re.search(r"allusers|allauthenticatedusers|public-read|\"principal\": ?(?:\"\*\"|\{\"aws\": ?\"\*\")", acl):
        return found(
            "B7", f"opens it to everybody at {request.host}", _effect(request, outward=True), part=request.brief
        )
    if re.search(r"\"(?:cidr\w*|source\w*|ip\w*)\": ?\[?\"(?:0\.0\.0\.0/0|::/0)", acl):
        return found(
            "C7", f"opens a port to everybody at {request.host}", _effect(request, outward=True), part=request.brief
        )
    return None


def _readers(request: Request) -> Finding | None:
    """How many people a message reaches."""
    words = {part for segment in (*request.segments, *request.labels) for part in split_name(segment)}
    speaks = bool(
        words
        & set(
            ["send", "mail", "email", "emails", "message", "messages", "sms", "campaign", "campaigns", "notify", "notification", "notifications", "broadcast", "push", "publish", "post", "newsletter", "invite", "invitations", "invites", "announce", "mailing", "blast", "hooks", "webhook", "chat"]
        )
    )
    most, lists = 0, ""
    for name, value in _names(request):
        plain = re.sub(r"[^a-z]", "", name.lower())
        if isinstance(value, list) and plain in {
            "to",
            "bcc",
            "cc",
            "recipients",
            "emails",
            "numbers",
            "users",
            "contacts",
            "personalizations",
            "audience",
        }:
            most = max(most, len(value))
        if plain in _COUNTS and str(value).isdigit():
            most = max(most, int(value))
        if isinstance(value, str) and plain in {
            "to",
            "list",
            "lists",
            "audience",
            "segment",
            "recipients",
            "group",
            "channel",
            "target",
            "topic",
            "bcc",
            "listid",
            "mailinglist",
            "segmentid",
        }:
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
            "B7", f"writes to {who} through {request.host}", _effect(request, outward=True), part=request.brief
        )
    return None


def _money(request: Request) -> Finding | None:
    pays = {part for segment in (*request.segments, *request.labels) for part in split_name(segment)}
    account = {
        "iban",
        "bankaccount",
        "accountnumber",
        "routingnumber",
        "sortcode",
        "payoutaccount",
        "bankdetails",
        "payoutdestination",
        "payee",
        "beneficiaryaccount",
        "bic",
        "externalaccount",
        "walletaddress",
        "payoutaddress",
    }
    transfer = bool(
        pays
        & {
            "transfers",
            "transfer",
            "payments",
            "payment",
            "payouts",
            "payout",
            "withdraw",
            "withdrawal",
            "withdrawals",
            "wire",
            "send",
        }
    )
    for name, value in _names(request):
        plain = re.sub(r"[^a-z]", "", name.lower())
        if plain in account and not transfer and not isinstance(value, dict | list):
            return found(
                "B7",
                f"changes where money is paid to at {request.host}",
                _effect(request, outward=True),
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
                _effect(request, outward=True),
                part=request.brief,
            )
        if plain in {"sendall", "sweep", "drain", "entirebalance"} and str(value).lower() in {"true", "1"}:
            return found(
                "B7",
                f"pays out the whole balance at {request.host}",
                _effect(request, outward=True),
                part=request.brief,
            )
    return None


def _everything(request: Request, scope: Scope) -> Finding | None:
    """A destroying or stopping action in a field, with a selector that takes everything or names one thing."""
    act = ""
    for name, value in _names(request):
        if re.sub(r"[^a-z]", "", name.lower()) in _WEIGHTY_ACTS and isinstance(value, str) and len(value) < 40:
            words = split_name(value)
            act = next(
                (
                    word
                    for word in words
                    if word in DESTROYS or word in STOPS or word in {"terminated", "deleted", "stopped", "off"}
                ),
                act,
            )
    path_words = [part for segment in request.segments[-1:] for part in split_name(segment)]
    act = act or next((word for word in path_words if word in DESTROYS or word in STOPS), "")
    if not act:
        return None
    for name, value in _names(request):
        plain = re.sub(r"[^a-z]", "", name.lower())
        wide = value in ({}, []) or (
            isinstance(value, str) and value.strip().lower() in {"*", "all", ".*", "%", "true", "1=1", "everything"}
        )
        wide = wide or (isinstance(value, dict) and set(value) == {"match_all"})
        if (plain in _SELECTORS and wide) or (plain in {"all", "everything"} and str(value).lower() in {"true", "1"}):
            noun = next((segment for segment in reversed(request.segments) if not segment.startswith("_")), "")
            rule = (
                stop_rule(noun, "", scope.setting, many=True)
                if act in STOPS or act in {"stopped", "off", "terminate", "kill"}
                else "B3"
            )
            if rule == "B3" and weight_of(noun).value in {"machine", "environment", "instance"}:
                rule = "B4"
            return found(rule, f"{act}: everything at {request.host}", _effect(request), part=request.brief)
    return None
