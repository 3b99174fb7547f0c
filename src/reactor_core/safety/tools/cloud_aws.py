"""The command line of Amazon Web Services."""

from __future__ import annotations

import re
from collections.abc import Sequence

from reactor_core.safety import paths
from reactor_core.safety.naming import wordset
from reactor_core.safety.sensitive import personal_in
from reactor_core.safety.things import name_kind
from reactor_core.safety.tools.cloud_aws_rows import ROWS
from reactor_core.safety.tools.deeds import Spoken, judge_deed, listed, read_spoken, verb_class
from reactor_core.safety.tools.line import Textual, shown
from reactor_core.safety.tools.registry import Call, handles
from reactor_core.safety.tools.targets import merged
from reactor_core.safety.verdict import Finding, Judged, Touch, Verdict

__all__ = ["judge_aws"]

_FLAGS = wordset(
    """
    --recursive --force --dryrun --dry-run --quiet --delete --human-readable --summarize --debug --no-cli-pager
    --no-paginate --no-sign-request --only-show-errors --follow --exact-timestamps --size-only --no-verify-ssl
    --force-new-deployment --with-decryption --no-progress --page-size-none --apply-immediately
    --skip-final-snapshot --delete-automated-backups --latest --deletion-protection --no-deletion-protection
    --disable-api-termination --no-disable-api-termination --force-delete-without-recovery
    --enable-termination-protection --no-enable-termination-protection
    """
)
_DATABASES = frozenset({"rds", "docdb", "neptune", "redshift", "elasticache", "memorydb", "es", "opensearch", "dax"})
_NAMES = re.compile(
    r"(?:name|names|id|ids|identifier|identifiers|arn|arns|bucket|key|domain|url|number|alias|stack|cluster"
    r"|service|endpoint)$"
)
_NOT_NAMES = wordset(
    """
    --query --region --profile --output --filters --filter --endpoint-url --policy-arn --document-name
    --final-db-snapshot-identifier --image-id --key-name --subnet-id --security-group-ids --expected-bucket-owner
    --ca-bundle --cli-input-json
    """
)
_GLOBAL = wordset(
    """
    --region --profile --output --endpoint-url --query --cli-read-timeout --cli-connect-timeout --color --ca-bundle
    """
)
_SECRET_READS = re.compile(
    r"^(?:get-secret-value|get-login-password|get-login|get-authorization-token|get-session-token|assume-role\S*"
    r"|get-federation-token|get-password-data|export-credentials"
    r"|create-access-key|create-login-profile|update-login-profile|get-token|create-key-pair|generate-data-key\S*"
    r"|get-api-keys?|reset-service-specific-credential"
    r"|create-service-specific-credential|batch-get-secret-value|create-api-key|export-certificate"
    r"|get-relational-database-master-user-password|put-secret-value|create-secret)$"
)


@handles("aws", "awslocal")
def judge_aws(call: Call) -> Judged | None:
    """``aws [options] service operation ...``."""
    plain = read_spoken(call.words[1:], flags=_FLAGS)
    texts = plain.texts
    if len(texts) < 2:
        return None if texts[:1] == ("",) else Judged()
    service, operation = texts[0], texts[1]
    if not service or not operation:
        return merged(call.found("C6", "aws: what is to be done cannot be known beforehand"))
    spoken = plain if service in {"s3", "configure"} else read_spoken(call.words[1:], flags=_GLOBAL_FLAGS, several=True)
    if "help" in texts[1:4] or spoken.has("--dry-run", "--dryrun", "--generate-cli-skeleton"):
        return merged(call.found("A4", "aws: only shows what would be done"))
    touches = Judged((), (), tuple(Touch("account", one, "write") for one in _names_said(spoken)))
    if call.program == "awslocal" or re.search(r"//(?:localhost|127\.0\.0\.1)", spoken.said("--endpoint-url")):
        return merged(call.found("A5", "aws: works on an emulation on this machine"))
    if service == "s3":
        return merged(touches, _s3(call, operation, spoken))
    row = _row(call, service, operation, spoken)
    if row is not None:
        return merged(touches, row)
    if (service, operation) == ("ssm", "send-command"):
        return merged(touches, _send_command(call, spoken))
    return merged(touches, _operation(call, service, operation, spoken))


_GLOBAL_FLAGS = frozenset(
    {"--debug", "--no-verify-ssl", "--no-paginate", "--no-sign-request", "--no-cli-pager", "--no-cli-auto-prompt"}
)


def _names(spoken: Spoken) -> list[Textual]:
    found: list[Textual] = []
    for option, values in spoken.options.items():
        if option not in _NOT_NAMES and _NAMES.search(option):
            found += values
    return found


def _names_said(spoken: Spoken) -> list[str]:
    return [word.text for word in _names(spoken) if word.text][:5]


def _row(call: Call, service: str, operation: str, spoken: Spoken) -> Finding | None:
    """The first special case that fits: words of the service, the operation and all that is behind."""
    line = f"{service} {operation} {' '.join(shown(word) for word in call.words[3:])}"
    whole = " ".join(shown(word) for word in call.words[1:])
    names = " ".join(_names_said(spoken))
    for row in ROWS:
        if re.match(row.operation, f"{service} {operation}") and (
            not row.has or re.search(row.has, line) or re.search(row.has, whole)
        ):
            rule = row.rule
            if row.scratch and names and name_kind(names, call.scope.setting) == "scratch":
                rule = row.scratch
            return call.found(
                rule,
                f"aws: {row.says}",
                names,
                privilege=rule == "B5",
                secret=rule == "C8",
                outward=rule in {"B7", "C7"},
                reversible=rule[0] == "A",
            )
    return None


def _operation(call: Call, service: str, operation: str, spoken: Spoken) -> Finding | None:
    verb, _, noun = operation.partition("-")
    if _SECRET_READS.match(operation) or (operation.startswith("get-parameter") and spoken.has("--with-decryption")):
        return call.found("C8", f"aws: {operation} shows or makes a secret", secret=True)
    if verb == "batch" or verb == "bulk":
        verb, _, noun = noun.partition("-")
    if verb in wordset(
        """
        simulate test wait tail filter generate lookup detect verify is admin-get admin-list decode encrypt
        transact-get discover receive select execute-query assess evaluate rebuild
        """
    ):
        return None
    context = spoken.said(
        "--cluster", "--cluster-name", "--stack-name", "--db-cluster-identifier", "--auto-scaling-group-name"
    )
    names = _names(spoken)
    if noun in {"objects", "object"}:
        return (
            call.found("C6" if noun == "objects" and "file://" in call.part else "C1", f"aws: deletes {noun}")
            if verb == "delete"
            else judge_deed(call, verb, noun, names)
        )
    if noun in {"item", "message", "record", "datapoint"}:
        return None if verb_class(verb) == "reads" else call.found("C3", f"aws: {operation}")
    if noun == "secret" and verb == "delete":
        return call.found("B4" if spoken.has("--force-delete-without-recovery") else "C4", f"aws: {operation}")
    if verb == "modify" and noun == "instance-attribute" and "shutdown" in call.part:
        return call.found("C4", f"aws: {operation}")
    if verb == "scan" or verb == "query":
        return None
    scaled = spoken.said("--desired-count", "--desired-capacity", "--min-size", "--max-size")
    if scaled and set(scaled.split()) == {"0"}:
        whole = any(listed(word) for word in names) or any(
            listed(word) for word in spoken.values("--service", "--services")
        )
        precious = (
            name_kind(" ".join(_names_said(spoken)), call.scope.setting) == "precious" and service == "autoscaling"
        )
        return call.found("B4" if whole or precious else "C4", f"aws: {operation} down to nothing", context)
    return judge_deed(
        call, verb, _noun(service, noun), names, context="" if verb_class(verb) == "destroys" else context
    )


def _noun(service: str, noun: str) -> str:
    """The kind of thing, where its service says more than its name."""
    if service in _DATABASES and noun in wordset(
        """
        db-instance db-cluster cluster cache-cluster replication-group domain elasticsearch-domain global-cluster
        serverless-cache
        """
    ):  # fmt: skip
        return "db-instance"
    if service == "ec2" and noun in {"volume", "volumes"}:
        return "ebs-item"
    if service == "ecr" and noun == "repository":
        return "bucket"
    if service == "codecommit" and noun == "repository":
        return "repository"
    if service == "dynamodb" and noun == "backup":
        return "backup"
    if service == "sqs":
        return "queue-item"
    return noun


def _send_command(call: Call, spoken: Spoken) -> Judged:
    """Runs a command of the shell on machines."""
    parameters = spoken.said("--parameters")
    match = re.search(r"commands?\"?\s*[=:]\s*(.*)", parameters, re.DOTALL)
    text = (match.group(1) if match else "").strip().strip("{}").strip()
    pieces = re.findall(r"\"((?:[^\"\\]|\\.)*)\"", text) if text.startswith("[") else [text.strip("\"'")]
    targets = spoken.said("--targets")
    many = bool(targets) and not re.search(r"instanceids,values=i-\w+(?:\s|$)", targets, re.IGNORECASE)
    if not any(pieces):
        return merged(call.found("C6", "aws: runs a document on machines"))
    judged = merged(
        *(
            call.nested("shell", piece, host=targets or spoken.said("--instance-ids") or "aws", privileged=True)
            for piece in pieces
            if piece
        )
    )
    if many and re.search(r"\b(?:shutdown|poweroff|halt|reboot|init 0)\b", text):
        rule = "B6" if "*" in targets else "B4"
        return merged(call.found(rule, "aws: stops every machine that a selector finds", targets), judged)
    note = call.found(
        "B4" if many and judged.verdict is Verdict.CONFIRM else "C5", "aws: runs a command on machines", targets
    )
    return merged(judged, note)


def _s3(call: Call, operation: str, spoken: Spoken) -> Judged | Finding | None:
    words = list(spoken.words[2:])
    [word for word in words if (word.text or word.known_prefix).startswith("s3://")]
    if operation in {"ls", "website"} and operation == "ls":
        return None
    if operation == "presign":
        return call.found("C7", "aws: gives others a link to an object", outward=True)
    public = "public" in spoken.said("--acl")
    if operation == "rb":
        return bucket_loss(call, words, whole=spoken.has("--force"))
    if operation == "rm":
        if not spoken.has("--recursive"):
            return _objects(call, words)
        return tree_loss(
            call, words, narrowed=bool(spoken.options.get("--include")) or bool(spoken.options.get("--exclude"))
        )
    if operation == "mb":
        return call.found("C4", "aws: makes a bucket")
    if operation not in {"cp", "mv", "sync"} or len(words) < 2:
        return call.found("C4", f"aws: s3 {operation}")
    return transfer(
        call,
        words[0],
        words[1],
        remote_prefix="s3://",
        delete=spoken.has("--delete"),
        public=public,
        move=operation == "mv",
    )


def _objects(call: Call, words: Sequence[Textual]) -> Finding:
    if any(word.text is None for word in words):
        many = any(listed(word) for word in words)
        return call.found("B4" if many else "C6", f"{call.program}: deletes objects that cannot be known beforehand")
    state = any(re.search(r"tfstate", word.text or "") for word in words)
    return call.found(
        "B4" if state else "C1",
        f"{call.program}: deletes {' '.join(shown(word) for word in words[:3])}",
        shown(words[0]) if words else "",
    )


def bucket_loss(call: Call, words: Sequence[Textual], *, whole: bool) -> Finding:
    """A bucket is removed, with what is in it or only if it is empty."""
    named = " ".join(shown(word) for word in words)
    if any(word.text is None and not listed(word) for word in words) and not any(
        word.known_prefix.strip("/:sg3") for word in words
    ):
        return call.found(
            "C6" if not whole else "B4" if _looped(call) else "C6",
            f"{call.program}: removes a bucket that cannot be known beforehand",
        )
    if any(listed(word) for word in words):
        return call.found("B4", f"{call.program}: removes every bucket")
    kind = name_kind(named, call.scope.setting)
    if kind == "scratch" or not whole:
        return call.found("C4", f"{call.program}: removes {named}", named)
    return call.found(
        "B1" if "backup" in named else "B4",
        f"{call.program}: removes {named} and all that is in it",
        named,
        reversible=False,
    )


def _looped(call: Call) -> bool:
    return any(getattr(word, "many", False) for word in call.words)


def tree_loss(call: Call, words: Sequence[Textual], *, narrowed: bool = False) -> Finding:
    """Everything under a prefix is removed."""
    rules = []
    for word in words:
        if word.text is None:
            rules.append("B4" if listed(word) else "C6")
            continue
        bucket, _, prefix = word.text.partition("://")[2].partition("/")
        kind = name_kind(f"{bucket}/{prefix}", call.scope.setting)
        whole = not prefix.strip("/*")
        if kind == "scratch" or name_kind(prefix, call.scope.setting) == "scratch" or (narrowed and not whole):
            rules.append("C4")
        elif "backup" in word.text:
            rules.append("B1")
        else:
            rules.append("B4" if whole or kind == "precious" else "C1")
    rule = min(rules or ["C6"], key=lambda one: (one[0] != "B", one))
    named = " ".join(shown(word) for word in words)
    return call.found(rule, f"{call.program}: deletes all under {named}", named, reversible=False)


def transfer(
    call: Call, source: Textual, target: Textual, *, remote_prefix: str, delete: bool, public: bool, move: bool
) -> Judged | Finding | None:
    """Copies between this machine and a bucket, or between buckets."""
    up = (target.text or target.known_prefix).startswith(remote_prefix)
    down = (source.text or source.known_prefix).startswith(remote_prefix)
    if not up:
        finding = paths.overwriting(target.text, call.scope) if target.text else None
        return (
            finding
            if finding is not None and finding.rule[0] == "B"
            else (call.found("C4", f"{call.program}: moves objects out") if move else None)
        )
    if down:
        return call.found("C4", f"{call.program}: {'moves' if move else 'copies'} {shown(source)}", shown(target))
    if source.text:
        reading = paths.reading(source.text, call.scope)
        if reading is not None and reading.rule in {"C8", "B5"}:
            return call.found("B5", f"{call.program}: sends {source.text} out", source.text, outward=True, secret=True)
        if public:
            rule = "B7" if personal_in(source.text) else "C7"
            return call.found(rule, f"{call.program}: publishes {source.text}", source.text, outward=True)
    if delete:
        normal = paths.normal(source.text, call.scope) if source.text else ""
        empty = bool(normal) and (
            normal in call.scope.made or re.search(r"/(?:tmp|empty|void|null)(?:/|$)", normal) is not None
        )
        scratch = name_kind(shown(target), call.scope.setting) == "scratch"
        rule = "C6" if not normal else "B4" if empty and not scratch else "C4"
        return call.found(
            rule,
            f"{call.program}: makes {shown(target)} like {shown(source)}, deleting the rest",
            shown(target),
            reversible=False,
        )
    return call.found("C4", f"{call.program}: writes to {shown(target)}", shown(target), outward=True)
