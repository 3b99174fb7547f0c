"""What kinds of things services keep, by the noun they are called, and what losing one of them means.

The same nouns stand in addresses (``DELETE /v1/namespaces/prod``),
in command lines (``kubectl delete namespace prod``),
in GraphQL (``deleteNamespace``) and in calls (``delete_namespace()``), so they are weighed in one place.
"""

from __future__ import annotations

import re
from enum import StrEnum

from reactor_core.safety.naming import NameClass, name_class, wordset
from reactor_core.safety.setting import Setting

__all__ = [
    "DESTROYS",
    "READS",
    "STOPS",
    "Weight",
    "loss_rule",
    "name_kind",
    "singular",
    "split_name",
    "stop_rule",
    "weight_of",
]


class Weight(StrEnum):
    """How much hangs on one thing of a kind."""

    ENVIRONMENT = "environment"
    STORE = "store"
    INSTANCE = "instance"
    KEY = "key"
    BACKUP = "backup"
    GUARD = "guard"
    REPOSITORY = "repository"
    HELD = "held"
    MACHINE = "machine"
    ITEM = "item"


_WEIGHTS = {
    Weight.ENVIRONMENT: "namespace ns cluster project account organization organisation org tenant subscription "
    "resourcegroup "
    "environment env stack vpc hostedzone managedzone app application site fleet realm directory "
    "company managementgroup virtualnetwork vnet appservice serviceplan servicemesh "
    "hub landingzone userpool identitypool crd customresourcedefinition apiservice hypervisor datacenter region",
    Weight.STORE: "database db bucket table index indice indices dataset collection schema keyspace topic stream "
    "filesystem "
    "storageaccount share fileshare warehouse datalake lake vectorstore measurement "
    "catalog vhost pool zpool volumegroup array raid lun feature featurestore registry containerregistry "
    "storagepool objectstore dataset datasource",
    Weight.INSTANCE: "dbinstance dbcluster databaseinstance sqlinstance sqlserver sqldatabase rds cachecluster "
    "replicationgroup postgres postgresql mysql mariadb redis mongodb elasticsearchdomain opensearchdomain "
    "memcached firestore bigtable spanner datastore cosmosdb flexibleserver globaltable",
    Weight.KEY: "key cryptokey keyversion keyring keyvault masterkey hsm ca rootca certificateauthority signingkey",
    Weight.BACKUP: "backup snapshot dbsnapshot recoverypoint backupvault recoveryvault restorepoint clustersnapshot "
    "dbclustersnapshot archive backupplan backupjob backuppolicy volumesnapshot",
    Weight.GUARD: "trail detector audit auditlog auditdevice sink logsink flowlog configrecorder configurationrecorder "
    "lock deletionprotection protection guardrail scp webacl waf securityhub alarmhistory loggingconfiguration "
    "firewallpolicy "
    "mfa mfadevice twofactor 2fa branchprotection ruleset admissionpolicy validatingwebhookconfiguration "
    "validatingadmissionpolicy networkpolicy podsecuritypolicy policyassignment diagnosticsetting securitycontact "
    "publicaccessblock passwordpolicy accountpasswordpolicy analyzer loggroup auditpolicy retention retentionpolicy "
    "alertrule auditevent accesslog killswitch alarm  securitypolicy loggingpolicy codeowners peerauthentication "
    "authorizationpolicy",
    Weight.REPOSITORY: "repository repo",
    Weight.HELD: "legalhold hold litigationhold ediscovery",
    Weight.MACHINE: "instance vm virtualmachine pod service deployment function lambda node nodegroup nodepool "
    "task container "
    "job release droplet server machine host worker replica statefulset daemonset ingress loadbalancer "
    "autoscalinggroup "
    "volume disk image dyno unit allocation process agent runner broker pvc persistentvolumeclaim persistentvolume pv "
    "scalingset vmss pipeline cronjob hostgroup daemon workflow",
}
_BY_NOUN = {noun: weight for weight, nouns in _WEIGHTS.items() for noun in nouns.split()}

DESTROYS = wordset(
    """
    delete del destroy remove rm purge terminate drop wipe nuke erase truncate flush obliterate teardown clear empty
    deprovision expunge uninstall trash reset clean dispose kill unregister expire discard
    """
)
"""Verbs that end a thing."""
STOPS = wordset(
    """
    stop shutdown halt poweroff suspend pause deactivate disable hibernate deallocate quiesce freeze undeploy drain
    evacuate cordon detach
    """
)
"""Verbs that end what a thing does."""
READS = wordset(
    """
    get list show describe read view search find query count status info fetch lookup check validate preview inspect
    explain simulate estimate export head stat whoami ping health verify test diff compare lint render plan watch
    download tail log logs browse scan history peek resolve print suggest autocomplete metrics summary summarize
    """
)
"""Verbs that change nothing."""

_PARTS = re.compile(r"[A-Z]+(?![a-z])|[A-Z]?[a-z]+|[0-9]+")


def split_name(name: str) -> list[str]:
    """``deleteManyOrders`` or ``delete-many_orders`` as words in lower case."""
    return [part.lower() for part in _PARTS.findall(name)]


def singular(noun: str) -> str:
    """The noun for one, without the marks between its words: ``resource-groups`` is ``resourcegroup``."""
    bare = re.sub(r"[^a-z0-9]", "", noun.lower())
    if bare in _BY_NOUN:
        return bare
    if bare.endswith("ies") and len(bare) > 4:
        return f"{bare[:-3]}y"
    if bare.endswith(("sses", "xes", "ches", "shes")):
        return bare[:-2]
    if bare == "indexes":
        return "index"
    return bare[:-1] if bare.endswith("s") and not bare.endswith(("ss", "us", "is")) and len(bare) > 2 else bare


def weight_of(noun: str) -> Weight:
    """The weight of a kind of thing; of a noun of several words the whole counts before the last word."""
    whole = singular(noun)
    if whole in _BY_NOUN:
        return _BY_NOUN[whole]
    parts = split_name(noun)
    for start in range(1, len(parts)):
        last = singular("".join(parts[start:]))
        if last in _BY_NOUN:
            return _BY_NOUN[last]
    return Weight.ITEM


def name_kind(name: str, setting: Setting) -> NameClass:
    """What a name says, not counting the endings of addresses that documents use (``.example``)."""
    return name_class(re.sub(r"\.(?:example|test|invalid|local|localhost)\b(?:\.(?:com|org|net))?", "", name), setting)


def loss_rule(noun: str, name: str, setting: Setting, *, many: bool = False, item: str = "C3") -> str:
    """The rule for the end of one thing, or of many.

    Args:
        noun: What it is called.
        name: Its own name; empty if it has none.
        setting: What names say.
        many: Whether all or an open number of them end.
        item: The rule for one thing on which little hangs.
    """
    weight = weight_of(noun)
    said = name_kind(name, setting) if name else "plain"
    if weight is Weight.GUARD:
        return "B5"
    if weight is Weight.HELD:
        return "B7"
    if weight is Weight.REPOSITORY:
        return "C2" if said == "scratch" and not many else "B2"
    if weight is Weight.BACKUP:
        return "B1" if many or said == "precious" else "C1"
    if weight in {Weight.ENVIRONMENT, Weight.STORE, Weight.INSTANCE, Weight.KEY}:
        if said == "scratch" and not many:
            return "C4"
        return "B3" if weight is Weight.STORE and item == "C3" else "B4"
    if weight is Weight.MACHINE:
        return "B4" if many else ("B4" if said == "precious" else "C4")
    return "B3" if many and item == "C3" else ("B4" if many else item)


def stop_rule(noun: str, name: str, setting: Setting, *, many: bool = False) -> str:
    """The rule for stopping one thing, or many."""
    weight = weight_of(noun)
    said = name_kind(name, setting) if name else "plain"
    if weight is Weight.GUARD:
        return "B5"
    if many:
        return "C4" if said == "scratch" else "B4"
    if weight in {Weight.ENVIRONMENT, Weight.KEY, Weight.INSTANCE}:
        return "C4" if said == "scratch" else "B4"
    return "C4"
