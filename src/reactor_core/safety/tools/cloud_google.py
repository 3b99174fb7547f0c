"""The command lines of Google's and Microsoft's clouds."""

from __future__ import annotations

import re
from collections.abc import Sequence

from reactor_core.safety.naming import wordset
from reactor_core.safety.sensitive import personal_in
from reactor_core.safety.things import name_kind
from reactor_core.safety.tools.cloud_aws import bucket_loss, transfer, tree_loss
from reactor_core.safety.tools.deeds import Spoken, judge_deed, read_spoken, verb_class
from reactor_core.safety.tools.line import Textual, shown
from reactor_core.safety.tools.registry import Call, handles
from reactor_core.safety.tools.targets import merged
from reactor_core.safety.verdict import Finding, Judged, Touch

__all__ = ["judge_bq", "judge_gcloud", "judge_gsutil"]

_FLAGS = wordset(
    """
    --quiet -q --async --force --recursive -r -R --deletion-protection --public-access-prevention
    --no-public-access-prevention --delete-unmatched-destination-objects --no-deletion-protection --dry-run --all
    --help -h --verbose --uri --global --versioning --no-versioning --continue-on-error --allow-unauthenticated
    --purge --clear-labels --clear-lifecycle --discard-local-ssd
    """
)
_WIDE_ROLES = re.compile(
    r"roles/(?:owner|editor|resourcemanager\.\w*admin|iam\.\w*admin|iam\.securityAdmin"
    r"|iam\.serviceAccountTokenCreator)|organizationAdmin|billing\.admin"
)
_ANYBODY = re.compile(r"allUsers|allAuthenticatedUsers")
_HELD = re.compile(r"legal[-_]?hold|litigation|compliance|retention")


@handles("gcloud")
def judge_gcloud(call: Call) -> Judged | None:
    """``gcloud [alpha|beta] group ... verb NAME --flags``."""
    spoken = read_spoken(call.words[1:], flags=_FLAGS)
    texts = list(spoken.texts)
    if texts and not texts[0]:
        return merged(call.found("C6", "gcloud: what is to be done cannot be known beforehand"))
    if spoken.has("--help", "-h", "--dry-run", "--validate-only") or "help" in texts[:2]:
        return merged(call.found("A4", "gcloud: only shows what would be done"))
    words = texts[1:] if texts[:1] in (["alpha"], ["beta"]) else texts
    offset = len(texts) - len(words)
    touch = Judged((), (), tuple(Touch("account", one, "write") for one in [spoken.said("--project")] if one))
    if words[:1] == ["storage"]:
        return merged(touch, _storage(call, words, spoken, offset))
    if words[:2] in (["compute", "ssh"], ["compute", "scp"], ["app", "ssh"], ["workstations", "ssh"]):
        return merged(touch, _ssh(call, words, spoken))
    at = next(
        (
            index
            for index, word in enumerate(words)
            if (verb_class(word) and word != "versions")
            or word == "access"
            or word.startswith(("add-", "remove-", "set-", "get-", "print-"))
        ),
        -1,
    )
    if (
        at == 0
        and len(words) > 1
        and verb_class(words[1])
        and words[0] in {"run", "deploy", "config", "builds", "services"}
    ):
        at = 1
    if words[:1] == ["run"] and at == 0:
        at = next((index for index, word in enumerate(words[1:], 1) if verb_class(word)), 0)
    if at < 0:
        return merged(touch, call.found("C6", f"gcloud: {' '.join(words[:3])} is not known") if words else None)
    return merged(touch, _deed(call, words[:at], words[at], list(spoken.words[offset + at + 1 :]), spoken))


def _deed(call: Call, groups: list[str], verb: str, names: list[Textual], spoken: Spoken) -> Finding | None:
    said = " ".join([*groups, verb])
    line = call.part
    guard = re.search(
        r"logging (?:sinks|buckets|logs)|audit|scc|billing budgets|monitoring (?:policies|alert)|alpha monitoring"
        r"|org-policies|access-context|armor|firewall-rules|binary-authorization",
        said,
    )
    if (
        verb == "access"
        or "print-access-token" in said
        or "print-identity-token" in said
        or ("keys" in groups and verb == "create" and "service-accounts" in groups)
        or re.search(r"secrets versions access|get-credentials-secret|generate-password|print-refresh", said)
    ):
        return call.found("C8", f"gcloud: {said} shows or makes a secret", secret=True)
    if verb == "remove-iam-policy-binding":
        return call.found(
            "A5" if _ANYBODY.search(line) or _WIDE_ROLES.search(line) else "C4", f"gcloud: {said}", privilege=True
        )
    if verb in {"add-iam-policy-binding", "set-iam-policy"}:
        if _ANYBODY.search(line):
            return call.found(
                "B5" if _WIDE_ROLES.search(line) else "B7",
                f"gcloud: {said} for everybody",
                privilege=True,
                outward=True,
            )
        wide = _WIDE_ROLES.search(line)
        return call.found("B5" if wide else "C7", f"gcloud: {said}", privilege=True)
    if "--no-deletion-protection" in line:
        return call.found("B5", "gcloud: takes protection from deletion away", privilege=True)
    if verb in {"patch", "update"} and re.search(
        r"\s--(?:deletion-protection|public-access-prevention|require-ssl|enable-\w*audit)\b", line
    ):
        return call.found("A5", f"gcloud: {said} protects it")
    if re.search(r"authorized-networks[= ]\S*0\.0\.0\.0/0|source-ranges[= ]\S*0\.0\.0\.0/0", line):
        rule = (
            "B5" if "authorized" in line or re.search(r"tcp:22|tcp:3389|all\b|tcp:0-65535|rules[= ]all", line) else "C7"
        )
        return call.found(rule, "gcloud: opens it to everybody", outward=True, privilege=True)
    if verb.startswith("add-metadata") and re.search(r"ssh-keys|startup-script", line):
        return call.found("B5", "gcloud: gives a key lasting access to a machine", privilege=True)
    if guard and verb_class(verb) in {"destroys", "stops"}:
        return call.found("B5", f"gcloud: {said} switches a guard off", privilege=True)
    if verb == "run-sql" or (groups[:1] == ["spanner"] and verb == "execute-sql"):
        return None
    noun = "".join(groups[-1:])
    whole_noun = "".join(groups)
    if "sql" in groups and "instances" in groups:
        noun = "db-instance"
    elif "backups" in groups:
        noun = "backup"
    elif whole_noun.startswith("kmskeys") or ("kms" in groups and verb in {"destroy", "disable"}):
        noun = "key"
    elif "secrets" in groups or noun in {"topics", "subscriptions"}:
        noun = "item"
    elif noun == "managed-zones":
        noun = "managed-zone"
    elif noun == "disks":
        noun = "volume"
    if verb == "enable" or verb_class(verb) == "reads" or verb.startswith(("get-", "list-", "describe-")):
        return None
    if verb in {"login", "init", "set", "activate", "configurations", "application-default"} and groups[:1] in (
        ["auth"],
        ["config"],
    ):
        return call.found("C8", f"gcloud: {said}", secret=True) if groups[:1] == ["auth"] else None
    if groups[:1] == ["kms"] and verb_class(verb) in {"destroys", "stops"}:
        noun = "key"
    if noun == "key" and verb_class(verb) == "destroys":
        names = [*names, *spoken.values("--key", "--keyring")]
    return judge_deed(call, verb, noun, names)


def _ssh(call: Call, words: list[str], spoken: Spoken) -> Judged | Finding | None:
    command = spoken.said("--command")
    host = words[2] if len(words) > 2 else "gcloud"
    if "--" in {word.text for word in call.words}:
        at = next(index for index, word in enumerate(call.words) if word.text == "--")
        command = " ".join(shown(word) for word in call.words[at + 1 :])
    if words[1] == "scp":
        return call.found("C5", "gcloud: copies files to or from a machine")
    if not command:
        return call.found("C6", f"gcloud: opens a session on {host}", host)
    return call.nested("shell", command, host=host, cwd="/root")


def _storage(call: Call, words: list[str], spoken: Spoken, offset: int) -> Judged | Finding | None:
    verb = words[1] if len(words) > 1 else ""
    if verb in {"buckets", "objects", "managed-folders", "hmac"}:
        inner = words[2] if len(words) > 2 else ""
        names = list(spoken.words[offset + 3 :])
        if inner == "delete":
            return (
                bucket_loss(call, names, whole=True)
                if verb == "buckets"
                else call.found("C1", "gcloud: deletes objects")
            )
        if "--no-public-access-prevention" in call.part:
            return call.found("B5", "gcloud: opens what was closed", privilege=True)
        if "--lifecycle-file" in call.part or "--clear-retention" in call.part:
            return call.found(
                "B7" if _HELD.search(call.part) and "clear" in call.part else "C4", f"gcloud: {verb} {inner}"
            )
        return _deed(call, ["storage", verb], inner, names, spoken)
    return objects(call, verb, list(spoken.words[offset + 2 :]), spoken)


def objects(call: Call, verb: str, words: list[Textual], spoken: Spoken) -> Judged | Finding | None:
    """Objects and buckets: the commands that gsutil and ``gcloud storage`` share."""
    deep = spoken.has("-r", "-R", "--recursive") or any((word.text or "").endswith("/**") for word in words)
    if verb in {"ls", "cat", "du", "stat", "hash", "version", "help", "test", "describe", "perfdiag"}:
        return None
    if verb == "rm":
        if deep or spoken.has("-a"):
            whole = all("/" not in (word.text or "").removeprefix("gs://").rstrip("/*") for word in words if word.text)
            return tree_loss(call, words, narrowed=False) if not whole else tree_loss(call, words)
        if any(word.text is None for word in words):
            return call.found("C6", f"{call.program}: deletes objects that cannot be known beforehand")
        wide = any("*" in (word.text or "") for word in words)
        return (
            tree_loss(call, words)
            if wide
            else call.found("C1", f"{call.program}: deletes {shown(words[0]) if words else ''}")
        )
    if verb == "rb":
        return bucket_loss(call, words, whole=False)
    if verb in {"cp", "mv", "rsync"} and len(words) >= 2:
        delete = (verb == "rsync" and spoken.has("-d")) or spoken.has("--delete-unmatched-destination-objects")
        public = "public" in spoken.said("-a", "--predefined-acl")
        return transfer(
            call, words[0], words[-1], remote_prefix="gs://", delete=delete, public=public, move=verb == "mv"
        )
    return call.found("C4", f"{call.program}: {verb}")


@handles("gsutil")
def judge_gsutil(call: Call) -> Judged | None:
    """Google's storage."""
    spoken = read_spoken(
        call.words[1:],
        flags=_FLAGS
        | {
            "-m",
            "-n",
            "-d",
            "-a",
            "-f",
            "-c",
            "-l",
            "-s",
            "-p",
            "-u",
            "-z",
            "-i",
            "-C",
            "-e",
            "-P",
            "-x-none",
            "-L-none",
        },
    )
    texts = spoken.texts
    verb = texts[0] if texts else ""
    rest = list(spoken.words[1:])
    if verb == "rsync" and spoken.has("-n"):
        return merged(call.found("A4", "gsutil: only shows what would be done"))
    line = call.part
    if verb in {"iam", "acl", "defacl"}:
        if texts[1:2] == ("get",):
            return Judged()
        if spoken.has("-d"):
            return merged(
                call.found(
                    "A5" if _ANYBODY.search(line) or re.search(r"All(?:Users|AuthenticatedUsers)", line) else "C4",
                    "gsutil: takes rights away",
                    privilege=True,
                )
            )
        public = _ANYBODY.search(line) or re.search(r"public-read|AllUsers", line)
        return merged(call.found("B7" if public else "C7", "gsutil: gives rights", outward=True, privilege=True))
    if verb in wordset(
        """
        versioning retention lifecycle bucketpolicyonly ubla pap logging kms autoclass
        """
    ):
        action = texts[1] if len(texts) > 1 else ""
        if action == "get":
            return Judged()
        off = action in {"clear", "off"} or texts[2:3] in (("off",), ("inherited",), ("unspecified",))
        if verb == "versioning" and "on" in texts[1:3]:
            return merged(call.found("A5", "gsutil: keeps versions"))
        rule = "B7" if verb == "retention" and off else "B5" if off or texts[1:3] == ("set", "off") else "C4"
        return merged(call.found(rule, f"gsutil: {verb} {action}", privilege=True))
    if verb == "mb" or verb == "web" or verb == "label" or verb == "setmeta" or verb == "rewrite":
        return merged(call.found("C4", f"gsutil: {verb}"))
    if verb == "signurl":
        return merged(call.found("C7", "gsutil: gives others a link to an object", outward=True))
    return merged(objects(call, verb, rest, spoken))


@handles("bq")
def judge_bq(call: Call) -> Judged | None:
    """BigQuery."""
    spoken = read_spoken(
        call.words[1:],
        flags=wordset(
            """
            -f -t -r -d --force --table --recursive --dataset --dry_run --nouse_legacy_sql --replace --append_table
            --view -n-none --sync --nosync --quiet
            """
        ),
    )
    texts = spoken.texts
    verb = texts[0] if texts else ""
    names: Sequence[Textual] = spoken.words[1:]
    if spoken.has("--dry_run", "--help"):
        return merged(call.found("A4", "bq: only shows what would be done"))
    if verb == "query":
        if not names and call.stdin is not None:
            return call.nested("sql", call.stdin, dialect="bigquery")
        if any(word.text is None for word in names):
            return merged(call.found("C6", "bq: runs a statement that cannot be known beforehand"))
        return (
            merged(*(call.nested("sql", word.text or "", dialect="bigquery") for word in names[-1:]))
            if names
            else merged(call.found("C6", "bq: runs a statement that is not shown"))
        )
    if verb == "rm":
        said = " ".join(shown(word) for word in names)
        scratch = name_kind(said.rpartition(":")[2], call.scope.setting) == "scratch"
        if any(word.text is None for word in names):
            return merged(call.found("C6", "bq: removes what cannot be known beforehand"))
        return merged(call.found("C4" if scratch else "B3", f"bq: removes {said}", said, reversible=False))
    if verb in wordset(
        """
        load insert cp mk update partition add-iam-policy-binding set-iam-policy undelete
        """
    ):
        if spoken.has("--replace") and name_kind(" ".join(texts), call.scope.setting) != "scratch":
            return merged(call.found("B3" if verb == "load" else "C3", "bq: replaces a table"))
        return merged(call.found("C7" if "iam" in verb else "C3", f"bq: {verb}"))
    if verb == "extract" and personal_in(" ".join(texts)):
        return merged(call.found("C7", "bq: copies a table out", outward=True))
    return Judged()
