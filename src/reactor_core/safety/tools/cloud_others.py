"""Smaller clouds and hosters, by the words that nearly all of them share: a kind of thing, a verb, a name."""

from __future__ import annotations

import re

from reactor_core.safety.naming import wordset
from reactor_core.safety.things import Weight, name_kind, weight_of
from reactor_core.safety.tools.cloud_words import special_words
from reactor_core.safety.tools.deeds import Spoken, judge_deed, read_spoken, verb_class
from reactor_core.safety.tools.line import Textual
from reactor_core.safety.tools.registry import Call, handles
from reactor_core.safety.tools.targets import merged
from reactor_core.safety.verdict import Finding, Judged, Touch

__all__ = ["judge_hoster"]

_FLAGS = wordset(
    """
    --force -f --yes -y --prod --quiet -q --wait --no-wait --json --help -h --dangerous --linked --local --remote
    --all --all-collections --recursive -r --tail --no-header --shell --debug --auto-approve --detach -d --cascade
    --purge --dry-run --no-tail --build-only --skip-preview --no-prompt --dangerously-skip-confirmation -o-none
    """
)
_HOSTERS = (
    "doctl", "heroku", "fly", "flyctl", "vercel", "now", "netlify", "ntl", "wrangler", "supabase", "firebase",
    "eksctl", "istioctl", "linkerd", "velero", "argocd", "argo",
    "flux", "railway", "render", "linode-cli", "hcloud", "scw", "ibmcloud", "oci", "aliyun", "civo", "vultr",
    "vultr-cli", "openstack", "govc", "kops", "kubeadm", "kind",
    "minikube", "k3d", "rancher", "cf", "nomad", "consul", "boundary", "packer", "upctl", "exo", "turso",
    "neonctl", "neon", "pscale", "planetscale", "mongocli", "atlas",
    "confluent", "ccloud", "rclone", "mc", "s3cmd", "s5cmd", "b2", "restic", "borg", "kopia", "duplicity",
    "etcdctl", "crossplane", "clusterctl", "talosctl", "tsh", "tctl",
    "sentry-cli", "datadog-ci", "newrelic", "auth0", "okta", "cloudflared", "convox", "deta", "koyeb",
    "northflank", "zeabur", "surge", "appwrite", "pocketbase", "nhost",
    "hasura", "meilisearch", "clever", "scalingo", "platform", "upsun", "acli", "terminus", "wpcli", "shopify",
    "stripe-cli", "twilio", "sfdx", "sf", "kustomize", "kpt",
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
    special = special_words(call, spoken, texts, app)
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
    noun = {"pg": "postgres", "addons": "db-instance", "sites": "site", "teams": "organization",
    "team": "organization", "databases": "db-instance", "db": "db-instance",
            "d1": "database", "r2": "bucket", "kv": "bucket", "nodegroup": "service", "pages": "service",
            "branch": "item", "domain": "item", "domains": "item",
            "machine": "vm", "machines": "vm", "config": "item", "env": "item", "secrets": "item",
            "secret": "item", "ps": "service", "volumes": "volume"}.get(noun, noun)  # fmt: skip
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
