"""Smaller clouds and hosters, by the words that nearly all of them share: a kind of thing, a verb, a name."""

from __future__ import annotations

import re

from reactor_core.safety.naming import wordset
from reactor_core.safety.things import Weight, name_kind, weight_of
from reactor_core.safety.tools.deeds import Spoken, judge_deed, read_spoken, verb_class
from reactor_core.safety.tools.line import Textual
from reactor_core.safety.tools.registry import Call, handles
from reactor_core.safety.tools.targets import merged
from reactor_core.safety.verdict import Finding, Judged, Touch

__all__ = ["judge_hoster", "judge_vault"]

_FLAGS = wordset(
    """
    --force -f --yes -y --prod --quiet -q --wait --no-wait --json --help -h --dangerous --linked --local --remote
    --all --all-collections --recursive -r --tail --no-header --shell --debug --auto-approve --detach -d --cascade
    --purge --dry-run --no-tail --build-only --skip-preview --no-prompt --dangerously-skip-confirmation -o-none
    """
)
_HOSTERS = (
    "doctl", "heroku", "fly", "flyctl", "vercel", "now", "netlify", "ntl", "wrangler", "supabase", "firebase", "eksctl", "istioctl", "linkerd", "velero", "argocd", "argo",
    "flux", "railway", "render", "linode-cli", "hcloud", "scw", "ibmcloud", "oci", "aliyun", "civo", "vultr", "vultr-cli", "openstack", "govc", "kops", "kubeadm", "kind",
    "minikube", "k3d", "rancher", "cf", "nomad", "consul", "boundary", "packer", "upctl", "exo", "turso", "neonctl", "neon", "pscale", "planetscale", "mongocli", "atlas",
    "confluent", "ccloud", "rclone", "mc", "s3cmd", "s5cmd", "b2", "restic", "borg", "kopia", "duplicity", "etcdctl", "crossplane", "clusterctl", "talosctl", "tsh", "tctl",
    "sentry-cli", "datadog-ci", "newrelic", "auth0", "okta", "cloudflared", "convox", "deta", "koyeb", "northflank", "zeabur", "surge", "appwrite", "pocketbase", "nhost",
    "hasura", "meilisearch", "clever", "scalingo", "platform", "upsun", "acli", "terminus", "wpcli", "shopify", "stripe-cli", "twilio", "sfdx", "sf", "kustomize", "kpt",
    "skaffold", "tilt", "devspace", "garden", "waypoint", "cosign", "oras", "crane", "skopeo", "regctl",
)  # fmt: skip
_LOCAL_CLUSTERS = frozenset({"kind", "minikube", "k3d", "tilt", "skaffold", "devspace"})
_READS_ALONE = wordset(
    """
    build lint verify analyze proxy-status x inspect convert cat find snapshots check ls tree du size stats
    emulators serve dev local
    """
)
_SECRET = re.compile(
    r"(?:^|[ :])(?:secrets?|tokens?|api-keys?|credentials?|keys?|auth:token|env:pull|config:get|config)(?:$|[ :])"
)


def _words(call: Call) -> Spoken:
    return read_spoken(call.words[1:], flags=_FLAGS)


@handles(*_HOSTERS)
def judge_hoster(call: Call) -> Judged | None:
    """``program group verb NAME`` and ``program group:verb NAME``."""
    spoken = _words(call)
    texts = spoken.texts
    if not spoken.words:
        return merged(call.found("C4", "vercel: deploys")) if call.program in {"vercel", "now"} else Judged()
    if not texts[0]:
        return merged(call.found("C6", f"{call.program}: what is to be done cannot be known beforehand"))
    if spoken.has("--help", "-h", "--dry-run", "--dryrun", "--build-only", "--preview") or "help" in texts[:2]:
        return merged(call.found("A4", f"{call.program}: only shows what would be done"))
    app = spoken.said(
        "-a",
        "--app",
        "-s",
        "--site",
        "--project",
        "--scope",
        "-o",
        "--org",
        "--cluster",
        "--confirm",
        "--name",
        "--database",
        "--env",
        "--environment",
    )
    touch = Judged((), (), tuple(Touch("account", name, "write") for name in app.split()[:3]))
    special = _special(call, spoken, texts, app)
    if special is not None:
        return merged(touch, special[0])
    words = [part for text in texts for part in (text.split(":") if re.fullmatch(r"[a-z][\w:-]*", text) else [text])]
    at = next((index for index, word in enumerate(words[:4]) if verb_class(word)), -1)
    if at < 0:
        return merged(
            touch,
            None
            if set(words[:2]) & _READS_ALONE or len(words) == 1
            else call.found("C6", f"{call.program}: {' '.join(words[:3])} is not known"),
        )
    verb = words[at]
    if verb_class(verb) == "reads":
        return merged(
            touch,
            call.found("C8", f"{call.program}: shows a secret", secret=True)
            if _SECRET.search(" ".join(words[:at])) and verb in {"get", "show", "view", "pull", "read"}
            else None,
        )
    if call.program in _LOCAL_CLUSTERS or (spoken.has("--local") and not spoken.has("--remote")):
        return merged(touch, call.found("A5", f"{call.program}: works on this machine"))
    noun, names = _noun_and_names(call, spoken, words, at, app)
    return merged(touch, _deed(call, verb, noun, names, words, app))


def _noun_and_names(call: Call, spoken: Spoken, words: list[str], at: int, app: str) -> tuple[str, list[Textual]]:
    before = words[:at]
    if not before and at + 1 < len(words) and weight_of(words[at + 1]) is not Weight.ITEM:
        return words[at + 1], list(spoken.words[at + 2 :]) or spoken.values("--name", "-n", "--cluster")
    consumed = 0
    seen = 0
    for text in spoken.texts:
        seen += len(text.split(":")) if re.fullmatch(r"[a-z][\w:-]*", text) else 1
        consumed += 1
        if seen > at:
            break
    names = list(spoken.words[consumed:])
    noun = before[-1] if before else ""
    if not noun and len(names) > 1 and names[0].text and names[0].text.isalpha():
        noun, names = names[0].text, names[1:]
    if not noun and call.program in {"vercel", "now", "fly", "flyctl", "railway", "heroku"}:
        noun = "project"
    if not noun and call.program in {"wrangler", "kubeadm"}:
        noun = "service"
    if not noun and names and not any(names[0].text == one for one in ("",)):
        noun = (names[0].text or "") if len(names) > 1 else noun
    names = names or [
        word for option in ("-a", "--app", "--name", "--site", "--cluster") for word in spoken.values(option)
    ]
    if not names and app:
        return noun, []
    return noun, names


def _deed(call: Call, verb: str, noun: str, names: list[Textual], words: list[str], app: str) -> Finding | None:
    noun = {"pg": "postgres", "addons": "db-instance", "sites": "site", "teams": "organization", "team": "organization", "databases": "db-instance", "db": "db-instance",
            "d1": "database", "r2": "bucket", "kv": "bucket", "nodegroup": "service", "pages": "service", "branch": "item", "domain": "item", "domains": "item",
            "machine": "vm", "machines": "vm", "config": "item", "env": "item", "secrets": "item", "secret": "item", "ps": "service", "volumes": "volume"}.get(noun, noun)  # fmt: skip
    if verb_class(verb) == "changes" and re.search(
        r"access|members?|collaborators?|invite|domains? create|domain (?:buy|register|create)|projects resources",
        " ".join(words),
    ):
        return call.found("C7", f"{call.program}: {' '.join(words[:3])}", app, outward=True)
    if verb_class(verb) in {"destroys", "stops"} and re.search(
        r"audit|log-drain|logdrain|drains|alert|firewall|protection|policy|backup-schedule", " ".join(words)
    ):
        return call.found("B5", f"{call.program}: {' '.join(words[:3])} switches a guard off", app, privilege=True)
    if not names and app:
        noun = noun or words[-1]
        kind = name_kind(app, call.scope.setting)
        if verb_class(verb) == "destroys" and noun in {"db-instance", "postgres", "redis", "app", "apps"}:
            return call.found(
                "C4" if kind == "scratch" else "B4", f"{call.program}: {verb} {noun} {app}", app, reversible=False
            )
    return judge_deed(call, verb, noun, names, context=app)


def _special(call: Call, spoken: Spoken, texts: tuple[str, ...], app: str) -> tuple[Judged | Finding | None] | None:
    """What single programs mean by words of their own; None if nothing special is said."""
    line = " ".join(texts)
    scratch = name_kind(f"{line} {app}", call.scope.setting) == "scratch"

    def finding(rule: str, says: str, **effect: bool) -> tuple[Finding]:
        return (call.found(rule, f"{call.program}: {says}", app or line, **effect),)

    match call.program:
        case "heroku":
            if re.match(r"pg:(?:reset|push|copy)|redis:reset", line):
                return finding("C3" if scratch else "B3", "empties a database")
            if re.match(r"(?:config|config:get|pg:credentials|auth:token)(?:$| )", line) and not re.match(
                r"config:(?:set|unset)", line
            ):
                return finding("C8", "shows secrets", secret=True)
            if re.match(r"(?:apps:)?destroy", line):
                return finding("C4" if scratch else "B4", f"destroys {app}")
            if re.match(r"(?:run|pg:psql)", line) and (spoken.said("-c", "--command") or len(texts) > 1):
                inner = spoken.said("-c", "--command") or " ".join(texts[1:])
                return (
                    call.nested(
                        "sql" if "psql" in line else "shell",
                        inner,
                        host=app or "heroku",
                        **({"dialect": "postgres"} if "psql" in line else {}),
                    ),
                )
            if line.startswith("releases:rollback"):
                return finding("C4", "takes a release back")
            if re.match(
                r"ps(?:$|:wait)|releases$|(?:pg|redis):info|logs|apps$|addons$|access$|certs$|domains$|regions|buildpacks$|maintenance$",
                line,
            ):
                return (None,)
            if line.startswith("maintenance:on"):
                return finding("B4" if name_kind(app, call.scope.setting) == "precious" else "C4", "stops an app")
        case "supabase":
            if line.startswith("db reset"):
                return (
                    (None,)
                    if not spoken.has("--linked") and not spoken.options.get("--db-url")
                    else finding("B3", "empties the linked database")
                )
            if line.startswith(("db push", "migration up")):
                return (None,) if spoken.has("--local") else finding("C3", "changes the linked database")
            if line.startswith(
                (
                    "start",
                    "stop",
                    "status",
                    "db diff",
                    "db lint",
                    "gen",
                    "migration new",
                    "migration list",
                    "init",
                    "functions serve",
                    "db start",
                )
            ):
                return (None,)
        case "firebase":
            if re.match(r"firestore:delete", line):
                wide = spoken.has("--all-collections") or "/" not in texts[-1].strip("/")
                return finding("B3" if wide else "C3", "deletes documents")
            if re.match(r"database:(?:remove|set)", line):
                return finding(
                    "B3" if texts[-1] in {"/", "database:remove"} else "C3", "replaces a part of the database"
                )
            if line.startswith("hosting:disable"):
                return finding("B4", "stops the site")
        case "wrangler":
            if line.startswith("d1 execute"):
                command = spoken.said("--command")
                if spoken.has("--local"):
                    return (None,)
                return (
                    (call.nested("sql", command, dialect="sqlite"),)
                    if command
                    else finding("C6", "runs SQL that is not shown")
                )
            if line.startswith(("secret put", "secret bulk")):
                return finding("C8", "writes a secret", secret=True)
            if texts[0] in {"dev", "tail", "types", "whoami", "init", "login"}:
                return (None,)
        case "vercel" | "now":
            if texts[0] in {"env"} and "pull" in texts:
                return finding("C8", "writes secrets to a file", secret=True)
            if texts[0] in {"dev", "ls", "list", "logs", "inspect", "whoami", "link", "build", "login"}:
                return (None,)
            if texts[0] not in wordset(
                """
                remove rm alias deploy env domains dns certs secrets teams switch promote rollback project projects
                redeploy bisect
                """
            ):
                return finding("C4", "deploys")
        case "fly" | "flyctl":
            if line.startswith(("scale count 0",)):
                return finding("B4" if name_kind(app, call.scope.setting) == "precious" else "C4", "stops an app")
            if line.startswith(("ssh console", "console")):
                command = spoken.said("-C", "--command")
                return (
                    (call.nested("shell", command, host=app or "fly", cwd="/"),)
                    if command
                    else finding("C6", "opens a session")
                )
            if line.startswith(("postgres", "pg")) and "connect" in texts:
                return finding("C6", "opens a session")
            if line.startswith("config validate"):
                return (None,)
            if line.startswith("scale show") or texts[0] in {
                "status",
                "logs",
                "info",
                "releases",
                "version",
                "platform",
                "doctor",
            }:
                return (None,)
        case "etcdctl":
            if texts[0] == "del":
                wide = (
                    spoken.has("--from-key")
                    or (
                        spoken.options.get("--prefix") is not None
                        and len((texts[1] if len(texts) > 1 else "").strip("/\x00")) < 2
                    )
                    or ("--prefix" in call.part and len(texts) < 2)
                )
                return finding(
                    "B4"
                    if wide
                    or (
                        spoken.options.get("--prefix") is not None
                        and "/registry" in call.part
                        and call.part.count("/") < 4
                    )
                    else "C3",
                    "deletes keys of the cluster",
                )
            if texts[0] in {"get", "endpoint", "version", "check", "watch"} or line.startswith(
                ("member list", "alarm list", "user list", "role list", "snapshot status", "snapshot save")
            ):
                return (None,)
            return finding("C4", line)
        case "consul":
            if line.startswith("kv delete"):
                wide = spoken.has("-recurse") or "-recurse" in call.part
                return finding("B4" if wide and not scratch else "C3", "deletes keys")
            if re.match(
                r"(?:kv (?:get|export)|members|catalog|info|monitor|operator raft list|services$|intention (?:list|check|get))",
                line,
            ):
                return (None,)
        case "nomad":
            if line.startswith(("job stop", "stop")):
                return finding("C4", "stops a job")
            if line.startswith(
                (
                    "job plan",
                    "plan",
                    "status",
                    "alloc logs",
                    "alloc status",
                    "node status",
                    "job status",
                    "server members",
                    "validate",
                    "job validate",
                )
            ):
                return (None,)
            if line.startswith("system gc"):
                return finding("C4", "cleans up")
        case "argocd":
            if line.startswith(
                (
                    "app diff",
                    "app get",
                    "app list",
                    "app history",
                    "app logs",
                    "app manifests",
                    "app wait",
                    "cluster list",
                    "repo list",
                    "proj list",
                    "version",
                    "context",
                )
            ):
                return (None,)
            if line.startswith("app delete"):
                return finding(
                    "B4"
                    if name_kind(line, call.scope.setting) == "precious" or (spoken.has("--cascade") and not scratch)
                    else "C4",
                    f"deletes {line}",
                )
        case "velero" | "restic" | "borg" | "kopia" | "duplicity":
            return _backup(call, spoken, texts)
        case "rclone" | "mc" | "s3cmd" | "s5cmd" | "b2":
            return _bucket_tools(call, spoken, texts)
        case "packer":
            return (
                (None,)
                if texts[0] in {"validate", "fmt", "inspect", "init", "version"}
                else finding("C4", "builds an image")
            )
        case "kubeadm":
            if texts[0] == "reset":
                return finding("B4", "takes a cluster apart")
        case "kustomize" | "kpt" | "cosign" | "oras" | "crane" | "skopeo" | "regctl":
            if texts[0] in wordset(
                """
                build verify inspect manifest config digest ls pull catalog fn version tree
                """
            ):
                return (None,)
            if texts[0] in {"edit", "create", "init"}:
                return finding("A5", "changes a file of the project")
            return finding("C7", line, outward=True)
        case "istioctl":
            if line.startswith(("uninstall", "x uninstall")):
                return finding("B4", "removes the mesh")
            if texts[0] in wordset(
                """
                analyze version proxy-status proxy-config ps pc validate verify-install dashboard describe
                experimental x manifest profile
                """
            ):
                return (None,)
    return None


def _backup(call: Call, spoken: Spoken, texts: tuple[str, ...]) -> tuple[Judged | Finding | None] | None:
    line = " ".join(texts)
    if re.search(
        r"^(?:snapshots|stats|check|ls|list|find|diff|cat|info|backup (?:get|describe|logs)|restore (?:get|describe|logs)|schedule get|version|collection-status|verify|mount)",
        line,
    ):
        return (None,)
    if re.search(
        r"^(?:forget|prune|delete|purge|backup delete|schedule delete|repo delete|remove-|snapshot delete|backup-location delete|uninstall|repository delete)",
        line,
    ):
        whole = (
            "--all" in call.part
            or re.search(r"--keep-(?:last|daily)[ =][01]\b|older-than[ =]0|\ball\b", call.part)
            or (texts[0] in {"delete", "uninstall"} and "::" not in line and call.program in {"borg", "velero"})
        )
        if texts[0] == "prune" and call.program != "borg":
            return (call.found("C1", f"{call.program}: removes what no backup needs"),)
        return (
            call.found(
                "B1" if whole or "unsafe" in call.part else "C1",
                f"{call.program}: deletes backups",
                line,
                reversible=False,
            ),
        )
    if re.search(r"^key|^change-passphrase", line):
        return (
            call.found(
                "B1" if "remove" in line or "delete" in line else "C8",
                f"{call.program}: changes the key of the backups",
            ),
        )
    return (
        call.found("C4", f"{call.program}: {line[:60]}")
        if texts[0] in {"restore", "extract", "schedule", "install", "unlock", "break-lock"}
        else None,
    )


def _bucket_tools(call: Call, spoken: Spoken, texts: tuple[str, ...]) -> tuple[Judged | Finding | None] | None:
    verb = texts[0]
    line = " ".join(texts)
    named = " ".join(texts[1:])
    scratch = name_kind(named, call.scope.setting) == "scratch"
    if spoken.has("--dry-run", "-n", "--dryrun", "--fake"):
        return (call.found("A4", f"{call.program}: only shows what would be done"),)
    if verb in wordset(
        """
        ls lsd lsf lsl lsjson size du cat about check stat info tree version listremotes ncdu find diff head
        get-bucket list-buckets hashsum md5sum la
        """
    ):
        return (None,)
    if verb in {"config"}:
        return (call.found("C8", f"{call.program}: shows or changes credentials", secret=True),)
    if verb in {"purge", "delete", "rb", "del", "rm", "rmdirs", "cleanup", "delete-bucket", "deletebucket"}:
        deep = verb in {"purge", "delete"} or spoken.has("--recursive", "-r", "--force") or "*" in line
        if not deep:
            return (call.found("C1", f"{call.program}: deletes {named}", named),)
        path = re.sub(r"^\w+:/*|^\w+/", "", texts[1] if len(texts) > 1 else "").strip("/*")
        rule = (
            "C4"
            if scratch
            else "B4"
            if path.count("/") < 1 or name_kind(named, call.scope.setting) == "precious"
            else "C1"
        )
        return (
            call.found(
                "B1" if "backup" in named and not scratch else rule,
                f"{call.program}: deletes all of {named}",
                named,
                reversible=False,
            ),
        )
    if verb == "sync" or verb == "mirror":
        removes = call.program == "rclone" or spoken.has("--remove", "--delete-removed", "--delete")
        empty = texts[1:2] and (texts[1] in call.scope.made or re.search(r"^/tmp/|/empty|/dev/null", texts[1]))
        return (
            call.found(
                "B4" if removes and empty and not scratch else "C4",
                f"{call.program}: makes {texts[-1]} like {texts[1] if len(texts) > 1 else ''}",
                named,
                reversible=not removes,
            ),
        )
    if re.search(r"anonymous|policy|setacl|acl", verb) and re.search(r"public|download|--acl-public", call.part):
        return (call.found("B7", f"{call.program}: opens it to everybody", named, outward=True),)
    if verb == "admin" and re.search(r"stop|remove|disable", line):
        return (call.found("B4", f"{call.program}: {line}", named),)
    return (call.found("C4", f"{call.program}: {verb} {named}"[:120], named, outward=True),)


@handles("vault", "bao", "openbao")
def judge_vault(call: Call) -> Judged | None:
    """The vault of secrets."""
    spoken = read_spoken(
        [word for word in call.words[1:]],
        flags={"-force", "-f", "-orphan", "-self", "-prefix", "-format-none", "-detailed"},
    )
    texts = spoken.texts
    line = " ".join(texts)
    if re.match(
        r"(?:status|version|kv (?:metadata get|list|metadata list)|list|policy (?:list|read|fmt)|secrets list|auth list|audit list|token lookup|token capabilities|path-help|operator raft list|print|plugin list|login -method-none|lease lookup)",
        line,
    ):
        return Judged()
    if re.match(r"audit enable", line):
        return merged(call.found("A5", "vault: switches the audit on"))
    if re.match(r"audit disable", line):
        return merged(call.found("B5", "vault: switches the audit off", privilege=True))
    if re.match(
        r"secrets disable|operator (?:seal|step-down|rekey|generate-root|raft (?:remove|snapshot restore))|auth disable|namespace delete|kv (?:destroy|metadata delete)|delete sys/",
        line,
    ):
        scratch = name_kind(line, call.scope.setting) == "scratch"
        return merged(call.found("C4" if scratch else "B4", f"vault: {line}", line, reversible=False))
    if re.match(r"policy write", line):
        text = call.stdin or ""
        wide = re.search(r"path\s+\"(?:\*|sys/\*|\+/\*)\"", text) and re.search(r"sudo|delete|update", text)
        return merged(call.found("B5" if wide else "C4", "vault: changes a policy", line, privilege=True))
    if re.match(r"(?:policy delete|token revoke|lease revoke|revoke)", line):
        return merged(call.found("B4" if spoken.has("-prefix", "-force") else "C4", f"vault: {line}", line))
    if re.match(
        r"(?:kv get|read|token create|login|kv put|write|kv patch|unwrap|ssh|transit|pki|operator (?:init|unseal))",
        line,
    ):
        return merged(call.found("C8", f"vault: {line[:60]} reads or makes a secret", secret=True))
    return merged(call.found("C4", f"vault: {line[:80]}"))
