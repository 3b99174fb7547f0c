"""HashiCorp Vault and its fork."""

from __future__ import annotations

import re

from reactor_core.safety.things import name_kind
from reactor_core.safety.tools.deeds import read_spoken
from reactor_core.safety.tools.registry import Call, handles
from reactor_core.safety.tools.targets import merged
from reactor_core.safety.verdict import Judged

__all__ = ["judge_vault"]


@handles("vault", "bao", "openbao")
def judge_vault(call: Call) -> Judged | None:
    """The vault of secrets."""
    spoken = read_spoken(
        list(call.words[1:]),
        flags={"-force", "-f", "-orphan", "-self", "-prefix", "-format-none", "-detailed"},
    )
    texts = spoken.texts
    line = " ".join(texts)
    if re.match(
        r"(?:status|version|kv (?:metadata get|list|metadata list)|list|policy (?:list|read|fmt)|secrets list"
        r"|auth list|audit list|token lookup|token capabilities|path-help|operator raft list|print|plugin list"
        r"|login -method-none|lease lookup)",
        line,
    ):
        return Judged()
    if re.match(r"audit enable", line):
        return merged(call.found("A5", "vault: switches the audit on"))
    if re.match(r"audit disable", line):
        return merged(call.found("B5", "vault: switches the audit off", privilege=True))
    if re.match(
        r"secrets disable|operator (?:seal|step-down|rekey|generate-root|raft (?:remove|snapshot restore))"
        r"|auth disable|namespace delete|kv (?:destroy|metadata delete)|delete sys/",
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
