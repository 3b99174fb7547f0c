"""What a request to a service of unknown making does, by its method and the form of its address."""

from __future__ import annotations

import re

from reactor_core.safety.naming import wordset
from reactor_core.safety.network.aims import (
    ALL_WORDS,
    HOLE,
    Aim,
    aim_of,
    filters_of,
    names_things,
    selects,
    takes_every,
)
from reactor_core.safety.network.code import always_true
from reactor_core.safety.network.request import Request, fields
from reactor_core.safety.network.sockets import is_local
from reactor_core.safety.scope import Scope, unclear
from reactor_core.safety.sensitive import secret_file_in, secret_name
from reactor_core.safety.things import (
    DESTROYS,
    READS,
    STOPS,
    Weight,
    loss_rule,
    singular,
    split_name,
    stop_rule,
    weight_of,
)
from reactor_core.safety.verdict import Effect, Finding, Scale, found

__all__ = ["SAFE_METHODS", "asks", "by_form", "is_draft", "is_dry"]

SAFE_METHODS = frozenset({"GET", "HEAD", "OPTIONS", "TRACE", "PROPFIND", "REPORT", "SEARCH", "LIST"})

_PROSE_HOST = re.compile(
    r"\b(?:docs?|wiki|help|support|blog|news|search|raw|developer|man|learn|kb|confluence|readthedocs|registry"
    r"|pypi|crates|npmjs|hub|packages|cdn|static|mirror)\b"
)
_CACHE = wordset(
    """
    cache caches session sessions tmp temp draft drafts preview previews cart
    """
)
_QUESTIONS = wordset(
    """
    search query find filter lookup count list validate preview estimate simulate check explain test diff lint
    render echo predict embed embeddings completions completion chat generate moderate moderations tokenize
    translate graphql introspect introspection resolve match suggest autocomplete classify score rank rerank
    detokenize detect parse analyze analyse inference infer transcriptions summarize ping verify export batchget
    mget msearch report reports aggregate calculate convert compare plan quote quotes rates
    """
)
_MONEY = wordset(
    """
    payment payments charge charges refund refunds transfer transfers payout payouts invoice invoices checkout order
    orders pay purchase purchases subscription subscriptions billing withdraw withdrawal withdrawals buy sell trade
    trades topup donate donations bid bids wire remittance credits
    """
)
_SPEECH = wordset(
    """
    message messages comment comments send mail email emails sms notify notification notifications post posts tweet
    tweets tweet webhook hooks broadcast publish review reviews issue issues reply replies chat call calls events
    event invite invites invitations announce announcements statuses share shares status dispatch pulls
    """
)
_GUARD_HOSTS = frozenset(
    {"siem", "edr", "waf", "audit", "ids", "ips", "falco", "wazuh", "guard", "crowdstrike", "sentinel", "logs"}
)
_SECRETS = wordset(
    """
    secret secrets credential credentials password passwords token tokens apikey apikeys accesskey accesskeys
    privatekey privatekeys kubeconfig sshkey sshkeys serviceaccountkey personalaccesstoken personalaccesstokens
    recoverycode recoverycodes backupcode backupcodes
    """
)


_DRY = wordset(
    """
    dryrun dry validateonly simulate simulation noop whatif preview previewonly testmode checkonly planonly
    """
)


def is_dry(request: Request) -> bool:
    """Whether the request says that nothing shall be done."""
    return request.flag(*_DRY)


def asks(request: Request) -> bool:
    """Whether the address ends with a verb that only asks: ``policies:simulate``, ``_search``."""
    last = request.segments[-1] if request.segments else ""
    return request.method == "POST" and last.rpartition(":")[2].strip("_") in READS | _QUESTIONS and ":" in last


def by_form(request: Request, scope: Scope) -> Finding | None:
    """The finding for the request as such; None if nothing speaks against it."""
    holes = any(HOLE.match(segment) for segment in request.segments[-1:]) or bool(HOLE.match(request.host))
    if request.method in SAFE_METHODS:
        return _reading(request, scope)
    if asks(request):
        return None
    verb = _verb(request)
    if holes and (request.method == "DELETE" or verb in DESTROYS or HOLE.match(request.host)):
        return unclear("changes something that cannot be known beforehand", part=request.brief)
    if request.method in {"DELETE", "PURGE"}:
        return _loss(request, aim_of(request.segments), scope)
    if verb in DESTROYS:
        return _by_verb(request, verb, scope)
    if verb in STOPS or verb in wordset(
        """
        restart reboot scale rollback deploy trigger build start failover rotate
        """
    ):
        aim = aim_of(request.segments[:-1])
        many = takes_every(request)
        guard = weight_of(aim.noun) is Weight.GUARD or _guards(request)
        rule = "C4"
        if verb in STOPS:
            rule = "B5" if guard else stop_rule(aim.noun, aim.name, scope.setting, many=many)
        elif many and verb in {"reboot", "restart"}:
            rule = "B4"
        return _finding(rule, f"{verb}s {aim.name or aim.noun or 'a service'}", request, aim)
    return _writing(request, verb)


def _guards(request: Request) -> bool:
    """Whether the service is there to watch or to protect."""
    return bool(set(request.labels) & _GUARD_HOSTS)


def _verb(request: Request) -> str:
    """The verb that the address ends with, or its parameter of that meaning names."""
    said = request.parameter("action", "op", "operation", "do", "method", "task")
    last = request.segments[-1] if request.segments else ""
    piece = last.rpartition(":")[2] if ":" in last else last
    words = split_name(re.sub(r"\.(?:json|php|aspx?|do|action|cgi|jsp|xml|html?)$", "", piece))
    for candidate in ([*split_name(said)] if said else []) + words[:1] + words[-1:]:
        if candidate in DESTROYS or candidate in STOPS or candidate in _ACTS:
            return candidate
    return words[0] if len(words) == 1 else ""


_CLOUD_HOST = re.compile(
    r"cloud|aws|azure|google|hosting|heroku|vercel|netlify|fly\.|gitlab|github|k8s|kube|infra|sentry"
)
_UNDOES = frozenset({"restore", "undo", "undelete", "unarchive", "untrash", "recover"})
_ACTS = wordset(
    """
    restart reboot scale rollback deploy trigger start failover rotate build
    """
)


def _reading(request: Request, scope: Scope) -> Finding | None:
    acting = _acting_get(request, scope)
    if acting is not None:
        return acting
    if request.method == "HEAD" or _PROSE_HOST.search(request.host):
        return None
    for segment in request.segments:
        if singular(segment) in {singular(word) for word in _SECRETS} and not {"policy", "policies"} & set(
            request.segments
        ):
            if segment.lower() in {"tokens", "token"} and "tokenizer" in request.path:
                continue
            return found(
                "C8", f"reads {segment} of {request.host}", Effect(request.host, secret=True), part=request.brief
            )
    if secret_file_in(f"/{request.path}"):
        return found(
            "C8", f"reads {secret_file_in(f'/{request.path}')}", Effect(request.host, secret=True), part=request.brief
        )
    return None


def _acting_get(request: Request, scope: Scope) -> Finding | None:
    """A GET that does something all the same: the verb is the whole last segment, or a parameter names the action."""
    if _PROSE_HOST.search(request.host) or request.method in {"HEAD", "OPTIONS"}:
        return None
    said = request.parameter("action", "op", "do", "task", "cmd", "operation") or ""
    last = re.sub(r"\.(?:php|aspx?|do|action|cgi|jsp)$", "", request.segments[-1].lower()) if request.segments else ""
    words = split_name(said) or split_name(last)
    if not words:
        return None
    verb = words[0]
    acts = (
        verb in DESTROYS
        or verb in STOPS
        or verb in _ACTS
        or verb
        in wordset(
            """
            unsubscribe approve activate logout send pay transfer grant buildwithparameters
            """
        )
    )
    if last == "buildwithparameters":
        acts, verb = True, "build"
    if (
        not acts
        or (verb == "build" and "job" not in request.segments)
        or (verb in {"start", "status", "send"} and not said)
    ):
        return None
    sure = bool(said) or request.flag("confirm", "confirmed", "force", "yes", "sure", "really", "token", "ok")
    whole = len(words) == 1
    place = {part for segment in request.segments[:-1] for part in split_name(segment)}
    operated = bool(
        place
        & wordset(
            """
            admin api internal cron webhook trigger manage cgi job actions hooks ops
            """
        )
    )
    if not whole and not sure and not operated and not said:
        return None
    before = request.segments if said else request.segments[:-1]
    aim = aim_of(before)
    if verb in DESTROYS:
        many = bool(set(words) & ALL_WORDS) or takes_every(request)
        if not (sure or operated or aim.name):
            return None
        rest = "".join(word for word in words[1:] if word not in ALL_WORDS)
        rule = loss_rule(rest or aim.noun, request.parameter("name", "id", "db") or aim.name, scope.setting, many=many)
        return _finding(rule, f"{verb}s although it only asks", request, aim)
    if verb in STOPS:
        return _finding(
            stop_rule(aim.noun, aim.name, scope.setting, many=takes_every(request)),
            f"{verb}s {aim.name or 'it'}",
            request,
            aim,
        )
    return _finding(
        "C7" if verb in {"approve", "send", "pay", "transfer", "grant", "unsubscribe"} else "C4",
        f"{verb}s although it only asks",
        request,
        aim,
    )


def _loss(request: Request, aim: Aim, scope: Scope) -> Finding | None:
    filters = filters_of(request)
    if request.segments[-2:-1] == ("b",) and "storage" in request.labels:
        aim = Aim("buckets", request.segments[-1], "", "")
    if request.segments[-1:] and request.segments[-1].lower() in {"me", "self"}:
        return _finding("B7", "deletes the account itself", request, aim)
    if aim.name.lower() in {"me", "self"} and singular(aim.noun) in {"user", "account", "profile"}:
        return _finding("B7", "deletes the account itself", request, aim)
    if singular(aim.noun) == "session" and re.match(r"(?:own|current|me|this)\b", aim.name):
        return None
    if singular(aim.noun) in {"mailbox", "account"} and request.flag(
        "purge", "permanent", "permanently", "force", "immediate", "hard"
    ):
        return _finding("B7", f"deletes the {singular(aim.noun)} {aim.name} for good", request, aim)
    if (
        weight_of(aim.noun) is Weight.GUARD
        and singular(aim.noun) in {"alertrule", "alarm"}
        and aim.name not in {"", "*"}
    ):
        return _finding("C4", f"deletes the {aim.noun} {aim.name}", request, aim)
    if aim.name and aim.name != "*":
        business = singular(aim.noun) in wordset(
            """
            project account app application site company organization team environment
            """
        )
        if business and aim.name.isdigit() and not _CLOUD_HOST.search(request.host):
            return _finding("C3", f"deletes one record ({aim.noun} {aim.name})", request, aim)
        if is_local(request.host, request.scheme) and weight_of(aim.noun) is Weight.ENVIRONMENT:
            return _finding("C4", f"deletes {aim.noun} {aim.name} of this machine", request, aim)
        return _finding(loss_rule(aim.noun, aim.name, scope.setting), f"deletes {aim.noun} {aim.name}", request, aim)
    every = any(
        value.lower() in {"all", "*"} or (name.lower() in ALL_WORDS and value.lower() in {"true", "1", "yes", ""})
        for name, value in request.query
    )
    guarded = weight_of(aim.noun) in {Weight.GUARD, Weight.HELD}
    if not guarded and not every and aim.name != "*" and (selects(filters) or set(split_name(aim.noun)) & _CACHE):
        return _finding("C3", f"deletes selected {aim.noun}", request, aim)
    single = not names_things(aim.noun) and aim.name != "*"
    heavy = weight_of(aim.parent) in {Weight.STORE, Weight.ENVIRONMENT, Weight.INSTANCE}
    if weight_of(aim.noun) in {Weight.GUARD, Weight.HELD}:
        return _finding(loss_rule(aim.noun, "", scope.setting), f"removes {aim.noun}", request, aim)
    if single or (aim.inside and not heavy and not every and aim.name != "*"):
        return _finding("C3", f"deletes {aim.noun} of {aim.inside or request.host}", request, aim)
    return _finding(loss_rule(aim.noun, "", scope.setting, many=True), f"deletes all {aim.noun}", request, aim)


def _by_verb(request: Request, verb: str, scope: Scope) -> Finding | None:
    last = request.segments[-1] if request.segments else ""
    words = split_name(last)
    if words and words[0] == verb and len(words) > 1 and not set(words) & ALL_WORDS:
        aim = Aim("".join(words[1:]), "", "", "")
        if verb in {"reset", "clear"} and set(words) & {"password", "cache", "session", "counter", "filter"}:
            return _finding("C8" if "password" in words else "C4", f"{verb}s {' '.join(words[1:])}", request, aim)
    else:
        aim = aim_of(request.segments[:-1] if verb in words else request.segments)
    filters = filters_of(request)
    many = takes_every(request) or bool(set(words) & ALL_WORDS) or any(always_true(value) for _, value in filters)
    name = aim.name or next(
        (str(value) for key, value in fields(request.body) if key.lower() in {"name", "id", "table", "db", "database"}),
        "",
    )
    if set(split_name(aim.noun)) & _CACHE:
        return _finding("C4", f"{verb}s {aim.noun}", request, aim)
    if is_local(request.host, request.scheme) and re.search(
        r"\b(?:test|tests|in-?memory|fixtures?|mock|e2e|dev)\b", f"{request.path} {request.text}"
    ):
        return None
    if "factory" in words:
        return _finding("B6", "resets the device to its factory state", request, aim)
    if (
        verb in {"reset", "clear", "clean", "expire", "remove", "unregister", "trash"}
        and not many
        and weight_of(aim.noun) in {Weight.ITEM, Weight.MACHINE}
    ):
        return _finding("C3", f"{verb}s {aim.noun}", request, aim)
    bounded = bool(name) or selects(filters)
    rule = loss_rule(
        aim.noun or next((key for key, _ in fields(request.body)), ""), name, scope.setting, many=many or not bounded
    )
    return _finding(rule, f"{verb}s {aim.noun} {name}".strip(), request, aim)


def _writing(request: Request, verb: str) -> Finding | None:
    local = is_local(request.host, request.scheme)
    aim = aim_of(request.segments)
    if is_draft(request):
        return None
    if verb in _UNDOES and weight_of(aim.parent or aim.noun) is Weight.ITEM:
        return None
    words = [part for segment in request.segments for part in split_name(segment)]
    tail = set(split_name(request.segments[-1])) if request.segments else set()
    if (
        request.method == "POST"
        and (tail & _QUESTIONS or verb in READS)
        and "." not in request.segments[-1]
        and not tail & {"send", "pay", "job", "jobs"}
    ):
        return None
    if aim.name == "*" and request.method in {"PUT", "PATCH"}:
        return _finding("B3", f"changes all {aim.noun}", request, aim)
    if (
        request.method in {"PUT", "PATCH"}
        and not aim.name
        and names_things(aim.noun)
        and any(always_true(v) for _, v in request.query)
    ):
        return _finding("B3", f"changes all {aim.noun}", request, aim)
    if (tail & _SECRETS and not (local and tail & {"token", "tokens"})) or (
        not local
        and tail & {"login", "oauth", "authorize", "session"}
        and any(secret_name(n) for n, _ in fields(request.body))
    ):
        return found(
            "C8", f"makes or uses a secret of {request.host}", Effect(request.host, secret=True), part=request.brief
        )
    if local and request.method == "POST":
        return None
    if set(words) & _MONEY and request.method != "PATCH":
        return _finding("C7", f"pays or orders at {request.host}", request, aim)
    if set(words) & _SPEECH and request.method == "POST":
        return _finding("C7", f"speaks at {request.host} in the user's name", request, aim)
    return _finding("C3", f"changes {aim.noun or 'data'} at {request.host}", request, aim)


def is_draft(request: Request) -> bool:
    """Whether what is written stays a draft."""
    return any(
        (name.lower() in {"draft", "is_draft", "isdraft"} and value is True)
        or (name.lower() in {"status", "state"} and isinstance(value, str) and value.lower() == "draft")
        for name, value in fields(request.body)
    )


def _finding(rule: str, says: str, request: Request, aim: Aim) -> Finding:
    effect = Effect(
        aim.name or aim.noun or request.host,
        Scale.ALL if rule[0] == "B" else Scale.ITEM,
        reversible=False,
        outward=rule in {"B7", "C7"},
        privilege=rule == "B5",
    )
    return found(
        rule,
        f"{says} ({request.host})" if request.host and request.host not in says else says,
        effect,
        part=request.brief,
    )
