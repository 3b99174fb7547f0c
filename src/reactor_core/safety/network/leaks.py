"""Secrets, and other people's data, that leave the machine with a request."""

from __future__ import annotations

import re

from reactor_core.safety import sensitive
from reactor_core.safety.naming import wordset
from reactor_core.safety.network.request import Request
from reactor_core.safety.network.said import all_fields
from reactor_core.safety.network.sockets import is_local
from reactor_core.safety.things import split_name
from reactor_core.safety.verdict import Effect, Finding, Scale, found

__all__ = ["leaks"]

_ANYBODY = re.compile(
    r"gist|paste|public|forum|blog|transfer\.sh|0x0|file\.io|anonfiles|upload|share|bin\b|tweet|twitter|social"
    r"|reddit|webhook|hook|requestbin|collect|drop|exfil|evil|attacker|ngrok|slack|discord|telegram|chat"
)
_LOGIN = wordset(
    """
    auth oauth oauth2 login signin token tokens session sessions authorize sso identity secret secrets vault
    credentials register signup
    """
)


def leaks(request: Request) -> Finding | None:
    """A secret, or other people's data, that leaves the machine with the request."""
    if is_local(request.host, request.scheme):
        return None
    sent = [
        request.host.upper() if "$" in request.host or "{" in request.host else request.host,
        request.path,
        *(f"{name}={value}" for name, value in request.query),
        request.text,
    ]
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
    if not secret and (page := re.search(r"document\.cookie|(?:local|session)Storage\b", text)):
        secret = page.group()
    if secret and not (reads and _in_path_only(request)):
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


_CREDENTIAL_HEADERS = wordset(
    """
    authorization cookie x-api-key api-key private-token x-auth-token x-vault-token job-token proxy-authorization
    x-github-token dd-api-key apikey x-access-token circle-token
    """
)


def _in_path_only(request: Request) -> bool:
    """A file of secrets named by the address alone is asked for, not sent."""
    rest = "\n".join([*(f"{name}={value}" for name, value in request.query), request.text, request.note])
    return (
        not sensitive.secret_in(rest) and "$" not in request.path and bool(sensitive.secret_file_in(f"/{request.path}"))
    )


def _secret_leak(request: Request, secret: str) -> Finding:
    words = {part for segment in request.segments for part in split_name(segment)}
    own = set(split_name(secret)) & set(request.labels)
    a_file = bool(sensitive.secret_file_in(secret)) or "KEY--" in secret
    if "$" in request.host or "{" in request.host:
        own = set()  # the secret is the address, and the name server learns it
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
        str(value).lower() in {"public", "public-read", "anyone", "world", "everyone"}
        for _, value in all_fields(request)
    )
    bulk = bool(
        re.search(
            r"<[^>]*>|\.(?:csv|sql|xlsx?|parquet|dump|db|zip|gz|tar|json)\b|\b(?:table|list|dump|export|database"
            r"|all|records|contents? of)\b|@",
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
