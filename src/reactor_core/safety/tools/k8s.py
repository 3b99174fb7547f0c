"""kubectl and its kin, helm, and the tools that bring clusters to a stated form."""

from __future__ import annotations

import re

from reactor_core.safety.naming import wordset
from reactor_core.safety.things import Weight, name_kind, weight_of
from reactor_core.safety.tools.deeds import Spoken, judge_deed, listed, read_spoken
from reactor_core.safety.tools.line import Textual, shown
from reactor_core.safety.tools.registry import Call, handles
from reactor_core.safety.tools.targets import fetched, merged
from reactor_core.safety.verdict import Finding, Judged, Touch

__all__ = ["judge_helm", "judge_kubectl"]

_FLAGS = wordset(
    """
    --all --all-namespaces -A --force --now --wait --ignore-not-found --recursive -R --overwrite --prune --watch -w
    --follow -f-none --ignore-daemonsets --delete-emptydir-data --delete-local-data --privileged --rm -i -t -it -ti
    --stdin --tty --server-side --force-conflicts --record --list --quiet -q --raw --minify --flatten --short
    --client --no-headers --show-labels --cascade-none --save-config --install --atomic --debug --create-namespace
    --reset-values --reuse-values --keep-history --no-hooks --devel --dependency-update --uninstall -y --yes
    --show-resources --all-containers --previous -p-none
    """
)
_READS = wordset(
    """
    get describe logs top explain diff version api-resources api-versions cluster-info wait events completion
    options help plugin kustomize auth krew ctx ns neat tree stern
    """
)
_KINDS = {"ns": "namespace", "deploy": "deployment", "sts": "statefulset", "ds": "daemonset", "svc": "service",
"po": "pod", "pods": "pod", "no": "node",
          "cm": "configmap", "pv": "persistentvolume", "pvc": "persistentvolumeclaim", "ing": "ingress",
          "rs": "replicaset", "cj": "cronjob", "sa": "serviceaccount",
          "netpol": "networkpolicy", "crd": "crd", "crds": "crd", "hpa": "hpa", "pdb": "pdb", "ep": "endpoint",
          "sc": "storageclass"}  # fmt: skip
_CLUSTER_GUARDS = re.compile(
    r"networkpolic|netpol|webhookconfiguration|podsecuritypolic|admissionpolic|falco|audit|gatekeeper|kyverno"
    r"|constraint|authorizationpolic|peerauthentication"
)
_WATCHERS = re.compile(
    r"falco|audit|gatekeeper|kyverno|sysdig|tetragon|tracee|fluent|prometheus-operator|wazuh|defender|crowdstrike"
)
_REMOTE = re.compile(r"^https?://|^git@|^oci://")
_HOSTILE_SPEC = re.compile(
    r"hostPID|hostNetwork\"?\s*:\s*true|hostPath|\"?privileged\"?\s*:\s*true|docker\.sock|hostIPC", re.IGNORECASE
)
_LOCAL = re.compile(
    r"^(?:minikube|kind(?:-.*)?|k3d(?:-.*)?|docker-desktop|rancher-desktop|colima|orbstack|microk8s|localhost)$"
)


@handles("kubectl", "oc", "kubecolor", "k3s-kubectl")
def judge_kubectl(call: Call) -> Judged | None:
    """``kubectl [options] verb kind name``."""
    spoken = read_spoken(call.words[1:], flags=_FLAGS)
    texts = list(spoken.texts)
    if not spoken.words:
        return Judged()
    verb = texts[0]
    namespace = spoken.said("-n", "--namespace")
    if not verb:
        return merged(call.found("C6", "kubectl: what is to be done cannot be known beforehand"))
    if spoken.has("--dry-run") or spoken.has("--help", "-h"):
        return merged(call.found("A4", "kubectl: only shows what would be done"))
    touch = Judged(
        (), (), (Touch("account", f"kubernetes/{namespace or 'default'}", "read" if verb in _READS else "write"),)
    )
    if _LOCAL.match(spoken.said("--context")) and verb in {"apply", "create", "delete", "scale", "rollout", "patch"}:
        return merged(touch, call.found("A5", "kubectl: works on a cluster of this machine"))
    if verb in _READS or (verb == "config" and "view" in texts):
        return merged(touch, _reading(call, verb, spoken))
    return merged(touch, _acting(call, verb, spoken, namespace))


def _kinds(spoken: Spoken) -> list[str]:
    """Kinds of things that are named, each for one."""
    out: list[str] = []
    for word in spoken.words[1:]:
        text = word.text or word.known_prefix
        kind, slash, _ = text.partition("/")
        if slash or not out:
            out += [_KINDS.get(one.partition(".")[0].lower(), one.partition(".")[0].lower()) for one in kind.split(",")]
            if not slash:
                break
    return out or [""]


def _names(spoken: Spoken) -> list[Textual]:
    """Names of the things; of ``kind/name`` words all of them, else what stands behind the kind."""
    rest = list(spoken.words[1:])
    if rest and "/" in (rest[0].text or rest[0].known_prefix):
        return rest
    if rest and rest[0].text is None:
        return rest
    return rest[1:]


def _reading(call: Call, verb: str, spoken: Spoken) -> Finding | None:
    kinds = " ".join(_kinds(spoken)).rstrip("s")
    form = spoken.said("-o", "--output", "--template")
    if verb == "config":
        return (
            call.found("C8", "kubectl: shows credentials of the cluster", secret=True)
            if spoken.has("--raw", "--flatten")
            else None
        )
    if verb in {"get", "describe"} and "secret" in kinds and verb == "get" and (form and form not in {"wide", "name"}):
        return call.found("C8", "kubectl: shows a secret", secret=True)
    if verb == "get" and spoken.options.get("--raw") and "secrets" in spoken.said("--raw"):
        return call.found("C8", "kubectl: shows secrets", secret=True)
    return None


def _acting(call: Call, verb: str, spoken: Spoken, namespace: str) -> Judged | Finding | None:
    texts = spoken.texts
    match verb:
        case "delete":
            return _delete(call, spoken, namespace)
        case (
            "apply"
            | "create"
            | "replace"
            | "run"
            | "expose"
            | "patch"
            | "set"
            | "annotate"
            | "label"
            | "edit"
            | "autoscale"
        ):
            return _apply(call, verb, spoken, namespace)
        case "scale":
            whole = spoken.has("--all") or any(map(listed, spoken.words))
            none = spoken.said("--replicas") == "0"
            scratch = name_kind(namespace, call.scope.setting) == "scratch"
            return call.found(
                "B4" if whole and none and not scratch else "C4",
                f"kubectl: scales {' '.join(texts[1:3])} to {spoken.said('--replicas')}",
                namespace,
            )
        case "rollout":
            if texts[1:2] in (("status",), ("history",)):
                return None
            return call.found("C4", f"kubectl: rollout {' '.join(texts[1:3])}", namespace)
        case "drain" | "taint" | "cordon" | "uncordon":
            return _nodes(call, verb, spoken)
        case "exec" | "debug" | "attach":
            return _inside(call, verb)
        case "cp":
            return (
                call.found("C4", "kubectl: copies files of a pod") if any(":" in text for text in texts[-1:]) else None
            )
        case "port-forward" | "proxy":
            wide = re.search(r"0\.0\.0\.0|\.\*", f"{spoken.said('--address')} {spoken.said('--accept-hosts')}")
            return call.found("C7", "kubectl: opens the cluster to the network", outward=True) if wide else None
        case "config" | "certificate":
            if verb == "config":
                return call.found("C4", "kubectl: removes a context") if "delete" in " ".join(texts) else None
            return call.found("C7", "kubectl: signs a certificate", privilege=True)
        case "adm" | "policy":
            return call.found(
                "B5" if "cluster-admin" in " ".join(texts) else "C4",
                f"{call.program}: {' '.join(texts)}",
                privilege=True,
            )
    return judge_deed(call, verb, (_kinds(spoken) or [""])[0], _names(spoken), context=namespace)


def _inside(call: Call, verb: str) -> Judged | Finding | None:
    """What runs in the pod is judged by the engine that takes the words after ``--``; a session alone is a question."""
    texts = [word.text for word in call.words]
    if "--" in texts and verb == "exec":
        return Judged()
    if verb == "exec" and len([text for text in texts if text and not text.startswith("-")]) > 3:
        return Judged()
    if verb == "debug" and any(text and text.startswith("node/") for text in texts):
        return call.found("C6", "kubectl: opens a session on a node", privilege=True)
    return call.found("C6", f"kubectl: {verb}s to a pod")


def _delete(call: Call, spoken: Spoken, namespace: str) -> Finding | None:
    kinds, names = _kinds(spoken), _names(spoken)
    setting = call.scope.setting
    files = spoken.said("-f", "--filename", "-k", "--kustomize")
    everything = spoken.has("--all") or (
        not names
        and not files
        and not spoken.options.get("-l")
        and not spoken.options.get("--selector")
        and not spoken.options.get("--field-selector")
    )
    spaces = spoken.has("--all-namespaces", "-A")
    first = spoken.words[1] if len(spoken.words) > 1 else None
    if files:
        return call.found(
            "B4" if name_kind(files, setting) == "precious" else "C4", f"kubectl: deletes what {files} describes", files
        )
    if first is not None and first.text is None:
        rule = "B4" if listed(first) else "C6"
        return call.found(
            rule,
            "kubectl: deletes what cannot be known beforehand"
            if rule == "C6"
            else "kubectl: deletes all that is listed",
            reversible=False,
        )
    scratch = name_kind(namespace, setting) == "scratch"
    named = " ".join(shown(name) for name in names) or namespace
    said = f"kubectl: deletes {'all ' if everything else ''}{','.join(kinds)} {named}".strip()
    rules = {_kind_loss(call, kind, names, everything, spaces, scratch) for kind in kinds}
    rule = min(rules, key=lambda one: (one[0] != "B", one))
    if rule == "A5":
        return call.found(rule, said, named, privilege=True)
    if _WATCHERS.search(named) and not scratch:
        rule = "B5"
    return call.found(rule, said, named, reversible=False)


def _kind_loss(call: Call, kind: str, names: list[Textual], everything: bool, spaces: bool, scratch: bool) -> str:
    from_list = any(map(listed, names))
    whole = (everything or from_list) and not (scratch and not spaces)
    if _CLUSTER_GUARDS.search(kind):
        return "B5"
    if kind in {"clusterrolebinding", "rolebinding", "clusterrolebindings", "rolebindings"}:
        return (
            "B6"
            if whole
            else "A5"
            if any(re.search(r"anonymous|open|public|admin", word.text or "") for word in names)
            else "C4"
        )
    if kind in {"clusterrole", "role"}:
        return "B6" if whole else "C4"
    weight = weight_of(kind)
    if kind in {"persistentvolumeclaim", "persistentvolume"}:
        return "B1" if whole else "C1"
    if weight is Weight.ENVIRONMENT or kind == "namespace":
        said = [name_kind(word.text or "", call.scope.setting) for word in names]
        return "C4" if said and all(one == "scratch" for one in said) and not whole else "B4"
    if any(word.text is None and not listed(word) for word in names):
        return "C6"
    if whole:
        return "B4"
    return "C4"


def _apply(call: Call, verb: str, spoken: Spoken, namespace: str) -> Judged | Finding | None:
    texts = " ".join(spoken.texts[1:])
    sources = spoken.values("-f", "--filename", "-k", "--kustomize")
    for word in sources:
        text = word.text or word.known_prefix
        if _REMOTE.match(text) or fetched(call, word) or (text == "-" and call.origin.fetched):
            return call.found(
                "B5", f"kubectl: runs what {text or 'another host'} describes", text, outward=True, privilege=True
            )
        if word.text == "-" and call.stdin is not None and _HOSTILE_SPEC.search(call.stdin):
            return call.found("B5", "kubectl: starts a pod that rules its node", privilege=True)
    whole = call.part
    if re.search(r"clusterrolebinding|rolebinding", texts) and verb == "create":
        wide = re.search(r"cluster-admin|system:(?:anonymous|unauthenticated|authenticated|masters)|=admin\b", whole)
        return call.found("B5" if wide else "C7", "kubectl: gives rights in the cluster", privilege=True)
    if verb in {"run", "patch", "set", "replace", "create"} and _HOSTILE_SPEC.search(
        spoken.said("--overrides", "-p", "--patch") + (" privileged: true" if spoken.has("--privileged") else "")
    ):
        return call.found("B5", "kubectl: starts a pod that rules its node", privilege=True)
    if re.search(r"\bsecret\b|\bsecrets\b|^token\b", texts.partition("/")[0]) and verb == "create":
        return call.found("C8", "kubectl: makes a secret", secret=True)
    if (
        verb == "patch"
        and spoken.said("-p", "--patch")
        and re.search(r"\"replicas\"\s*:\s*0", spoken.said("-p", "--patch"))
        and spoken.has("--all")
    ):
        return call.found("B4", "kubectl: stops every service", namespace)
    if verb in {"label", "annotate"} and re.search(r"--all\b", whole) and "pod-security" in whole:
        return call.found("B5", "kubectl: weakens the security of every namespace", privilege=True)
    if spoken.has("--prune"):
        return call.found(
            "B4" if spoken.has("--all") else "C4", "kubectl: deletes what is no longer described", namespace
        )
    return call.found("C4", f"kubectl: {verb} {texts}".strip(), namespace)


def _nodes(call: Call, verb: str, spoken: Spoken) -> Finding | None:
    names = spoken.words[1:] if verb != "taint" else spoken.words[1:3]
    whole = (
        spoken.has("--all")
        or spoken.options.get("-l")
        or spoken.options.get("--selector")
        or any(map(listed, names))
        or len(spoken.words) > 6
    )
    if verb == "uncordon":
        return call.found("C4", "kubectl: lets pods run on a node again")
    if any(word.text is None and not listed(word) for word in names) and not whole:
        return call.found("C6", f"kubectl: {verb}s a node that cannot be known beforehand")
    return call.found(
        "B6" if whole else "C4",
        f"kubectl: {verb}s {'every node' if whole else shown(names[0]) if names else 'a node'}",
        reversible=False,
    )


@handles("helm", "helm3")
def judge_helm(call: Call) -> Judged | None:
    """Releases of a cluster."""
    spoken = read_spoken(call.words[1:], flags=_FLAGS | {"--dry-run", "-a", "-d"})
    texts = spoken.texts
    verb = texts[0] if texts else ""
    if not verb:
        return (
            merged(call.found("C6", "helm: what is to be done cannot be known beforehand"))
            if spoken.words
            else Judged()
        )
    if spoken.has("--dry-run", "--help", "-h"):
        return merged(call.found("A4", "helm: only shows what would be done"))
    namespace = spoken.said("-n", "--namespace")
    if verb in wordset(
        """
        list ls status history get show search template lint version env verify diff help completion inspect dep
        dependency package create pull fetch
        """
    ):
        return (
            merged(call.found("C8", "helm: shows values that may hold secrets", secret=True))
            if texts[:2] == ("get", "secrets")
            else Judged()
        )
    if verb in {"uninstall", "delete", "del", "un"}:
        names = spoken.words[1:]
        whole = any(map(listed, names)) or len(names) > 3
        if any(word.text is None and not listed(word) for word in names) and not whole:
            return merged(call.found("C6", "helm: uninstalls what cannot be known beforehand", reversible=False))
        scratch = name_kind(namespace, call.scope.setting) == "scratch"
        return merged(
            call.found(
                "B4" if whole and not scratch else "C4",
                f"helm: uninstalls {' '.join(shown(word) for word in names)}",
                namespace,
                reversible=False,
            )
        )
    if verb == "repo":
        return Judged()
    if verb in {"install", "upgrade", "rollback", "test", "push", "plugin", "registry"}:
        return merged(call.found("C4", f"helm: {verb} {' '.join(texts[1:2])}", namespace))
    return merged(judge_deed(call, verb, "release", spoken.words[1:]))
