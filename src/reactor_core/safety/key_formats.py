"""Secrets in a text that is written: keys of known formats, and settings whose names say secret."""

from __future__ import annotations

import re

from reactor_core.safety.sensitive import secret_name

__all__ = ["holds_secret"]

_KEYS = re.compile(
    r"-----BEGIN [A-Z ]*PRIVATE KEY|\b(AKIA|ASIA)[0-9A-Z]{16}\b|\bgh[pousr]_[A-Za-z0-9]{20,}"
    r"|\bgithub_pat_\w{20,}|\bglpat-[\w-]{15,}"
    r"|\bxox[abprs]-[\w-]{10,}|\b[sr]k_live_\w{8,}|\bAIza[\w-]{30,}|\bhf_[A-Za-z0-9]{20,}|\bnpm_[A-Za-z0-9]{20,}"
    r"|\bpypi-[\w-]{20,}"
    r"|\bhvs\.[\w-]{12,}|\bAGE-SECRET-KEY-|\bSG\.[\w-]{16,}"
)
_SETTING = re.compile(
    r"""^\s*(?:export\s+|set\s+|//[^:\s]+:)?["']?([\w.-]+)["']?\s*[:=]\s*["']?([^\s"'#,]{3,})""", re.MULTILINE
)
_PLACEHOLDER = re.compile(
    r"(?i)example|changeme|change[-_]me|your[-_]|placeholder|xxx|<.*|\$\{?.*|todo|dummy|none|null|true|false"
)


def holds_secret(content: str, *, named: bool = False) -> bool:
    """Whether a text holds a key of a known format; with ``named``: or sets something whose name says secret."""
    match = _KEYS.search(content)
    if match is not None and "EXAMPLE" not in content[match.start() : match.end() + 8]:
        return True
    return named and any(
        secret_name(key.replace("authToken", "token")) and _PLACEHOLDER.match(value) is None
        for key, value in _SETTING.findall(content)
    )
