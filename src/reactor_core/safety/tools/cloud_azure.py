"""The command line of Azure."""

from __future__ import annotations

import re

from reactor_core.safety.naming import wordset
from reactor_core.safety.things import name_kind
from reactor_core.safety.tools.deeds import Spoken, judge_deed, listed, read_spoken, verb_class
from reactor_core.safety.tools.line import Textual
from reactor_core.safety.tools.registry import Call, handles
from reactor_core.safety.tools.targets import merged
from reactor_core.safety.verdict import Finding, Judged, Touch

__all__ = ["judge_az"]

_FLAGS = wordset(
    """
    --yes -y --no-wait --help -h --force --verbose --debug --only-show-errors --what-if --all --show-details
    --dryrun
    """
)
_NOUNS = {"group": "resource-group", "sql server": "db-instance", "sql db": "db-instance",
"account subscription": "subscription", "ad app": "application",
          "ad sp": "application", "storage container": "bucket", "storage account": "bucket",
          "storage blob": "object", "network dns zone": "zone-hostedzone", "aks": "cluster",
          "keyvault": "vault-key", "keyvault key": "key", "keyvault secret": "item", "cosmosdb": "db-instance",
          "redis": "db-instance", "disk": "disk",
          "snapshot": "snapshot", "acr": "bucket", "webapp": "service", "functionapp": "service",
          "acr repository": "bucket"}  # fmt: skip
_GUARDS = re.compile(
    r"^(?:lock|monitor (?:diagnostic|activity-log|alert|log-analytics)|monitor log-profiles|security"
    r"|policy assignment|sentinel|network (?:ddos|firewall|watcher flow)|backup protection disable)"
)


@handles("az")
def judge_az(call: Call) -> Judged | None:
    """``az group ... verb -n NAME -g GROUP``."""
    spoken = read_spoken(call.words[1:], flags=_FLAGS)
    texts = spoken.texts
    if texts and not texts[0]:
        return merged(call.found("C6", "az: what is to be done cannot be known beforehand"))
    if spoken.has("--help", "-h", "--what-if", "--dryrun", "--validate") or "what-if" in texts:
        return merged(call.found("A4", "az: only shows what would be done"))
    at = next(
        (
            index
            for index in range(len(texts) - 1, -1, -1)
            if verb_class(texts[index])
            or texts[index]
            in wordset(
                """
                get-access-token invoke command set-permission set-policy purge generate-sas build decompile
                get-credentials keys stop
                """
            )
        ),
        -1,
    )
    if at < 0:
        return Judged() if len(texts) < 2 else merged(call.found("C4", f"az: {' '.join(texts[:4])}"))
    groups, verb = " ".join(texts[:at]), texts[at]
    touch = Judged(
        (), (), tuple(Touch("account", name, "write") for name in [spoken.said("-g", "--resource-group")] if name)
    )
    return merged(touch, _judged(call, groups, verb, spoken))


def _names(spoken: Spoken) -> list[Textual]:
    return (
        spoken.values("-n", "--name", "--ids", "--id", "--subscription-id", "--names", "--account-name")
        if not spoken.values("-n", "--name", "--ids", "--id")
        else spoken.values("-n", "--name", "--ids", "--id")
    )


def _judged(call: Call, groups: str, verb: str, spoken: Spoken) -> Judged | Finding | None:
    line = call.part
    said = f"{groups} {verb}".strip()
    group = spoken.said("-g", "--resource-group")
    if verb == "get-access-token" or re.search(
        r"keyvault (?:secret|key|certificate) (?:show|download|backup|set)|keys list|list-keys"
        r"|list-connection-strings|connection-string|credential (?:list|reset)|create-for-rbac|generate-sas"
        r"|get-credentials|keys renew|list-publishing",
        said,
    ):
        if "get-credentials" in said:
            return call.found("C8", f"az: {said} stores credentials", secret=True)
        return call.found("C8", f"az: {said} shows or makes a secret", secret=True)
    if verb_class(verb) == "reads" or verb in {
        "login",
        "version",
        "find",
        "upgrade-none",
        "configure",
        "build",
        "decompile",
    }:
        return None
    if groups.startswith("role assignment"):
        if verb == "delete":
            return call.found("C4", f"az: {said}", privilege=True)
        wide = re.search(r"--role[ =]['\"]?(?:owner|contributor|user access administrator|global)", line, re.IGNORECASE)
        broad = re.search(r"--scope[ =]['\"]?/(?:subscriptions/[^/\s]+)?['\"]?(?:\s|$)", line)
        return call.found(
            "B5" if wide and (broad or re.search("owner|administrator", wide.group(), re.IGNORECASE)) else "C7",
            f"az: {said}",
            privilege=True,
        )
    if re.search(
        r"firewall-rule (?:create|update)|nsg rule (?:create|update)|update.*public-network-access|default-action", line
    ):
        everybody = re.search(
            r"0\.0\.0\.0.*255\.255\.255\.255|--source-address-prefix\w*[ =]['\"]?(?:\*|internet|0\.0\.0\.0/0)"
            r"|default-action[ =]allow|public-network-access[ =]enabled",
            line,
            re.IGNORECASE,
        )
        if everybody and re.search(r"access[ =]deny", line, re.IGNORECASE):
            return call.found("A5", "az: closes a port")
        return call.found("B5" if everybody else "C4", f"az: {said}", outward=bool(everybody), privilege=True)
    if "public-access" in line and re.search(r"public-access[ =](?:blob|container|true|enabled)", line, re.IGNORECASE):
        return call.found("B7", f"az: {said} opens it to everybody", outward=True)
    if groups.startswith("lock") and verb == "create":
        return call.found("A5", "az: protects it from deletion")
    if _GUARDS.match(groups) and verb_class(verb) in {"destroys", "stops"}:
        return call.found("B5", f"az: {said} switches a guard off", privilege=True)
    if re.search(
        r"--(?:enable-)?(?:purge-protection|soft-delete|auditing|encryption)\S*[ =](?:false|disabled)"
        r"|--state[ =]disabled",
        line,
        re.IGNORECASE,
    ):
        return call.found("B5", f"az: {said} switches protection off", privilege=True)
    if groups.endswith("run-command") or "run-command" in said or (verb == "invoke" and "aks command" not in groups):
        scripts = spoken.said("--scripts", "--command", "-c")
        if scripts:
            return merged(
                call.nested("shell", scripts, host=spoken.said("-n", "--name") or group, cwd="/root", privileged=True),
                call.found("C5", f"az: {said}"),
            )
        return call.found("C6", f"az: {said}")
    if groups.startswith("ad user") and "password" in line:
        return call.found("C8", f"az: {said}", secret=True)
    if groups == "account subscription" and verb in {"cancel", "delete"}:
        return call.found("B4", "az: ends a subscription", reversible=False)
    if verb in {"deployment", "create"} and "--mode" in line and re.search(r"--mode[ =]complete", line, re.IGNORECASE):
        return call.found("B4", "az: deletes what the template does not name", group, reversible=False)
    names = _names(spoken)
    if groups in {"group", ""} and not names:
        names = spoken.values("-g", "--resource-group")
    noun = _NOUNS.get(groups, groups.rpartition(" ")[2])
    if groups.startswith(("postgres", "mysql", "mariadb")) and "db" not in groups.split():
        noun = "db-instance"
    if noun == "zone-hostedzone":
        noun = "hostedzone"
    if noun == "vault-key":
        noun = "key"
    if "record-set" in groups:
        noun = "item"
    if groups == "storage blob" and verb == "delete-batch":
        names = spoken.values("-s", "--source")
        noun = "bucket"
        if "--pattern" in line and not re.search(r"--pattern[ =]['\"]?\*", line):
            return call.found("C4", "az: deletes selected objects")
    if groups == "resource" and verb_class(verb) == "destroys":
        whole = any(map(listed, names))
        precious = name_kind(line, call.scope.setting) == "precious"
        return call.found(
            "B4" if whole or precious else "C6" if any(word.text is None for word in names) else "C4",
            "az: deletes resources",
            reversible=False,
        )
    if verb == "purge" and "keyvault" in groups:
        return call.found("B4", "az: removes a vault for good", reversible=False)
    return judge_deed(call, verb, noun, names, context=group if noun != "resource-group" and not names else "")
